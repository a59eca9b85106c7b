// mixup and cutmix: what they do to images and labels, the distribution of shares, and a loss of what they make.
import { describe, expect, test } from "vitest";
import { capture, DtypeError, manualSeed, nn, ShapeError, type Tensor, tensor, ValueError, vision } from "wgrad";
import { withDevice } from "../support/case.ts";
import { host, uniform, upload } from "../support/host.ts";
import { expectClose } from "../support/tolerance.ts";

const LABELS = [2, 0, 1, -100];
const [N, C, H, W] = [4, 3, 6, 8];
const images = uniform([N, C, H, W], 5, -2, 2);
const labels = () => tensor(Int32Array.from(LABELS));

/** Labels as probabilities, mixed in these shares with those before them. */
const mixedLabels = (share: number) =>
  host(
    [N, 3],
    LABELS.flatMap((label, n) =>
      [0, 1, 2].map((k) => share * Number(label === k) + (1 - share) * Number(LABELS.at(n - 1) === k)),
    ),
  );

describe("a batch", () => {
  withDevice();
  const plane = C * H * W;
  const neighbour = (i: number) => images.data[(i + N * plane - plane) % (N * plane)]!;

  test("mixup: a weighted mean with the image before, labels in the same shares", async () => {
    manualSeed(1);
    const mix = vision.mixup({ numClasses: 3 });
    const [x, t] = [upload(images), labels()];
    const y = mix(x, t);
    const got = await y.labels.data();
    const share = got[2]!;
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(1);
    expectClose(got, mixedLabels(share), 1, "labels");
    const expected = images.data.map((v, i) => share * v + (1 - share) * neighbour(i));
    expectClose(await y.images.data(), host(images.shape, expected), 1, "images");
    for (const each of [x, t, y.images, y.labels]) each.dispose();
  });

  test("cutmix: a rectangle of the image before, labels by its area", async () => {
    manualSeed(2);
    const mix = vision.cutmix({ numClasses: 3 });
    const [x, t] = [upload(images), labels()];
    const sizes = new Set<number>();
    for (let round = 0; round < 20; round++) {
      const y = mix(x, t);
      const data = await y.images.data();
      const foreign = Array.from(data, (v, i) => Number(v !== Math.fround(images.data[i]!)));
      for (const [i, other] of foreign.entries()) {
        if (other) expect(data[i]).toBe(Math.fround(neighbour(i)));
        // The same rectangle in each channel of each image.
        expect(other).toBe(foreign[i % (H * W)]);
      }
      const rows = Array.from({ length: H }, (_, r) => foreign.slice(r * W, (r + 1) * W).reduce((a, b) => a + b, 0));
      expect(new Set(rows.filter((v) => v > 0)).size).toBeLessThanOrEqual(1);
      const area = rows.reduce((a, b) => a + b, 0);
      sizes.add(area);
      expectClose(await y.labels.data(), mixedLabels(1 - area / (H * W)), 1, "labels");
      y.images.dispose();
      y.labels.dispose();
    }
    expect(sizes.size).toBeGreaterThan(4);
    x.dispose();
    t.dispose();
  });

  test("labels may be probabilities, and mixes be mixed again", async () => {
    manualSeed(3);
    const [x, t] = [upload(images), labels()];
    const first = vision.mixup({ numClasses: 3, alpha: 0.4 })(x, t);
    const second = vision.cutmix({ numClasses: 3 })(first.images, first.labels);
    const soft = await second.labels.data();
    // Three classes but for the image without one, whose part and whose neighbour's is missing.
    for (const n of [1, 2]) {
      const sum = soft[3 * n]! + soft[3 * n + 1]! + soft[3 * n + 2]!;
      expect(sum).toBeGreaterThan(0);
      expect(sum).toBeLessThan(1 + 1e-6);
    }
    for (const each of [x, t, first.images, first.labels, second.images, second.labels]) each.dispose();
  });

  test("a captured step mixes anew at each replay, and crossEntropy takes what comes out", async () => {
    const classes = 3;
    const mix = vision.cutmix({ numClasses: classes });
    const [x, t] = [upload(images), tensor(Int32Array.from([2, 0, 1, 1]))];
    manualSeed(6);
    const step = capture((inputs: Tensor, targets: Tensor) => {
      const mixed = mix(inputs, targets);
      const logits = mixed.images.reshape([N, C * H * W]).slice([null, [0, classes]]);
      const smooth = nn.functional.crossEntropy(logits, mixed.labels, { labelSmoothing: 0.1 });
      return { loss: nn.functional.crossEntropy(logits, mixed.labels), smooth, logits, soft: mixed.labels };
    });
    const seen = new Set<number>();
    for (let i = 0; i < 3; i++) {
      const { loss, smooth, logits, soft } = step(x, t);
      const [z, q] = [await logits.data(), await soft.data()];
      const losses = (smoothing: number) => {
        let total = 0;
        for (let n = 0; n < N; n++) {
          const row = [...z.slice(n * classes, (n + 1) * classes)];
          const log = Math.log(row.map(Math.exp).reduce((a, b) => a + b, 0));
          for (const [k, v] of row.entries()) {
            total += ((1 - smoothing) * q[n * classes + k]! + smoothing / classes) * (log - v);
          }
        }
        return total / N;
      };
      expect(await loss.item()).toBeCloseTo(losses(0), 5);
      expect(await smooth.item()).toBeCloseTo(losses(0.1), 5);
      for (const v of q) seen.add(v);
      for (const each of [loss, smooth, logits, soft]) each.dispose();
    }
    expect(seen.size).toBeGreaterThan(4);
    step.dispose();
    x.dispose();
    t.dispose();
  });
});

describe("the share's distribution", () => {
  withDevice();
  // Beta(a, a): mean 1/2, variance 1 / (4 (2 a + 1)).
  test.each([0.2, 1, 3.5])("has the mean and the variance of Beta(a, a), a = %d", async (alpha) => {
    manualSeed(8);
    const mix = vision.mixup({ numClasses: 1, alpha });
    const [x, t] = [tensor(new Float32Array(2), { shape: [2, 1, 1, 1] }), tensor(Int32Array.from([0, -1]))];
    const n = 400;
    const shares: number[] = [];
    for (let i = 0; i < n; i++) {
      const y = mix(x, t);
      shares.push((await y.labels.data())[0]!);
      y.images.dispose();
      y.labels.dispose();
    }
    const mean = shares.reduce((a, b) => a + b, 0) / n;
    const variance = shares.reduce((a, b) => a + (b - 0.5) ** 2, 0) / n;
    const expected = 1 / (4 * (2 * alpha + 1));
    expect(Math.abs(mean - 0.5)).toBeLessThan(4.5 * Math.sqrt(expected / n));
    // (x - 1/2)^2 is at most 1/4: its own deviation is below what this allows.
    expect(Math.abs(variance - expected)).toBeLessThan((4.5 * Math.sqrt(expected / 4)) / Math.sqrt(n));
    // The median of |x - 1/2| tells a uniform distribution (1/4) from others of its variance.
    if (alpha === 1) {
      const middle = shares.map((v) => Math.abs(v - 0.5)).sort((a, b) => a - b)[n / 2]!;
      expect(Math.abs(middle - 0.25)).toBeLessThan(0.06);
    }
    x.dispose();
    t.dispose();
  });
});

describe("what does not suit", () => {
  withDevice();
  test("is named", () => {
    expect(() => vision.mixup({ numClasses: 0 })).toThrow(ValueError);
    expect(() => vision.cutmix({ numClasses: 3, alpha: 0 })).toThrow("[cutmix] alpha must be above 0, got 0");
    expect(() => vision.cutmix({ numClasses: 3, lambda: 1 } as vision.MixOptions)).toThrow(
      '[cutmix] has no option "lambda"',
    );
    const mix = vision.mixup({ numClasses: 3 });
    const [x, t, flat] = [upload(images), tensor(Int32Array.from([1, 2])), upload(uniform([2, 3], 1))];
    expect(() => mix(x, t)).toThrow("[mixup] labels of i32 must have shape [4] for 4 images, got [2]");
    expect(() => mix(x, flat)).toThrow("[mixup] labels of f32 must have shape [4, 3] for 4 images, got [2, 3]");
    expect(() => mix(flat, t)).toThrow(ShapeError);
    expect(() => mix(t, t)).toThrow(DtypeError);
    for (const each of [x, t, flat]) each.dispose();
  });
});
