// Elementwise functions of torch: one tensor.
import { apply1 } from "../autograd/apply.ts";
import { checkTensor } from "../autograd/run.ts";
import { full } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type BinaryRow, binaryOp } from "./binary.ts";
import * as math from "./math-rows.ts";
import { type UnaryOp, unary } from "./unary.ts";

const elementwise =
  (op: UnaryOp) =>
  <S extends Shape>(x: Tensor<S>): Tensor<S> => {
    checkTensor(op.name, "input", x);
    return unary(op, x) as Tensor<S>;
  };

/** log(1 + x) by element, without losing a small x. f32. @see https://pytorch.org/docs/stable/generated/torch.log1p.html */
export const log1p = elementwise(math.log1p);
/** exp(x) - 1 by element, without losing a small x. f32. @see https://pytorch.org/docs/stable/generated/torch.expm1.html */
export const expm1 = elementwise(math.expm1);
/** Logarithm to base 2 of each element. f32. @see https://pytorch.org/docs/stable/generated/torch.log2.html */
export const log2 = elementwise(math.log2);
/** Logarithm to base 10 of each element. f32. @see https://pytorch.org/docs/stable/generated/torch.log10.html */
export const log10 = elementwise(math.log10);
/** 2 to the power of each element. f32. @see https://pytorch.org/docs/stable/generated/torch.exp2.html */
export const exp2 = elementwise(math.exp2);
/** Tangent of each element, in radians. f32. @see https://pytorch.org/docs/stable/generated/torch.tan.html */
export const tan = elementwise(math.tan);
/** Arcus sine of each element, in radians; NaN beyond -1 to 1. f32. @see https://pytorch.org/docs/stable/generated/torch.asin.html */
export const asin = elementwise(math.asin);
/** Arcus cosine of each element, in radians; NaN beyond -1 to 1. f32. @see https://pytorch.org/docs/stable/generated/torch.acos.html */
export const acos = elementwise(math.acos);
/** Arcus tangent of each element, in radians. f32. @see https://pytorch.org/docs/stable/generated/torch.atan.html */
export const atan = elementwise(math.atan);
/** Hyperbolic sine of each element. f32. @see https://pytorch.org/docs/stable/generated/torch.sinh.html */
export const sinh = elementwise(math.sinh);
/** Hyperbolic cosine of each element. f32. @see https://pytorch.org/docs/stable/generated/torch.cosh.html */
export const cosh = elementwise(math.cosh);
/** 1 - erf(x) by element, without losing its small values. f32. @see https://pytorch.org/docs/stable/generated/torch.erfc.html */
export const erfc = elementwise(math.erfc);
/** Each element without its fraction. f32. @see https://pytorch.org/docs/stable/generated/torch.trunc.html */
export const trunc = elementwise(math.trunc);

/** i32 1 where an f32 element (as a and b) is of a kind; of integers `whole`. */
function kind(name: string, f: string, whole: number) {
  const row: BinaryRow = { f, dtypes: ["f32"], result: "i32" };
  const op = binaryOp(name, row);
  return <S extends Shape>(x: Tensor<S>): Tensor<S> => {
    checkTensor(name, "input", x);
    checkDtype(name, "input", x.dtype, "f32", "i32", "u32");
    if (x.dtype !== "f32") return full<S>(x.shape, whole, { dtype: "i32", device: x.device });
    return apply1(op, [x, x], undefined) as Tensor<S>;
  };
}
/** i32: 1 where an element is NaN, else 0. f32, i32 or u32. @see https://pytorch.org/docs/stable/generated/torch.isnan.html */
export const isnan = kind("isnan", "select(0, 1, is_nan(a))", 0);
/** i32: 1 where an element is an infinity, else 0. f32, i32 or u32. @see https://pytorch.org/docs/stable/generated/torch.isinf.html */
export const isinf = kind("isinf", "select(0, 1, (bitcast<u32>(a) & 0x7fffffffu) == 0x7f800000u)", 0);
/** i32: 1 where an element is neither NaN nor an infinity, else 0. f32, i32 or u32. @see https://pytorch.org/docs/stable/generated/torch.isfinite.html */
export const isfinite = kind("isfinite", "select(0, 1, (bitcast<u32>(a) & 0x7fffffffu) < 0x7f800000u)", 1);
