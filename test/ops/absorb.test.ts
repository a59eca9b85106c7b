// What operations take into their own pass: the values and gradients of layers that a user puts together, and how many kernels run.
import { expect, test } from "vitest";
import { capture, nn, noGrad, optim, StateError, scope, type Tensor } from "wgrad";
import { currentDevice } from "../../src/gpu/device.ts";
import { withDevice } from "../support/case.ts";
import { uniform, upload } from "../support/host.ts";

withDevice();
const F = nn.functional;

/** Launches of `fn`, in the order in which they were recorded. */
async function kernels(fn: () => Tensor): Promise<{ names: string[]; y: Tensor }> {
  const { queue } = currentDevice();
  await queue.idle();
  const before = queue.stats.dispatches;
  const y = fn();
  await y.data();
  return { names: Array.from({ length: queue.stats.dispatches - before }, (_, i) => String(i)), y };
}
const count = async (fn: () => Tensor): Promise<number> => {
  const { names, y } = await kernels(fn);
  y.dispose();
  return names.length;
};

/** A residual block as a user writes it. */
class Block extends nn.Module {
  readonly conv1 = new nn.Conv2d(4, 4, 3, { padding: 1, bias: false });
  readonly bn1 = new nn.BatchNorm2d(4);
  readonly conv2 = new nn.Conv2d(4, 4, 3, { padding: 1, bias: false });
  readonly bn2 = new nn.BatchNorm2d(4);
  override forward(x: Tensor): Tensor {
    return scope(() => {
      const y = F.relu(this.bn1.forward(this.conv1.forward(x)));
      return F.relu(this.bn2.forward(this.conv2.forward(y)).add(x));
    });
  }
}

/** The same with each intermediate result computed on its own. */
function apart(block: Block, x: Tensor): Tensor {
  const alone = (t: Tensor) => {
    t.storage.settle();
    return t;
  };
  return scope(() => {
    const { conv1, bn1, conv2, bn2 } = block;
    const y = alone(F.relu(alone(bn1.forward(alone(conv1.forward(x))))));
    return F.relu(alone(alone(bn2.forward(alone(conv2.forward(y)))).add(x)));
  });
}

test("a user's residual block takes two launches in evaluation, and gives what its parts give", async () => {
  const block = new Block().eval();
  const x = upload(uniform([2, 4, 8, 8], 1));
  expect(await count(() => noGrad(() => block.forward(x)))).toBe(2);
  expect(await count(() => noGrad(() => apart(block, x)))).toBe(7);
  const [y, z] = noGrad(() => [block.forward(x), apart(block, x)] as const);
  const [got, want] = [await y.data(), await z.data()];
  for (const [i, v] of got.entries()) expect(Math.abs(v - (want[i] ?? 0))).toBeLessThan(1e-5);
  for (const t of [x, y, z, block]) t.dispose();
});

test("in training it takes four, moves the running statistics once, and has the gradients of its parts", async () => {
  const x = upload(uniform([2, 4, 8, 8], 1));
  const results: number[][] = [];
  const blocks = [new Block(), new Block()] as const;
  const dict = blocks[0].stateDict();
  await blocks[1].loadStateDict(dict);
  for (const t of Object.values(dict)) t.dispose();
  for (const [i, block] of blocks.entries()) {
    const run = () => (i === 0 ? block.forward(x) : apart(block, x));
    if (i === 0) expect(await count(run)).toBe(4);
    else run().dispose();
    const y = run();
    scope(() => y.square().sum().backward());
    const tensors = [y, ...Array.from(block.parameters(), (p) => p.grad), ...block.buffers()];
    for (const t of tensors) if (t) results.push([...(await t.data())]);
    y.dispose();
  }
  const half = results.length / 2;
  for (let i = 0; i < half; i++) {
    const [got = [], want = []] = [results[i], results[half + i]];
    const size = Math.max(...want.map(Math.abs), 1e-3);
    for (const [j, v] of got.entries()) expect(Math.abs(v - (want[j] ?? 0)) / size, `${i}[${j}]`).toBeLessThan(2e-4);
  }
  x.dispose();
  for (const block of blocks) block.dispose();
});

test("a result that was taken into the next pass can still be read, and the running statistics move once", async () => {
  const bn = new nn.BatchNorm2d(3);
  const x = upload(uniform([4, 3, 5, 5], 2));
  const y = bn.forward(x);
  const z = F.relu(y);
  const after = await z.data();
  const before = await y.data();
  for (const [i, v] of after.entries()) expect(v).toBe(Math.max(0, before[i] ?? 0));
  expect(await bn.numBatchesTracked?.item()).toBe(1);
  const mean = scope(() => x.mean([0, 2, 3]).mul(0.1));
  const [running, wanted] = [await bn.runningMean?.data(), await mean.data()];
  for (const [i, v] of (running ?? []).entries()) expect(Math.abs(v - (wanted[i] ?? 0))).toBeLessThan(1e-6);
  for (const t of [x, y, z, mean, bn]) t.dispose();
});

test("what can no longer be computed is an error that says so", async () => {
  const bn = new nn.BatchNorm2d(3);
  const x = upload(uniform([4, 3, 5, 5], 2));
  const y = bn.forward(x);
  const z = F.relu(y);
  noGrad(() => bn.weight?.mul_(2));
  await expect(y.data()).rejects.toThrow(StateError);
  for (const t of [x, y, z, bn]) t.dispose();
});

test("hooks: one registered before sees the gradient, one registered after is refused", async () => {
  const x = upload(uniform([4, 3, 5, 5], 2), true);
  const bn = new nn.BatchNorm2d(3);
  const seen: number[] = [];
  const y = bn.forward(x);
  y.registerHook((grad) => {
    seen.push(grad.numel);
    return undefined;
  });
  const z = F.relu(y);
  scope(() => z.sum().backward());
  expect(seen).toEqual([300]);
  const v = bn.forward(x);
  const w = F.relu(v);
  expect(() => v.retainGrad()).toThrow("was computed in one pass with what followed");
  for (const t of [x, y, z, v, w, bn]) t.dispose();
});

test("linear and its GELU are one launch, in training too; every activation agrees with its parts", async () => {
  const layer = new nn.Linear(6, 5);
  const x = upload(uniform([3, 2, 6], 4), true);
  expect(await count(() => scope(() => F.gelu(layer.forward(x))))).toBe(1);
  for (const f of [F.gelu, F.relu, F.silu, F.hardswish, F.sigmoid, (t: Tensor) => F.leakyRelu(t, 0.2)]) {
    const values = [];
    for (const together of [true, false]) {
      const y = scope(() => {
        const h = layer.forward(x);
        if (!together) h.storage.settle();
        return f(h);
      });
      scope(() => y.square().sum().backward());
      values.push([y, x.grad, layer.weight.grad, layer.bias?.grad]);
      const read = [];
      for (const t of values.at(-1) ?? []) read.push([...((await t?.data()) ?? [])]);
      values[values.length - 1] = read as never;
      layer.zeroGrad();
      x.grad = null;
      y.dispose();
    }
    const [got = [], want = []] = values as unknown as number[][][];
    for (const [i, list] of got.entries())
      for (const [j, v] of list.entries()) expect(Math.abs(v - (want[i]?.[j] ?? 0))).toBeLessThan(1e-5);
  }
  for (const t of [x, layer]) t.dispose();
});

test("a convolution takes its activation; a bias that is added behind a product becomes its own", async () => {
  const conv = new nn.Conv2d(3, 4, 3);
  const x = upload(uniform([2, 3, 6, 6], 5), true);
  expect(await count(() => scope(() => F.silu(conv.forward(x))))).toBe(1);
  const [a, b, c] = [upload(uniform([5, 6], 1)), upload(uniform([6, 7], 2)), upload(uniform([7], 3))];
  expect(await count(() => scope(() => F.relu(a.matmul(b).add(c))))).toBe(1);
  for (const t of [x, conv, a, b, c]) t.dispose();
});

test("heads of attention are read where they are: a product takes the permutation before it", async () => {
  const [q, k] = [upload(uniform([2, 5, 3, 4], 1), true), upload(uniform([2, 5, 3, 4], 2), true)];
  const heads = () => scope(() => q.permute([0, 2, 1, 3]).matmul(k.permute([0, 2, 3, 1])));
  // One copy, of q; k is read through strides.
  expect(await count(heads)).toBe(2);
  const run = async (together: boolean) => {
    const s = scope(() => {
      const [a, b] = [q.permute([0, 2, 1, 3]), k.permute([0, 2, 3, 1])];
      if (!together) b.storage.settle();
      return a.matmul(b);
    });
    scope(() => s.square().sum().backward());
    const out = [[...(await s.data())], [...((await q.grad?.data()) ?? [])], [...((await k.grad?.data()) ?? [])]];
    q.grad = null;
    k.grad = null;
    s.dispose();
    return out;
  };
  const [got, want] = [await run(true), await run(false)];
  for (const [i, list] of got.entries())
    for (const [j, v] of list.entries()) expect(Math.abs(v - (want[i]?.[j] ?? 0)), `${i}[${j}]`).toBeLessThan(1e-5);
  for (const t of [q, k]) t.dispose();
});

test("captured, a user's block trains as it does eagerly", async () => {
  const losses: number[][] = [];
  const x = upload(uniform([4, 4, 8, 8], 9));
  const start = new Block();
  const dict = start.stateDict();
  for (const captured of [false, true]) {
    const block = new Block();
    await block.loadStateDict(dict);
    const optimizer = new optim.SGD(block.parameters(), { lr: 0.05, momentum: 0.9 });
    const eager = (input: Tensor): Tensor => {
      optimizer.zeroGrad();
      const loss = block.forward(input).square().mean();
      loss.backward();
      optimizer.step();
      return loss;
    };
    const step = capture(eager);
    const list: number[] = [];
    for (let i = 0; i < 4; i++) {
      const loss = captured ? step(x) : scope(() => eager(x));
      list.push(await loss.item());
      loss.dispose();
    }
    losses.push(list);
    step.dispose();
    optimizer.dispose();
    block.dispose();
  }
  expect(losses[1]).toEqual(losses[0]);
  expect(losses[0]?.[3]).toBeLessThan(losses[0]?.[0] ?? 0);
  for (const t of Object.values(dict)) t.dispose();
  x.dispose();
  start.dispose();
});
