// f64 references by indices: broadcasting, reductions and rearrangements, one plain loop each.
import { type HostArray, host, sizeOf } from "../support/host.ts";

export type Index = readonly number[];

/** The flat position of an index in a row-major array. */
export function flat(shape: readonly number[], index: Index): number {
  return shape.reduce((at, n, d) => at * n + index[d]!, 0);
}

/** Calls `visit` with each index of a shape, in row-major order. */
export function eachIndex(shape: readonly number[], visit: (index: number[], at: number) => void): void {
  const n = sizeOf(shape);
  for (let at = 0; at < n; at++) {
    const index = new Array<number>(shape.length);
    let rest = at;
    for (let d = shape.length - 1; d >= 0; d--) {
      index[d] = rest % shape[d]!;
      rest = Math.floor(rest / shape[d]!);
    }
    visit(index, at);
  }
}

export function build(shape: readonly number[], f: (index: number[]) => number, like?: HostArray): HostArray {
  const out = host(shape, undefined, like?.dtype);
  eachIndex(shape, (index, at) => {
    out.data[at] = f(index);
  });
  return out;
}

/** The index in an operand that was broadcast: aligned to the right, 0 where its size is 1. */
export const narrowed = (index: Index, shape: readonly number[]): number[] =>
  shape.map((n, d) => (n === 1 ? 0 : index[d + index.length - shape.length]!));

export const broadcast = (a: HostArray, shape: readonly number[]): HostArray =>
  build(shape, (i) => a.data[flat(a.shape, narrowed(i, a.shape))]!, a);

/** Sums what broadcasting `shape` to the shape of `a` repeated. */
export function sumTo(a: HostArray, shape: readonly number[]): HostArray {
  const out = host(shape);
  eachIndex(a.shape, (index, at) => {
    out.data[flat(shape, narrowed(index, shape))]! += a.data[at]!;
  });
  return out;
}

export const kept = (shape: readonly number[], dims: readonly number[]): number[] =>
  shape.map((n, d) => (dims.includes(d) ? 1 : n));

/** Reduces `dims` to size 1: `f` gets the elements of each output. */
export function reduce(x: HostArray, dims: readonly number[], f: (values: number[]) => number): HostArray {
  const shape = kept(x.shape, dims);
  const groups: number[][] = Array.from({ length: sizeOf(shape) }, () => []);
  eachIndex(x.shape, (index, at) => groups[flat(shape, narrowed(index, shape))]!.push(x.data[at]!));
  return host(shape, groups.map(f), x.dtype);
}

/** The same elements under another shape. */
export const reshaped = (x: HostArray, shape: readonly number[]): HostArray => ({ ...x, shape });

export const map = (x: HostArray, f: (value: number, at: number) => number): HostArray => host(x.shape, x.data.map(f));
