// Transforms: the f64 reference against torchvision, the device against the reference, and what random numbers do.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { capture, manualSeed, type Tensor, tensor, vision } from "wgrad";
import { resample, sizeFor } from "../reference/resample.ts";
import { adjust, centerCrop, crop, hflip, jitter, normalize, orderOf, rotate } from "../reference/transforms.ts";
import { edge, seed, withDevice } from "../support/case.ts";
import { type HostArray, host, uniform, upload } from "../support/host.ts";
import { expectClose } from "../support/tolerance.ts";
import { drawsFor, pass, reference } from "../support/transforms.ts";

/** Each case has those that its transform takes. */
interface Args {
  kind: number;
  factor: number;
  order: number[];
  factors: number[];
  angle: number;
  top: number;
  left: number;
  size: [number, number] | number;
  padding: number;
  mean: number[];
  std: number[];
}
interface Golden {
  image: number[];
  shape: number[];
  cases: { name: string; args: Args; shape: number[]; data: number[] }[];
}
const golden = JSON.parse(readFileSync(new URL("../golden/transforms.json", import.meta.url), "utf8")) as Golden;

describe("the reference is torchvision's", () => {
  const image = host(
    golden.shape,
    golden.image.map((v) => v / 255),
  );
  const gray = host([1, ...golden.shape.slice(1)], image.data.slice(42, 84));
  const run: Record<string, (args: Args) => HostArray> = {
    adjust: ({ kind, factor }) => adjust(image, kind, factor),
    jitter: ({ order, factors }) => jitter(image, order, factors),
    jitterGray: ({ order, factors }) => jitter(gray, order, factors),
    rotate: ({ angle }) => rotate(image, angle),
    crop: ({ top, left, size, padding }) => crop(image, top, left, size as number[], padding),
    centerCrop: ({ size }) => centerCrop(image, size as number[]),
    hflip: () => hflip(image),
    resize: ({ size }) =>
      resample(image, typeof size === "number" ? sizeFor(size, null, 6, 7) : size, {
        interpolation: "bilinear",
        antialias: false,
      }),
    normalize: ({ mean, std }) => normalize(image, mean, std),
  };
  test.each(golden.cases.filter(({ name }) => run[name]))("$name $args", ({ name, args, shape, data }) => {
    const got = run[name]!(args);
    expect(got.shape).toEqual(shape);
    for (const [i, v] of got.data.entries()) expect(v).toBeCloseTo(data[i]!, 8);
  });
});

const { colorJitter, compose, randomCrop, randomHorizontalFlip, randomRotation } = vision;
const MEAN = vision.CIFAR10_MEAN;
const STD = vision.CIFAR10_STD;
const jitterAll = colorJitter({ brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1 });

async function compare(transform: vision.Transform, shape: readonly number[], from: number): Promise<void> {
  const images = uniform(shape, from, 0, 1);
  const draws = drawsFor(transform, shape[0]!, shape.slice(1), from + 1);
  const { ref, largest } = pass(transform, images, draws);
  const perImage = ref.data.length / largest.length;
  const [x, u] = [upload(images), transform.draws > 0 ? upload(draws) : undefined];
  const y = transform.forward(x, u);
  try {
    expect(y.shape).toEqual(ref.shape);
    expect(transform.outputShape(shape.slice(1))).toEqual(ref.shape.slice(1));
    const what = transform.steps.map((s) => s.kind).join(" > ");
    // Steps cancel what earlier ones made: rounding is that of the largest value on an image's way.
    const scale = (i: number) => largest[Math.floor(i / perImage)]!;
    expectClose(await y.data(), ref, shape[2]! * shape[3]!, what, { scale });
  } finally {
    for (const t of [x, u, y]) t?.dispose();
  }
}

describe("the device against the reference", () => {
  withDevice();
  const pictures = fc.record({ n: fc.constantFrom(1, 3), h: edge(8), w: edge(8), seed });
  const cases: Record<string, (h: number, w: number) => vision.Transform> = {
    randomCrop: () => randomCrop([3, 2], { padding: 2 }),
    "randomCrop of the whole": (h, w) => randomCrop([h, w], { padding: 4 }),
    centerCrop: (h, w) => vision.centerCrop([Math.ceil(h / 2), Math.ceil(w / 3)]),
    randomHorizontalFlip: () => randomHorizontalFlip(),
    randomRotation: () => randomRotation(15),
    "randomRotation in a range": () => randomRotation([30, 200]),
    normalize: () => vision.normalize(MEAN, STD),
    resize: () => vision.resize([9, 13]),
    "resize of the shorter side": () => vision.resize(5),
    colorJitter: () => jitterAll,
    "strong colorJitter without hue": () => colorJitter({ brightness: [0.2, 3], contrast: [0, 2], saturation: 2 }),
    "colorJitter of hue alone": () => colorJitter({ hue: 0.5 }),
    "the training pipeline": (h, w) =>
      compose([
        randomCrop([h, w], { padding: 4 }),
        randomHorizontalFlip(),
        jitterAll,
        randomRotation(15),
        vision.normalize(MEAN, STD),
      ]),
    "an order that does not fuse": () =>
      compose([
        vision.normalize([0.5], [2]),
        randomRotation(40),
        vision.normalize(MEAN, STD),
        randomHorizontalFlip(),
        vision.resize([6, 5]),
        vision.normalize([0.1], [0.5]),
        jitterAll,
        vision.toTensor(),
      ]),
    "more moves than one kernel takes": (h, w) =>
      compose([
        ...Array.from({ length: 4 }, () => [randomHorizontalFlip(), randomRotation(90)]).flat(),
        randomCrop([h, w], { padding: 1 }),
      ]),
  };
  for (const [name, make] of Object.entries(cases)) {
    test(name, () =>
      fc.assert(
        fc.asyncProperty(pictures, ({ n, h, w, seed }) => compare(make(h, w), [n, 3, h, w], seed)),
        { numRuns: 12 },
      ),
    );
  }

  test("images larger than a workgroup's share, gray ones, and five channels", async () => {
    const moves = compose([randomCrop(40, { padding: 4 }), randomHorizontalFlip(), vision.resize([47, 70])]);
    await compare(moves, [2, 3, 41, 67], 1);
    await compare(compose([moves, jitterAll, vision.normalize([0.2], [0.3])]), [2, 1, 41, 67], 2);
    await compare(compose([moves, vision.normalize([0.2], [0.3])]), [1, 5, 41, 67], 3);
  });

  test("black, white, gray and full colours keep their hue finite", async () => {
    const image = host(
      [1, ...golden.shape],
      golden.image.map((v) => Math.fround(v / 255)),
    );
    const draws = host([1, 5], [0.3, 0.7, 0.2, 0.9, 0.8].map(Math.fround));
    const [x, u] = [upload(image), upload(draws)];
    const y = jitterAll.forward(x, u);
    expectClose(await y.data(), reference(jitterAll, image, draws), 42, "jitter of special colours");
    for (const t of [x, u, y]) t.dispose();
  });

  test("all 24 orders of the colour adjustments come about, equally often", () => {
    const orders = new Set(Array.from({ length: 24 }, (_, k) => orderOf((k + 0.5) / 24).join("")));
    expect(orders.size).toBe(24);
    const image = uniform([1, 3, 4, 4], 5, 0, 1);
    const strong = colorJitter({ brightness: [2, 2], contrast: [0.3, 0.3], saturation: [3, 3], hue: [0.2, 0.2] });
    return Promise.all(
      Array.from({ length: 24 }, async (_, k) => {
        const draws = host([1, 5], [Math.fround((k + 0.5) / 24), 0, 0, 0, 0]);
        const [x, u] = [upload(image), upload(draws)];
        const y = strong.forward(x, u);
        expectClose(await y.data(), reference(strong, image, draws), 16, `order ${k}`);
        for (const t of [x, u, y]) t.dispose();
      }),
    );
  });
});

describe("random numbers", () => {
  withDevice();
  /** [N, 1, 1, 3] pictures 0, 1, 2 and what a transform makes of them. */
  async function marks(transform: vision.Transform, n: number, pixels: number[]): Promise<Float32Array> {
    const x = tensor(
      Float32Array.from({ length: n * pixels.length }, (_, i) => pixels[i % pixels.length]!),
      {
        shape: [n, 1, 1, pixels.length],
      },
    );
    const y = transform.forward(x);
    const data = await y.data();
    x.dispose();
    y.dispose();
    return data as Float32Array;
  }

  test("flips half of the images, offsets are uniform, and both are independent", async () => {
    manualSeed(7);
    const n = 9000;
    const flipped = (await marks(randomHorizontalFlip(), n, [1, 2])).filter((v, i) => i % 2 === 0 && v === 2).length;
    expect(Math.abs(flipped - n / 2)).toBeLessThan(4 * Math.sqrt(n / 4));
    const never = (await marks(randomHorizontalFlip(0), 50, [1, 2])).filter((v, i) => i % 2 === 0 && v === 2).length;
    const always = (await marks(randomHorizontalFlip(1), 50, [1, 2])).filter((v, i) => i % 2 === 0 && v === 2).length;
    expect([never, always]).toEqual([0, 50]);

    const offsets = new Map<number, number>();
    // 1x1 windows of 1x9 pictures tell their offset.
    for (const v of await marks(randomCrop(1), n, [0, 1, 2, 3, 4, 5, 6, 7, 8]))
      offsets.set(v, (offsets.get(v) ?? 0) + 1);
    expect(offsets.size).toBe(9);
    for (const count of offsets.values()) expect(Math.abs(count - n / 9)).toBeLessThan(4.5 * Math.sqrt(n / 9));
  });

  test("the same seed gives the same pictures, another one others; images of a batch differ", async () => {
    const run = async (s: number) => {
      manualSeed(s);
      const x = upload(uniform([4, 3, 8, 8], 3, 0, 1));
      const y = compose([randomCrop(8, { padding: 4 }), jitterAll]).forward(x);
      const data = await y.data();
      x.dispose();
      y.dispose();
      return data;
    };
    const [a, b, c] = [await run(1), await run(1), await run(2)];
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
  });

  test("a captured step draws anew at each replay, as an uncaptured one would", async () => {
    const transform = compose([randomCrop(8, { padding: 4 }), randomHorizontalFlip(), jitterAll, randomRotation(15)]);
    const x = upload(uniform([4, 3, 8, 8], 3, 0, 1));
    const collect = async (step: (x: Tensor) => Tensor) => {
      manualSeed(11);
      const out: number[][] = [];
      for (let i = 0; i < 3; i++) {
        const y = step(x);
        out.push([...(await y.data())]);
        y.dispose();
      }
      return out;
    };
    const step = capture((images: Tensor) => transform.forward(images));
    const captured = await collect(step);
    expect(captured).toEqual(await collect((images) => transform.forward(images)));
    expect(captured[0]).not.toEqual(captured[1]);
    step.dispose();
    x.dispose();
  });
});

describe("errors", () => {
  withDevice();
  test("say what came and what was expected", () => {
    const fails = (f: () => unknown, message: string) => expect(f).toThrow(message);
    fails(() => randomHorizontalFlip(1.5), "[randomHorizontalFlip] p must be a number from 0 to 1, got 1.5");
    fails(
      () => colorJitter({ hue: 0.7 }),
      "[colorJitter] hue must be a number that is not negative, or a range within [-0.5, 0.5]",
    );
    fails(() => vision.normalize([0.5, 0.5], [1]), "[normalize] mean and std need as many numbers as channels");
    fails(() => randomRotation(-3), "[randomRotation] degrees");
    fails(
      () => randomCrop(20).outputShape([3, 16, 16]),
      "[randomCrop] a crop of 20 x 20 was asked of images of 16 x 16",
    );
    const x = upload(uniform([2, 4, 5, 5], 1));
    const u = upload(uniform([2, 3], 1));
    fails(() => jitterAll.forward(x), "[colorJitter] images must have 1 or 3 channels, got [2, 4, 5, 5]");
    fails(
      () => vision.normalize([0, 0, 0], [1, 1, 1]).forward(x),
      "[normalize] images have 4 channels but mean and std have 3",
    );
    fails(() => randomCrop(3).forward(u), "images must have shape [N, C, H, W] or [C, H, W], got [2, 3]");
    fails(() => randomCrop(3).forward(x, u), "2 random numbers an image are needed, got [2, 3]");
    x.dispose();
    u.dispose();
  });
});
