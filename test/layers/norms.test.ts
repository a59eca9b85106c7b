// Norms against PyTorch: batch norms of one and three dimensions, group, instance and RMS norm, layer norm over channels.
import { describe, expect, test } from "vitest";
import { grad, nn, noGrad, type Shape, ShapeError, scope, type Tensor, tensor, ValueError, zeros } from "wgrad";
import { withDevice } from "../support/case.ts";
import { type GoldenCase, goldenCases, read, wave } from "../support/golden-layers.ts";
import { sizeOf } from "../support/host.ts";

withDevice();
const F = nn.functional;

type Tracking = nn.BatchNorm1d | nn.BatchNorm3d | nn.InstanceNorm1d | nn.InstanceNorm2d;
/** One pass in training, on twice the input. */
const pass = (m: Tracking, x: Tensor): void =>
  noGrad(() => {
    const doubled = x.mul(2);
    m.forward(doubled).dispose();
    doubled.dispose();
  });
const running = (m: Tracking, [x]: Tensor[]) => {
  pass(m, x!);
  return [m.forward(x!), m.runningMean!.clone(), m.runningVar!.clone()];
};
const evaluated = (m: Tracking, [x]: Tensor[]) => {
  pass(m, x!);
  m.eval();
  return m.forward(x!);
};

const cases: Record<string, GoldenCase> = {
  "BatchNorm1d without anything": {
    make: () => new nn.BatchNorm1d(3, { affine: false, trackRunningStats: false }),
    inputs: [[5, 3]],
    evaluation: true,
  },
  GroupNorm: { make: () => new nn.GroupNorm(2, 6), inputs: [[3, 6, 5, 3]] },
  "GroupNorm of vectors": { make: () => new nn.GroupNorm(3, 6, { eps: 0.1 }), inputs: [[4, 6]] },
  "GroupNorm of one group": { make: () => new nn.GroupNorm(1, 5), inputs: [[2, 5, 13]] },
  "GroupNorm of each channel, five dimensions": { make: () => new nn.GroupNorm(3, 3), inputs: [[2, 3, 2, 3, 2]] },
  "GroupNorm without parameters": { make: () => new nn.GroupNorm(2, 4, { affine: false }), inputs: [[2, 4, 7]] },
  "GroupNorm of long rows": { make: () => new nn.GroupNorm(2, 4), inputs: [[1, 4, 9, 30]], K: 540 },
  InstanceNorm1d: { make: () => new nn.InstanceNorm1d(3, { affine: true }), inputs: [[2, 3, 5]] },
  InstanceNorm2d: { make: () => new nn.InstanceNorm2d(3), inputs: [[2, 3, 3, 3]] },
  "InstanceNorm2d of one image": { make: () => new nn.InstanceNorm2d(3, { affine: true }), inputs: [[3, 4, 3]] },
  LayerNorm2d: { make: () => new nn.LayerNorm2d(5), inputs: [[2, 5, 3, 4]] },
  "LayerNorm2d of one position": { make: () => new nn.LayerNorm2d(7, { eps: 1e-2 }), inputs: [[3, 7, 1, 1]] },
  RMSNorm: { make: () => new nn.RMSNorm(7), inputs: [[3, 2, 7]] },
  "RMSNorm of two dimensions": { make: () => new nn.RMSNorm([5, 14], { eps: 0.01 }), inputs: [[3, 5, 14]] },
  "rmsNorm without a weight": { inputs: [[2, 130]], call: (_, [x]) => F.rmsNorm(x!, 130) },
};
const tracking: readonly [name: string, make: () => Tracking, shape: Shape][] = [
  ["BatchNorm1d", () => new nn.BatchNorm1d(3), [4, 3]],
  ["BatchNorm1d of sequences", () => new nn.BatchNorm1d(3), [3, 3, 5]],
  ["BatchNorm3d", () => new nn.BatchNorm3d(3), [2, 3, 2, 3, 2]],
  [
    "InstanceNorm1d with statistics",
    () => new nn.InstanceNorm1d(3, { affine: true, trackRunningStats: true }),
    [2, 3, 5],
  ],
  ["InstanceNorm2d with statistics", () => new nn.InstanceNorm2d(3, { trackRunningStats: true }), [3, 3, 2, 4]],
];
for (const [name, make, shape] of tracking) {
  cases[name] = { make, inputs: [shape], call: running };
  cases[`${name}, evaluated`] = { make, inputs: [shape], call: evaluated };
}
goldenCases("norms", cases);

const functions: readonly [name: string, f: (x: Tensor, w: Tensor, b: Tensor) => Tensor, shape: Shape][] = [
  ["groupNorm", (x, w, b) => F.groupNorm(x, 2, w, b), [2, 4, 3]],
  ["instanceNorm", (x, w, b) => F.instanceNorm(x, null, null, w, b), [2, 4, 3]],
  ["rmsNorm", (x, w) => F.rmsNorm(x, [4], w), [3, 4]],
];

const wanting = (t: Tensor): Tensor => {
  t.requiresGrad = true;
  return t;
};

describe.each(functions)("%s", (_, f, shape) => {
  test("its gradient has a gradient: that of a finite difference", async () => {
    const h = 1 / 256;
    const [got = [], expected = []] = await read(() => {
      const [x, w, b] = [wanting(wave(shape, 1)), wave([4], 2), wave([4], 3)];
      const [seed, way] = [wave(shape, 4), wave(shape, 5)];
      const slope = (at: Tensor, createGraph: boolean) => {
        const [dx] = grad([f(at, w, b)], [at], { gradOutputs: [seed], createGraph });
        return dx!;
      };
      const [ddx] = grad([slope(x, true)], [x], { gradOutputs: [way] });
      const slopes = [1, -1].map((sign) => slope(wanting(noGrad(() => x.add(way.mul(sign * h)))), false));
      // The matrix of second derivatives is symmetric: along one direction it is the difference of slopes.
      return [ddx!, slopes[0]!.sub(slopes[1]!).div(2 * h)];
    });
    expect(got.some((v) => Math.abs(v) > 0.1)).toBe(true);
    for (const [i, v] of got.entries()) expect(Math.abs(v - expected[i]!)).toBeLessThan(2e-2 * (1 + Math.abs(v)));
  });

  test("an empty batch gives an empty batch, and parameters no gradient", async () => {
    const [y, dx, dw] = await read(() => {
      const x = zeros([0, ...shape.slice(1)], { requiresGrad: true });
      const w = wanting(wave([4], 2));
      const y = f(x, w, wave([4], 3));
      y.sum().backward();
      return [y.detach(), x.grad!.clone(), w.grad!.clone()];
    });
    expect([y, dx, dw]).toEqual([[], [], [0, 0, 0, 0]]);
  });

  test("NaN stays in its row", async () => {
    const [y] = await read(() => {
      const mask = tensor(Float32Array.from({ length: sizeOf(shape) }, (_, i) => (i === 0 ? Number.NaN : 1)));
      return f(wave(shape, 1).mul(mask.reshape([...shape])), wave([4], 2), wave([4], 3));
    });
    expect(y![0]).toBeNaN();
    expect(y!.at(-1)).not.toBeNaN();
  });
});

test("an infinite element of RMS norm is NaN, and the others of its row 0, as in PyTorch", async () => {
  const [y] = await read(() => F.rmsNorm(tensor([[1, Number.POSITIVE_INFINITY, 2]]), 3));
  expect(y).toEqual([0, Number.NaN, 0]);
});

test("a mean far from 0 costs no precision", async () => {
  const [x = [], y = []] = await read(() => {
    const far = wave([2, 4, 33], 1).add(1000);
    return [far, F.groupNorm(far, 2)];
  });
  const rows = [0, 1, 2, 3].flatMap((r) => {
    const row = x.slice(r * 66, (r + 1) * 66);
    const mean = row.reduce((a, b) => a + b) / 66;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / 66;
    return row.map((v) => (v - mean) / Math.sqrt(variance + 1e-5));
  });
  // A step of f32 at 1000 is 6e-5.
  for (const [i, v] of y.entries()) expect(Math.abs(v - rows[i]!)).toBeLessThan(2e-4);
});

test("shapes and options that do not fit are told", () => {
  const on =
    (layer: nn.Module, ...shape: number[]) =>
    () => {
      try {
        scope(() => layer.forward(zeros(shape)));
      } finally {
        layer.dispose();
      }
    };
  expect(() => new nn.GroupNorm(4, 6)).toThrow(/6 channels do not make 4 groups/);
  expect(on(new nn.GroupNorm(2, 4), 2, 6, 3)).toThrow(/\[N, 4, \.\.\.\]/);
  expect(() => scope(() => F.groupNorm(zeros([2, 6, 3]), 4))).toThrow(ShapeError);
  expect(on(new nn.InstanceNorm1d(3), 2, 3, 1)).toThrow(ValueError);
  expect(on(new nn.InstanceNorm2d(3), 2, 4, 3, 3)).toThrow(/\[N, 3, H, W\] or \[3, H, W\]/);
  expect(on(new nn.BatchNorm1d(3), 2, 3, 3, 3)).toThrow(/\[BatchNorm1d\].*\[N, 3\] or \[N, 3, L\]/);
  expect(on(new nn.BatchNorm3d(3), 2, 3)).toThrow(/\[N, 3, D, H, W\]/);
  expect(on(new nn.LayerNorm2d(3), 2, 4, 3, 3)).toThrow(/\[N, 3, H, W\]/);
  expect(() => scope(() => F.layerNorm(zeros([2, 4]), 4, zeros([3])))).toThrow(
    /weight has shape \[3\] but normalizedShape is \[4\]/,
  );
  const layer = new nn.RMSNorm(4);
  expect(String(layer)).toBe("RMSNorm([4], eps: null)");
  layer.dispose();
});
