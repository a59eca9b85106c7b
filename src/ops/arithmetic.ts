// Arithmetic and comparison with a tensor or a number on the right, for f32 and integers.
import { check, checkOptions, ValueError } from "../errors.ts";
import { full } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type BinaryName, binary, dtypesOf } from "./binary.ts";
import { unary } from "./unary.ts";

/** The other operand: a tensor of the same dtype, broadcast, or a number. */
export type Operand = Tensor | number;

/** A row of the binary table with a number on the right. Carries no gradient: f32 arithmetic goes through `unary`. */
function withNumber(name: BinaryName, x: Tensor, value: number): Tensor {
  const { dtype, device } = x;
  checkDtype(name, "input", dtype, ...dtypesOf(name));
  check(
    dtype === "f32" || Number.isInteger(value),
    () => `[${name}] ${value} is no ${dtype}: give a whole number, or convert with .to("f32")`,
    ValueError,
  );
  return scope(() => binary(name, x, full([], value, { dtype, device })));
}

/** An operation with a tensor or a number; `float` is its differentiable form for an f32 tensor and a number. */
const operation =
  (name: BinaryName, float?: (x: Tensor, value: number) => Tensor) =>
  (x: Tensor, other: Operand): Tensor => {
    if (typeof other !== "number") return binary(name, x, other);
    return float && x.dtype === "f32" ? float(x, other) : withNumber(name, x, other);
  };

export const add = operation("add", (x, b) => unary("affine", x, { scale: 1, offset: b }));
export const sub = operation("sub", (x, b) => unary("affine", x, { scale: 1, offset: -b }));
// An offset of -0 leaves every product its sign, as 0 does not.
export const mul = operation("mul", (x, b) => unary("affine", x, { scale: b, offset: -0 }));
/** Floats only, as PyTorch's true division gives floats. */
export const div = operation("div", (x, b) => unary("divScalar", x, { other: b }));
export const pow = operation("pow", (x, b) => {
  if (b === 2) return unary("square", x);
  if (b === 0.5) return unary("sqrt", x);
  return b === -1 ? unary("reciprocal", x) : unary("powScalar", x, { exponent: b });
});
export const maximum = operation("maximum", (x, b) => unary("maximumScalar", x, { other: b }));
export const minimum = operation("minimum", (x, b) => unary("minimumScalar", x, { other: b }));
/** Comparisons give i32: 1 where they hold, else 0. */
export const eq = operation("eq");
export const ne = operation("ne");
export const lt = operation("lt");
export const le = operation("le");
export const gt = operation("gt");
export const ge = operation("ge");

const isInteger = (x: Tensor) => x.dtype === "i32" || x.dtype === "u32";

export const neg = (x: Tensor): Tensor => mul(x, -1);
export const square = (x: Tensor): Tensor => (isInteger(x) ? binary("mul", x, x) : unary("square", x));

export function abs(x: Tensor): Tensor {
  if (x.dtype === "i32") return scope(() => binary("maximum", x, neg(x)));
  return x.dtype === "u32" ? x.detach() : unary("abs", x);
}

/** Bounds of `clamp`. At least one is given. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** min(max(x, low), high). The gradient passes where low <= x <= high. */
export function clamp(x: Tensor, bounds: Bounds): Tensor {
  checkOptions("clamp", bounds, ["min", "max"]);
  const { min, max } = bounds;
  check(min !== undefined || max !== undefined, () => "[clamp] needs a min or a max: clamp({ min: 0 })", ValueError);
  if (!isInteger(x)) return unary("clamp", x, { low: min ?? -Infinity, high: max ?? Infinity });
  return scope(() => {
    const low = min === undefined ? x : maximum(x, min);
    return max === undefined ? low : minimum(low, max);
  });
}
