// Parts of tensors that are larger than one binding may be (AlexNet's largest weight holds 151 MB, the default is 128 MiB).
import type { DeviceInfo } from "../gpu/device.ts";
import type { Binding } from "../gpu/queue.ts";

/** Bindings start at multiples of 256 bytes, which are 64 elements. */
const ALIGN = 64;

/** Elements of four bytes that one binding holds. */
export const bindingElements = ({ limits }: DeviceInfo): number =>
  Math.floor(limits.maxStorageBufferBindingSize! / (4 * ALIGN)) * ALIGN;

/** Elements that n take up when something else may start behind them. */
export const padded = (n: number): number => Math.ceil(n / ALIGN) * ALIGN;

/** `n` in ranges of at most `most`, rounded down to where a binding may start (and at least that). */
export function* ranges(n: number, most: number): Generator<readonly [first: number, count: number]> {
  const step = Math.max(ALIGN, Math.floor(most / ALIGN) * ALIGN);
  for (let first = 0; first < n; first += step) yield [first, Math.min(step, n - first)];
}

/** `count` elements of four bytes from element `first` on. */
export const partOf = ({ buffer, offset }: Binding, first: number, count: number): Binding => ({
  buffer,
  offset: offset + 4 * first,
  bytes: 4 * count,
});
