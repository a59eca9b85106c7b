// Gradient ops whose outputs are those that are wanted: which place each of them has among all.
import type { Tensor } from "../tensor/tensor.ts";

/** The tensors in the places that are wanted, in order, and null in the others. */
export function inPlaces<W extends readonly boolean[]>(
  wanted: W,
  given: readonly Tensor[],
): { readonly [K in keyof W]: Tensor | null } {
  const rest = given.values();
  return wanted.map((is) => (is ? (rest.next().value ?? null) : null)) as { [K in keyof W]: Tensor | null };
}
