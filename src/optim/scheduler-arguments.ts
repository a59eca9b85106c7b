// Argument checks of the schedulers.
import { check, StateDictError, told, ValueError } from "../errors.ts";

/** Throws unless `value` is a whole number above 0. */
export function checkCount(scheduler: string, what: string, value: number): void {
  check(
    Number.isInteger(value) && value > 0,
    () => `[${scheduler}] ${what} must be a whole number above 0, got ${value}`,
    ValueError,
  );
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

/**
 * What an entry is, for comparison. Null is a number that is not there yet; of some lists the length counts: one for each group
 * that there was when the scheduler was made.
 */
function kindOf(value: unknown, key: string): string {
  if (!Array.isArray(value)) return value === null ? "number" : typeof value;
  return `${key === "baseLrs" || key === "minLr" ? value.length : "array of"} ${kindOf(value[0] ?? 0, key)}s`;
}

/** Throws `StateDictError` unless `state` has the entries of `own` and no others, each of its type. */
export function checkState(scheduler: string, state: object, own: object): void {
  const given = Object(state);
  const kinds = (key: string) => [kindOf(given[key], key), kindOf(Reflect.get(own, key), key)] as const;
  const wrong = Object.keys({ ...own, ...given }).filter((key) => kinds(key)[0] !== kinds(key)[1]);
  check(
    wrong.length === 0,
    () =>
      `[loadStateDict] got ${told(state)} that is no state of this ${scheduler}: ${wrong.map((key) => `${key} is ${kinds(key)[0]}, expected ${kinds(key)[1]}`).join("; ")}`,
    StateDictError,
  );
}
