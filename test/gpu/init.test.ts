// init(): which adapter it takes, and what a device says when it can no longer be used.

import { expect, test } from "vitest";
import { Device, DeviceError, init, zeros } from "wgrad";

test('"software" takes a CPU adapter also where the platform does not call it a fallback, or says that there is none', async () => {
  const device = await init({ adapter: "software" }).catch((error: unknown) => error);
  if (device instanceof Device) {
    expect(device.info.isSoftware).toBe(true);
    expect(await zeros([2]).add(1).sum().item()).toBe(2);
    device.destroy();
    return;
  }
  expect(device).toBeInstanceOf(DeviceError);
  const other = await init();
  expect(other.info.isSoftware).toBe(false);
  expect(String(device)).toContain(`"software" (there is ${other.info.name}`);
  other.destroy();
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
