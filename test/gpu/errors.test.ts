// Errors that the device reports: which op they name, what they end, and what goes on.
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  capture,
  type Device,
  DeviceError,
  init,
  KernelError,
  nn,
  noGrad,
  OutOfMemoryError,
  optim,
  rand,
  saveSafetensors,
  type Tensor,
  tensor,
  zeros,
} from "wgrad";
import { within } from "../../src/context.ts";

let device: Device;
beforeEach(async () => {
  device = await init();
});
afterEach(() => device.destroy());

const broken = {
  key: "broken kernel",
  code: "// first line\n@compute @workgroup_size(1) fn main() {\n  let x = 1.0 + vec9f(0.0);\n}",
  entries: [],
};
/** Launches it on behalf of an op. */
const launch = (x: Tensor) =>
  within({ origin: { name: "broken", inputs: [x] } }, () => device.queue.dispatch(broken, [], null, [1]));

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => null,
    (error: unknown) => error,
  );
}

test("a kernel that does not compile is told once, with its place, op, shapes and dtypes; all else runs", async () => {
  const x = zeros([4, 5]);
  launch(x);
  const sum = x.add(1).sum();
  const error = await errorOf(sum.item());
  expect(error).toBeInstanceOf(KernelError);
  expect(error).toMatchObject({ name: "KernelError", kernel: "broken kernel", line: 3 });
  expect((error as KernelError).column).toBeGreaterThan(10);
  expect(String(error)).toMatch(/\[broken\] on f32 \[4, 5\][\s\S]*broken kernel[\s\S]*does not compile[\s\S]*line 3/);
  expect(await sum.item()).toBe(20);
  await device.sync();
});

test("launching it again throws again, at the next wait or read", async () => {
  const x = zeros([2]);
  for (let i = 0; i < 3; i++) {
    launch(x);
    await expect(device.sync()).rejects.toThrow(KernelError);
    launch(x);
    await expect(x.data()).rejects.toThrow(KernelError);
    expect(await x.add(i).sum().item()).toBe(2 * i);
  }
});

test("in a captured step, too: each replay tells, the rest of the step is done", async () => {
  const step = capture((x: Tensor) => {
    launch(x);
    return x.mul(2);
  });
  for (const value of [1, 2, 3]) {
    const y = step(tensor([value]));
    await expect(y.data()).rejects.toThrow(KernelError);
    expect(await y.item()).toBe(2 * value);
  }
  expect(step.recordings).toBe(1);
});

test("onCompile does not wait for it", async () => {
  let last = { ready: 0, requested: 0 };
  device.onCompile = (progress) => {
    last = progress;
  };
  launch(zeros([1]));
  await expect(device.sync()).rejects.toThrow(KernelError);
  expect(last.requested).toBeGreaterThan(0);
  expect(last.ready).toBe(last.requested);
});

test("a text without an entry point has no line", async () => {
  device.queue.dispatch({ key: "empty kernel", code: "const a = 1;", entries: [] }, [], null, [1]);
  expect(await errorOf(device.sync())).toMatchObject({ name: "KernelError", line: null, column: null });
});

test("two kernels of one name and different texts are two kernels", async () => {
  launch(zeros([1]));
  device.queue.dispatch({ ...broken, code: "@compute @workgroup_size(1) fn main() {}" }, [], null, [1]);
  await expect(device.sync()).rejects.toThrow(KernelError);
  device.queue.dispatch({ ...broken, code: "@compute @workgroup_size(1) fn main() {}" }, [], null, [1]);
  await device.sync();
});

test("a batch that the device refuses gives no data: the read that waits for it throws, and so does all that follows", async () => {
  const t = tensor([1, 2, 3, 4]);
  await t.add(1).data();
  t.storage.buffer.gpu.destroy();
  await expect(t.add(1).data()).rejects.toThrow(DeviceError);
  await expect(device.sync()).rejects.toThrow(DeviceError);
});

test("all reads in progress of a refused batch throw, those of a captured step, too", async () => {
  const t = tensor([1, 2, 3, 4]);
  const step = capture((x: Tensor) => [x.mul(2), x.sum()]);
  await step(t)[0]?.data();
  const [y, z] = [t.add(1), zeros([3])];
  await device.sync();
  t.storage.buffer.gpu.destroy();
  const captured = step(t);
  const reads = [t.mul(2).sum().item(), y.data(), z.array(), device.sync(), ...captured.map((x) => x.data())];
  const [first, ...others] = await Promise.all(reads.map(errorOf));
  expect(first).toBeInstanceOf(DeviceError);
  // What was complete before may still be read at once with it; what follows the refused batch may not.
  for (const error of others.slice(2)) expect(error).toBeInstanceOf(DeviceError);
  for (const next of [y.data(), z.data()]) await expect(next).rejects.toThrow(DeviceError);
});

test("whatever is done on a destroyed device is a DeviceError, and what was being read is, too", async () => {
  const x = tensor([[1, 2]]);
  const model = new nn.Linear(2, 2);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  const step = capture((input: Tensor) => model.forward(input).sum());
  await step(x).item();
  const reading = [x.add(1).data(), device.sync()].map(errorOf);
  device.destroy();
  for (const error of await Promise.all(reading)) expect(error).toBeInstanceOf(DeviceError);
  const uses: (() => unknown)[] = [
    () => x.add(1),
    () => x.sum().item(),
    () => x.array(),
    () => device.sync(),
    () => noGrad(() => x.add_(1)),
    () => step(x),
    () => capture((input: Tensor) => input.mul(2))(x),
    () => model.forward(x).sum().backward(),
    () => zeros([2], { device }),
    () => tensor([1, 2], { device }),
    () => rand([2], { device }),
    () => saveSafetensors(model.stateDict()),
  ];
  for (const use of uses) await expect((async () => use())()).rejects.toThrow(DeviceError);
  // Freeing is not use.
  step.dispose();
  optimizer.dispose();
  x.dispose();
  device = await init();
  expect(await zeros([3]).add(1).sum().item()).toBe(3);
});

test("the device's out-of-memory event is an OutOfMemoryError", async () => {
  const error = new GPUOutOfMemoryError("no memory for a buffer of 400000000 bytes");
  device.gpu.dispatchEvent(Object.assign(new Event("uncapturederror"), { error }));
  expect(() => tensor([1]).add(1)).toThrow(OutOfMemoryError);
});

test("more storage buffers than the adapter allows are a typed error at once, and the device goes on", async () => {
  const most = device.info.limits.maxStorageBuffersPerShaderStage ?? 0;
  const entries = Array.from({ length: most + 1 }, (_, binding) => ({ binding, type: "storage" as const }));
  const many = { key: "many", code: "// none", entries };
  expect(() => device.queue.dispatch(many, [], null, [1])).toThrow(`but this adapter allows ${most}`);
  expect(await tensor([1]).add(1).item()).toBe(2);
});
