// capture(): replays give what the eager step gives, bit for bit; and what makes it record again.

import { expect, test } from "vitest";
import {
  arange,
  capture,
  manualSeed,
  memory,
  nn,
  noGrad,
  optim,
  rand,
  randn,
  roll,
  scope,
  type Tensor,
  tensor,
  zeros,
} from "wgrad";
import { withDevice } from "../support/case.ts";
import { uniform, upload } from "../support/host.ts";

withDevice();
const F = nn.functional;

/** A small convolutional network: every kind of kernel that a ResNet step has. */
function build() {
  manualSeed(3);
  return new nn.Sequential(
    new nn.Conv2d(3, 8, 3, { padding: 1 }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Dropout(0.25),
    new nn.Flatten(),
    new nn.Linear(8 * 16, 5),
  );
}

function batches(n: number, size = 6) {
  return Array.from({ length: n }, (_, i) => ({
    x: upload(uniform([size, 3, 8, 8], 50 + i)),
    y: tensor(Int32Array.from({ length: size }, (_, j) => (i + j) % 5)),
  }));
}

/** Losses of 12 steps: the rate changes after 4, the first layers are released after 8. */
async function train(captured: boolean): Promise<{ losses: number[]; recordings: number }> {
  const model = build();
  const opt = new optim.Adam(model.parameters(), { lr: 1e-2, weightDecay: 1e-3 });
  const layers = [...model.children()];
  layers[0]!.requiresGrad_(false);
  const eager = (x: Tensor, y: Tensor): Tensor => {
    opt.zeroGrad();
    const loss = F.crossEntropy(model.forward(x), y);
    loss.backward();
    opt.step();
    return loss;
  };
  const scoped = (x: Tensor, y: Tensor) => scope(() => eager(x, y));
  const step = capture(eager);
  const losses: number[] = [];
  const data = batches(3);
  for (let i = 0; i < 12; i++) {
    if (i === 4) opt.paramGroups[0].lr = 1e-3;
    if (i === 8) layers[0]!.requiresGrad_(true);
    const { x, y } = data[i % 3]!;
    const loss = captured ? step(x, y) : scoped(x, y);
    losses.push(await loss.item());
    loss.dispose();
  }
  const { recordings } = step;
  step.dispose();
  opt.dispose();
  model.dispose();
  for (const { x, y } of data) {
    x.dispose();
    y.dispose();
  }
  return { losses, recordings };
}

test("captured equals eager bit for bit, through a rate change and a release, with dropout", async () => {
  const eager = await train(false);
  const captured = await train(true);
  expect(captured.losses).toEqual(eager.losses);
  expect(captured.recordings).toBe(2);
  expect(new Set(eager.losses).size).toBe(12);
});

test("another shape or mode records again, and a replay makes no buffers", async () => {
  const model = build();
  const step = capture((x: Tensor) => noGrad(() => model.forward(x)));
  const [a, b] = [upload(uniform([2, 3, 8, 8], 1)), upload(uniform([3, 3, 8, 8], 2))];
  for (const t of [step(a), step(b), step(b)]) t.dispose();
  expect(step.recordings).toBe(2);
  step(b).dispose();
  const created = b.device.pool.created;
  const before = memory().bytes;
  for (let i = 0; i < 5; i++) step(b).dispose();
  expect(b.device.pool.created).toBe(created);
  expect(memory().bytes).toBe(before);
  model.eval();
  step(b).dispose();
  expect(step.recordings).toBe(3);
  step.dispose();
  model.dispose();
  a.dispose();
  b.dispose();
});

test("gradients are on the parameters after a replay, also when they were dropped in between", async () => {
  const w = tensor([[1, 2]], { requiresGrad: true });
  const opt = new optim.SGD([w], { lr: 0 });
  const step = capture((x: Tensor) => {
    opt.zeroGrad();
    const loss = w.mul(x).sum();
    loss.backward();
    return loss;
  });
  const inputs = [tensor([[3, 4]]), tensor([[5, 6]])];
  step(inputs[0]!).dispose();
  expect([...(await w.grad!.data())]).toEqual([3, 4]);
  opt.zeroGrad();
  expect(w.grad).toBeNull();
  step(inputs[1]!).dispose();
  expect([...(await w.grad!.data())]).toEqual([5, 6]);
  step.dispose();
  opt.dispose();
  for (const t of [w, ...inputs]) t.dispose();
});

test("gradients accumulate over several calls before one update", async () => {
  const w = tensor([1, 2], { requiresGrad: true });
  const step = capture((x: Tensor) => {
    const loss = w.mul(x).sum();
    loss.backward();
    return loss;
  });
  for (const round of [1, 2]) {
    for (const values of [
      [3, 4],
      [5, 6],
      [7, 8],
    ]) {
      const x = tensor(values);
      step(x).dispose();
      x.dispose();
    }
    expect([...(await w.grad!.data())], `round ${round}`).toEqual([15, 18]);
    w.grad = null;
  }
  expect(step.recordings).toBe(1);
  step.dispose();
  w.dispose();
});

test("a step that updates by gradients which it does not reset is refused", async () => {
  const w = tensor([1, 2], { requiresGrad: true });
  const optimizer = new optim.SGD([w], { lr: 0.1 });
  const step = capture((x: Tensor) => {
    const loss = w.mul(x).sum();
    loss.backward();
    optimizer.step();
    return loss;
  });
  const x = tensor([3, 4]);
  step(x).dispose();
  expect(() => step(x)).toThrow(
    "[capture] the step reads a gradient, of a leaf [2], that holds what earlier calls added",
  );
  // What was there before is still there.
  expect([...(await w.grad!.data())]).toEqual([3, 4]);
  step.dispose();
  optimizer.dispose();
  for (const t of [w, x]) t.dispose();
});

test("random numbers of a replay continue the eager sequence", async () => {
  const draw = async (captured: boolean) => {
    manualSeed(11);
    const x = zeros([4]);
    const eager = (t: Tensor): Tensor => scope(() => t.add(rand([4])).add(randn([4])));
    const step = capture(eager);
    const out: number[][] = [];
    for (let i = 0; i < 3; i++) {
      const y = captured ? step(x) : eager(x);
      out.push([...(await y.data())]);
      y.dispose();
    }
    const after = rand([4]);
    out.push([...(await after.data())]);
    step.dispose();
    for (const t of [x, after]) t.dispose();
    return out;
  };
  expect(await draw(true)).toEqual(await draw(false));
});

test("constants that a step uploads do not take what waits for its next operation out of the step", async () => {
  const [a, b, image, weight] = [randn([3, 3]), randn([3, 3]), randn([1, 2, 4, 4]), randn([2, 2, 3, 3])];
  const step = (x: Tensor, y: Tensor, z: Tensor) => {
    const product = x.matmul(y);
    const loss = F.crossEntropy(product, arange(3, { dtype: "i32" }));
    const maps = F.conv2d(z, weight, null, { padding: 1 });
    return [loss, roll(maps, 1, 2).mean(), F.interpolate(maps, { size: 7, mode: "bicubic" }).mean()];
  };
  const replayed = capture(step);
  for (const factor of [1, -2, 3]) {
    const inputs = [a.mul(factor), b.mul(factor), image.mul(factor)] as const;
    const [eager, captured] = [scope(() => step(...inputs)), replayed(...inputs)];
    const read = (results: readonly Tensor[]) => Promise.all(results.map((t) => t.item()));
    expect(await read(captured)).toEqual(await read(eager));
    for (const t of [...inputs, ...eager, ...captured]) t.dispose();
  }
  for (const t of [a, b, image, weight, replayed]) t.dispose();
});
