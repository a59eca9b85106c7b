// Padding, affine maps, blur, gray, erasing and RandAugment: the f64 reference against torchvision, the device against it.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { capture, manualSeed, ShapeError, type Tensor, tensor, ValueError, vision } from "wgrad";
import * as reference from "../reference/augment.ts";
import { adjust } from "../reference/transforms.ts";
import { edge, seed, withDevice } from "../support/case.ts";
import { type HostArray, host, uniform, upload } from "../support/host.ts";
import { expectClose } from "../support/tolerance.ts";
import { reference as applied, drawsFor } from "../support/transforms.ts";

/** Each case has those that its function takes. */
interface Args {
  padding: number[];
  mode: reference.Mode;
  fill: number | number[];
  angle: number;
  center: [number, number] | null;
  shift: [number, number];
  scale: number;
  shear: [number, number];
  bilinear: boolean;
  channels: number;
  size: [number, number];
  sigma: number;
  operation: number;
  strength: number;
}
interface Golden {
  image: number[];
  shape: number[];
  cases: { name: string; args: Args; shape: number[]; data: number[] }[];
  equalized: { histograms: number[][]; tables: number[][] };
}
const golden = JSON.parse(readFileSync(new URL("../golden/transforms.json", import.meta.url), "utf8")) as Golden;
const image = host(
  golden.shape,
  golden.image.map((v) => v / 255),
);
const [, HEIGHT = 0, WIDTH = 0] = golden.shape;

describe("the reference is torchvision's", () => {
  const run: Record<string, (args: Args) => HostArray> = {
    pad: ({ padding, mode, fill }) => {
      const [left = 0, top = left, right = left, bottom = top] = padding;
      const at = reference.padded(image, mode, fill);
      return reference.picture([3, HEIGHT + top + bottom, WIDTH + left + right], (c, y, x) => at(c, y - top, x - left));
    },
    vflip: () =>
      reference.picture([3, HEIGHT, WIDTH], (c, y, x) => image.data[(c * HEIGHT + HEIGHT - 1 - y) * WIDTH + x]!),
    turn: ({ angle, bilinear, fill, center }) => {
      const [cx, cy] = center ?? [WIDTH / 2, HEIGHT / 2];
      const matrix = reference.inverseMatrix(-angle, [0, 0], 1, [0, 0], [cx - WIDTH / 2, cy - HEIGHT / 2]);
      return reference.warp(image, matrix, bilinear, fill);
    },
    affine: ({ angle, shift, scale, shear, bilinear, fill }) =>
      reference.warp(image, reference.inverseMatrix(angle, shear, scale, shift, [0, 0]), bilinear, fill),
    gray: ({ channels }) => reference.gray(image, channels),
    blur: ({ size, sigma }) => reference.blur(image, size, sigma),
    augment: (args) => reference.augment(image, { ...args, wide: false, bilinear: true, fill: null }, adjust),
  };
  const cases = golden.cases.filter(({ name }) => run[name]);
  test.each(cases)("$name $args", ({ name, args, shape, data }) => {
    const got = run[name]!(args);
    expect(got.shape).toEqual(shape);
    // torchvision computes a blur's weights in f32.
    for (const [i, v] of got.data.entries()) expect(v).toBeCloseTo(data[i]!, name === "blur" ? 6 : 8);
  });

  test.each([0, 1, 2])("the table of equalize, channel %d", (c) => {
    const { histograms, tables } = golden.equalized;
    const table = reference.equalizeTable(histograms[c]!);
    for (const [v, to] of tables[c]!.entries()) if (to >= 0) expect(table![v]).toBe(to);
  });
});

/** The images that a transform makes of these, and what the reference makes of them with the same random numbers. */
async function compare(transform: vision.Transform, images: HostArray, from: number): Promise<void> {
  const draws = drawsFor(transform, images.shape[0]!, images.shape.slice(1), from);
  const ref = applied(transform, images, draws);
  const [x, u] = [upload(images), transform.draws > 0 ? upload(draws) : undefined];
  const y = transform.forward(x, u);
  expect(y.shape).toEqual(ref.shape);
  expect(transform.outputShape(images.shape.slice(1))).toEqual(ref.shape.slice(1));
  const what = transform.steps.map((s) => s.kind).join(" > ");
  // Places between pixels are rounded as coordinates, which are larger than the values there.
  // Positions are f32, too: what they are off is multiplied by the contrast of neighbours, which colour steps and std raise.
  expectClose(await y.data(), ref, images.shape[2]! * images.shape[3]!, what, { c: 256 });
  for (const t of [x, u, y]) t?.dispose();
}

describe("the device against the reference", () => {
  withDevice();
  const pictures = fc.record({ n: fc.constantFrom(1, 3), h: edge(8), w: edge(8), seed });
  const fill = [0.1, 0.6, 0.3];
  const bilinear = { interpolation: "bilinear" } as const;
  const cases: Record<string, (h: number, w: number) => vision.Transform> = {
    "pad with a value for each channel": () => vision.pad([1, 2, 3, 4], { fill }),
    "pad with the edge": () => vision.pad([3, 1], { paddingMode: "edge" }),
    "pad by reflection": (h, w) => vision.pad([Math.min(2, w - 1), Math.min(1, h - 1)], { paddingMode: "reflect" }),
    "pad symmetrically": (h, w) => vision.pad([w, 1, 1, h], { paddingMode: "symmetric" }),
    "randomCrop with the edge": () => vision.randomCrop([5, 2], { padding: [2, 3], paddingMode: "edge" }),
    "randomCrop with a fill": () => vision.randomCrop([3, 4], { padding: [3, 1, 1, 2], fill: 0.7 }),
    "randomCrop that pads where it must": () => vision.randomCrop([9, 11], { padIfNeeded: true, fill }),
    "centerCrop larger than the image": (h, w) => vision.centerCrop([h + 3, Math.max(1, w - 1)]),
    randomVerticalFlip: () => vision.randomVerticalFlip(),
    "both flips, a crop and a rotation": (h, w) =>
      vision.compose([
        vision.randomVerticalFlip(),
        vision.randomCrop([h, w], { padding: 1, paddingMode: "symmetric" }),
        vision.randomHorizontalFlip(),
        vision.randomRotation(30, { fill: 0.5 }),
        vision.randomCrop([h, w], { padding: 3, fill }),
        vision.normalize(fill, [0.5, 0.4, 0.3]),
      ]),
    "randomRotation between pixels": () => vision.randomRotation([-60, 100], { ...bilinear, fill }),
    "randomRotation around a point": () => vision.randomRotation(50, { center: [1.3, 2.2] }),
    "randomAffine of nearest pixels": () => vision.randomAffine(20, { translate: [0.3, 0.2], scale: [0.7, 1.4], fill }),
    "randomAffine between pixels": () =>
      vision.compose([
        vision.randomAffine(20, { shear: [-20, 10, -5, 15], scale: [0.8, 1.2], center: [1, 0], ...bilinear }),
        vision.normalize([0.5], [0.5]),
      ]),
    grayscale: () => vision.grayscale(),
    "grayscale in three channels": () =>
      vision.compose([vision.grayscale(3), vision.normalize([0.1, 0.2, 0.3], [1, 2, 3])]),
    "randomGrayscale, twice": () =>
      vision.compose([vision.randomGrayscale(0.5), vision.grayscale(), vision.randomGrayscale(0.5)]),
    gaussianBlur: (h, w) => vision.gaussianBlur([h > 2 ? 5 : 1, w > 1 ? 3 : 1]),
    "gaussianBlur of one width": (h, w) =>
      vision.compose([vision.gaussianBlur(Math.min(h, w) > 3 ? 7 : 1, { sigma: 1.4 }), vision.normalize([0.5], [0.2])]),
    randomErasing: () =>
      vision.compose([vision.randomErasing({ value: fill, p: 0.8 }), vision.normalize(fill, [1, 2, 3])]),
    randAugment: () => vision.randAugment({ numOps: 3, magnitude: 20, fill }),
    "randAugment between pixels": () => vision.compose([vision.randAugment(bilinear), vision.normalize([0.5], [0.2])]),
  };
  for (const [name, make] of Object.entries(cases)) {
    test(name, () =>
      fc.assert(
        fc.asyncProperty(pictures, ({ n, h, w, seed }) => compare(make(h, w), uniform([n, 3, h, w], seed, 0, 1), seed)),
        { numRuns: 12 },
      ),
    );
  }

  /** Random numbers of one operation, image by image, at `strength` from -1 to 1. */
  async function operation(k: number, strength: number, images: HostArray): Promise<void> {
    const transform = vision.trivialAugmentWide({ fill: 0.25, ...bilinear });
    const n = images.shape[0]!;
    const row = [(k + 0.5) / 14, strength < 0 ? 0.2 : 0.8, (Math.abs(strength) * 30 + 0.5) / 31].map(Math.fround);
    const draws = host([n, 3], Array.from({ length: n }, () => row).flat());
    const ref = applied(transform, images, draws);
    const [x, u] = [upload(images), upload(draws)];
    const y = transform.forward(x, u);
    expectClose(await y.data(), ref, 4096, `operation ${k} at ${strength}`);
    for (const t of [x, u, y]) t.dispose();
  }

  test.each(Array.from({ length: 14 }, (_, k) => k))(
    "operation %d of TrivialAugment, strong and weak, in colours and gray",
    async (k) => {
      for (const strength of [0, 0.2, -0.6, 1, -1]) {
        await operation(k, strength, uniform([2, 3, 13, 17], k, 0.1, 0.9));
        await operation(k, strength, uniform([1, 1, 40, 33], k, 0, 0.4));
      }
    },
  );

  test("equalize spreads few levels of many pixels, and leaves one level as it is", async () => {
    const levels = host(
      [1, 3, 40, 50],
      uniform([1, 3, 40, 50], 7, 0, 1).data.map((v) => Math.fround((Math.floor(v * v * 23) * 9) / 255)),
    );
    await operation(13, 1, levels);
    await operation(
      13,
      1,
      host(
        [1, 3, 20, 20],
        Array.from({ length: 1200 }, () => Math.fround(90 / 255)),
      ),
    );
    await operation(
      12,
      1,
      host(
        [1, 3, 20, 20],
        Array.from({ length: 1200 }, () => Math.fround(90 / 255)),
      ),
    );
  });

  test("a single picture is a batch of one; an image larger than a workgroup's share", async () => {
    const shape = [3, 70, 91];
    const transform = vision.compose([
      vision.randomAffine(20, bilinear),
      vision.randAugment({ numOps: 1, ...bilinear }),
      vision.gaussianBlur(5),
      vision.randomErasing({ p: 1 }),
    ]);
    const images = uniform([1, ...shape], 3, 0, 1);
    await compare(transform, images, 4);
    const draws = drawsFor(transform, 1, shape, 9);
    const [x, u] = [upload(images), upload(draws)];
    const one = x.reshape([3, 70, 91]);
    const [whole, single] = [transform.forward(x, u), transform.forward(one, u)];
    expect(single.shape).toEqual(shape);
    expect(await single.data()).toEqual(await whole.data());
    for (const t of [x, u, one, whole, single]) t.dispose();
  });
});

describe("random numbers", () => {
  withDevice();
  test("the same seed gives the same pictures, another one others; a captured step draws anew", async () => {
    const transform = vision.compose([
      vision.randomResizedCrop(12),
      vision.randomVerticalFlip(),
      vision.randAugment(),
      vision.gaussianBlur(3),
      vision.randomErasing({ p: 1, value: "random" }),
    ]);
    const x = upload(uniform([4, 3, 16, 16], 3, 0, 1));
    const collect = async (s: number, step: (x: Tensor) => Tensor) => {
      manualSeed(s);
      const out: number[][] = [];
      for (let i = 0; i < 2; i++) {
        const y = step(x);
        out.push([...(await y.data())]);
        y.dispose();
      }
      return out;
    };
    const plain = (images: Tensor) => transform.forward(images);
    const first = await collect(1, plain);
    expect(await collect(1, plain)).toEqual(first);
    expect(await collect(2, plain)).not.toEqual(first);
    expect(first[0]).not.toEqual(first[1]);
    const step = capture(plain);
    expect(await collect(1, step)).toEqual(first);
    step.dispose();
    x.dispose();
  });

  test("rectangles are erased as often, as large and as long as torchvision's", async () => {
    manualSeed(3);
    const [n, side] = [2000, 64];
    const x = tensor(new Float32Array(n * side * side), { shape: [n, 1, side, side] });
    const y = vision.randomErasing({ value: 1, p: 0.7 }).forward(x);
    const data = await y.data();
    const areas: number[] = [];
    const logs: number[] = [];
    for (let i = 0; i < n; i++) {
      const plane = data.subarray(i * side * side, (i + 1) * side * side);
      const area = plane.filter((v) => v === 1).length;
      if (area === 0) continue;
      const rows = Array.from({ length: side }, (_, r) => plane.subarray(r * side, (r + 1) * side)).filter((r) =>
        r.includes(1),
      );
      areas.push(area / side ** 2);
      logs.push(Math.log(rows.length / (area / rows.length)));
    }
    const mean = (v: number[]) => v.reduce((a, b) => a + b, 0) / v.length;
    // Of 40,000 rectangles of torchvision's. Within 4.5 standard errors.
    expect(Math.abs(areas.length / n - 0.7)).toBeLessThan(4.5 * Math.sqrt(0.21 / n));
    expect(Math.abs(mean(areas) - 0.1741)).toBeLessThan((4.5 * 0.0891) / Math.sqrt(areas.length));
    expect(Math.abs(mean(logs) + 0.008)).toBeLessThan((4.5 * 0.6885) / Math.sqrt(areas.length));
    x.dispose();
    y.dispose();
  });

  test("erasing with random values puts normal numbers there", async () => {
    manualSeed(4);
    const x = tensor(new Float32Array(64 * 3 * 32 * 32).fill(7), { shape: [64, 3, 32, 32] });
    const y = vision.randomErasing({ value: "random", p: 1 }).forward(x);
    const noise = [...(await y.data())].filter((v) => v !== 7);
    const mean = noise.reduce((a, b) => a + b, 0) / noise.length;
    const variance = noise.reduce((a, b) => a + (b - mean) ** 2, 0) / noise.length;
    expect(noise.length).toBeGreaterThan(64 * 3 * 1024 * 0.1);
    expect(Math.abs(mean)).toBeLessThan(4.5 / Math.sqrt(noise.length));
    expect(Math.abs(variance - 1)).toBeLessThan(4.5 * Math.sqrt(2 / noise.length));
    x.dispose();
    y.dispose();
  });
});

describe("options out of range are named", () => {
  withDevice();
  const fails = (f: () => unknown, message: string, Kind: typeof ValueError | typeof ShapeError = ValueError) => {
    expect(f).toThrow(message);
    expect(f).toThrow(Kind);
  };
  test("when a transform is made", () => {
    fails(() => vision.pad(-1), "[pad] padding must be a whole number that is not negative");
    fails(() => vision.pad([1, 2, 3]), "[pad] padding must be");
    fails(
      () => vision.pad(1, { paddingMode: "wrap" as "edge" }),
      '[pad] paddingMode must be one of constant, edge, reflect, symmetric, got "wrap"',
    );
    fails(() => vision.pad(1, { fill: [] }), "[pad] fill must be a number, or an array");
    fails(() => vision.randomCrop(3, { pad: 2 } as vision.RandomCropOptions), '[randomCrop] has no option "pad"');
    fails(
      () => vision.randomCrop(3, { padIfNeeded: 1 as unknown as boolean }),
      "[randomCrop] padIfNeeded must be true or false, got 1",
    );
    fails(() => vision.randomVerticalFlip(-0.1), "[randomVerticalFlip] p must be from 0 to 1");
    fails(
      () => vision.randomRotation(10, { interpolation: "bicubic" as "nearest" }),
      "[randomRotation] interpolation must be one of nearest, bilinear",
    );
    fails(() => vision.randomAffine(10, { translate: [0.5, 2] }), "[randomAffine] translate must be two shares");
    fails(() => vision.randomAffine(10, { scale: [0, 1] }), "[randomAffine] scale must be two numbers");
    fails(() => vision.randomAffine(10, { shear: [1, 2, 3] as never }), "[randomAffine] shear must be");
    fails(() => vision.randomAffine(10, { center: [1] as never }), "[randomAffine] center must be two numbers");
    fails(() => vision.grayscale(2 as 3), "[grayscale] numOutputChannels must be 1 or 3, got 2");
    fails(() => vision.gaussianBlur(4), "[gaussianBlur] kernelSize must be odd");
    fails(() => vision.gaussianBlur(3, { sigma: 0 }), "[gaussianBlur] sigma must be above 0");
    fails(() => vision.gaussianBlur(3, { sigma: [0, 1] }), "[gaussianBlur] sigma must be two numbers");
    fails(
      () => vision.randomErasing({ scale: [0.1, 2] }),
      "[randomErasing] scale must be two numbers [low, high] from 0 to 1",
    );
    fails(() => vision.randomErasing({ value: "noise" as "random" }), "[randomErasing] value must be a number");
    fails(
      () => vision.randAugment({ magnitude: 31 }),
      "[randAugment] magnitude must be a whole number from 0 to numMagnitudeBins - 1 = 30",
    );
    fails(() => vision.randAugment({ numOps: 1.5 }), "[randAugment] numOps must be a whole number");
    fails(() => vision.trivialAugmentWide({ numMagnitudeBins: 1 }), "[trivialAugmentWide] numMagnitudeBins must be");
  });

  test("when it meets images that do not suit it", () => {
    const x = upload(uniform([2, 4, 5, 5], 1));
    const bad = (f: vision.Transform, message: string) => fails(() => f.forward(x), message, ShapeError);
    bad(vision.randAugment(), "[randAugment] images must have 1 or 3 channels");
    bad(vision.grayscale(), "[grayscale] images must have 1 or 3 channels");
    bad(
      vision.pad(1, { fill: [1, 2, 3] }),
      "[pad] images have 4 channels but [1, 2, 3] has other than 1 value or one a channel",
    );
    bad(vision.pad(5, { paddingMode: "reflect" }), '[pad] paddingMode "reflect" takes padding smaller than the images');
    bad(vision.pad(6, { paddingMode: "symmetric" }), '[pad] paddingMode "symmetric" takes padding up to the images');
    bad(vision.gaussianBlur(11), "[gaussianBlur] a kernel of 11 x 11 reaches across images");
    x.dispose();
  });
});
