// Tensors larger than one binding may be: the same results as in one piece, with the limit set low.
import { afterAll, beforeAll, expect, test } from "vitest";
import { manualSeed, nn, noGrad, optim, rand, scope, type Tensor, zeros } from "wgrad";
import { currentDevice } from "../../src/gpu/device.ts";
import { withDevice } from "../support/case.ts";
import { uniform, upload } from "../support/host.ts";

withDevice();

const limits = () => currentDevice().info.limits as Record<string, number>;
let real = 0;
beforeAll(() => {
  real = limits().maxStorageBufferBindingSize!;
});
afterAll(() => {
  limits().maxStorageBufferBindingSize = real;
});

/** The values of the tensors that `run` makes, in one piece and in parts of at most `bytes`. */
async function both(bytes: number, run: () => Tensor[]): Promise<[number[][], number[][]]> {
  const values = async (limit: number) => {
    limits().maxStorageBufferBindingSize = limit;
    const made = run();
    const data = await Promise.all(made.map(async (t) => Array.from(await t.data())));
    for (const t of made) t.dispose();
    return data;
  };
  return [await values(real), await values(bytes)];
}

test("filling and random numbers", async () => {
  const [whole, parts] = await both(4096, () => {
    manualSeed(3);
    return [rand([100, 101]), zeros([5000]).fill_(2), rand([1])];
  });
  expect(parts).toEqual(whole);
});

test("linear layers and their gradients", async () => {
  // Each of weight, input and output is at one time the one that does not fit.
  for (const [batch, inputs, outputs] of [
    [5, 190, 300],
    [300, 190, 70],
    [200, 64, 300],
  ] as const) {
    const [whole, parts] = await both(4 * 128 * 190, () => {
      const x = upload(uniform([batch, inputs], 1), true);
      const w = upload(uniform([outputs, inputs], 2), true);
      const dy = upload(uniform([batch, outputs], 3));
      const y = nn.functional.linear(x, w);
      y.backward(dy);
      const made = [y.detach(), x.grad!.detach(), w.grad!.detach()];
      for (const t of [x, w, y, dy]) t.dispose();
      return made;
    });
    for (const [i, data] of whole.entries()) {
      const worst = data.reduce((most, value, j) => Math.max(most, Math.abs(parts[i]![j]! - value)), 0);
      expect(worst).toBeLessThan(1e-4);
    }
  }
});

test("optimizer steps", async () => {
  const [whole, parts] = await both(1024, () => {
    const p = upload(uniform([3001], 1), true);
    p.grad = upload(uniform([3001], 2));
    const opt = new optim.Adam([p]);
    opt.step();
    opt.dispose();
    return [noGrad(() => scope(() => p.clone())), p];
  });
  expect(parts).toEqual(whole);
});

test("elementwise operations, in place and not", async () => {
  const [whole, parts] = await both(4096, () =>
    scope(() => {
      const x = upload(uniform([3001], 1), true);
      const b = upload(uniform([3001], 2), true);
      const one = upload(uniform([1], 3));
      x.sin()
        .mul(b)
        .add(one)
        .exp()
        .backward(upload(uniform([3001], 4)));
      const changed = noGrad(() => x.clone().add_(b).mul_(one).sub_(0.5));
      const compared = x.lt(b);
      return [x.sigmoid().detach(), x.detach(), x.grad?.detach(), b.grad?.detach(), changed, compared].filter(
        (t) => t !== undefined,
      );
    }),
  );
  expect(parts).toEqual(whole);
  expect(parts).toHaveLength(6);
});

test("an operand that repeats along some dimensions is not divided", async () => {
  // The device itself takes them whole.
  const [whole, parts] = await both(1024, () =>
    scope(() => {
      const [x, row] = [upload(uniform([40, 40], 1)), upload(uniform([40], 2))];
      return [x.add(row), x.clone().mul_(row)];
    }),
  );
  expect(parts).toEqual(whole);
});

test("optimizer steps of several parameters", async () => {
  const [whole, parts] = await both(1024, () => {
    const params = [100, 3001, 7, 256, 64].map((n, i) => {
      const p = upload(uniform([n], i), true);
      p.grad = upload(uniform([n], i + 10));
      return p;
    });
    for (const opt of [new optim.SGD(params, { lr: 0.1 }), new optim.Adam(params, { amsgrad: true })]) {
      opt.step();
      opt.dispose();
    }
    return params;
  });
  expect(parts).toEqual(whole);
});

test("gradient clipping", async () => {
  const [whole, parts] = await both(1024, () => {
    const params = [3001, 100].map((n, i) => upload(uniform([n], i), true));
    for (const p of params) p.grad = upload(uniform(p.shape, p.numel));
    const norm = optim.clipGradNorm_(params, 10);
    optim.clipGradValue_(params, 0.1);
    const grads = params.map((p) => p.grad!.detach());
    for (const p of params) p.dispose();
    return [norm, ...grads];
  });
  for (const [i, data] of whole.entries()) {
    const worst = data.reduce((most, value, j) => Math.max(most, Math.abs(parts[i]![j]! / value - 1)), 0);
    expect(worst).toBeLessThan(1e-5);
  }
});
