// The options that transforms share, as numbers that kernels take; what does not suit is named.
import { check, told, ValueError } from "../errors.ts";
import { pair } from "../tensor/shape.ts";
import type { Fill, Interpolation, Margins, PaddingMode, Range } from "./transform-steps.ts";

/** A value for a message. */
export const shown = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? told(value);
  } catch {
    return told(value); // a bigint, or what holds itself
  }
};
const isNumber = (v: unknown): v is number => typeof v === "number" && Number.isFinite(v);

export function checkProbability(name: string, p: number): number {
  check(isNumber(p) && p >= 0 && p <= 1, () => `[${name}] p must be from 0 to 1, got ${shown(p)}`, ValueError);
  return p;
}

/** Two numbers, least <= low <= high <= most. */
export function range(name: string, option: string, value: Range, least = -Infinity, most = Infinity): Range {
  check(
    Array.isArray(value) &&
      value.length === 2 &&
      value.every(isNumber) &&
      value[0] >= least &&
      value[0] <= value[1] &&
      value[1] <= most,
    () => {
      const within =
        least === -Infinity ? "" : most === Infinity ? ` of at least ${least}` : ` from ${least} to ${most}`;
      return `[${name}] ${option} must be two numbers [low, high]${within}, low not above high; got ${shown(value)}`;
    },
    ValueError,
  );
  return value;
}

/** [-d, d] of a number that is not negative, or a range. */
export function symmetric(name: string, option: string, value: number | Range): Range {
  if (typeof value !== "number") return range(name, option, value);
  check(
    value >= 0 && Number.isFinite(value),
    () => `[${name}] ${option} must be a number that is not negative, or [low, high]; got ${shown(value)}`,
    ValueError,
  );
  return [-value, value];
}

export function checkFillOption(name: string, option: string, fill: Fill): Fill {
  check(
    isNumber(fill) || (Array.isArray(fill) && fill.length > 0 && fill.every(isNumber)),
    () => `[${name}] ${option} must be a number, or an array of one for each channel; got ${shown(fill)}`,
    ValueError,
  );
  return fill;
}

function oneOf<T extends string>(name: string, option: string, value: T, known: readonly T[]): T {
  check(
    known.includes(value),
    () => `[${name}] ${option} must be one of ${known.join(", ")}, got ${told(value)}`,
    ValueError,
  );
  return value;
}

export const checkPaddingMode = (name: string, mode: PaddingMode): PaddingMode =>
  oneOf(name, "paddingMode", mode, ["constant", "edge", "reflect", "symmetric"]);

export const checkInterpolation = (name: string, mode: Interpolation): Interpolation =>
  oneOf(name, "interpolation", mode, ["nearest", "nearest-exact", "bilinear", "bicubic"]);

/** Of transforms that turn pictures: whether they take four pixels instead of the nearest. */
export const isBilinear = (name: string, mode: "nearest" | "bilinear"): boolean =>
  oneOf(name, "interpolation", mode, ["nearest", "bilinear"]) === "bilinear";

/** torchvision's order: one for all sides, [left and right, above and below], or [left, top, right, bottom]. */
export function margins(name: string, value: number | readonly number[]): Margins {
  const given: readonly number[] = Array.isArray(value) ? value : [value];
  const [left = 0, top = left, right = left, bottom = top] = given;
  check(
    [1, 2, 4].includes(given.length) && [left, top, right, bottom].every((v) => Number.isInteger(v) && v >= 0),
    () =>
      `[${name}] padding must be a whole number that is not negative, or 1, 2 or 4 of them (left, top, right, bottom); got ${shown(value)}`,
    ValueError,
  );
  return [left, top, right, bottom];
}

export function wholeNumber(name: string, option: string, value: number, least: number): number {
  check(
    Number.isSafeInteger(value) && value >= least,
    () => `[${name}] ${option} must be a whole number of at least ${least}, got ${shown(value)}`,
    ValueError,
  );
  return value;
}

export function flag(name: string, option: string, value: boolean): boolean {
  check(typeof value === "boolean", () => `[${name}] ${option} must be true or false, got ${shown(value)}`, ValueError);
  return value;
}

export function positive(name: string, option: string, value: number): number {
  check(isNumber(value) && value > 0, () => `[${name}] ${option} must be above 0, got ${shown(value)}`, ValueError);
  return value;
}

/** `size` of a crop: a number is a square. */
export const square = (name: string, size: number | readonly [height: number, width: number]) =>
  pair(name, "size", size, 1);
