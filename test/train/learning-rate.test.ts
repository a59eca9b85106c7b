// findLearningRate: the rates, what it reads from losses, and that nothing is left of it.
import { expect, test } from "vitest";
import { findLearningRate, getRngState, manualSeed, optim, ValueError, vision } from "wgrad";
import { inValley, steepest } from "../../src/train/learning-rate.ts";
import { withDevice } from "../support/case.ts";
import { linear, Small, sgd, stripes, weightsOf } from "./helpers.ts";

withDevice();

async function stateOf(optimizer: optim.Optimizer | optim.Adam) {
  const { state, paramGroups } = optimizer.stateDict();
  const tensors: number[][] = [];
  for (const saved of Object.values(state))
    for (const value of Object.values(saved)) {
      tensors.push(typeof value === "number" ? [value] : [...(await value.data())]);
      if (typeof value !== "number") value.dispose();
    }
  return { tensors, paramGroups };
}

test("everything is put back", async () => {
  manualSeed(3);
  const set = new vision.GpuDataset(stripes(24));
  const loader = new vision.DataLoader(set, { batchSize: 6, shuffle: true, transform: vision.randomHorizontalFlip() });
  const model = new Small();
  model.bn.eval();
  const groups = [
    { params: [...model.fc.parameters()], lr: 0.2 },
    { params: [...model.conv.parameters()], lr: 0.02 },
  ];
  const optimizer = new optim.Adam(groups, { lr: 0.1 });
  // A state to lose.
  const warm = await findLearningRate(model, loader, { optimizer, numIter: 2 });
  expect(warm.rates).toHaveLength(2);
  const before = [await weightsOf(model), await stateOf(optimizer), loader.stateDict(), getRngState()];
  const tried: number[] = [];
  const { rates, losses, smoothed, suggestion, steep, valley } = await findLearningRate(model, loader, {
    optimizer,
    startLr: 1e-4,
    endLr: 1,
    numIter: 40,
    divergence: 1e9,
    batchTransform: (images, labels) => {
      tried.push((optimizer.paramGroups[1]?.lr ?? 0) / optimizer.paramGroups[0].lr);
      return { images, labels };
    },
  });
  expect([await weightsOf(model), await stateOf(optimizer), loader.stateDict(), getRngState()]).toEqual(before);
  expect([model.training, model.bn.training]).toEqual([true, false]);
  expect(tried[0]).toBeCloseTo(0.1, 9);

  expect(rates).toHaveLength(40);
  expect(rates[0]).toBeCloseTo(1e-4, 12);
  expect(rates.at(-1)).toBeCloseTo(1, 9);
  for (let i = 1; i < 40; i++) expect(rates[i]! / rates[i - 1]!).toBeCloseTo(1e4 ** (1 / 39), 9);
  let average = 0;
  for (const [i, loss] of losses.entries()) {
    average = 0.98 * average + 0.02 * loss;
    expect(smoothed[i]).toBeCloseTo(average / (1 - 0.98 ** (i + 1)), 9);
  }
  // Smoothed so much, the loss has come down where the rate was of use.
  expect(Math.min(...smoothed)).toBeLessThan(smoothed[0]!);
  expect(suggestion).toBe(steep);
  expect(rates).toContain(steep);
  expect(rates).toContain(valley);
  for (const d of [model, optimizer, set]) d.dispose();
});

test("it ends where the loss diverges", async () => {
  const set = new vision.GpuDataset(stripes(24));
  const loader = new vision.DataLoader(set, { batchSize: 24 });
  const model = linear();
  const { rates, losses, suggestion } = await findLearningRate(model, loader, {
    optimizer: () => sgd(model),
    startLr: 1e-3,
    endLr: 1e4,
    smoothing: 0.5,
    loss: (logits) => logits.sub(1).square().mean(),
    suggest: "valley",
  });
  expect(rates.length).toBeLessThan(100);
  expect(losses.at(-1)).toBeGreaterThan(4 * Math.min(...losses));
  expect(suggestion).toBeGreaterThan(1e-3);
  expect(suggestion).toBeLessThan(rates.at(-1)!);
  const wrong = { optimizer: () => sgd(model), startLr: 0 };
  await expect(findLearningRate(model, loader, wrong)).rejects.toThrow(ValueError);
  for (const d of [model, set]) d.dispose();
});

test("the suggestions of fastai", () => {
  const rates = [1, 10, 100, 1000, 1e4, 1e5, 1e6];
  const losses = [5, 4.9, 4, 2, 1.5, 1.4, 3];
  expect(steepest(rates, losses)).toBe(100);
  // The decreasing run has 6 elements and ends at index 5: from 5 - 6 on, a third of it and half of that: -1 + 2 + 1.
  expect(inValley(rates, losses)).toBe(100);
  expect(steepest([1], [1])).toBeNull();
  expect(inValley([], [])).toBeNull();
});
