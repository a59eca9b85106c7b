// Time that the host spends: on the clock, and on the processor by the main thread alone.
import { readFileSync } from "node:fs";

export interface HostTime {
  readonly ms: number;
  /** Processor time of the main thread, which a busy machine does not inflate; null where the system does not tell. */
  readonly cpuMs: number | null;
}

/** Nanoseconds that the main thread has run (Linux). */
function threadTime(): number | null {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ")[0]);
  } catch {
    return null;
  }
}

/** The time of a synchronous function. */
export function hostTime(fn: () => void): HostTime {
  const cpu = threadTime();
  const start = performance.now();
  fn();
  const ms = performance.now() - start;
  const after = threadTime();
  return { ms, cpuMs: cpu === null || after === null ? null : (after - cpu) / 1e6 };
}
