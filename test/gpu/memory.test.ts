// Out of memory: asked for once more when all that is idle went back, told once as an OutOfMemoryError, and survived.
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  capture,
  type Device,
  emptyCache,
  init,
  memory,
  nn,
  noGrad,
  OutOfMemoryError,
  ones,
  optim,
  type Tensor,
  tensor,
  zeros,
} from "wgrad";

const MIB = 2 ** 20;
const ALL = Number.POSITIVE_INFINITY;
/** The device has memory again. */
const relent = () => {
  refused = { from: Number.POSITIVE_INFINITY, times: 0 };
};
let device: Device;
/** Allocations of at least so many bytes fail, so many times. */
let refused = { from: Number.POSITIVE_INFINITY, times: 0 };

/** An allocator that has no memory when it is told so: as WebGPU does it, the buffer is one that no submission may use. */
function failing({ gpu }: Device): void {
  const [createBuffer, popErrorScope] = [gpu.createBuffer.bind(gpu), gpu.popErrorScope.bind(gpu)];
  let failures = 0;
  gpu.createBuffer = (descriptor) => {
    const buffer = createBuffer(descriptor);
    if (descriptor.size < refused.from || refused.times === 0) return buffer;
    refused.times--;
    failures++;
    buffer.destroy();
    return buffer;
  };
  gpu.popErrorScope = async () => {
    const fails = failures > 0;
    if (fails) failures--;
    const error = await popErrorScope();
    return fails ? new GPUOutOfMemoryError("no memory, as the test wants it") : error;
  };
}

beforeEach(async () => {
  device = await init();
  failing(device);
  relent();
});
afterEach(() => device.destroy());

const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => error,
  );

test("a second try, with the idle buffers given back, is enough", async () => {
  ones([MIB]).dispose();
  const kept = ones([MIB]);
  await device.sync();
  ones([3 * MIB]).dispose();
  await device.sync();
  const before = memory().pooledBytes;
  refused = { from: 20 * MIB, times: 1 };
  const x = ones([6 * MIB]);
  expect(await x.sum().item()).toBe(6 * MIB);
  expect(refused.times).toBe(0);
  expect(before).toBeGreaterThanOrEqual(16 * MIB);
  // What is left: the two tensors, and small change.
  expect(memory().pooledBytes).toBeLessThan(29 * MIB);
  expect(await kept.sum().item()).toBe(MIB);
});

test("without success it is told once, with operation and bytes; all else goes on", async () => {
  const before = ones([100]);
  refused = { from: 4 * MIB, times: ALL };
  const x = ones([MIB]);
  const y = x.add(1);
  const error = await errorOf(y.sum().item());
  expect(error).toBeInstanceOf(OutOfMemoryError);
  expect(String(error)).toMatch(/OutOfMemoryError: \[fill\].*no memory for a buffer of 4194304 bytes.*smaller batch/);
  expect(await before.sum().item()).toBe(100);
  relent();
  // Whoever still has the tensor is told again.
  expect(await errorOf(x.data())).toBeInstanceOf(OutOfMemoryError);
  x.dispose();
  y.dispose();
  const again = ones([MIB]);
  expect(await again.sum().item()).toBe(MIB);
  await device.sync();
});

test("all who read at once are told, and sync() is, too", async () => {
  refused = { from: 4 * MIB, times: ALL };
  const x = ones([MIB]);
  const other = ones([3]);
  const results = [x.sum(), x.max(), other.sum()].map((t) => errorOf(t.item()));
  const [a, b, c] = await Promise.all(results);
  expect(a).toBeInstanceOf(OutOfMemoryError);
  expect(b).toBeInstanceOf(OutOfMemoryError);
  expect(c).toBeNull();
  ones([MIB]);
  await expect(device.sync()).rejects.toThrow(OutOfMemoryError);
  await device.sync();
  expect(await other.sum().item()).toBe(3);
});

test("a training step without memory leaves the parameters as they were", async () => {
  const model = new nn.Linear(4, 1, { bias: false });
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  const step = (rows: number) => {
    optimizer.zeroGrad();
    const loss = model
      .forward(ones([rows, 4]))
      .square()
      .mean();
    loss.backward();
    optimizer.step();
    return loss;
  };
  await step(2).item();
  const before = await model.weight.array();
  refused = { from: 4 * MIB, times: ALL };
  expect(await errorOf(step(MIB / 4).item())).toBeInstanceOf(OutOfMemoryError);
  expect(await model.weight.array()).toEqual(before);
  relent();
  expect(Number.isFinite(await step(2).item())).toBe(true);
  expect(await model.weight.array()).not.toEqual(before);
});

test("in a captured step, which is recorded again", async () => {
  const step = capture((x: Tensor) =>
    noGrad(() =>
      x
        .expand([2 * MIB])
        .mul(2)
        .sum(),
    ),
  );
  refused = { from: 8 * MIB, times: ALL };
  expect(await errorOf(step(tensor([1])).item())).toBeInstanceOf(OutOfMemoryError);
  relent();
  expect(await step(tensor([1])).item()).toBe(4 * MIB);
  expect(await step(tensor([3])).item()).toBe(12 * MIB);
  expect(step.recordings).toBe(2);
  step.dispose();
});

test("for the copy that the host reads", async () => {
  const x = ones([MIB]);
  await device.sync();
  refused = { from: 4 * MIB, times: 1 };
  expect((await x.data()).length).toBe(MIB);
  refused = { from: 4 * MIB, times: ALL };
  expect(await errorOf(x.data())).toBeInstanceOf(OutOfMemoryError);
  relent();
  expect((await x.data()).every((v) => v === 1)).toBe(true);
});

test("for values that come from the host, and in loadStateDict", async () => {
  refused = { from: 4 * MIB, times: 1 };
  const data = new Float32Array(MIB).fill(2);
  const x = tensor(data);
  // The caller's array is the caller's.
  data.fill(7);
  expect(await x.sum().item()).toBe(2 * MIB);
  const model = new nn.Linear(1024, 1024, { bias: false });
  const state = { weight: zeros([1024, 1024]) };
  const before = await model.weight.sum().item();
  refused = { from: 4 * MIB, times: ALL };
  const error = await errorOf(
    model.loadStateDict({ weight: tensor(data, { shape: [1024, 1024] }) }).then(() => device.sync()),
  );
  expect(error).toBeInstanceOf(OutOfMemoryError);
  relent();
  expect(await model.weight.sum().item()).toBe(before);
  await model.loadStateDict(state);
  expect(await model.weight.sum().item()).toBe(0);
});

test("emptyCache gives back what no tensor uses", async () => {
  const kept = ones([MIB]);
  const x = ones([2 * MIB]);
  x.add(1).dispose();
  x.dispose();
  await device.sync();
  expect(memory().pooledBytes).toBeGreaterThanOrEqual(12 * MIB);
  emptyCache();
  expect(memory().pooledBytes).toBeLessThan(5 * MIB);
  expect(await kept.add(1).sum().item()).toBe(2 * MIB);
});
