// Initialisation of parameters, in place: zeros, constants, uniform and normal numbers, Xavier's and Kaiming's scales.

import { checkTensor } from "../autograd/run.ts";
import { check, checkNumber, checkOptions, ShapeError, told, ValueError } from "../errors.ts";
import { randn, uniform } from "../ops/random.ts";
import { unary } from "../ops/unary.ts";
import * as unaries from "../ops/unary-rows.ts";
import { full } from "../tensor/create.ts";
import { checkShape, type Shape, show, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { assign } from "./assign.ts";

/** What follows a layer, for the scale of its initialisation. */
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

/** What `kaimingUniform_` and `kaimingNormal_` take. */
export interface KaimingOptions {
  /** Slope of the leaky ReLU for negative inputs. Default 0. */
  a?: number;
  /** Keep the variance of the forward ("fanIn", default) or of the backward pass ("fanOut"). */
  mode?: "fanIn" | "fanOut";
  /** What follows the layer. Default "leakyRelu". */
  nonlinearity?: Nonlinearity;
}

/** Every element `value`. */
export const constant_ = <T extends Tensor>(t: T, value: number): T =>
  assign(t, () => full(t.shape, value, { device: t.device }));
/** Every element 0, in place. */
export const zeros_ = <T extends Tensor>(t: T): T => constant_(t, 0);
/** Every element 1, in place. */
export const ones_ = <T extends Tensor>(t: T): T => constant_(t, 1);

/** Uniform numbers in [a, b). */
export const uniform_ = <T extends Tensor>(t: T, a = 0, b = 1): T =>
  assign(t, () => {
    checkNumber("init", "a", a);
    checkNumber("init", "b", b);
    return uniform(t.shape, a, b, { device: t.device });
  });

/** Normal numbers. */
export const normal_ = <T extends Tensor>(t: T, mean = 0, std = 1): T =>
  assign(t, () => unary(unaries.affine, randn(t.shape, { device: t.device }), { scale: std, offset: mean }));

/** Inputs and outputs of a layer's weight: [out, in, ...kernel]. */
export function fans(shape: Shape): { fanIn: number; fanOut: number } {
  checkShape("init", shape);
  check(
    shape.length >= 2,
    () => `[init] a weight of at least two dimensions is needed to know its inputs and outputs, got ${show(shape)}`,
    ShapeError,
  );
  const [outputs = 0, inputs = 0, ...kernel] = shape;
  const taps = sizeOf(kernel);
  return { fanIn: inputs * taps, fanOut: outputs * taps };
}

/** How much a nonlinearity shrinks: the standard deviation is multiplied by it. */
export function calculateGain(nonlinearity: Nonlinearity, a = 0): number {
  checkNumber("init", "a", a);
  switch (nonlinearity) {
    case "tanh":
      return 5 / 3;
    case "relu":
      return Math.SQRT2;
    case "leakyRelu":
      return Math.sqrt(2 / (1 + a * a));
    case "selu":
      return 3 / 4;
    case "linear":
    case "sigmoid":
      return 1;
    default:
      throw new ValueError(`[init] unknown nonlinearity ${told(nonlinearity)}`);
  }
}

function kaimingStd(t: Tensor, options: KaimingOptions): number {
  checkTensor("init", 0, t);
  checkOptions("init", options, ["a", "mode", "nonlinearity"]);
  const { a = 0, mode = "fanIn", nonlinearity = "leakyRelu" } = options;
  check(
    mode === "fanIn" || mode === "fanOut",
    () => `[init] mode must be "fanIn" or "fanOut", got ${told(mode)}`,
    ValueError,
  );
  return calculateGain(nonlinearity, a) / Math.sqrt(fans(t.shape)[mode]);
}

/** Uniform numbers that keep the variance through rectifiers. @see https://arxiv.org/abs/1502.01852 */
export function kaimingUniform_<T extends Tensor>(t: T, options: KaimingOptions = {}): T {
  const bound = Math.sqrt(3) * kaimingStd(t, options);
  return uniform_(t, -bound, bound);
}

/** Normal numbers that keep the variance through rectifiers. @see https://arxiv.org/abs/1502.01852 */
export const kaimingNormal_ = <T extends Tensor>(t: T, options: KaimingOptions = {}): T =>
  normal_(t, 0, kaimingStd(t, options));

const xavierStd = (t: Tensor, gain: number): number => {
  checkTensor("init", 0, t);
  checkNumber("init", "gain", gain);
  const { fanIn, fanOut } = fans(t.shape);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
};

/** Uniform numbers for symmetric nonlinearities. @see https://proceedings.mlr.press/v9/glorot10a.html */
export function xavierUniform_<T extends Tensor>(t: T, gain = 1): T {
  const bound = Math.sqrt(3) * xavierStd(t, gain);
  return uniform_(t, -bound, bound);
}

/** Normal numbers for symmetric nonlinearities. @see https://proceedings.mlr.press/v9/glorot10a.html */
export const xavierNormal_ = <T extends Tensor>(t: T, gain = 1): T => normal_(t, 0, xavierStd(t, gain));

export { dirac_, eye_, orthogonal_, sparse_, truncNormal_ } from "./structured-initialization.ts";
