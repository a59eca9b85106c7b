// What all schedulers share: checks of their arguments, and how they are shown.
import { check, checkNumber, StateDictError, told, ValueError } from "../errors.ts";
import type { AnyOptimizer } from "./lr-scheduler.ts";

/** Throws unless it is an optimizer. */
export function checkOptimizer(scheduler: string, optimizer: AnyOptimizer): void {
  check(
    Array.isArray(optimizer?.paramGroups),
    () => `[${scheduler}] got ${told(optimizer)} in the place of an optimizer`,
    ValueError,
  );
}

/** Throws unless `value` is from 0 to 1. */
export function checkShare(scheduler: string, what: string, value: number): void {
  checkNumber(scheduler, what, value, 0, 1);
}

/** A value for each of `count` groups, from one for all or a list. */
export function perGroup(scheduler: string, what: string, value: number | readonly number[], count: number): number[] {
  const values = Array.isArray(value) ? [...value] : new Array<number>(count).fill(value as number);
  check(
    values.length === count,
    () => `[${scheduler}] got ${values.length} values of ${what} for ${count} groups`,
    ValueError,
  );
  for (const each of values) checkNumber(scheduler, what, each);
  return values;
}

/** A scheduler as text: its class, then options, state and learning rates by name. */
export function schedulerText(scheduler: { getLastLr(): number[] }, options: object = {}): string {
  const { optimizer, ...state } = scheduler as { optimizer?: unknown };
  const shown = Object.entries({ ...options, ...state, lr: scheduler.getLastLr() });
  return `${scheduler.constructor.name}(${shown.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(", ")})`;
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
