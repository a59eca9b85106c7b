// Long sums of positive terms keep their digits, which adding up one by one loses; grids of any size.
import { expect, test } from "vitest";
import { nn, type Tensor, tensor, zeros } from "wgrad";
import { withDevice } from "../support/case.ts";
import { type HostArray, uniform, upload } from "../support/host.ts";

withDevice();

const F = nn.functional;
const positive = (shape: readonly number[], seed: number) => uniform(shape, seed, 0, 1);
const dot = (n: number, f: (i: number) => number): number => {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += f(i);
  return sum;
};
/** What is off, in parts of the value. One by one 2^17 terms are off by 1e-5 and more. */
const within = (got: number, expected: number, parts = 1e-6) =>
  expect(Math.abs(got / expected - 1), `${got}, expected ${expected}`).toBeLessThan(parts);
const first = async (t: Tensor | null) => (await t!.data())[0]!;
const product = (a: HostArray, b: HostArray, n: number, step = 1) =>
  dot(n, (i) => a.data[i * step]! * b.data[i * step]!);

test("a matrix product, with a bias and an activation behind it", async () => {
  const k = 2 ** 17 + 3;
  const [a, b] = [positive([1, k], 1), positive([1, k], 2)];
  const [x, w, bias] = [upload(a), upload(b), tensor([0.5])];
  const y = F.linear(x, w, bias);
  const z = y.relu();
  within(await z.item(), product(a, b, k) + 0.5);
  for (const t of [x, w, bias, y, z]) t.dispose();
});

test("the weight's gradient of linear over many rows", async () => {
  const rows = 100_001;
  const [a, g] = [positive([rows, 2], 3), positive([rows, 2], 4)];
  const [x, w, dy] = [upload(a), zeros([2, 2], { requiresGrad: true }), upload(g)];
  const y = F.linear(x, w);
  y.backward(dy);
  within(await first(w.grad), product(a, g, rows, 2));
  for (const t of [x, w, dy, y]) t.dispose();
});

test("linear of more rows than a grid has tiles", async () => {
  const rows = 2 ** 20 + 5;
  const a = Float32Array.from({ length: 2 * rows }, (_, i) => 1 + (i % 4096));
  const [x, w] = [tensor(a, { shape: [rows, 2] }), tensor([[1, 2]])];
  const y = F.linear(x, w);
  const got = await y.data();
  expect(got.length).toBe(rows);
  for (let r = rows - 20; r < rows; r++) within(got[r]!, a[2 * r]! + 2 * a[2 * r + 1]!);
  for (const t of [x, w, y]) t.dispose();
});

test("the weight's gradient of a convolution over many images", async () => {
  const shape = [1200, 1, 16, 16];
  const [a, g] = [positive(shape, 6), positive(shape, 7)];
  const [x, w, dy] = [upload(a), zeros([1, 1, 1, 1], { requiresGrad: true }), upload(g)];
  const y = F.conv2d(x, w);
  y.backward(dy);
  within(await first(w.grad), product(a, g, a.data.length), 1e-5);
  for (const t of [x, w, dy, y]) t.dispose();
});

test("statistics of batch norm, and its gradients", async () => {
  const shape = [4, 1, 256, 257];
  const [a, g] = [positive(shape, 8), positive(shape, 9)];
  const [x, dy, mean, variance] = [upload(a), upload(g), zeros([1]), zeros([1])];
  const [w, b] = [zeros([1], { requiresGrad: true }), zeros([1], { requiresGrad: true })];
  const y = F.batchNorm(x, mean, variance, w, b, { training: true, momentum: 1 });
  y.backward(dy);
  const n = a.data.length;
  const m = dot(n, (i) => a.data[i]!) / n;
  within(await mean.item(), m);
  within(await variance.item(), dot(n, (i) => (a.data[i]! - m) ** 2) / (n - 1));
  within(
    await first(b.grad),
    dot(n, (i) => g.data[i]!),
  );
  for (const t of [x, dy, mean, variance, w, b, y]) t.dispose();
});
