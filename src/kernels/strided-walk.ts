// Strides for kernels that walk an output and read inputs through strides: merged to the fewest dimensions.
import { check, LimitError } from "../errors.ts";
import type { Shape } from "../tensor/shape.ts";

/** The most dimensions that a strided kernel takes after merging. */
const MAX_RANK = 8;

export interface Walk {
  readonly shape: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

/** Strides that read a tensor of shape `from` as if it had the (broadcast) shape `to`. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = new Array<number>(to.length).fill(0);
  let step = 1;
  for (let i = from.length - 1; i >= 0; i--) {
    const d = from[i]!;
    if (d !== 1) strides[i + to.length - from.length] = step;
    step *= d;
  }
  return strides;
}

/** Throws where a strided kernel cannot walk so many dimensions. */
export const checkRank = (op: string, rank: number): void =>
  check(
    rank <= MAX_RANK,
    () => `[${op}] walks ${rank} dimensions that cannot be merged, at most ${MAX_RANK} are supported`,
    LimitError,
  );

/** Drops dimensions of size 1 and merges neighbours that every operand walks as one. At least one dimension is left. */
export function mergeDims(op: string, shape: Shape, strides: readonly (readonly number[])[]): Walk {
  const outShape: number[] = [];
  const out: number[][] = strides.map(() => []);
  for (let i = 0; i < shape.length; i++) {
    const d = shape[i]!;
    if (d === 1) continue;
    const last = outShape.length - 1;
    if (last >= 0 && strides.every((s, k) => out[k]![last] === s[i]! * d)) {
      outShape[last]! *= d;
      for (const [k, s] of strides.entries()) out[k]![last] = s[i]!;
    } else {
      outShape.push(d);
      for (const [k, s] of strides.entries()) out[k]!.push(s[i]!);
    }
  }
  if (outShape.length === 0) {
    outShape.push(1);
    for (const s of out) s.push(0);
  }
  checkRank(op, outShape.length);
  return { shape: outShape, strides: out };
}

/** `values` as the words of an `array<vec4u, 2>`. */
export const eightWords = (values: readonly number[]): number[] =>
  Array.from({ length: MAX_RANK }, (_, i) => values[i] ?? 0);
