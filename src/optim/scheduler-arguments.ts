// What all schedulers share: checks of their arguments, and how they are shown.
import { check, ValueError } from "../errors.ts";

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

/** A scheduler as text: its class, then options, state and learning rates by name. */
export function schedulerText(scheduler: { getLastLr(): number[] }, options: object = {}): string {
  const { optimizer, ...state } = scheduler as { optimizer?: unknown };
  const shown = Object.entries({ ...options, ...state, lr: scheduler.getLastLr() });
  return `${scheduler.constructor.name}(${shown.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(", ")})`;
}
