// Device time from timestamp queries: what each kernel took, summed by kernel and by op.
import type { Device } from "../../src/gpu/device.ts";
import { type KernelTime, Profiler } from "../../src/gpu/profile.ts";

export const canProfile = (device: Device): boolean => device.info.features.includes("timestamp-query");

/** The times of everything that `fn` submits. Each dispatch gets a pass of its own: slower in sum than without. */
export async function profile(device: Device, fn: () => Promise<void>): Promise<KernelTime[]> {
  const { queue } = device;
  await device.sync();
  const profiler = new Profiler(device.gpu);
  queue.profiler = profiler;
  try {
    await fn();
  } finally {
    queue.profiler = null;
  }
  const times = await profiler.times();
  profiler.destroy();
  return times;
}

export interface Share {
  readonly name: string;
  readonly ms: number;
  readonly calls: number;
  /** Of the sum of all. */
  readonly share: number;
}

/** Sums over `runs` repetitions, for one of them; the largest first. */
export function sumBy(times: readonly KernelTime[], by: "kernel" | "op", runs = 1): Share[] {
  const sums = new Map<string, { ns: number; calls: number }>();
  let total = 0;
  for (const time of times) {
    const entry = sums.get(time[by]) ?? { ns: 0, calls: 0 };
    sums.set(time[by], { ns: entry.ns + time.ns, calls: entry.calls + 1 });
    total += time.ns;
  }
  return [...sums]
    .map(([name, { ns, calls }]) => ({ name, ms: ns / runs / 1e6, calls: calls / runs, share: ns / total }))
    .sort((a, b) => b.ms - a.ms);
}
