// Functions of nn.functional that other tests call as methods or rows of tables, and a block, under their public names: values and
// gradients are PyTorch's.
import { expect, test } from "vitest";
import { full, nn, noGrad, scope, type Tensor, tensor } from "wgrad";
import { withDevice } from "../support/case.ts";
import { host } from "../support/host.ts";
import { expectClose } from "../support/tolerance.ts";

withDevice();

const F = nn.functional;
const X = [-1, 0, 2, 25, -30, 0.5];
const DY = [1, 2, -1, 0.5, 1, 3];
const rows: [string, (x: Tensor) => Tensor, number[], number[]][] = [
  [
    "sigmoid",
    (x) => F.sigmoid(x),
    [0.2689414, 0.5, 0.880797, 1, 9.357624e-14, 0.6224594],
    [0.1966119, 0.5, -0.1049936, 0, 9.357624e-14, 0.7050111],
  ],
  ["tanh", (x) => F.tanh(x), [-0.7615942, 0, 0.9640276, 1, -1, 0.4621172], [0.4199743, 2, -0.07065082, 0, 0, 2.359343]],
  [
    "logSoftmax",
    (x) => F.logSoftmax(x, 1),
    [-3.169846, -2.169846, -0.169846, 0, -55, -24.5],
    [0.9159799, 1.77161, -2.687589, -4, 1, 3],
  ],
  [
    "softplus",
    (x) => F.softplus(x),
    [0.3132617, Math.LN2, 2.126928, 25, 9.357623e-14, 0.974077],
    [0.2689414, 1, -0.8807971, 0.5, 9.357623e-14, 1.867378],
  ],
];

test.each(rows)("%s", async (name, f, y, dx) => {
  const x = tensor(X, { shape: [2, 3], requiresGrad: true });
  const out = f(x);
  const dy = tensor(DY, { shape: [2, 3] });
  out.backward(dy);
  expectClose(await out.data(), host([2, 3], y), 1, name);
  expectClose(await x.grad!.data(), host([2, 3], dx), 1, `${name} gradient`);
  for (const t of [x, out, dy]) t.dispose();
});

test("ConvNormActivation is a convolution that keeps the size, a norm and an activation", async () => {
  const block = new nn.ConvNormActivation(1, 2, { norm: null, activation: () => new nn.ReLU() });
  const [weight, bias] = [...block.parameters()];
  expect(block.outChannels).toBe(2);
  const x = full([1, 1, 2, 2], 1, { requiresGrad: true });
  const values = [
    tensor(
      Float32Array.from({ length: 18 }, (_, i) => (i < 9 ? 1 : -1)),
      { shape: [2, 1, 3, 3] },
    ),
    tensor([0.5, 1]),
  ];
  noGrad(() => {
    weight?.copy_(values[0]!);
    bias?.copy_(values[1]!);
  });
  const y = block.forward(x);
  expect(weight?.shape).toEqual([2, 1, 3, 3]);
  // Each of the nine taps meets one of the four ones: 4.5 for the first channel, relu(1 - 4) for the second.
  expect(Array.from(await y.data())).toEqual([4.5, 4.5, 4.5, 4.5, 0, 0, 0, 0]);
  scope(() => y.sum().backward());
  expect(Array.from(await x.grad!.data())).toEqual([4, 4, 4, 4]);
  for (const p of block.parameters()) p.dispose();
  for (const t of [x, y, ...values]) t.dispose();
});

test("print gives the elements as text", async () => {
  const x = tensor([1, -2.5], { shape: [2, 1] });
  expect(await x.print()).toMatch(/1[\s\S]*-2\.5/);
  x.dispose();
});
