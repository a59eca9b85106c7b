// Shape arithmetic: element counts, broadcasting, dimension indices.
import { check, ShapeError, told, ValueError } from "../errors.ts";

/** The sizes of a tensor's dimensions, outermost first; a scalar's is []. */
export type Shape = readonly number[];

/**
 * A shape as an argument. `<const S extends ShapeInput>` infers the tuple `[2, 3]` of a literal `[2, 3]`: the mutable
 * arrays of this union, which add nothing to `Shape`, keep TypeScript from making it `readonly [2, 3]`.
 */
export type ShapeInput = number[] | Shape;

/** The type of a shape in which a -1 stands for a size that is found out: `[-1, 8]` gives `[number, 8]`. */
export type Inferred<S extends Shape> = { -readonly [K in keyof S]: -1 extends S[K] ? number : S[K] };

/** A shape for a message, whatever came in its place. */
export const show = (shape: Shape): string =>
  Array.isArray(shape) ? `[${Array.from(shape, (d) => told(d, 0)).join(", ")}]` : told(shape);

/** Elements of a tensor of this shape. */
export function sizeOf(shape: Shape): number {
  let n = 1;
  for (const d of shape) n *= d;
  return n;
}

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i] ?? 1;
  }
  return strides;
}

/** The shape that `a` and `b` broadcast to, by NumPy's rule. */
export function broadcastShapes(op: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    check(
      x === y || x === 1 || y === 1,
      () => `[${op}] shapes ${show(a)} and ${show(b)} do not broadcast: sizes ${x} and ${y} differ, and neither is 1`,
    );
    return x === 1 ? y : x;
  });
}

/**
 * A dimension index, negative ones counted from the end. Most of what takes one treats a scalar as one
 * element in a row, as PyTorch does, and gives `rowRank`.
 */
export function normalizeDim(op: string, dim: number, rank: number): number {
  const whole = Number.isInteger(dim);
  const d = whole && dim < 0 ? dim + rank : dim;
  check(
    whole && d >= 0 && d < rank,
    () => `[${op}] dimension ${told(dim)} does not exist in a tensor of ${rank} dimensions`,
  );
  return d;
}

/** The rank of a shape, where a scalar counts as one element in a row: its dimension is 0, or -1. */
export const rowRank = ({ length }: Shape): number => Math.max(1, length);

/** Distinct dimension indices in ascending order; all of them where none is given. */
export function normalizeDims(op: string, dims: number | readonly number[] | undefined, rank: number): number[] {
  if (dims === undefined) return Array.from({ length: rank }, (_, i) => i);
  const given = typeof dims === "number" ? [dims] : dims;
  checkList(op, "dimensions are a number or an array of them", given);
  // A scalar is one element in a row, of which no dimension is left to be reduced.
  const list = Array.from(given, (d) => normalizeDim(op, d, Math.max(1, rank)));
  check(new Set(list).size === list.length, () => `[${op}] a dimension appears twice in ${show(list)}`);
  return rank === 0 ? [] : list.sort((a, b) => a - b);
}

/** Throws unless `list` is an array. `what` says what it is one of. */
export function checkList(op: string, what: string, list: readonly unknown[]): void {
  check(Array.isArray(list), () => `[${op}] ${what}, such as [2, 3], got ${told(list)}`);
}

/** Throws unless it is an array whose every size is a whole number, not negative. */
export function checkShape(op: string, shape: Shape): void {
  checkList(op, "a shape is an array of sizes", shape);
  let whole = true; // Holes count: every() would skip them.
  for (const d of shape) whole &&= Number.isInteger(d) && d >= 0;
  check(whole, () => `[${op}] shape ${show(shape)} must hold whole numbers that are not negative`, ShapeError);
}

/** A pair from a number or a pair: `kernelSize: 3` or `[3, 5]`. */
export function pair(op: string, name: string, value: number | readonly [number, number], least = 0): [number, number] {
  const [a, b, ...rest] = Array.isArray(value) ? value : [value, value];
  check(
    rest.length === 0 && Number.isInteger(a) && Number.isInteger(b) && a >= least && b >= least,
    () => `[${op}] ${name} must be a whole number of at least ${least}, or two of them; got ${told(value)}`,
    ValueError,
  );
  return [a, b];
}
