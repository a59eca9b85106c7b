// Parts of tensors that are larger than one binding may be (AlexNet's largest weight holds 151 MB, the default is 128 MiB).
import type { DeviceInfo } from "../gpu/device.ts";
import { ALIGN_BYTES, bindingBytes } from "../gpu/limits.ts";
import type { Binding } from "../gpu/queue.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Elements from one place where a binding may start to the next. */
export const ALIGN = ALIGN_BYTES / 4;

/** Elements of four bytes that one binding holds. */
export const bindingElements = ({ limits }: DeviceInfo): number => bindingBytes(limits) / 4;

/** Whether each of these tensors fits into one binding. */
export const allFit = (info: DeviceInfo, tensors: readonly (Tensor | null)[]): boolean => {
  const most = bindingElements(info);
  return tensors.every((t) => t === null || t.numel <= most);
};

/** Elements that n take up when something else may start behind them. */
export const padded = (n: number): number => Math.ceil(n / ALIGN) * ALIGN;

/** The greatest power of two that divides n, at most the elements from one binding to the next. */
export const powerOfTwo = (n: number): number => Math.min(ALIGN, 2 ** Math.max(0, 31 - Math.clz32(n & -n)));

/** At most `count` stretches of `inner` elements, so that the next one starts where a binding may, if so many are enough. */
export function alignedCount(count: number, inner: number): number {
  const step = ALIGN / powerOfTwo(inner);
  return count >= step ? count - (count % step) : count;
}

/** `n` in ranges of at most `most`, rounded down to where a binding may start (and at least that). */
export function* ranges(n: number, most: number): Generator<readonly [first: number, count: number]> {
  const step = Math.max(ALIGN, Math.floor(most / ALIGN) * ALIGN);
  for (let first = 0; first < n; first += step) yield [first, Math.min(step, n - first)];
}

/** `count` elements of four bytes (or as many as given) from element `first` on. */
export const partOf = ({ buffer, offset }: Binding, first: number, count: number, each = 4): Binding => ({
  buffer,
  offset: offset + each * first,
  bytes: each * count,
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
