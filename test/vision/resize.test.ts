// resize and randomResizedCrop: the f64 reference against torchvision and Pillow, the device against the reference.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { manualSeed, stack, tensor, ValueError, vision } from "wgrad";
import { currentDevice } from "../../src/gpu/device.ts";
import { cut } from "../reference/augment.ts";
import { type ResampleArgs, resample, sizeFor } from "../reference/resample.ts";
import { edge, seed, withDevice } from "../support/case.ts";
import { type HostArray, host, integers, uniform, upload } from "../support/host.ts";
import { expectClose } from "../support/tolerance.ts";
import { drawsFor, reference } from "../support/transforms.ts";

interface Args extends ResampleArgs {
  size: [number, number] | number;
  window: [number, number, number, number];
}
interface Golden {
  image: number[];
  shape: number[];
  cases: { name: string; args: Args; shape: number[]; data: number[] }[];
  picture: number[];
  pictureShape: [number, number, number];
  levels: { args: Args; shape: number[]; data: number[] }[];
  evaluated: number[];
  sizes: [size: number, maxSize: number | null, height: number, width: number, h: number, w: number][];
}
const golden = JSON.parse(readFileSync(new URL("../golden/transforms.json", import.meta.url), "utf8")) as Golden;
const image = host(
  golden.shape,
  golden.image.map((v) => v / 255),
);
/** As 8 bits. */
const picture = () => tensor(Int32Array.from(golden.picture), { shape: golden.pictureShape });

describe("the reference is torchvision's and Pillow's", () => {
  const cases = golden.cases.filter(({ name }) => name === "resample" || name === "resizedCrop");
  test.each(cases)("$name $args", ({ name, args, shape, data }) => {
    const from = name === "resample" ? image : cut(image, args.window);
    const [, h, w] = from.shape as [number, number, number];
    const got = resample(from, typeof args.size === "number" ? sizeFor(args.size, null, h, w) : args.size, args);
    expect(got.shape).toEqual(shape);
    for (const [i, v] of got.data.entries()) expect(v).toBeCloseTo(data[i]!, 8);
  });

  test.each(golden.sizes)(
    "the shorter side becomes %d, the longer one at most %d, of %d x %d",
    (size, most, h, w, ...goal) => {
      expect(sizeFor(size, most, h, w)).toEqual(goal);
    },
  );
});

describe("8-bit images are Pillow's, in whole levels", () => {
  withDevice();
  test.each(golden.levels)("$args", async ({ args: { size, interpolation }, shape, data }) => {
    const x = picture();
    const y = vision.resize(size, { interpolation }).forward(x);
    const got = await y.data();
    expect(y.shape).toEqual(shape);
    const differences = [...got].map((v, i) => Math.abs(v * 255 - data[i]!));
    for (const v of got) expect(v * 255).toBeCloseTo(Math.round(v * 255), 3);
    // Pillow's weights have 22 bits: a tie may fall on the other side.
    expect(Math.max(...differences)).toBeLessThan(1.001);
    expect(differences.filter((d) => d > 0.5).length).toBeLessThanOrEqual(data.length / 50);
    x.dispose();
    y.dispose();
  });

  test("the evaluation recipe of pretrained classifiers, of a picture and of a batch", async () => {
    const x = picture();
    const recipe = vision.imageClassification({ cropSize: 14, resizeSize: 16 });
    const y = recipe.forward(x);
    const batch = stack([x, x]);
    const both = recipe.forward(batch);
    const [got, twice] = [await y.data(), await both.data()];
    expect(y.shape).toEqual([3, 14, 14]);
    expect(both.shape).toEqual([2, 3, 14, 14]);
    expect([...twice]).toEqual([...got, ...got]);
    const differences = [...got].map((v, i) => Math.abs(v - golden.evaluated[i]!));
    const level = 1 / 255 / 0.224;
    expect(Math.max(...differences)).toBeLessThan(1.03 * level);
    expect(differences.reduce((a, b) => a + b) / got.length).toBeLessThan(level / 100);
    for (const t of [x, y, batch, both]) t.dispose();
  });

  test("rounding ends at toTensor, and where images come as floats", async () => {
    const x = picture();
    const f = tensor(
      Float32Array.from(golden.picture, (v) => v / 255),
      { shape: golden.pictureShape },
    );
    const exact = resample(
      host(
        golden.pictureShape,
        golden.picture.map((v) => v / 255),
      ),
      [9, 11],
      { interpolation: "bicubic", antialias: true },
    );
    const resize = vision.resize([9, 11], { interpolation: "bicubic" });
    for (const y of [vision.compose([vision.toTensor(), resize]).forward(x), resize.forward(f)]) {
      expectClose(await y.data(), exact, 100, "bicubic in floats");
      y.dispose();
    }
    x.dispose();
    f.dispose();
  });

  test("images of a data set count as 8 bits", async () => {
    const images = Uint8Array.from(golden.picture);
    const set = new vision.GpuDataset(
      new vision.ImageDataset({ images, labels: Int32Array.of(0), classes: ["one"], shape: golden.pictureShape }),
    );
    const [x, at] = [picture(), tensor(Int32Array.of(0))];
    const own = vision.resize(11).forward(x);
    const { images: batch, labels } = set.batch(at, vision.resize(11));
    expectClose(await batch.data(), host(own.shape, await own.data()), 1, "a batch of the data set");
    for (const t of [x, at, own, batch, labels, set]) t.dispose();
  });
});

describe("the device against the reference", () => {
  withDevice();
  async function compare(transform: vision.Transform, images: HostArray, from: number, scale = 1) {
    const [n = 1] = images.shape;
    const draws = drawsFor(transform, n, images.shape.slice(1), from);
    const levels = images.dtype === "i32";
    const units = host(images.shape, levels ? images.data.map((v) => v / 255) : images.data);
    const ref = reference(transform, units, draws, levels);
    const [x, u] = [upload(images), transform.draws > 0 ? upload(draws) : undefined];
    const y = transform.forward(x, u);
    expect(transform.outputShape(images.shape.slice(1))).toEqual(ref.shape.slice(1));
    expect(y.shape).toEqual(ref.shape);
    const got = await y.data();
    // A level that a tie decided.
    if (levels) for (const [i, v] of ref.data.entries()) expect(Math.abs(got[i]! - v)).toBeLessThan(1.01 / 255);
    else expectClose(got, ref, images.shape[2]! * images.shape[3]!, "resize", { scale });
    for (const t of [x, u, y]) t?.dispose();
  }
  const modes = fc.constantFrom("bilinear" as const, "bicubic" as const, "nearest" as const, "nearest-exact" as const);
  const options = fc.record({ interpolation: modes, antialias: fc.boolean() });
  const sizes = fc.record({
    h: edge(16),
    w: edge(16),
    seed,
    n: fc.constantFrom(1, 2),
    c: fc.constantFrom(1, 2, 3, 4, 6),
  });

  test("resize of any size to any other, in floats", () =>
    fc.assert(
      fc.asyncProperty(sizes, edge(16), edge(16), options, ({ h, w, n, c, seed }, th, tw, o) =>
        compare(vision.resize([th, tw], o), uniform([n, c, h, w], seed, 0, 1), seed, 2),
      ),
      { numRuns: 60 },
    ));

  test("resize in 8 bits", () =>
    fc.assert(
      fc.asyncProperty(sizes, edge(16), edge(16), options, ({ h, w, n, c, seed }, th, tw, o) =>
        compare(vision.resize([th, tw], o), integers([n, c, h, w], seed, 0, 256), seed),
      ),
      { numRuns: 30 },
    ));

  test("resize of the shorter side with a greatest length, and a crop behind it", () =>
    fc.assert(
      fc.asyncProperty(sizes, options, ({ h, w, n, c, seed }, o) =>
        compare(
          vision.compose([vision.resize(8, { ...o, maxSize: 11 }), vision.centerCrop([7, 9])]),
          // Sides in proportions that leave a pixel.
          uniform([n, c, h + 5, w + 5], seed, 0, 1),
          seed,
          2,
        ),
      ),
      { numRuns: 15 },
    ));

  test("randomResizedCrop, each image its own window", () =>
    fc.assert(
      fc.asyncProperty(sizes, options, edge(9), ({ h, w, c, seed }, o, size) =>
        compare(
          vision.compose([vision.randomResizedCrop([size, 7], o), vision.normalize([0.4], [0.3])]),
          uniform([3, c, h, w], seed, 0, 1),
          seed,
          4,
        ),
      ),
      { numRuns: 25 },
    ));

  test("randomResizedCrop where no window fits: the largest in the middle", async () => {
    for (const shape of [
      [2, 3, 30, 4],
      [2, 3, 3, 41],
    ])
      await compare(vision.randomResizedCrop(6, { scale: [0.9, 1] }), uniform(shape, 3, 0, 1), 5, 2);
  });

  test("large ratios both ways", async () => {
    await compare(vision.resize([3, 400]), uniform([1, 3, 300, 5], 1, 0, 1), 1);
    await compare(vision.resize(7, { interpolation: "bicubic" }), uniform([1, 1, 500, 375], 1, 0, 1), 1);
    await compare(vision.resize([200, 200], { interpolation: "bicubic" }), uniform([1, 3, 1, 1], 1, 0, 1), 1);
  });

  test("a batch larger than a binding goes through in parts", async () => {
    const info: { limits: Readonly<Record<string, number>> } = currentDevice().info;
    const { limits } = info;
    // 32 images of 8 x 15 in three channels to a binding, of 70.
    info.limits = { ...limits, maxStorageBufferBindingSize: 32 * 360 * 4 };
    try {
      const images = uniform([70, 3, 8, 15], 8, 0, 1);
      await compare(vision.compose([vision.resize([5, 7]), vision.normalize([0.4], [0.3])]), images, 1, 4);
      await compare(vision.randomResizedCrop([6, 4]), images, 2, 2);
    } finally {
      info.limits = limits;
    }
  });

  test("what already has the size stays as it is", async () => {
    const x = uniform([1, 3, 9, 5], 2, 0, 1);
    for (const interpolation of ["bilinear", "bicubic", "nearest"] as const)
      await compare(vision.resize([9, 5], { interpolation }), x, 1);
  });
});

describe("windows", () => {
  withDevice();
  test("have uniform areas and log-uniform proportions, and lie inside", async () => {
    manualSeed(5);
    // A ramp along each axis tells where the window begins and ends.
    const [n, side] = [2000, 64];
    const ramp = tensor(
      Float32Array.from({ length: 2 * side * side }, (_, i) => (i < side * side ? Math.floor(i / side) : i % side)),
      { shape: [1, 2, side, side] },
    );
    const images = ramp.expand([n, 2, side, side]);
    const y = vision.randomResizedCrop(2, { antialias: false, interpolation: "nearest" }).forward(images);
    const data = await y.data();
    const areas: number[] = [];
    const logs: number[] = [];
    for (let i = 0; i < n; i++) {
      const [top, middle] = [data[i * 8]!, data[i * 8 + 2]!];
      const [left, centre] = [data[i * 8 + 4]!, data[i * 8 + 5]!];
      // Half of the window, rounded down.
      const [h, w] = [2 * (middle - top) + 0.5, 2 * (centre - left) + 0.5];
      expect(Math.min(top, left)).toBeGreaterThanOrEqual(0);
      expect(Math.max(top + h, left + w)).toBeLessThanOrEqual(side + 0.5);
      areas.push((h * w) / side ** 2);
      logs.push(Math.log(w / h));
    }
    const mean = (v: number[]) => v.reduce((a, b) => a + b, 0) / v.length;
    // Of 40,000 windows of torchvision's: large long ones do not fit and are drawn again. Within 4.5 standard errors.
    expect(Math.abs(mean(areas) - 0.4834)).toBeLessThan((4.5 * 0.2369) / Math.sqrt(n));
    expect(Math.abs(mean(logs))).toBeLessThan((4.5 * 0.1598) / Math.sqrt(n) + 0.005);
    expect(Math.abs(mean(logs.map((v) => v * v)) - 0.1598 ** 2)).toBeLessThan(0.004);
    expect(Math.min(...areas)).toBeLessThan(0.1);
    expect(Math.max(...areas)).toBeGreaterThan(0.95);
    for (const t of [ramp, images, y]) t.dispose();
  });
});

test("options out of range are named", () => {
  const fails = (f: () => unknown, message: string) => {
    expect(f).toThrow(message);
    expect(f).toThrow(ValueError);
  };
  fails(() => vision.resize(0), "[resize] size must be a whole number of at least 1");
  fails(() => vision.resize(8, { interpolation: "area" as "bilinear" }), "[resize] interpolation must be one of");
  fails(
    () => vision.resize(8, { antialias: 1 as unknown as boolean }),
    "[resize] antialias must be true or false, got 1",
  );
  fails(() => vision.resize(8, { maxSize: 8 }), "[resize] maxSize takes a number for size, smaller than it");
  fails(() => vision.resize([8, 8], { maxSize: 9 }), "[resize] maxSize takes a number for size");
  fails(
    () => vision.resize(8, { antialiasing: true } as vision.ResizeOptions),
    '[resize] has no option "antialiasing"',
  );
  fails(() => vision.randomResizedCrop(8, { scale: [0.5, 1.5] }), "[randomResizedCrop] scale must be two numbers");
  fails(() => vision.randomResizedCrop(8, { ratio: [2, 1] }), "[randomResizedCrop] ratio must be two numbers");
  fails(() => vision.randomResizedCrop(8, { ratio: [0, 1] }), "[randomResizedCrop] ratio must be two numbers");
  fails(
    () => vision.imageClassification({ cropSize: 8, size: 9 } as vision.ImageClassificationOptions),
    '[imageClassification] has no option "size"',
  );
});
