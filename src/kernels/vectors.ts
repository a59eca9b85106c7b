// Walks in vectors of four: kernels that move bits move four elements for little more than the price of one.
import type { Walk } from "./strided-walk.ts";

/** WGSL's type for four elements as bits. */
export const VECTOR = "vec4u";

/** Whether all are multiples of four. */
export const inFours = (...numbers: readonly number[]): boolean => numbers.every((n) => n % 4 === 0);

/**
 * The same walk with a vector of four for each four elements of its last dimension; null unless all operands hold those side by
 * side, and every row of them, from the first at `starts`, begins at a multiple of four.
 */
export function inVectors<Operands extends readonly (readonly number[])[]>(
  { shape, strides }: Walk<Operands>,
  starts: readonly number[],
): Walk<Operands> | null {
  const length = shape.at(-1) ?? 1;
  const aligned = strides.every((steps) => steps.at(-1) === 1 && inFours(...steps.slice(0, -1)));
  if (!aligned || !inFours(length, ...starts)) return null;
  const fours = strides.map((steps) => [...steps.slice(0, -1).map((step) => step / 4), 1]);
  // TypeScript does not follow `map` through tuples.
  return {
    shape: [...shape.slice(0, -1), length / 4],
    strides: fours as readonly (readonly number[])[] as Walk<Operands>["strides"],
  };
}
