// Arithmetic and comparison with a tensor or a number on the right, for f32 and integers.
import { check, checkOptions, ValueError } from "../errors.ts";
import { full } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type BinaryOp, binary } from "./binary.ts";
import * as binaries from "./binary-rows.ts";
import { unary } from "./unary.ts";
import * as unaries from "./unary-rows.ts";

/** The other operand: a tensor of the same dtype, broadcast, or a number. */
export type Operand = Tensor | number;

/** An op of the binary table with a number on the right. Carries no gradient: f32 arithmetic goes through `unary`. */
function withNumber(op: BinaryOp, x: Tensor, value: number): Tensor {
  const { dtype, device } = x;
  const { name } = op;
  checkDtype(name, "input", dtype, ...op.dtypes);
  check(
    dtype === "f32" || Number.isInteger(value),
    () => `[${name}] ${value} is no ${dtype}: give a whole number, or convert with .to("f32")`,
    ValueError,
  );
  return scope(() => binary(op, x, full([], value, { dtype, device })));
}

/** An operation with a tensor or a number; `float` is its differentiable form for an f32 tensor and a number. */
const operation =
  (op: BinaryOp, float?: (x: Tensor, value: number) => Tensor) =>
  (x: Tensor, other: Operand): Tensor => {
    if (typeof other !== "number") return binary(op, x, other);
    return float && x.dtype === "f32" ? float(x, other) : withNumber(op, x, other);
  };

export const add = operation(binaries.add, (x, b) => unary(unaries.affine, x, { scale: 1, offset: b }));
export const sub = operation(binaries.sub, (x, b) => unary(unaries.affine, x, { scale: 1, offset: -b }));
// An offset of -0 leaves every product its sign, as 0 does not.
export const mul = operation(binaries.mul, (x, b) => unary(unaries.affine, x, { scale: b, offset: -0 }));
/** Floats only, as PyTorch's true division gives floats. */
export const div = operation(binaries.div, (x, b) => unary(unaries.divScalar, x, { other: b }));
export const pow = operation(binaries.pow, (x, b) => {
  if (b === 2) return unary(unaries.square, x);
  if (b === 0.5) return unary(unaries.sqrt, x);
  return b === -1 ? unary(unaries.reciprocal, x) : unary(unaries.powScalar, x, { exponent: b });
});
export const maximum = operation(binaries.maximum, (x, b) => unary(unaries.maximumScalar, x, { other: b }));
export const minimum = operation(binaries.minimum, (x, b) => unary(unaries.minimumScalar, x, { other: b }));
/**
 * i32: 1 where x = other, else 0; shapes broadcast. f32, i32 or u32.
 * @throws ShapeError, DtypeError for what does not fit. @see https://pytorch.org/docs/stable/generated/torch.eq.html
 */
export const eq = operation(binaries.eq);
/**
 * i32: 1 where x and other differ, else 0; shapes broadcast. f32, i32 or u32.
 * @throws ShapeError, DtypeError for what does not fit. @see https://pytorch.org/docs/stable/generated/torch.ne.html
 */
export const ne = operation(binaries.ne);
/**
 * i32: 1 where x < other, else 0; shapes broadcast. f32, i32 or u32.
 * @throws ShapeError, DtypeError for what does not fit. @see https://pytorch.org/docs/stable/generated/torch.lt.html
 */
export const lt = operation(binaries.lt);
/**
 * i32: 1 where x <= other, else 0; shapes broadcast. f32, i32 or u32.
 * @throws ShapeError, DtypeError for what does not fit. @see https://pytorch.org/docs/stable/generated/torch.le.html
 */
export const le = operation(binaries.le);
/**
 * i32: 1 where x > other, else 0; shapes broadcast. f32, i32 or u32.
 * @throws ShapeError, DtypeError for what does not fit. @see https://pytorch.org/docs/stable/generated/torch.gt.html
 */
export const gt = operation(binaries.gt);
/**
 * i32: 1 where x >= other, else 0; shapes broadcast. f32, i32 or u32.
 * @throws ShapeError, DtypeError for what does not fit. @see https://pytorch.org/docs/stable/generated/torch.ge.html
 */
export const ge = operation(binaries.ge);

const isInteger = (x: Tensor) => x.dtype === "i32" || x.dtype === "u32";

/** -x, elementwise. f32, i32 or u32. @see https://pytorch.org/docs/stable/generated/torch.neg.html */
export const neg = (x: Tensor): Tensor => mul(x, -1);
/** x times x, elementwise. f32, i32 or u32. @see https://pytorch.org/docs/stable/generated/torch.square.html */
export const square = (x: Tensor): Tensor => (isInteger(x) ? binary(binaries.mul, x, x) : unary(unaries.square, x));

/** Distance of each element from 0. f32, i32 or u32. @see https://pytorch.org/docs/stable/generated/torch.abs.html */
export function abs(x: Tensor): Tensor {
  if (x.dtype === "i32") return scope(() => binary(binaries.maximum, x, neg(x)));
  return x.dtype === "u32" ? x.detach() : unary(unaries.abs, x);
}

/** Bounds of `clamp`. At least one is given. */
export interface Bounds {
  /** The least value that stays. Default: none. */
  readonly min?: number;
  /** The largest value that stays. Default: none. */
  readonly max?: number;
}

/**
 * min(max(x, low), high), elementwise; the gradient passes where low <= x <= high. f32, i32 or u32.
 * @throws ValueError without a bound. @see https://pytorch.org/docs/stable/generated/torch.clamp.html
 */
export function clamp(x: Tensor, bounds: Bounds): Tensor {
  checkOptions("clamp", bounds, ["min", "max"]);
  const { min, max } = bounds;
  check(min !== undefined || max !== undefined, () => "[clamp] needs a min or a max: clamp({ min: 0 })", ValueError);
  if (!isInteger(x)) return unary(unaries.clamp, x, { low: min ?? -Infinity, high: max ?? Infinity });
  return scope(() => {
    const low = min === undefined ? x : maximum(x, min);
    return max === undefined ? low : minimum(low, max);
  });
}
