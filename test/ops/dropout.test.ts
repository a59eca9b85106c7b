// Dropout: rate, scale, gradient, and the cases in which it does nothing or drops all.
import { expect, test } from "vitest";
import { manualSeed, ones, ValueError } from "wgrad";
import { dropout } from "../../src/ops/dropout.ts";
import { withDevice } from "../support/case.ts";

withDevice();

test("zeroes a share of p, scales the rest by 1 / (1 - p), and masks the gradient alike", async () => {
  manualSeed(1);
  for (const p of [0.2, 0.5, 0.9]) {
    const x = ones([100, 103], { requiresGrad: true });
    const y = dropout(x, p);
    const dy = ones([100, 103]);
    y.backward(dy);
    const values = await y.data();
    const kept = values.filter((v) => v !== 0);
    // Four standard deviations of a binomial count.
    expect(Math.abs(kept.length / x.numel - (1 - p))).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / x.numel));
    for (const v of kept) expect(v).toBeCloseTo(1 / (1 - p), 5);
    expect(await x.grad!.data()).toEqual(values);
    for (const t of [x, y, dy]) t.dispose();
  }
});

test("draws anew at each call, and the same after the same seed", async () => {
  const x = ones([1000]);
  manualSeed(7);
  const [a, b] = [dropout(x), dropout(x)];
  manualSeed(7);
  const c = dropout(x);
  expect(await a.data()).not.toEqual(await b.data());
  expect(await a.data()).toEqual(await c.data());
  for (const t of [x, a, b, c]) t.dispose();
});

test("p = 0 and evaluation give x itself, p = 1 zeros", async () => {
  const x = ones([10], { requiresGrad: true });
  expect(dropout(x, 0)).toBe(x);
  expect(dropout(x, 0.5, false)).toBe(x);
  const y = dropout(x, 1);
  const dy = ones([10]);
  y.backward(dy);
  expect([...(await y.data())]).toEqual(new Array(10).fill(0));
  expect([...(await x.grad!.data())]).toEqual(new Array(10).fill(0));
  expect(() => dropout(x, 1.5)).toThrow(ValueError);
  for (const t of [x, y, dy]) t.dispose();
});
