// What all schedulers share: checks of their arguments, and how they are shown.
import { check, checkNumber, told, ValueError } from "../errors.ts";
import type { AnyOptimizer } from "./lr-scheduler.ts";

/** Throws unless it is an optimizer. */
export function checkOptimizer(scheduler: string, optimizer: AnyOptimizer): void {
  check(
    Array.isArray(optimizer?.paramGroups),
    () => `[${scheduler}] got ${told(optimizer)} in the place of an optimizer`,
    ValueError,
  );
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

/** Throws unless every one of the numbers of a state is one, and the lists are of `groups` numbers. */
export function checkState(state: object, numbers: readonly string[], lists: readonly string[], groups: number): void {
  check(
    typeof state === "object" && state !== null,
    () => `[loadStateDict] ${told(state)} is no state of a scheduler: pass what stateDict() gives`,
    ValueError,
  );
  for (const key of numbers) checkNumber("loadStateDict", key, Reflect.get(state, key));
  for (const key of lists) {
    const list: unknown = Reflect.get(state, key);
    check(Array.isArray(list), () => `[loadStateDict] ${key} must be an array, got ${told(list)}`, ValueError);
    check(
      list.length === groups,
      () => `[loadStateDict] a state of ${list.length} groups does not fit ${groups}`,
      ValueError,
    );
    for (const each of list) checkNumber("loadStateDict", key, each);
  }
}

/** A scheduler as text: its class, then options, state and learning rates by name. */
export function schedulerText(scheduler: { getLastLr(): number[] }, options: object = {}): string {
  const { optimizer, ...state } = scheduler as { optimizer?: unknown };
  const shown = Object.entries({ ...options, ...state, lr: scheduler.getLastLr() });
  return `${scheduler.constructor.name}(${shown.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(", ")})`;
}
