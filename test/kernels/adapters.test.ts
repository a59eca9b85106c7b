// Plans for other adapters, by handing the plans their facts: subgroups of every size, and vendors without a fixed one.
// What they plan must be valid WGSL, too; nothing of it is run.
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Device, type DeviceInfo, init, nn, rand, scope } from "wgrad";
import { Run } from "../../src/autograd/run.ts";
import { context, within } from "../../src/context.ts";
import type { LaunchListener, TunableLaunch } from "../../src/kernels/variants.ts";

const F = nn.functional;
let device: Device;
beforeAll(async () => {
  device = await init();
});
afterAll(() => device.destroy());

/**
 * Launches every kind of matrix kernel, forward and backward, and gives what could be launched, by kind, and the texts of all
 * variants, by key.
 */
function planned(facts: Partial<DeviceInfo>) {
  const launches = new Map<string, TunableLaunch>();
  const texts = new Map<string, string>();
  const dispatch = vi.spyOn(device.queue, "dispatch").mockImplementation(({ key, code }) => void texts.set(key, code));
  const info: Record<string, unknown> = device.info as never;
  const before = { ...device.info };
  const onLaunch: LaunchListener = (key, launch) => {
    launches.set(key, launch);
    const run = new Run(device);
    for (const way of launch.ways) way.launch(run, launch.io);
    run.release();
  };
  Object.assign(info, facts);
  try {
    within({ onLaunch }, () =>
      scope(() => {
        const x = rand([2, 32, 12, 12], { requiresGrad: true });
        for (const [out, size, stride] of [
          [24, 3, 1],
          [5, 1, 2],
        ] as const) {
          F.conv2d(x, rand([out, 32, size, size], { requiresGrad: true }), null, { stride, padding: size >> 1 })
            .sum()
            .backward();
        }
        const a = rand([40, 70], { requiresGrad: true });
        a.matmul(rand([70, 33], { requiresGrad: true }))
          .sum()
          .backward();
        rand([300, 200]).matmul(rand([200, 300]));
        context.pending?.run();
      }),
    );
  } finally {
    Object.assign(info, before);
    dispatch.mockRestore();
  }
  return { launches, texts };
}

describe.each([0, 4, 8, 16, 32, 64])("subgroups of %s (0: of no fixed size)", (lanes) => {
  test.each([true, false])("every variant is whole and compiles (software adapter: %s)", async (isSoftware) => {
    const { launches, texts } = planned({ subgroupSize: lanes, isSoftware });
    expect(new Set(Array.from(launches.keys(), (key) => key.split(" ")[0]))).toEqual(
      new Set(["conv", "convInputGradient", "convWeightGradient", "matmul"]),
    );
    for (const [key, { ways }] of launches) {
      const names = ways.map(({ name }) => name);
      expect(new Set(names).size, `${key}: ${names.join()}`).toBe(names.length);
      expect(names, key).toContain("workgroup");
      const forSubgroups = names.filter((name) => !name.endsWith("workgroup"));
      if (lanes === 0) expect(forSubgroups, key).toEqual([]);
      else expect(forSubgroups.length, key).toBeGreaterThan(2);
      for (const name of forSubgroups) {
        const rows = Number(/ (\d+)x\d+$/.exec(name)?.[1]);
        // Lanes hand rows round: a vector of lanes holds them all, or whole parts of them.
        expect(rows % Math.min(rows, lanes), `${key}, ${name}`).toBe(0);
      }
    }
    for (const [key, code] of texts) {
      if (code.includes("enable subgroups") && !device.info.features.includes("subgroups")) continue;
      device.gpu.pushErrorScope("validation");
      const { messages } = await device.gpu.createShaderModule({ code }).getCompilationInfo();
      await device.gpu.popErrorScope();
      expect(
        messages.filter(({ type }) => type === "error").map(({ message }) => message),
        key,
      ).toEqual([]);
    }
  });
});
