// Sizes that follow the batch: told from two forwards with batches of different size.
import { check, ExportError } from "../errors.ts";
import { type Shape, show } from "../tensor/shape.ts";

/** A size: a number, or so many times the batch. */
export type Size = number | { readonly times: number };
export type Sizes = readonly Size[];

/** The batches that a forward is traced with. */
export type Batches = readonly [first: number, second: number];

/** A graph whose sizes are known for two batches does not say what they are for another one. */
export class NotLinear extends ExportError {}

/** What a size is that was `a` with the first batch and `b` with the second one. */
export function sizeOfTwo(a: number, b: number, [first, second]: Batches, what: () => string): Size {
  if (a === b) return a;
  check(
    a * second === b * first && a % first === 0,
    () => `[exportOnnx] ${what()} is ${a} for a batch of ${first} and ${b} for ${second}, which is no multiple of it`,
    NotLinear,
  );
  return { times: a / first };
}

/** The same of whole shapes. */
export function sizesOfTwo(a: Shape, b: Shape, batches: Batches, what: () => string): Sizes {
  check(
    a.length === b.length,
    () => `[exportOnnx] ${what()} has shape ${show(a)} for a batch of ${batches[0]} and ${show(b)} for ${batches[1]}`,
    NotLinear,
  );
  return a.map((n, d) => sizeOfTwo(n, b[d] ?? 0, batches, what));
}

export const isFixed = (size: Size | undefined): size is number => typeof size === "number";

export const sameSize = (a: Size | undefined, b: Size | undefined): boolean =>
  a !== undefined && b !== undefined && (isFixed(a) ? a === b : !isFixed(b) && a.times === b.times);

export const sameSizes = (a: Sizes, b: Sizes): boolean => a.length === b.length && a.every((n, d) => sameSize(n, b[d]));
