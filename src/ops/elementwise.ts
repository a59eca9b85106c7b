// The elementwise functions of one tensor that are methods of Tensor, as functions.
import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type ScalarsOf, type UnaryOp, unary } from "./unary.ts";
import * as unaries from "./unary-rows.ts";

/** The function of an op that takes nothing but the tensor. */
const elementwise =
  <R extends UnaryOp["row"]>(op: UnaryOp<R>, ...none: ScalarsOf<R>) =>
  <S extends Shape>(x: Tensor<S>): Tensor<S> =>
    unary(op, x, ...none) as Tensor<S>;

/**
 * e to the power of each element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.exp.html
 */
export const exp = elementwise(unaries.exp);
/**
 * Natural logarithm of each element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.log.html
 */
export const log = elementwise(unaries.log);
/**
 * Square root of each element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.sqrt.html
 */
export const sqrt = elementwise(unaries.sqrt);
/**
 * 1 / sqrt(x) by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.rsqrt.html
 */
export const rsqrt = elementwise(unaries.rsqrt);
/**
 * 1 / x by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.reciprocal.html
 */
export const reciprocal = elementwise(unaries.reciprocal);
/**
 * Sine of each element, in radians. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.sin.html
 */
export const sin = elementwise(unaries.sin);
/**
 * Cosine of each element, in radians. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.cos.html
 */
export const cos = elementwise(unaries.cos);
/**
 * Hyperbolic tangent by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.tanh.html
 */
export const tanh = elementwise(unaries.tanh);
/**
 * Error function of each element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.erf.html
 */
export const erf = elementwise(unaries.erf);
/**
 * 1 / (1 + exp(-x)) by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.sigmoid.html
 */
export const sigmoid = elementwise(unaries.sigmoid);
/**
 * max(x, 0) by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.relu.html
 */
export const relu = elementwise(unaries.relu);
/**
 * The whole number at or below each element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.floor.html
 */
export const floor = elementwise(unaries.floor);
/**
 * The whole number at or above each element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.ceil.html
 */
export const ceil = elementwise(unaries.ceil);
/**
 * The whole number nearest to each element, of two equally near ones the even one. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.round.html
 */
export const round = elementwise(unaries.round);
/**
 * -1, 0 or 1: the sign of each element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.sign.html
 */
export const sign = elementwise(unaries.sign);
