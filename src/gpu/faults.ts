// Faults: how a kernel reports bad input that only it can see (a label out of range) without a readback in the step.
// A kernel binds `queue.faults` as array<atomic<u32>, 4>. The first one to find fault swaps its code into an empty word 0
// and puts two details into words 1 and 2. Every read and every wait brings the words along, and throws what they say.
import type { WgradError } from "../errors.ts";

export const FAULT_BYTES = 16;

type Describe = (first: number, second: number) => WgradError;
const kinds: Describe[] = [];

/** The code that a kernel reports for a new kind of fault. `describe` gets its two details as signed integers. */
export const faultCode = (describe: Describe): number => kinds.push(describe);

/** The error that the words tell of, null where all is well. */
export function faultIn([code = 0, first = 0, second = 0]: Int32Array): WgradError | null {
  return code === 0 ? null : (kinds[code - 1]?.(first, second) ?? null);
}
