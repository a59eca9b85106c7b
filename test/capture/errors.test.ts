// Steps that throw, are asynchronous or return no tensors, and inputs that cannot be used: typed errors, and nothing is left.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  capture,
  DeviceError,
  defineOp,
  init,
  memory,
  noGrad,
  optim,
  StateError,
  scope,
  type Tensor,
  tensor,
  useDevice,
  ValueError,
  zeros,
} from "wgrad";
import { context } from "../../src/context.ts";
import { currentDevice } from "../../src/gpu/device.ts";
import { withDevice } from "../support/case.ts";

withDevice();

const unhandled = vi.fn();
beforeEach(() => {
  process.on("unhandledRejection", unhandled);
});
afterEach(async () => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.off("unhandledRejection", unhandled);
  expect(unhandled).not.toHaveBeenCalled();
  expect(context).toMatchObject({ capture: null, grad: true, origin: null, onLaunch: null });
  expect(context.scopes).toEqual([]);
});

/** An op whose vjp throws while both are set. */
const broken = { now: false, vjp: false };
const fragile = defineOp({
  name: "fragile",
  infer: ([x]) => [x],
  forward: ({ device }, [x], [y]) => device.queue.copy(x.storage, y.storage),
  vjp: ([dy]) => {
    if (broken.now && broken.vjp) throw new RangeError("in the vjp");
    return [dy];
  },
});

test.each(["step", "vjp", "hook of a leaf", "hook of a result", "noGrad inside"])(
  "an error in the %s passes through, and the next call works",
  async (where) => {
    const w = tensor([1, 2], { requiresGrad: true });
    const optimizer = new optim.SGD([w], { lr: 1 });
    const at = (place: string) => {
      if (broken.now && where === place) throw new RangeError(`in the ${place}`);
      return undefined;
    };
    const hook = w.registerHook(() => at("hook of a leaf"));
    const step = capture((x: Tensor) => {
      const y = fragile(x.mul(w));
      y.registerHook(() => at("hook of a result"));
      noGrad(() => at("noGrad inside"));
      const loss = y.sum();
      loss.backward();
      at("step");
      optimizer.step();
      optimizer.zeroGrad();
      return loss;
    });
    const x = tensor([3, 4]);
    const before = memory();
    Object.assign(broken, { now: true, vjp: where === "vjp" });
    expect(() => step(x)).toThrow(`in the ${where}`);
    broken.now = false;
    expect(memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
    expect(w.grad).toBeNull();
    for (const expected of [11, 11 - 25]) {
      const loss = step(x);
      expect(await loss.item()).toBe(expected);
      loss.dispose();
    }
    expect(await w.array()).toEqual([1 - 6, 2 - 8]);
    expect(step.recordings).toBe(1);
    hook.remove();
    for (const t of [step, optimizer, x, w]) t.dispose();
  },
);

test("an error of a later recording leaves the earlier one, and gradients from before, as they were", async () => {
  const w = tensor([2], { requiresGrad: true });
  const step = capture((x: Tensor) => {
    const loss = x.mul(w).sum();
    loss.backward();
    if (x.numel > 1) throw new RangeError("too long");
    return loss;
  });
  const [short, long] = [tensor([3]), tensor([1, 2])];
  step(short).dispose();
  expect(() => step(long)).toThrow(RangeError);
  expect(await w.grad?.array()).toEqual([3]);
  step(short).dispose();
  expect(await w.grad?.array()).toEqual([6]);
  expect(step.recordings).toBe(1);
  for (const t of [step, short, long, w]) t.dispose();
});

test("an asynchronous step is refused, also what comes of it later", async () => {
  const w = tensor([1], { requiresGrad: true });
  // Types do not allow it: a promise is no record of tensors.
  const step = capture((async (x: Tensor) => {
    const y = x.mul(w);
    await y.data();
    return y.add(1);
  }) as unknown as (x: Tensor) => Tensor);
  const x = tensor([1]);
  expect(() => step(x)).toThrow(StateError);
  expect(() => step(x)).toThrow("[capture] the function returned a promise");
  expect(step.recordings).toBe(0);
  for (const t of [step, x, w]) t.dispose();
});

test("noGrad and scope refuse a promise, also what comes of it later", async () => {
  const x = tensor([1], { requiresGrad: true });
  const run = async () => {
    const y = x.mul(2);
    await new Promise((resolve) => setTimeout(resolve, 1));
    return y.add(1);
  };
  // @ts-expect-error: a promise is rejected by type as well
  expect(() => scope(() => noGrad(run))).toThrow("[noGrad] the function returned a promise");
  // @ts-expect-error: the same
  expect(() => scope(run)).toThrow(StateError);
  x.dispose();
});

test.each([
  ["nothing", undefined],
  ["a number", 3],
  ["a list with a number", [3]],
  ["null", null],
])("a step that returns %s is refused", async (_, result) => {
  const x = tensor([1]);
  const before = memory();
  const step = capture(((t: Tensor) => {
    t.add(1);
    return result;
  }) as unknown as (x: Tensor) => Tensor);
  expect(() => step(x)).toThrow(StateError);
  expect(() => step(x)).toThrow(/\[capture\] the step returned (undefined|3|null): it must return a tensor/);
  expect(memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
  x.dispose();
});

test("a step without results returns an empty list", async () => {
  const sum = zeros([1]);
  const step = capture((x: Tensor) => {
    sum.add_(x);
    return [];
  });
  const x = tensor([2]);
  for (let i = 0; i < 3; i++) expect(step(x)).toEqual([]);
  expect(await sum.item()).toBe(6);
  for (const t of [step, x, sum]) t.dispose();
});

test("inputs: none, disposed ones, ones that are no tensors", async () => {
  const step = capture((a: Tensor, b: Tensor) => a.add(b));
  const [a, gone] = [tensor([1]), tensor([2])];
  gone.dispose();
  const before = memory();
  expect(() => step(a, gone)).toThrow(StateError);
  const loose = step as unknown as (...inputs: unknown[]) => Tensor;
  expect(() => loose(a, 3)).toThrow(ValueError);
  expect(() => loose()).toThrow("[capture] the step needs at least one input tensor");
  expect(memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
  const y = step(a, a);
  expect(await y.item()).toBe(2);
  expect(() => step(a, gone)).toThrow(StateError);
  for (const t of [step, a, y]) t.dispose();
});

test("two devices: each has recordings of its own, and a step cannot use both", async () => {
  const first = currentDevice();
  const second = await init();
  const step = capture((x: Tensor) => x.mul(2).add(1));
  const on = { first: tensor([1, 2], { device: first }), second: tensor([3, 4], { device: second }) };
  for (let round = 0; round < 2; round++) {
    for (const x of [on.first, on.second]) {
      const y = step(x);
      expect(y.device).toBe(x.device);
      expect(await y.array()).toEqual(((await x.array()) as number[]).map((value) => 2 * value + 1));
      y.dispose();
    }
  }
  expect(step.recordings).toBe(2);
  const two = capture((a: Tensor, b: Tensor) => a.add(b));
  expect(() => two(on.first, on.second)).toThrow(DeviceError);
  const astray = capture((x: Tensor) => {
    on.second.add(1);
    return x.add(1);
  });
  expect(() => astray(on.first)).toThrow("[capture] the step works on two devices");
  for (const t of [step, two, astray, on.first, on.second]) t.dispose();
  second.destroy();
  useDevice(first);
});
