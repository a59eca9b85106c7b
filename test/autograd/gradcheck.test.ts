// gradcheck: right gradients pass, wrong ones are found and named.
import { expect, test } from "vitest";
import {
  bernoulli,
  getRngState,
  gradcheck,
  manualSeed,
  randn,
  StateError,
  scope,
  type Tensor,
  tensor,
  WgradError,
} from "wgrad";
import { apply1 } from "../../src/autograd/apply.ts";
import type { UnaryOp } from "../../src/ops/unary.ts";
import * as unaries from "../../src/ops/unary-rows.ts";
import { withDevice } from "../support/case.ts";

withDevice();

test("passes functions of several inputs and outputs, and leaves the inputs' gradients alone", async () => {
  manualSeed(1);
  const a = randn([4, 3], { requiresGrad: true });
  const b = randn([3], { requiresGrad: true });
  const c = randn([4, 1]);
  const fn = (x: Tensor, y: Tensor, z: Tensor) => [x.mul(y).sin().sum(1), x.add(z).exp().mean(), x.argmax()];
  expect(await gradcheck(fn, [a, b, c])).toBe(true);
  expect(await gradcheck((x) => x.sigmoid().square().reshape([-1]), b)).toBe(true);
  expect([a.grad, b.grad]).toEqual([null, null]);
  for (const t of [a, b, c]) t.dispose();
});

test("passes a function that draws random numbers: each call draws the same", async () => {
  manualSeed(3);
  const x = randn([50], { requiresGrad: true });
  const before = getRngState();
  expect(await gradcheck((t) => t.mul(bernoulli([50], 0.5, 2)).square(), [x])).toBe(true);
  expect(getRngState()).toEqual(before);
  x.dispose();
});

test("finds a wrong gradient and names the input", async () => {
  // exp whose gradient lacks a factor.
  const wrong: UnaryOp = { ...unaries.exp, name: "wrong", vjp: ([dy]) => [dy!] };
  const a = tensor([0.5, 1], { requiresGrad: true });
  const b = tensor([1, -1], { requiresGrad: true });
  const fn = (x: Tensor, y: Tensor) => x.mul(2).add(apply1(wrong, [y], []));
  await expect(gradcheck(fn, [a, b])).rejects.toThrow(/\[gradcheck\] input 1, shape \[2\]: .* backward gives/);
  await expect(gradcheck(fn, [a, b])).rejects.toThrow(WgradError);
  expect(await gradcheck(fn, [a, b], { raiseException: false })).toBe(false);
  for (const t of [a, b]) t.dispose();
});

test("says so where there is nothing to check", async () => {
  const a = tensor([1]);
  const b = tensor([1], { requiresGrad: true });
  await expect(gradcheck((x) => x.exp(), [a])).rejects.toThrow("[gradcheck] no input requires a gradient");
  await expect(gradcheck((x) => scope(() => x.detach().exp()), [b])).rejects.toThrow(StateError);
  for (const t of [a, b]) t.dispose();
});
