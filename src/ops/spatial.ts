// What operations on signals (one spatial dimension), images (two) and volumes (three) have in common.
import { checkTensor } from "../autograd/run.ts";
import { check, ShapeError, told, ValueError } from "../errors.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** One number for every spatial dimension, or one for each. */
export type Size1 = number | readonly [number];
/** The same of two dimensions. */
export type Size2 = number | readonly [number, number];
/** The same of three. */
export type Size3 = number | readonly [number, number, number];
/** Whatever the number of dimensions. */
export type SizeN = number | readonly number[];

/** The numbers of `count` dimensions. */
export function spread(op: string, name: string, value: SizeN, count: number, least = 0): number[] {
  const list: readonly number[] = Array.isArray(value) ? Array.from(value) : new Array(count).fill(value);
  check(
    list.length === count && list.every((n) => Number.isSafeInteger(n) && n >= least),
    () =>
      `[${op}] ${name} must be a whole number of at least ${least}${count > 1 ? `, or ${count} of them` : ""}; got ${told(value)}`,
    ValueError,
  );
  return [...list];
}

const DIMS = ["L", "H, W", "D, H, W"];

/** The batch, the channels and the spatial sizes of x: [N, C, ...] with `count` spatial dimensions. */
export function batched(op: string, x: Tensor, count: number): { n: number; channels: number; sizes: number[] } {
  checkTensor(op, "input", x);
  check(
    x.ndim === count + 2,
    () => `[${op}] input has shape ${show(x.shape)} but must be [N, C, ${DIMS[count - 1]}]`,
    ShapeError,
  );
  const [n = 0, channels = 0, ...sizes] = x.shape;
  return { n, channels, sizes };
}
