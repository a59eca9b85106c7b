// Losses of single elements: mean squared and absolute differences, smooth L1, and cross-entropy of yes-or-no answers.
import { apply1 } from "../autograd/apply.ts";
import { checkTensor, deviceOf } from "../autograd/run.ts";
import { check, checkNumber, checkOptions } from "../errors.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { broadcastShapes, sameShape, show } from "../tensor/shape.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";
import * as activations from "./activation-rows.ts";
import { binary, binaryOp } from "./binary.ts";
import * as binaries from "./binary-rows.ts";
import { checkReduction, LOSS_OPTIONS, type LossOptions, type Reduction } from "./losses.ts";
import { mean, sum } from "./reduce.ts";
import { LOG1P } from "./special-functions.ts";
import { unary } from "./unary.ts";
import * as unaries from "./unary-rows.ts";

const SOFTPLUS = { beta: 1, threshold: 20 };
export const SMOOTH_OPTIONS = [...LOSS_OPTIONS, "beta"];

/** Checks both tensors, runs `losses` on them, and reduces what it gives. */
export function elementLoss(
  name: string,
  input: Tensor,
  target: Tensor,
  o: LossOptions,
  losses: () => Tensor,
  known = LOSS_OPTIONS,
): Tensor {
  deviceOf(name, [input, target]);
  checkSame(name, input, target);
  checkOptions(name, o, known);
  return reduceLoss(name, o.reduction, losses);
}

/** What becomes of the losses: their mean, their sum, or themselves. */
export function reduceLoss(name: string, reduction: Reduction = "mean", losses: () => Tensor): Tensor {
  checkReduction(name, reduction);
  return scope(() => {
    const each = losses();
    if (reduction === "none") return each;
    return reduction === "mean" ? mean(each) : sum(each);
  });
}

/** Throws unless `weight` (null: none) broadcasts to the losses. */
export function checkLossWeight(name: string, what: string, weight: Tensor | null, { shape }: Spec): void {
  if (weight === null) return;
  checkTensor(name, what, weight);
  checkDtype(name, what, weight.dtype, "f32");
  check(
    sameShape(broadcastShapes(name, weight.shape, shape), shape),
    () => `[${name}] ${what} has shape ${show(weight.shape)}, which does not broadcast to input ${show(shape)}`,
  );
}

function checkSame(name: string, input: Spec, target: Spec): void {
  checkDtype(name, "input", input.dtype, "f32");
  checkDtype(name, "target", target.dtype, "f32");
  check(
    sameShape(input.shape, target.shape),
    () =>
      `[${name}] target has shape ${show(target.shape)} but input has ${show(input.shape)}: reshape or expand one of them`,
  );
}

/**
 * Squared differences of two f32 tensors of one shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html
 */
export const mseLoss = (input: Tensor, target: Tensor, options: LossOptions = {}): Tensor =>
  elementLoss("mseLoss", input, target, options, () => unary(unaries.square, binary(binaries.sub, input, target)));

/**
 * Absolute differences of two f32 tensors of one shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.l1_loss.html
 */
export const l1Loss = (input: Tensor, target: Tensor, options: LossOptions = {}): Tensor =>
  elementLoss("l1Loss", input, target, options, () => unary(unaries.abs, binary(binaries.sub, input, target)));

/**
 * d^2 / (2 beta) for differences d below `beta` (default 1), |d| - beta / 2 above.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.smooth_l1_loss.html
 */
export function smoothL1Loss(
  input: Tensor,
  target: Tensor,
  options: LossOptions & {
    /** The difference at which the square becomes linear. Default 1. */
    beta?: number;
  } = {},
): Tensor {
  const { beta = 1 } = options ?? {};
  checkNumber("smoothL1Loss", "beta", beta, 0);
  const losses = () => unary(activations.smoothL1, binary(binaries.sub, input, target), { beta });
  return elementLoss("smoothL1Loss", input, target, options, losses, SMOOTH_OPTIONS);
}

/** log(1 + exp(a)) - a b, in PyTorch's terms: (1 - b) a + log(1 + exp(-a)); NaN for a = -Infinity. */
export const logitsLoss = binaryOp("binaryCrossEntropyWithLogits", {
  f: `let e = exp_nan(-abs(a));
    let log1p = ${LOG1P};
    return select((1.0 - b) * a + (max(-a, 0.0) + log1p), from_bits(0x7fc00000u), bitcast<u32>(a) == 0xff800000u)`,
  dtypes: ["f32"],
  saves: "both",
  vjp: [
    (dy, c) => binary(binaries.mul, binary(binaries.sub, unary(unaries.sigmoid, c.input(0)), c.input(1)), dy),
    (dy, c) => unary(unaries.affine, binary(binaries.mul, dy, c.input(0)), { scale: -1, offset: 0 }),
  ],
});

/** What `binaryCrossEntropyWithLogits` takes. */
export interface BinaryCrossEntropyOptions extends LossOptions {
  /** A factor for each loss: any shape that broadcasts to the input's. Default null: all count the same. */
  weight?: Tensor | null;
  /** A factor for the losses of positive answers, by class: any shape that broadcasts to the input's. Default null: 1. */
  posWeight?: Tensor | null;
}

/** Names of the options. */
export const BINARY_OPTIONS = [...LOSS_OPTIONS, "weight", "posWeight"];

/**
 * Cross-entropy of independent yes-or-no answers: logits of any shape, target probabilities of the same. Stable.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy_with_logits.html
 */
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  const { weight = null, posWeight = null } = options ?? {};
  const losses = () => {
    checkLossWeight("binaryCrossEntropyWithLogits", "weight", weight, input);
    checkLossWeight("binaryCrossEntropyWithLogits", "posWeight", posWeight, input);
    let each = apply1(logitsLoss, [input, target], undefined);
    if (posWeight) {
      // (1 - t) x + (1 + (w - 1) t) log(1 + exp(-x)): what w adds, beside the loss without it.
      const positive = unary(activations.softplus, unary(unaries.affine, input, { scale: -1, offset: 0 }), SOFTPLUS);
      const more = binary(binaries.mul, unary(unaries.affine, posWeight, { scale: 1, offset: -1 }), target);
      each = binary(binaries.add, each, binary(binaries.mul, more, positive));
    }
    return weight ? binary(binaries.mul, each, weight) : each;
  };
  return elementLoss("binaryCrossEntropyWithLogits", input, target, options, losses, BINARY_OPTIONS);
}
