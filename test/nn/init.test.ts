// Initialisation: ranges and moments of each rule, and the defaults of the layers.

import { expect, test } from "vitest";
import { manualSeed, nn, ShapeError, type Tensor, zeros } from "wgrad";
import { withDevice } from "../support/case.ts";

withDevice();

async function statistics(t: Tensor) {
  const data = Array.from(await t.data());
  const n = data.length;
  const mean = data.reduce((a, b) => a + b, 0) / n;
  const std = Math.sqrt(data.reduce((a, b) => a + (b - mean) ** 2, 0) / n);
  return { mean, std, low: data.reduce((a, b) => Math.min(a, b)), high: data.reduce((a, b) => Math.max(a, b)) };
}

/** Uniform in +-bound, filled to the edges. */
async function expectUniform(t: Tensor, bound: number) {
  const { mean, std, low, high } = await statistics(t);
  const wide = 5 / Math.sqrt(t.numel);
  expect(low).toBeGreaterThanOrEqual(-bound * 1.000001);
  expect(high).toBeLessThanOrEqual(bound * 1.000001);
  expect(Math.abs(mean)).toBeLessThan(bound * wide);
  expect(Math.abs(std / (bound / Math.sqrt(3)) - 1)).toBeLessThan(wide);
}

async function expectNormal(t: Tensor, mean: number, std: number) {
  const got = await statistics(t);
  const wide = 5 / Math.sqrt(t.numel);
  expect(Math.abs(got.mean - mean)).toBeLessThan(std * wide);
  expect(Math.abs(got.std / std - 1)).toBeLessThan(wide);
  expect(got.high).toBeGreaterThan(mean + 2.5 * std);
  expect(got.low).toBeLessThan(mean - 2.5 * std);
}

test("each rule has its range and moments", async () => {
  manualSeed(1);
  const { init } = nn;
  const w = new nn.Parameter(zeros([64, 32, 3, 3]));
  const [fanIn, fanOut] = [32 * 9, 64 * 9];
  await expectUniform(init.uniform_(w, -0.3, 0.3), 0.3);
  await expectNormal(init.normal_(w, 2, 0.5), 2, 0.5);
  await expectUniform(init.kaimingUniform_(w), Math.sqrt(6 / fanIn));
  await expectUniform(init.kaimingUniform_(w, { a: Math.sqrt(5) }), 1 / Math.sqrt(fanIn));
  await expectNormal(init.kaimingNormal_(w, { mode: "fanOut", nonlinearity: "relu" }), 0, Math.sqrt(2 / fanOut));
  await expectNormal(init.kaimingNormal_(w, { nonlinearity: "tanh" }), 0, 5 / 3 / Math.sqrt(fanIn));
  await expectUniform(init.xavierUniform_(w), Math.sqrt(6 / (fanIn + fanOut)));
  await expectNormal(init.xavierNormal_(w, 2), 0, 2 * Math.sqrt(2 / (fanIn + fanOut)));
  expect((await statistics(init.constant_(w, 3))).std).toBe(0);
  expect((await statistics(init.ones_(w))).mean).toBe(1);
  expect((await statistics(init.zeros_(w))).mean).toBe(0);
  expect(w.requiresGrad && w.isLeaf).toBe(true);
  const vector = zeros([3]);
  expect(() => init.kaimingUniform_(vector)).toThrow(ShapeError);
  vector.dispose();
  w.dispose();
});

test("layers start as PyTorch's do", async () => {
  manualSeed(2);
  const linear = new nn.Linear(200, 300);
  await expectUniform(linear.weight, 1 / Math.sqrt(200));
  await expectUniform(linear.bias!, 1 / Math.sqrt(200));
  const conv = new nn.Conv2d(16, 128, [3, 5], { groups: 2 });
  expect(conv.weight.shape).toEqual([128, 8, 3, 5]);
  await expectUniform(conv.weight, 1 / Math.sqrt(8 * 15));
  await expectUniform(conv.bias!, 1 / Math.sqrt(8 * 15));
  const bn = new nn.BatchNorm2d(4);
  const ln = new nn.LayerNorm([2, 3]);
  for (const ones of [bn.weight!, bn.runningVar!, ln.weight!]) expect(new Set(await ones.data())).toEqual(new Set([1]));
  for (const nil of [bn.bias!, bn.runningMean!, ln.bias!, bn.numBatchesTracked!]) {
    expect(new Set(await nil.data())).toEqual(new Set([0]));
  }
  const bare = new nn.Linear(2, 2, { bias: false });
  expect(bare.bias).toBeNull();
  for (const module of [linear, conv, bn, ln, bare]) module.dispose();
});

test("the same seed gives the same model", async () => {
  const make = () => {
    manualSeed(7);
    return new nn.Sequential(new nn.Conv2d(3, 4, 3), new nn.Linear(5, 6));
  };
  const [a, b] = [make(), make()];
  const values = (m: nn.Module) => Promise.all(Array.from(m.parameters(), async (p) => Array.from(await p.data())));
  expect(await values(a)).toEqual(await values(b));
  a.dispose();
  b.dispose();
});

test("fans and gains are PyTorch's", () => {
  expect(nn.init.fans([6, 4, 3, 5])).toEqual({ fanIn: 60, fanOut: 90 });
  expect(nn.init.fans([6, 4])).toEqual({ fanIn: 4, fanOut: 6 });
  expect(nn.init.calculateGain("linear")).toBe(1);
  expect(nn.init.calculateGain("tanh")).toBeCloseTo(5 / 3, 12);
  expect(nn.init.calculateGain("relu")).toBeCloseTo(Math.SQRT2, 12);
  expect(nn.init.calculateGain("leakyRelu", 0.2)).toBeCloseTo(Math.sqrt(2 / 1.04), 12);
});
