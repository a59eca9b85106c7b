// Sums and products that are long enough to be split, whose exact values are known.
import { expect, test } from "vitest";
import { full, scope, type Tensor, tensor } from "wgrad";
import { withDevice } from "../support/case.ts";

withDevice();

const LENGTH = 1 << 24;

/** Reads the result of `f`, whose tensors are freed. */
async function values(f: () => Tensor): Promise<number[]> {
  const t = scope(f);
  const list = Array.from(await t.data());
  t.dispose();
  return list;
}

test("sums of 16 million elements", async () => {
  const ones = full([LENGTH], 1);
  const halves = tensor(Float32Array.from({ length: LENGTH }, (_, i) => (i % 4) / 2));
  expect(await values(() => ones.sum())).toEqual([LENGTH]);
  expect(await values(() => halves.sum())).toEqual([0.75 * LENGTH]);
  expect(await values(() => halves.mean())).toEqual([0.75]);
  expect(await values(() => halves.max())).toEqual([1.5]);
  expect(
    await values(() =>
      halves
        .reshape([4096, 4096])
        .sum(0)
        .slice([[0, 4]]),
    ),
  ).toEqual([0, 2048, 4096, 6144]);
  expect(
    await values(() =>
      halves
        .reshape([4096, 4096])
        .sum(1)
        .slice([[0, 2]]),
    ),
  ).toEqual([3072, 3072]);
  for (const t of [ones, halves]) t.dispose();
});

test("a product over a million steps", async () => {
  const k = 1 << 20;
  // Column j of b counts the steps of remainder j, all in numbers that f32 holds exactly.
  const a = full([3, k], 0.5);
  const steps = Float32Array.from({ length: 4 * k }, (_, i) => (((i >> 2) & 3) === (i & 3) ? 1 : 0));
  const b = tensor(steps, { shape: [k, 4] });
  expect(await values(() => a.matmul(b))).toEqual(Array(12).fill(k / 8));
  for (const t of [a, b]) t.dispose();
});
