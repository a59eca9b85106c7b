// Convolutions of signals, images and volumes, transposed ones, and windows as columns, against PyTorch.
import { expect, test } from "vitest";
import { grad, gradcheck, nn, randn, ShapeError, type Tensor, ValueError, zeros } from "wgrad";
import { withDevice } from "../support/case.ts";
import { goldenCases } from "../support/golden-layers.ts";

withDevice();
const F = nn.functional;

const windows = { dilation: [2, 1], padding: [1, 0], stride: [1, 2] } as const;
goldenCases("convolution", {
  ConvTranspose2d: { make: () => new nn.ConvTranspose2d(3, 4, 3), inputs: [[2, 3, 4, 5]] },
  "ConvTranspose2d by two": { make: () => new nn.ConvTranspose2d(4, 2, 2, { stride: 2 }), inputs: [[2, 4, 3, 5]] },
  "ConvTranspose2d with all options": {
    make: () =>
      new nn.ConvTranspose2d(4, 6, [3, 2], {
        stride: [2, 3],
        padding: [1, 0],
        outputPadding: [1, 2],
        groups: 2,
        dilation: [1, 2],
        bias: false,
      }),
    inputs: [[2, 4, 3, 4]],
  },
  "ConvTranspose2d whose output padding exceeds its stride": {
    make: () => new nn.ConvTranspose2d(2, 3, 3, { dilation: 3, outputPadding: [2, 1] }),
    inputs: [[1, 2, 3, 3]],
  },
  "ConvTranspose2d depthwise": {
    make: () => new nn.ConvTranspose2d(3, 3, 4, { stride: 2, padding: 1, groups: 3 }),
    inputs: [[2, 3, 4, 4]],
  },
  "convTranspose2d of no images": {
    call: (_, [x, w, b]) => F.convTranspose2d(x!, w!, b),
    inputs: [[0, 3, 4, 5], [3, 2, 3, 3], [2]],
  },
  ConvTranspose1d: {
    make: () => new nn.ConvTranspose1d(4, 6, 4, { stride: 3, padding: 1, outputPadding: 1, groups: 2 }),
    inputs: [[2, 4, 5]],
  },
  ConvTranspose3d: { make: () => new nn.ConvTranspose3d(2, 3, 3), inputs: [[1, 2, 2, 3, 3]] },
  "ConvTranspose3d with all options": {
    make: () =>
      new nn.ConvTranspose3d(4, 2, [2, 3, 2], {
        stride: [2, 1, 2],
        padding: [1, 1, 0],
        outputPadding: [1, 0, 1],
        groups: 2,
        dilation: [2, 1, 1],
      }),
    inputs: [[2, 4, 2, 3, 2]],
  },
  Conv1d: { make: () => new nn.Conv1d(3, 5, 3), inputs: [[2, 3, 7]] },
  "Conv1d with all options": {
    make: () => new nn.Conv1d(4, 6, 3, { stride: 2, padding: 2, dilation: 2, groups: 2, bias: false }),
    inputs: [[2, 4, 9]],
  },
  "Conv1d same": { make: () => new nn.Conv1d(2, 3, 4, { padding: "same" }), inputs: [[2, 2, 6]] },
  "conv1d of no signals": {
    call: (_, [x, w, b]) => F.conv1d(x!, w!, b),
    inputs: [[0, 3, 5], [2, 3, 3], [2]],
  },
  Conv3d: { make: () => new nn.Conv3d(2, 3, 3, { padding: 1 }), inputs: [[2, 2, 3, 4, 3]] },
  "Conv3d with all options": {
    make: () =>
      new nn.Conv3d(4, 4, [2, 3, 2], {
        stride: [2, 1, 2],
        padding: [1, 0, 1],
        dilation: [1, 1, 2],
        groups: 2,
        bias: false,
      }),
    inputs: [[2, 4, 4, 3, 4]],
  },
  "Conv3d same": { make: () => new nn.Conv3d(1, 2, [2, 1, 4], { padding: "same" }), inputs: [[1, 1, 3, 2, 4]] },
  "Conv2d same": {
    make: () => new nn.Conv2d(2, 3, [2, 3], { padding: "same", dilation: [1, 2] }),
    inputs: [[2, 2, 4, 5]],
  },
  "Conv2d same, even": { make: () => new nn.Conv2d(2, 2, 4, { padding: "same" }), inputs: [[1, 2, 5, 4]] },
  "Conv2d valid": { make: () => new nn.Conv2d(2, 2, 2, { stride: 2, padding: "valid" }), inputs: [[1, 2, 5, 4]] },
  "depthwise by unlike strides": {
    make: () => new nn.Conv2d(3, 3, [4, 3], { stride: [3, 2], padding: [2, 1], groups: 3 }),
    inputs: [[2, 3, 7, 6]],
  },
  "depthwise, dilated": {
    make: () => new nn.Conv2d(2, 4, 3, { stride: 2, dilation: 2, padding: 1, groups: 2 }),
    inputs: [[1, 2, 7, 6]],
  },
  unfold: { call: (_, [x]) => F.unfold(x!, [2, 3], windows), inputs: [[2, 2, 5, 6]] },
  "unfold of no images": { call: (_, [x]) => F.unfold(x!, 2), inputs: [[0, 2, 3, 3]] },
  Unfold: { make: () => new nn.Unfold(2, { stride: 2 }), inputs: [[1, 3, 4, 4]] },
  fold: { call: (_, [x]) => F.fold(x!, [5, 6], [2, 3], windows), inputs: [[2, 12, 10]] },
  Fold: { make: () => new nn.Fold(4, 3, { padding: 1 }), inputs: [[2, 18, 16]] },
});

/** The gradient of the sum of squares of f's gradient, whose own is checked by differences. */
async function checkTwice(f: (...inputs: Tensor[]) => Tensor, shapes: number[][]): Promise<void> {
  const inputs = shapes.map((shape) => randn(shape, { requiresGrad: true }));
  const penalty = (...xs: Tensor[]): Tensor =>
    grad(
      f(...xs)
        .square()
        .sum(),
      xs,
      { createGraph: true },
    )
      .map((g) => g.square().sum())
      .reduce((a, b) => a.add(b));
  expect(await gradcheck(penalty, inputs, { directions: 1 })).toBe(true);
  for (const t of inputs) t.dispose();
}

test("gradients of gradients", async () => {
  await checkTwice(
    (x, w) => F.convTranspose2d(x, w, null, { stride: 2 }),
    [
      [1, 2, 2, 2],
      [2, 1, 2, 2],
    ],
  );
  await checkTwice(
    (x, w) => F.conv3d(x, w),
    [
      [1, 1, 2, 2, 2],
      [1, 1, 2, 2, 2],
    ],
  );
  await checkTwice((x) => F.unfold(x, 2), [[1, 1, 3, 3]]);
});

test("transposed convolutions start as PyTorch's: uniform by the weight's second dimension", async () => {
  const layer = new nn.ConvTranspose2d(64, 8, 4, { groups: 2 });
  const bound = 1 / Math.sqrt((8 / 2) * 16);
  const values = await layer.weight.data();
  const most = Math.max(...Array.from(values, Math.abs));
  expect(layer.weight.shape).toEqual([64, 4, 4, 4]);
  expect(most).toBeLessThanOrEqual(bound);
  expect(most).toBeGreaterThan(0.98 * bound);
  expect(String(layer)).toBe("ConvTranspose2d(64, 8, [4, 4], groups: 2)");
  layer.dispose();
});

test("shapes and options that do not fit are told", () => {
  const [x, w, x1, x3] = [zeros([1, 2, 3, 3]), zeros([2, 1, 2, 2]), zeros([1, 2, 5]), zeros([1, 2, 3, 3, 3])];
  expect(() => F.convTranspose2d(x1, w)).toThrow(/convTranspose2d.*\[N, C, H, W\]/);
  expect(() => F.convTranspose2d(x, w, null, { groups: 3 })).toThrow(ShapeError);
  expect(() => F.convTranspose2d(x, w, null, { outputPadding: 1 })).toThrow(/outputPadding.*stride/);
  expect(() => F.convTranspose2d(x, w, null, { padding: 4 })).toThrow(/pad less/);
  expect(() => F.convTranspose2d(x, w, x1)).toThrow(/bias/);
  expect(() => F.convTranspose1d(x1, w)).toThrow(/convTranspose1d.*weight/);
  expect(() => F.convTranspose3d(x3, w)).toThrow(/convTranspose3d.*weight/);
  expect(() => F.conv2d(x, w, null, { groups: 2, padding: "same", stride: 2 })).toThrow(ValueError);
  expect(() => F.conv1d(x1, w)).toThrow(/conv1d.*weight/);
  expect(() => F.conv3d(x3, w)).toThrow(/conv3d.*weight/);
  expect(() => F.unfold(x, 4)).toThrow(/unfold.*fits/);
  expect(() => F.fold(x1, 4, 2)).toThrow(/fold.*multiple of 4, 9/);
  for (const t of [x, w, x1, x3]) t.dispose();
});
