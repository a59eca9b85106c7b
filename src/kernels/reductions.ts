// What reductions do, as WGSL. Each is a constant of its own, so that a bundle holds those that it uses.
import type { Dtype } from "../tensor/dtype.ts";

/** f32 sums are also multiplied by `scale` at the end. */
export interface Reduction {
  readonly name: string;
  readonly join: string;
  /** Of f32, where it differs. */
  readonly joinFloat?: string;
  readonly each?: string;
  readonly finish?: string;
  /** What no element changes; default 0. */
  readonly identity?: Readonly<Partial<Record<Dtype, string>>>;
  /** Those of the first and the second pass, where an output is split; default the reduction itself. */
  readonly passes?: () => readonly [first: Reduction, second: Reduction];
}

export const max: Reduction = {
  name: "max",
  join: "max(a, b)",
  joinFloat: "max_nan(a, b)",
  identity: { f32: "from_bits(0xff800000u)", i32: "T(-2147483647 - 1)" },
};
export const min: Reduction = {
  name: "min",
  join: "min(a, b)",
  joinFloat: "min_nan(a, b)",
  identity: { f32: "from_bits(0x7f800000u)", i32: "T(2147483647)", u32: "T(4294967295)" },
};
export const sum: Reduction = { name: "sum", join: "a + b" };
const squares: Reduction = { name: "squares", join: "a + b", each: "v * v", passes: () => [squares, sum] };
const root: Reduction = { name: "root", join: "a + b", finish: "sqrt(v)", passes: () => [sum, root] };
/** The square root of a sum of squares. */
export const norm: Reduction = {
  name: "norm",
  join: "a + b",
  each: "v * v",
  finish: "sqrt(v)",
  passes: () => [squares, root],
};
