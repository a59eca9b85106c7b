// Argument checks of layer constructors.
import { check, ValueError } from "../errors.ts";

/** Throws unless `value` is a whole number of at least 1. */
export function checkCount(layer: string, what: string, value: number): void {
  check(
    Number.isInteger(value) && value >= 1,
    () => `[${layer}] ${what} must be a whole number of at least 1, got ${value}`,
    ValueError,
  );
}
