// Types and ranges of the options of optimizers.
import { check, checkNumber, checkOptions, told, ValueError } from "../errors.ts";

const NOT_NEGATIVE = [
  "alpha",
  "eps",
  "initialAccumulatorValue",
  "lr",
  "lrDecay",
  "momentum",
  "momentumDecay",
  "weightDecay",
];

/** `defaults` with what `options` has in their place. `required`: further options, without a default. */
export function withDefaults<D extends object, O extends object>(
  name: string,
  defaults: D,
  options: O,
  required: readonly string[] = [],
): D & O {
  checkOptions(name, options, [...required, ...Object.keys(defaults)]);
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const filled = { ...defaults, ...Object.fromEntries(given) };
  checkHyper(name, filled, defaults);
  return filled as D & O;
}

/** Throws unless each option that `defaults` has is of its type and in its range. `name` is the optimizer's. */
export function checkHyper(name: string, options: object, defaults: object, Kind = ValueError): void {
  for (const [key, example] of Object.entries({ ...defaults, lr: 0 })) {
    const value: unknown = Reflect.get(options, key);
    const list = Array.isArray(example);
    const [values, like] = list ? [value, example[0]] : [[value], example];
    const type = typeof like;
    if (type !== "number" && type !== "boolean") continue;
    check(
      Array.isArray(values) && (!list || values.length === example.length) && values.every((v) => typeof v === type),
      () =>
        `[${name}] ${key} must be ${list ? `an array of ${example.length} numbers` : `a ${type}`}, got ${told(value)}`,
      Kind,
    );
    if (NOT_NEGATIVE.includes(key)) checkNumber(name, key, value, 0, Number.POSITIVE_INFINITY, Kind);
    check(
      key !== "betas" || values.every((beta) => beta >= 0 && beta < 1),
      () => `[${name}] betas must be in [0, 1), got ${values.join(", ")}`,
      Kind,
    );
  }
}
