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

export const show = (shape: Shape): string => `[${shape.join(", ")}]`;

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

/** A dimension index, negative ones counted from the end. A scalar has a dimension 0 in this, as in PyTorch. */
export function normalizeDim(op: string, dim: number, rank: number): number {
  const d = dim < 0 ? dim + Math.max(1, rank) : dim;
  check(
    Number.isInteger(dim) && d >= 0 && d < Math.max(1, rank),
    () => `[${op}] dimension ${dim} does not exist in a tensor of ${rank} dimensions`,
  );
  return d;
}

/** Distinct dimension indices in ascending order; all of them where none is given. */
export function normalizeDims(op: string, dims: number | readonly number[] | undefined, rank: number): number[] {
  if (dims === undefined) return Array.from({ length: rank }, (_, i) => i);
  const given = typeof dims === "number" ? [dims] : dims;
  checkList(op, "dimensions are a number or an array of them", given);
  const list = given.map((d) => normalizeDim(op, d, rank));
  check(new Set(list).size === list.length, () => `[${op}] a dimension appears twice in ${show(list)}`);
  return list.sort((a, b) => a - b);
}

/** Throws unless `list` is an array. `what` says what it is one of. */
export function checkList(op: string, what: string, list: readonly number[]): void {
  check(Array.isArray(list), () => `[${op}] ${what}, such as [2, 3], got ${told(list)}`);
}

/** Throws unless it is an array whose every size is a whole number, not negative. */
export function checkShape(op: string, shape: Shape): void {
  checkList(op, "a shape is an array of sizes", shape);
  check(
    shape.every((d) => Number.isInteger(d) && d >= 0),
    () => `[${op}] shape ${show(shape)} must hold whole numbers that are not negative`,
    ShapeError,
  );
}

/** A pair from a number or a pair: `kernelSize: 3` or `[3, 5]`. */
export function pair(op: string, name: string, value: number | readonly [number, number], least = 0): [number, number] {
  const [a, b, ...rest] = Array.isArray(value) ? value : [value, value];
  check(
    rest.length === 0 && Number.isInteger(a) && Number.isInteger(b) && a >= least && b >= least,
    () => `[${op}] ${name} must be a whole number of at least ${least}, or two of them; got ${JSON.stringify(value)}`,
    ValueError,
  );
  return [a, b];
}
