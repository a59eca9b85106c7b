// Layers: each computes its function, with its parameters and options; constructors refuse bad arguments.
import { describe, expect, test } from "vitest";
import { capture, nn, noGrad, rand, ShapeError, scope, type Tensor, tensor, ValueError } from "wgrad";
import { withDevice } from "../support/case.ts";

withDevice();
const F = nn.functional;

async function expectSame(a: Tensor, b: Tensor): Promise<void> {
  expect(a.shape).toEqual(b.shape);
  expect(Array.from(await a.data())).toEqual(Array.from(await b.data()));
}

test("functional has the names of PyTorch in camelCase", () => {
  const names =
    "adaptiveAvgPool2d avgPool2d batchNorm conv2d crossEntropy dropout gelu hardsigmoid hardswish layerNorm leakyRelu linear logSoftmax maxPool2d mseLoss relu relu6 sigmoid silu softmax tanh";
  for (const name of names.split(" ")) expect(typeof Reflect.get(F, name), name).toBe("function");
});

describe("layers equal their functions", () => {
  const conv = (layer: nn.Conv2d) => (x: Tensor) =>
    F.conv2d(x, layer.weight, layer.bias, { stride: [2, 1], padding: 1, dilation: 2, groups: 2 });
  const cases: [string, () => nn.Module, (x: Tensor, layer: nn.Module) => Tensor][] = [
    [
      "Conv2d",
      () => new nn.Conv2d(4, 6, [3, 1], { stride: [2, 1], padding: 1, dilation: 2, groups: 2 }),
      (x, layer) => conv(layer as nn.Conv2d)(x),
    ],
    ["Linear", () => new nn.Linear(6, 3, { bias: false }), (x, layer) => F.linear(x, (layer as nn.Linear).weight)],
    ["ReLU", () => new nn.ReLU(), F.relu],
    ["ReLU6", () => new nn.ReLU6(), F.relu6],
    ["LeakyReLU", () => new nn.LeakyReLU(0.2), (x) => F.leakyRelu(x, 0.2)],
    ["GELU", () => new nn.GELU(), (x) => F.gelu(x)],
    ["SiLU", () => new nn.SiLU(), F.silu],
    ["Hardswish", () => new nn.Hardswish(), F.hardswish],
    ["Hardsigmoid", () => new nn.Hardsigmoid(), F.hardsigmoid],
    ["Sigmoid", () => new nn.Sigmoid(), F.sigmoid],
    ["Tanh", () => new nn.Tanh(), F.tanh],
    ["Softmax", () => new nn.Softmax(1), (x) => F.softmax(x, 1)],
    [
      "MaxPool2d",
      () => new nn.MaxPool2d(3, { stride: 2, padding: 1 }),
      (x) => F.maxPool2d(x, 3, { stride: 2, padding: 1 }),
    ],
    ["AvgPool2d", () => new nn.AvgPool2d(2), (x) => F.avgPool2d(x, 2)],
    ["AdaptiveAvgPool2d", () => new nn.AdaptiveAvgPool2d([2, null]), (x) => F.adaptiveAvgPool2d(x, [2, null])],
    ["Flatten", () => new nn.Flatten(), (x) => x.flatten(1)],
    [
      "LayerNorm",
      () => new nn.LayerNorm([5, 6]),
      (x, layer) => {
        const { weight, bias } = layer as nn.LayerNorm;
        return F.layerNorm(x, [5, 6], weight, bias, 1e-5);
      },
    ],
  ];
  for (const [name, make, reference] of cases) {
    test(name, async () => {
      const layer = make();
      const x = rand([2, 4, 5, 6]);
      const [a, b] = noGrad(() => [layer.forward(x), reference(x, layer)] as const);
      await expectSame(a, b);
      expect(String(layer)).toMatch(new RegExp(`^${name}\\(`));
      for (const disposable of [layer, x, a, b]) disposable.dispose();
    });
  }
});

test("BatchNorm2d: running statistics, evaluation, options", async () => {
  const x = rand([3, 2, 4, 4]);
  const bn = new nn.BatchNorm2d(2, { momentum: 0.5 });
  noGrad(() => bn.forward(x)).dispose();
  const [mean, variance] = scope(() => [x.mean([0, 2, 3]), x.var([0, 2, 3])] as const);
  const [m, v] = [await mean.data(), await variance.data()];
  for (const [i, value] of (await bn.runningMean!.data()).entries()) {
    expect(Math.abs(value - 0.5 * m[i]!)).toBeLessThan(1e-6);
  }
  for (const [i, value] of (await bn.runningVar!.data()).entries()) {
    expect(Math.abs(value - 0.5 - 0.5 * v[i]!)).toBeLessThan(1e-6);
  }
  bn.eval();
  const [a, b] = noGrad(
    () =>
      [bn.forward(x), F.batchNorm(x, bn.runningMean, bn.runningVar, bn.weight, bn.bias, { training: false })] as const,
  );
  await expectSame(a, b);
  const relu = noGrad(() => F.batchNormRelu(x, bn.runningMean, bn.runningVar, bn.weight, bn.bias, { residual: x }));
  const composed = scope(() => noGrad(() => F.relu(bn.forward(x).add(x))));
  await expectSame(relu, composed);

  const bare = new nn.BatchNorm2d(2, { affine: false, trackRunningStats: false }).eval();
  expect([...bare.parameters(), ...bare.buffers()]).toEqual([]);
  const batch = noGrad(() => bare.forward(x));
  const stats = scope(() => batch.mean([0, 2, 3]));
  for (const value of await stats.data()) expect(Math.abs(value)).toBeLessThan(1e-5);
  for (const t of [x, bn, mean, variance, a, b, relu, composed, batch, stats]) t.dispose();
});

test("Dropout drops in training only", async () => {
  const dropout = new nn.Dropout(0.5);
  const x = tensor(new Float32Array(4096).fill(1));
  const y = dropout.forward(x);
  const values = await y.data();
  expect(new Set(values)).toEqual(new Set([0, 2]));
  const dropped = values.filter((value) => value === 0).length;
  expect(Math.abs(dropped / 4096 - 0.5)).toBeLessThan(0.05);
  const z = dropout.eval().forward(x);
  expect(new Set(await z.data())).toEqual(new Set([1]));
  for (const t of [x, y, z]) t.dispose();
});

test("losses", async () => {
  const [logits, target] = [rand([4, 3]), tensor(Int32Array.of(0, 2, 1, 1))];
  const options = { labelSmoothing: 0.1, reduction: "sum" } as const;
  const [a, b] = [new nn.CrossEntropyLoss(options).forward(logits, target), F.crossEntropy(logits, target, options)];
  await expectSame(a, b);
  const other = rand([4, 3]);
  const [c, d] = [new nn.MSELoss().forward(logits, other), F.mseLoss(logits, other)];
  await expectSame(c, d);
  for (const t of [logits, target, a, b, other, c, d]) t.dispose();
});

test("bad arguments", () => {
  expect(() => new nn.Conv2d(3, 0, 3)).toThrow(/\[Conv2d\] outChannels must be a whole number of at least 1, got 0/);
  expect(() => new nn.Conv2d(3, 4, 3, { groups: 2 })).toThrow(/divisible by 2 groups/);
  expect(() => new nn.Conv2d(3, 4, 0)).toThrow(ValueError);
  expect(() => new nn.Linear(2.5, 1)).toThrow(ValueError);
  expect(() => new nn.Dropout(1.5)).toThrow(ValueError);
  const [conv, bn, x] = [new nn.Conv2d(4, 2, 3), new nn.BatchNorm2d(3), rand([1, 3, 8, 8])];
  expect(() => conv.forward(x)).toThrow(/\[conv2d\] input has 3 channels/);
  const flat = scope(() => x.reshape([3, 64]));
  expect(() => bn.forward(flat)).toThrow(ShapeError);
  expect(() => new nn.ModuleList([bn]).forward()).toThrow(/no forward/);
  for (const t of [conv, bn, x, flat]) t.dispose();
});

test("batch norm without a momentum keeps the mean of all batches, from a loaded count too", async () => {
  const bn = new nn.BatchNorm2d(1, { momentum: null });
  const other = new nn.BatchNorm2d(1, { momentum: null, affine: false, trackRunningStats: false });
  const batches = [
    [1, 3],
    [5, 7],
    [0, 10],
  ].map((row) => tensor([[[row]]]));
  const [first, second, third] = batches;
  const run = (layer: nn.BatchNorm2d, x?: Tensor) => x && scope(() => layer.forward(x).sum().backward());
  run(bn, first);
  run(bn, second);
  expect(await bn.runningMean?.array()).toEqual([4]);
  expect(await bn.runningVar?.array()).toEqual([2]);
  const copy = new nn.BatchNorm2d(1, { momentum: null });
  const state = bn.stateDict();
  await copy.loadStateDict(state);
  for (const layer of [bn, copy]) {
    run(layer, third);
    expect((await layer.runningMean?.data())?.[0]).toBeCloseTo(13 / 3, 5);
    expect((await layer.runningVar?.data())?.[0]).toBeCloseTo(18, 4);
    expect(await layer.numBatchesTracked?.item()).toBe(3);
    layer.eval();
    run(layer, first);
    expect(await layer.numBatchesTracked?.item()).toBe(3);
  }
  expect(String(bn)).toMatch(/momentum: null/);
  bn.train();
  const step = capture((x: Tensor) => bn.forward(x).sum());
  expect(() => first && step(first)).toThrow(/momentum: null .* outside of capture/);
  step.dispose();
  if (first) other.forward(first).dispose();
  expect(() => new nn.BatchNorm2d(1, { momentum: Number.NaN })).toThrow(ValueError);
  for (const owned of [bn, copy, other, ...batches, ...Object.values(state)]) owned.dispose();
});

test("layers refuse what they do not take, in JavaScript too", () => {
  // biome-ignore lint/suspicious/noExplicitAny: what the types forbid
  const untyped = nn as Record<string, any>;
  const { Conv2d, Linear, BatchNorm2d, LayerNorm, MaxPool2d, AvgPool2d, ModuleList, Parameter } = untyped;
  const linear = new Linear(2, 2);
  const cases: [() => unknown, RegExp][] = [
    [() => new Conv2d(3, 8), /^\[Conv2d\] kernelSize must be .* got undefined/],
    [() => new Conv2d(3, 8, [3, 3, 3]), /^\[Conv2d\] kernelSize/],
    [() => new Conv2d(3, 8, 3, 1), /^\[Conv2d\] got 1 in the place of its options: it takes { stride, padding/],
    [() => new Conv2d(3, 8, 3, { strides: 2 }), /^\[Conv2d\] has no option "strides"/],
    [() => new Linear(2), /^\[Linear\] outFeatures/],
    [() => new Linear(2, 2, false), /^\[Linear\] got false in the place/],
    [() => new BatchNorm2d(2, 1e-3), /^\[BatchNorm2d\] got 0.001/],
    [() => new LayerNorm(2, 1e-3), /^\[LayerNorm\] got 0.001/],
    [() => new MaxPool2d(), /^\[MaxPool2d\] kernelSize must be .* got undefined/],
    [() => new AvgPool2d(2, 2), /^\[AvgPool2d\] got 2 in the place/],
    [() => new ModuleList([1]), /^\[ModuleList\] element 0 must be a module, got 1/],
    [() => new Parameter([1]), /^\[Parameter\] input 0 must be a tensor, got \[1\]/],
    [() => linear.forward(undefined), /^\[linear\] input 0 must be a tensor, got undefined/],
    [() => linear.forward([[1, 2]]), /^\[linear\] input 0 must be a tensor, got \[\[1, 2\]\]: make one with tensor/],
  ];
  for (const [f, message] of cases) {
    expect(f, String(message)).toThrow(ValueError);
    expect(f).toThrow(message);
  }
  linear.dispose();
});
