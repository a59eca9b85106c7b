// Argument checks of the schedulers.
import { check, ValueError } from "../errors.ts";

/** Throws unless `value` is a whole number above 0. */
export function checkCount(scheduler: string, what: string, value: number): void {
  check(
    Number.isInteger(value) && value > 0,
    () => `[${scheduler}] ${what} must be a whole number above 0, got ${value}`,
    ValueError,
  );
}

/** Throws unless `value` is from 0 to 1. */
export function checkShare(scheduler: string, what: string, value: number): void {
  check(value >= 0 && value <= 1, () => `[${scheduler}] ${what} must be from 0 to 1, got ${value}`, ValueError);
}

/** A value for each of `count` groups, from one for all or a list. */
export function perGroup(scheduler: string, what: string, value: number | readonly number[], count: number): number[] {
  if (typeof value === "number") return new Array<number>(count).fill(value);
  check(
    value.length === count,
    () => `[${scheduler}] got ${value.length} values of ${what} for ${count} groups`,
    ValueError,
  );
  return [...value];
}
