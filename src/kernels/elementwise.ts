// Elementwise functions as text: a row of a table, and its WGSL as the body of a function.
import { check, told, ValueError } from "../errors.ts";

export interface UnaryRow {
  /** Names of up to two numbers that come with each call; `f` and `dx` use them as variables. */
  readonly scalars?: readonly string[];
  /** WGSL of f(x); statements separated from the returned expression by `return`. */
  readonly f: string;
  /** WGSL of the gradient of x in terms of that of y, `dy`, and the saved value `x` (the output y where `saves` says so). */
  readonly dx: string;
  readonly saves: "x" | "y" | "none";
}

/** A row with its scalars' values, to be computed at the end of another kernel. */
export interface Activation {
  readonly name: string;
  readonly row: UnaryRow;
  readonly scalars: readonly number[];
}

const NONE: readonly string[] = [];

/** WGSL of a row as the body of a function: an expression, or statements that end in `return` and one. */
export const bodyOf = (wgsl: string): string => (wgsl.includes("return ") ? `${wgsl};` : `return ${wgsl};`);

/** WGSL of a row's f or dx as the body of a function that reads its scalars from these places. */
export function unaryBody(
  { scalars = NONE }: UnaryRow,
  wgsl: string,
  places: readonly string[] = ["p.a", "p.b"],
): string {
  return `${scalars.map((name, i) => `let ${name} = ${places[i]}; `).join("")}${bodyOf(wgsl)}`;
}

/** A row's scalars as a list. Throws `ValueError` for what is no number; NaN and infinities are. `op` names the row. */
export const valuesOf = (
  op: string,
  { scalars = NONE }: UnaryRow,
  given: Readonly<Record<string, number>> = {},
): readonly number[] =>
  scalars.map((name) => {
    const value = given[name];
    check(typeof value === "number", () => `[${op}] ${name} must be a number, got ${told(value)}`, ValueError);
    return value;
  });
