// init(): which adapter it takes, and what a device says when it can no longer be used.

import { expect, test } from "vitest";
import { DeviceError, init, zeros } from "wgrad";
import { within } from "../../src/context.ts";

test('"software" takes a CPU adapter also where the platform does not call it a fallback', async () => {
  const device = await init({ adapter: "software" });
  expect(device.info.isSoftware).toBe(true);
  expect(await zeros([2]).add(1).sum().item()).toBe(2);
  device.destroy();
});

test("subgroups: false uses none", async () => {
  const device = await init({ subgroups: false });
  expect(device.info.subgroupSize).toBe(0);
  expect(device.info.features).not.toContain("subgroups");
  device.destroy();
});

test("a destroyed device's tensors give a typed error, and a new device works", async () => {
  const old = await init();
  const t = zeros([3]);
  old.destroy();
  await expect(t.data()).rejects.toThrow(DeviceError);
  const device = await init();
  expect(() => t.add(zeros([3]))).toThrow("[add] inputs live on two devices");
  expect(await zeros([3]).add(2).sum().item()).toBe(6);
  device.destroy();
});

test("onCompile counts kernels as they are asked for and compiled", async () => {
  const device = await init();
  const seen: { ready: number; requested: number }[] = [];
  device.onCompile = (progress) => seen.push(progress);
  const x = zeros([3]);
  x.add(1).exp();
  expect(seen.at(-1)).toEqual({ ready: 0, requested: seen.length });
  await device.sync();
  const { requested } = seen.at(-1)!;
  expect(requested).toBeGreaterThanOrEqual(3);
  expect(seen).toHaveLength(2 * requested);
  expect(seen.at(-1)).toEqual({ ready: requested, requested });
  device.onCompile = null;
  x.exp().log();
  await device.sync();
  expect(seen).toHaveLength(2 * requested);
  device.destroy();
});

test("a device error names the op, with the shapes and dtypes of its inputs", async () => {
  const device = await init();
  const { queue } = device;
  const x = zeros([4, 5]);
  await device.sync();
  const shader = {
    key: "broken kernel",
    code: "@compute @workgroup_size(1) fn main() { this is not WGSL }",
    entries: [],
  };
  within({ origin: { name: "broken", inputs: [x] } }, () => queue.dispatch(shader, [], null, [1]));
  await expect(device.sync()).rejects.toThrow(/\[broken\] on f32 \[4, 5\][\s\S]*broken kernel[\s\S]*does not compile/);
  device.destroy();
});
