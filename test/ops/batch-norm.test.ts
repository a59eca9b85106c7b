// Batch norm, alone and with residual and ReLU, against its f64 reference: gradients, running statistics, extremes.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ones, ShapeError, scope, type Tensor, tensor, ValueError, zeros } from "wgrad";
import { apply1 } from "../../src/autograd/apply.ts";
import * as activationRows from "../../src/ops/activation-rows.ts";
import { type BatchNormAttrs, batchNorm, batchNormOp, batchNormRelu } from "../../src/ops/batch-norm.ts";
import { binary } from "../../src/ops/binary.ts";
import { add } from "../../src/ops/binary-rows.ts";
import * as unaryRows from "../../src/ops/unary-rows.ts";
import {
  type BatchNormArgs,
  batchNormLinear,
  batchNormReference,
  batchNormVjp,
  statistics,
} from "../reference/batch-norm.ts";
import { type Draw, eachPlan, type OpCase, seed, testCase, withDevice } from "../support/case.ts";
import { type HostArray, host, sizeOf, uniform, upload } from "../support/host.ts";
import { expectClose } from "../support/tolerance.ts";

withDevice();

interface Attrs {
  readonly training: boolean;
  readonly relu: boolean;
  readonly affine: "none" | "weight" | "bias" | "both";
  readonly residual: boolean;
  readonly eps: number;
}

/** Planes of one element up, whole vectors and not, and few channels with many elements (several workgroups each). */
const shapes = fc.constantFrom<number[]>(
  [8, 5],
  [33, 65],
  [6, 130, 1],
  [7, 3, 3],
  [9, 64, 2, 2],
  [2, 17, 4, 4],
  [3, 63, 5],
  [2, 6, 7, 7],
  [1, 9, 8, 8],
  [4, 1, 10, 13],
  [3, 2, 40, 40],
  [5, 1, 33, 35],
  [1, 2, 3, 5, 7],
);

function args(inputs: readonly HostArray[], a: Attrs): BatchNormArgs {
  const [x, weight, bias, residual, mean, variance] = inputs;
  return {
    x: x!,
    weight: a.affine === "both" || a.affine === "weight" ? weight : undefined,
    bias: a.affine === "both" || a.affine === "bias" ? bias : undefined,
    residual: a.residual ? residual : undefined,
    running: a.training ? undefined : { mean: mean!, variance: variance! },
    relu: a.relu,
    eps: a.eps,
  };
}

function draw(relu: boolean): fc.Arbitrary<Draw<Attrs>> {
  return (
    fc
      .record({
        shape: shapes,
        s: seed,
        training: fc.boolean(),
        affine: fc.constantFrom<Attrs["affine"]>("none", "weight", "bias", "both", "both", "both"),
        residual: relu ? fc.boolean() : fc.constant(false),
        eps: fc.constantFrom(1e-5, 1e-3),
      })
      .map(({ shape, s, ...rest }) => {
        const channels = [shape[1]!];
        const inputs = [
          uniform(shape, s, -1, 2),
          uniform(channels, s + 1, 0.5, 1.5),
          uniform(channels, s + 2),
          uniform(shape, s + 3),
          uniform(channels, s + 4),
          uniform(channels, s + 5, 0.5, 2),
        ];
        return { inputs, attrs: { relu, ...rest } };
      })
      // Where the ReLU's argument is all but 0, rounding decides which side it falls on.
      .filter(
        ({ inputs, attrs }) => !relu || batchNormLinear(args(inputs, attrs)).data.every((v) => Math.abs(v) > 1e-5),
      )
  );
}

function runCase([x, weight, bias, residual, mean, variance]: Tensor[], a: Attrs): Tensor {
  const w = a.affine === "both" || a.affine === "weight" ? weight! : null;
  const b = a.affine === "both" || a.affine === "bias" ? bias! : null;
  const { training, eps } = a;
  if (!a.relu) return batchNorm(x!, mean!, variance!, w, b, { training, eps });
  return batchNormRelu(x!, mean!, variance!, w, b, { training, eps, residual: a.residual ? residual! : null });
}

const opCase = (relu: boolean): OpCase<Attrs> => ({
  name: relu ? "batchNormRelu" : "batchNorm",
  draw: draw(relu),
  run: runCase,
  reference: (inputs, attrs) => batchNormReference(args(inputs, attrs)),
  vjp: ([dy], inputs, attrs) => {
    const given = args(inputs, attrs);
    const grads = batchNormVjp(dy!, given);
    return [
      grads.x,
      given.weight ? grads.weight : null,
      given.bias ? grads.bias : null,
      given.residual ? grads.residual : null,
      null,
      null,
    ];
  },
  K: ([x]) => x!.data.length / x!.shape[1]!,
  // Gradients are sums, over a channel, of terms of size 1, and may cancel: the bias's by chance, the input's by design.
  scale: () => 1,
  ...(relu ? { step: 0 } : {}),
  runs: 25,
});

eachPlan(() => {
  testCase(opCase(false));
  testCase(opCase(true));
});

/** Rows that save y, x and nothing, with and without scalars. */
const ops = { ...unaryRows, ...activationRows };

const activations: readonly (readonly [name: keyof typeof ops, ...scalars: number[]])[] = [
  ["relu"],
  ["relu6"],
  ["sigmoid"],
  ["silu"],
  ["hardswish"],
  ["leakyRelu", 0.1],
  ["affine", 2, 1],
];

eachPlan(() => {
  describe("fused with a residual and an activation is what they are one by one", () => {
    for (const [name, ...scalars] of activations) {
      for (const residual of ["none", "wanted", "constant"] as const) {
        for (const training of [true, false]) {
          test(`${name}, residual: ${residual}, training: ${training}`, async () => {
            const op = ops[name];
            const activation = { name, row: op.row, scalars };
            for (const shape of [
              [2, 17, 4, 4],
              [8, 5],
              [5, 1, 33, 35],
              [3, 2, 40, 40],
            ]) {
              const channels = [shape[1]!];
              const run = async (fused: boolean) => {
                // Wide enough to reach both ends of relu6 and hardswish.
                const x = upload(uniform(shape, 1, -4, 4), true);
                const weight = upload(uniform(channels, 2, 2, 4), true);
                const bias = upload(uniform(channels, 3), true);
                const mean = upload(uniform(channels, 4));
                const variance = upload(uniform(channels, 5, 0.5, 2));
                const added = residual === "none" ? null : upload(uniform(shape, 6), residual === "wanted");
                const dy = upload(uniform(shape, 7));
                const inputs = [x, weight, bias, mean, variance] as const;
                const attrs: BatchNormAttrs = { name, training, momentum: 0.1, eps: 1e-5, activation };
                const y = scope(() => {
                  if (fused) return apply1(batchNormOp, [...inputs, added], attrs);
                  const z = apply1(batchNormOp, [...inputs, null], { ...attrs, activation: null });
                  return apply1(op, [added ? binary(add, z, added) : z], scalars);
                });
                y.backward(dy);
                const results = {
                  y,
                  dx: x.grad,
                  dw: weight.grad,
                  db: bias.grad,
                  dresidual: added?.grad,
                  mean,
                  variance,
                };
                const data = new Map<string, HostArray>();
                for (const [key, t] of Object.entries(results)) if (t) data.set(key, host(t.shape, await t.data()));
                for (const t of [...inputs, added, dy, y]) t?.dispose();
                return data;
              };
              const [got, expected] = [await run(true), await run(false)];
              expect([...got.keys()]).toEqual([...expected.keys()]);
              expect(got.has("dresidual")).toBe(residual === "wanted");
              for (const [key, ref] of expected) {
                expectClose(got.get(key)?.data ?? [], ref, sizeOf(shape) / shape[1]!, `${key} of [${shape}]`, {
                  scale: 1,
                });
              }
            }
          });
        }
      }
    }
  });
});

test("a residual's gradient alone", async () => {
  for (const training of [true, false]) {
    const shape = [3, 2, 40, 40];
    const [x, residual, dy] = [upload(uniform(shape, 1)), upload(uniform(shape, 2), true), upload(uniform(shape, 3))];
    const [mean, variance] = [zeros([2]), ones([2])];
    const y = batchNormRelu(x, mean, variance, null, null, { training, residual });
    y.backward(dy);
    const [values, grads, expected] = [await y.data(), await residual.grad!.data(), await dy.data()];
    // -0 + 0 is 0.
    expect(Array.from(grads, (v) => v + 0)).toEqual(Array.from(expected, (v, i) => (values[i]! > 0 ? v : 0)));
    for (const t of [x, residual, dy, mean, variance, y]) t.dispose();
  }
});

test("NaN passes through the ReLU", async () => {
  const x = tensor(Float32Array.of(Number.NaN, -1, 1, 2), { shape: [1, 1, 2, 2] });
  const [mean, variance] = [zeros([1]), ones([1])];
  const y = batchNormRelu(x, mean, variance, null, null, { eps: 0 });
  expect([...(await y.data())]).toEqual([Number.NaN, 0, 1, 2]);
  for (const t of [x, mean, variance, y]) t.dispose();
});

describe("running statistics", () => {
  for (const shape of [
    [4, 3, 5, 5],
    [32, 2, 40, 40],
  ]) {
    test(`follow the batch, unbiased, over [${shape}]`, async () => {
      const channels = shape[1]!;
      const mean = zeros([channels]);
      const variance = ones([channels]);
      const expected = { mean: new Float64Array(channels), variance: new Float64Array(channels).fill(1) };
      for (let step = 0; step < 3; step++) {
        const x = uniform(shape, step, -1, 3);
        const input = upload(x);
        batchNorm(input, mean, variance, null, null, { training: true, momentum: 0.2 }).dispose();
        input.dispose();
        const batch = statistics(x);
        for (let c = 0; c < channels; c++) {
          const unbiased = (batch.variance[c]! * batch.count) / (batch.count - 1);
          expected.mean[c]! += 0.2 * (batch.mean[c]! - expected.mean[c]!);
          expected.variance[c]! += 0.2 * (unbiased - expected.variance[c]!);
        }
      }
      const K = sizeOf(shape) / channels;
      expectClose(await mean.data(), host([channels], expected.mean), K, "running mean");
      expectClose(await variance.data(), host([channels], expected.variance), K, "running variance");
      mean.dispose();
      variance.dispose();
    });
  }

  test("stay as they are in evaluation", async () => {
    const x = upload(uniform([4, 3, 2, 2], 1));
    const mean = tensor([1, 2, 3]);
    const variance = tensor([4, 5, 6]);
    batchNorm(x, mean, variance).dispose();
    expect([...(await mean.data())]).toEqual([1, 2, 3]);
    expect([...(await variance.data())]).toEqual([4, 5, 6]);
    for (const t of [x, mean, variance]) t.dispose();
  });
});

test("running statistics count as changed when they are, and need not be", async () => {
  const x = upload(uniform([4, 3, 2, 2], 1));
  const [mean, variance] = [zeros([3]), ones([3])];
  const versions = () => [mean.storage.version, variance.storage.version];
  const before = versions();
  batchNorm(x, mean, variance).dispose();
  const attrs: BatchNormAttrs = {
    name: "test",
    training: true,
    update: false,
    momentum: 0.1,
    eps: 1e-5,
    activation: null,
  };
  const still = apply1(batchNormOp, [x, null, null, mean, variance, null], attrs);
  expect(versions()).toEqual(before);
  expect([...(await mean.data()), ...(await variance.data())]).toEqual([0, 0, 0, 1, 1, 1]);
  const moving = batchNorm(x, mean, variance, null, null, { training: true });
  expect(versions()).toEqual(before.map((v) => v + 1));
  expect([...(await still.data())]).toEqual([...(await moving.data())]);
  for (const t of [x, mean, variance, still, moving]) t.dispose();
});

describe("a mean far from 0", () => {
  for (const shape of [
    [32, 4, 8, 8],
    [16, 1, 33, 35],
  ]) {
    test(`mean 1000, standard deviation 1, over [${shape}]`, async () => {
      // Sum of twelve uniforms: standard deviation 1.
      const parts = Array.from({ length: 12 }, (_, i) => uniform(shape, i, 0, 1).data);
      const x = host(
        shape,
        parts[0]!.map((_, i) => Math.fround(994 + parts.reduce((sum, p) => sum + p[i]!, 0))),
      );
      const channels = shape[1]!;
      const input = upload(x);
      const mean = zeros([channels]);
      const variance = zeros([channels]);
      const y = batchNorm(input, mean, variance, null, null, { training: true, momentum: 1 });
      const batch = statistics(x);
      const unbiased = batch.variance.map((v) => (v * batch.count) / (batch.count - 1));
      expectClose(await variance.data(), host([channels], unbiased), 16, "variance");
      expectClose(await mean.data(), host([channels], batch.mean), 1, "mean");
      // f32 holds the mean to 3e-5, and the outputs cannot be better.
      const ref = batchNormReference({ x });
      (await y.data()).forEach((v, i) => {
        expect(Math.abs(v - ref.data[i]!)).toBeLessThan(1e-4);
      });
      for (const t of [input, mean, variance, y]) t.dispose();
    });
  }
});

test("two values a channel: ±1, and almost no gradient", async () => {
  const x = tensor(
    [
      [3, 5],
      [1, 9],
    ],
    { requiresGrad: true },
  );
  const y = batchNorm(x, null, null, null, null, { training: true });
  const dy = tensor([
    [1, 2],
    [3, 4],
  ]);
  y.backward(dy);
  expectClose(await y.data(), batchNormReference({ x: host([2, 2], [3, 5, 1, 9]) }), 1, "output");
  for (const v of await x.grad!.data()) expect(Math.abs(v)).toBeLessThan(3e-5);
  for (const t of [x, y, dy]) t.dispose();
});

test("a constant channel gives the bias, and finite gradients", async () => {
  const x = tensor(new Float32Array(64).fill(7), { shape: [4, 1, 4, 4], requiresGrad: true });
  const b = tensor([0.5]);
  const y = batchNorm(x, null, null, null, b, { training: true });
  const dy = upload(uniform([4, 1, 4, 4], 3));
  y.backward(dy);
  expect([...(await y.data())]).toEqual(new Array(64).fill(0.5));
  for (const v of await x.grad!.data()) expect(Number.isFinite(v)).toBe(true);
  for (const t of [x, b, y, dy]) t.dispose();
});

describe("computes only the gradients that are wanted", () => {
  const shape = [3, 2, 40, 40];
  for (const training of [true, false]) {
    for (const wanted of ["x", "weight", "bias"] as const) {
      test(`${wanted} alone, training: ${training}`, async () => {
        const x = uniform(shape, 1);
        const weight = uniform([2], 2, 0.5, 1.5);
        const bias = uniform([2], 3);
        const running = training ? undefined : { mean: uniform([2], 4), variance: uniform([2], 5, 1, 2) };
        const t = {
          x: upload(x, wanted === "x"),
          weight: upload(weight, wanted === "weight"),
          bias: upload(bias, wanted === "bias"),
          mean: running ? upload(running.mean) : null,
          variance: running ? upload(running.variance) : null,
        };
        const y = batchNorm(t.x, t.mean, t.variance, t.weight, t.bias, { training });
        const dy = uniform(shape, 6);
        const seedGrad = upload(dy);
        y.backward(seedGrad);
        const ref = batchNormVjp(dy, { x, weight, bias, running })[wanted];
        expectClose(await t[wanted].grad!.data(), ref, sizeOf(shape) / 2, wanted);
        for (const other of ["x", "weight", "bias"] as const) if (other !== wanted) expect(t[other].grad).toBeNull();
        for (const each of [...Object.values(t), y, seedGrad]) each?.dispose();
      });
    }
  }
});

describe("errors", () => {
  test("one value a channel in training", () => {
    const x = zeros([1, 3, 1, 1]);
    expect(() => batchNorm(x, null, null, null, null, { training: true })).toThrow(ValueError);
    expect(() => batchNorm(x, null, null, null, null, { training: true })).toThrow(/more than 1 value per channel/);
    x.dispose();
  });
  test("no running statistics in evaluation", () => {
    const x = zeros([2, 3, 1, 1]);
    expect(() => batchNorm(x, null, null)).toThrow(/runningMean and runningVar in evaluation/);
    x.dispose();
  });
  test("weight of another length", () => {
    const x = zeros([2, 3, 1, 1]);
    const w = zeros([4]);
    expect(() => batchNorm(x, null, null, w, null, { training: true })).toThrow(ShapeError);
    expect(() => batchNorm(x, null, null, w, null, { training: true })).toThrow(/weight has shape \[4\]/);
    x.dispose();
    w.dispose();
  });
});

describe("one tensor in several places", () => {
  const at = async (y: Tensor) => Array.from(await y.data());
  const draw = (shape: number[], from: number, to: number, key: number) =>
    tensor(
      Float32Array.from({ length: sizeOf(shape) }, (_, i) => from + (to - from) * Math.sin(i * 1.7 + key) ** 2),
      {
        shape,
      },
    );

  test.each([batchNorm, batchNormRelu])(
    "$name reads running statistics that it is given as weight and bias, too",
    async (norm) => {
      const x = draw([2, 5, 3, 3], -1, 1, 1);
      const t = draw([5], 0.5, 1.5, 2);
      const [mean, variance, weight, bias] = Array.from({ length: 4 }, () => t.clone());
      const expected = norm(x, mean!, variance!, weight!, bias!);
      const found = norm(x, t, t, t, t);
      expect(await at(found)).toEqual(await at(expected));
      // What comes after a usage error would not be computed.
      expect(await at(t)).toEqual(await at(mean!));
      for (const each of [x, t, mean!, variance!, weight!, bias!, expected, found]) each.dispose();
    },
  );

  test.each([
    [3, 3],
    [70, 70],
  ])("training takes a bias that is the running mean as it was before (%d by %d)", async (...plane) => {
    const x = draw([2, 5, ...plane], -1, 1, 1);
    const [t, variance, otherMean, otherVariance] = [
      draw([5], 0.5, 1.5, 2),
      ones([5]),
      draw([5], 0.5, 1.5, 2),
      ones([5]),
    ];
    const [weight, bias] = [otherVariance.clone(), otherMean.clone()];
    const expected = batchNorm(x, otherMean, otherVariance, weight, bias, { training: true });
    const found = batchNorm(x, t, variance, variance, t, { training: true });
    expect(await at(found)).toEqual(await at(expected));
    expect(await at(t)).toEqual(await at(otherMean));
    expect(await at(variance)).toEqual(await at(otherVariance));
    for (const each of [x, t, variance, otherMean, otherVariance, weight, bias, expected, found]) each.dispose();
  });

  test("training refuses one tensor for both statistics", () => {
    const [x, t] = [draw([2, 5, 3, 3], -1, 1, 1), ones([5])];
    expect(() => batchNorm(x, t, t, null, null, { training: true })).toThrow(ValueError);
    for (const each of [x, t]) each.dispose();
  });
});
