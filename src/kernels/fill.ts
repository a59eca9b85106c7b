// Plan of filling a buffer with one value.
import type { Device } from "../gpu/device.ts";
import { type Binding, f32Bits, grid1d } from "../gpu/queue.ts";
import type { Dtype } from "../tensor/dtype.ts";
import { bindingElements, partOf, ranges } from "./binding-parts.ts";
import { Kernel } from "./specialize.ts";
import fillWgsl from "./wgsl/fill.wgsl";

const kernel = new Kernel("fill", fillWgsl);
const WG = 64;

/** The bits of a number as an element of a 4-byte dtype. */
export const bitsOf = (value: number, dtype: Dtype): number => (dtype === "f32" ? f32Bits(value) : value >>> 0);

/** Records the writing of `n` elements. */
export function fillWith({ queue, info }: Device, y: Binding, n: number, value: number, dtype: Dtype): void {
  for (const [first, count] of ranges(n, bindingElements(info))) {
    queue.dispatch(kernel.variant(), [partOf(y, first, count)], [count, bitsOf(value, dtype)], grid1d(count, WG));
  }
}
