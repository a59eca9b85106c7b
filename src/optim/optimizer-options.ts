// The ranges of options that several optimizers have.
import { check, ValueError } from "../errors.ts";

const NOT_NEGATIVE = [
  "alpha",
  "eps",
  "initialAccumulatorValue",
  "lr",
  "lrDecay",
  "momentum",
  "momentumDecay",
  "weightDecay",
] as const;

type Known = { readonly [K in (typeof NOT_NEGATIVE)[number]]?: number } & { readonly betas?: readonly number[] };

/** Throws `ValueError` for one out of its range. `name` is the optimizer's. */
export function checkRanges(name: string, options: Known): void {
  for (const key of NOT_NEGATIVE) {
    const { [key]: value = 0 } = options;
    check(value >= 0, () => `[${name}] ${key} must not be negative, got ${value}`, ValueError);
  }
  const { betas = [] } = options;
  check(
    betas.every((beta) => beta >= 0 && beta < 1),
    () => `[${name}] betas must be in [0, 1), got ${betas.join(", ")}`,
    ValueError,
  );
}
