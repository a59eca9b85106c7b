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

/** What a value is, for comparison: of a list its elements, and null is a number that is not there yet. */
function kindOf(value: unknown): string {
  if (value === null) return "number";
  return Array.isArray(value) ? `array of ${value.length ? kindOf(value[0]) : "number"}s` : typeof value;
}

/** Throws `StateDictError` unless `state` has the entries of `own`, each of its type; those of groups as many. */
export function checkState(scheduler: string, state: object, own: object): void {
  const expectFit = (condition: boolean, message: () => string) =>
    check(condition, () => `[loadStateDict] ${message()}`, StateDictError);
  expectFit(
    typeof state === "object" && state !== null,
    () => `got ${told(state)} in the place of the state of this ${scheduler}: pass what its stateDict() gave`,
  );
  const strange = Object.keys(state).filter((key) => !(key in own));
  expectFit(
    strange.length === 0,
    () => `the state has ${strange.join(", ")}, which this ${scheduler} lacks: it is of another`,
  );
  for (const [key, example] of Object.entries(own)) {
    expectFit(key in state, () => `the state lacks ${key} of this ${scheduler}`);
    const value: unknown = Reflect.get(state, key);
    const [kind, expected] = [kindOf(value), kindOf(example)];
    expectFit(kind === expected, () => `${key} of this ${scheduler} must be a ${expected}, got ${told(value)}`);
    const byGroup = key === "baseLrs" || key === "lastLr";
    const [count, groups] = [[value].flat().length, [example].flat().length];
    expectFit(
      !byGroup || count === groups,
      () => `a state of ${count} groups does not fit this ${scheduler}'s ${groups}`,
    );
  }
}
