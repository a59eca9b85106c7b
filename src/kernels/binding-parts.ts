// Parts of tensors that are larger than one binding may be (AlexNet's largest weight holds 151 MB, the default is 128 MiB).
import type { DeviceInfo } from "../gpu/device.ts";
import type { Binding } from "../gpu/queue.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Bindings start at multiples of 256 bytes, which are 64 elements. */
export const ALIGN = 64;
/** What WebGPU promises. */
const DEFAULT_BYTES = 2 ** 27;

/** Elements of four bytes that one binding holds. */
export const bindingElements = ({ limits }: DeviceInfo): number =>
  Math.floor((limits.maxStorageBufferBindingSize ?? DEFAULT_BYTES) / (4 * ALIGN)) * ALIGN;

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

const whole = ({ storage }: Tensor): Binding => storage;

/**
 * Calls `launch` for the elements of a merged walk in as few parts as bindings hold, mostly one. `part` gives what to bind of
 * a tensor: these `count` elements, or all of it where it has another number (one value for all). Where an operand repeats
 * along some of several dimensions there is only one part.
 */
export function inParts(
  info: DeviceInfo,
  shape: Shape,
  launch: (part: (t: Tensor) => Binding, count: number, first: number) => void,
): void {
  const n = sizeOf(shape);
  const most = bindingElements(info);
  if (n <= most || shape.length > 1) {
    launch(whole, n, 0);
    return;
  }
  for (const [first, count] of ranges(n, most)) {
    launch((t) => (t.numel === n ? partOf(t.storage, first, count) : t.storage), count, first);
  }
}
