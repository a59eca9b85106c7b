// Time that the host spends: on the clock, and on the processor by the main thread alone.
import { readFileSync } from "node:fs";
import type { Device } from "../../src/gpu/device.ts";
import { summarize } from "./measure.ts";

export interface HostTime {
  readonly ms: number;
  /** Processor time of the main thread, which a busy machine does not inflate; null where the system does not tell. */
  readonly cpuMs: number | null;
}

const pause = new Int32Array(new SharedArrayBuffer(4));

/** Nanoseconds that the main thread has run (Linux). */
function threadTime(): number | null {
  // The kernel brings the figure up to date when the thread stops running, else only at its next tick.
  Atomics.wait(pause, 0, 0, 0.05);
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ")[0]);
  } catch {
    return null;
  }
}

/** The time of a synchronous function. */
function hostTime(fn: () => void): HostTime {
  const cpu = threadTime();
  const start = performance.now();
  fn();
  const ms = performance.now() - start;
  const after = threadTime();
  return { ms, cpuMs: cpu === null || after === null ? null : (after - cpu) / 1e6 };
}

/** Medians over `samples` calls of `step`, each of which starts when the device is idle. */
export async function hostTimeOf(device: Device, step: () => void, samples: number): Promise<HostTime> {
  const nothing: HostTime[] = [];
  const times: HostTime[] = [];
  await device.sync();
  for (let i = 0; i < samples; i++) {
    nothing.push(hostTime(() => {}));
    times.push(hostTime(step));
    await device.sync();
  }
  const median = (values: readonly number[]) => summarize(values).median;
  const cpuOf = (list: readonly HostTime[]) => median(list.flatMap((t) => t.cpuMs ?? []));
  // What reading the clocks costs the processor is taken off.
  const cpuMs = Math.max(0, cpuOf(times) - cpuOf(nothing));
  return { ms: median(times.map((t) => t.ms)), cpuMs: Number.isFinite(cpuMs) ? cpuMs : null };
}
