// Losses of single elements beyond those of element-losses.ts: of probabilities, of distributions, of signs.
import { apply1 } from "../autograd/apply.ts";
import { checkTensor, deviceOf } from "../autograd/run.ts";
import { check, checkNumber, checkOptions, told, ValueError } from "../errors.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { sameShape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import * as activations from "./activation-rows.ts";
import { add, clamp, div, gt, maximum, mul, ne, neg, square, sub } from "./arithmetic.ts";
import { binary, binaryOp } from "./binary.ts";
import * as binaries from "./binary-rows.ts";
import { to } from "./cast.ts";
import { checkLossWeight, elementLoss, logitsLoss, reduceLoss } from "./element-losses.ts";
import { exp, log } from "./elementwise.ts";
import { LOSS_OPTIONS, type LossOptions, type Reduction } from "./losses.ts";
import { mean } from "./reduce.ts";
import { unary } from "./unary.ts";
import { unsqueeze } from "./view.ts";

export const WEIGHTED_OPTIONS = [...LOSS_OPTIONS, "weight"];
export const HUBER_OPTIONS = [...LOSS_OPTIONS, "delta"];
export const KL_OPTIONS = [...LOSS_OPTIONS, "logTarget"];
export const POISSON_OPTIONS = [...LOSS_OPTIONS, "logInput", "full", "eps"];
export const GAUSSIAN_OPTIONS = [...LOSS_OPTIONS, "full", "eps"];
export const MARGIN_OPTIONS = [...LOSS_OPTIONS, "margin"];

/** A loss with a factor for each element. */
export interface WeightedLossOptions extends LossOptions {
  /** A factor for each loss: any shape that broadcasts to the losses'. Default null: all count the same. */
  weight?: Tensor | null;
}

/** The input's slope of the loss of probabilities: (a - b) / (a (1 - a)), the divisor at least 1e-12 as PyTorch has it. */
export const probabilitySlope = binaryOp("binaryCrossEntropySlope", {
  f: "(a - b) / max_nan((1.0 - a) * a, 1e-12)",
  dtypes: ["f32"],
});

// Logarithms are at least -100, as in PyTorch: an answer that is certain and wrong costs 100, not infinity.
const probabilityLoss = binaryOp("binaryCrossEntropy", {
  f: `let no = select(log_nan(1.0 - a), -a * (1.0 + a * (0.5 + a * (1.0 / 3.0 + a * 0.25))), a < 0.01);
    return (b - 1.0) * max_nan(no, -100.0) - b * max_nan(log_nan(a), -100.0)`,
  dtypes: ["f32"],
  saves: "both",
  vjp: [
    (dy, c) => binary(binaries.mul, dy, apply1(probabilitySlope, [c.input(0), c.input(1)], undefined)),
    (dy, c) => mul(dy, sub(log(add(neg(c.input(0)), 1)), log(c.input(0)))),
  ],
});

/**
 * Cross-entropy of independent yes-or-no answers: probabilities from 0 to 1 of any shape, target probabilities of the same. Beside
 * logits, `binaryCrossEntropyWithLogits` is exact where this rounds.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy.html
 */
export function binaryCrossEntropy(input: Tensor, target: Tensor, options: WeightedLossOptions = {}): Tensor {
  const { weight = null } = options ?? {};
  const losses = () => {
    checkLossWeight("binaryCrossEntropy", "weight", weight, input);
    const each = apply1(probabilityLoss, [input, target], undefined);
    return weight ? binary(binaries.mul, each, weight) : each;
  };
  return elementLoss("binaryCrossEntropy", input, target, options, losses, WEIGHTED_OPTIONS);
}

const divergence = binaryOp("klDiv", {
  f: "select(b * log_nan(b), 0.0, b == 0.0) - b * a",
  dtypes: ["f32"],
  saves: "both",
  vjp: [(dy, c) => neg(mul(dy, c.input(1))), (dy, c) => mul(dy, sub(add(log(c.input(1)), 1), c.input(0)))],
});

/** What `klDiv` takes. */
export interface KlDivOptions {
  /** "batchmean": the sum divided by the size of dimension 0, which is the divergence as defined. Default "mean", of elements. */
  reduction?: Reduction | "batchmean";
  /** Whether the target holds logarithms, as the input does. Default false. */
  logTarget?: boolean;
}

/** The reduction that `klDiv` begins with. */
export const klReduction = (reduction: KlDivOptions["reduction"]): Reduction | undefined =>
  reduction === "batchmean" ? "sum" : reduction;

/**
 * Kullback-Leibler divergence by element: target (log(target) - input), `input` being logarithms of probabilities.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.kl_div.html
 */
export function klDiv(input: Tensor, target: Tensor, options: KlDivOptions = {}): Tensor {
  checkOptions("klDiv", options, KL_OPTIONS);
  const { reduction = "mean", logTarget = false } = options;
  const losses = () =>
    logTarget ? mul(exp(target), sub(target, input)) : apply1(divergence, [input, target], undefined);
  return scope(() => {
    const whole = elementLoss("klDiv", input, target, { reduction: klReduction(reduction) ?? "mean" }, losses);
    return reduction === "batchmean" ? div(whole, input.shape[0] ?? 1) : whole;
  });
}

/**
 * d^2 / 2 for differences d up to `delta` (default 1), delta (|d| - delta / 2) above.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.huber_loss.html
 */
export function huberLoss(
  input: Tensor,
  target: Tensor,
  options: LossOptions & {
    /** The difference at which the square becomes linear, above 0. Default 1. */
    delta?: number;
  } = {},
): Tensor {
  const { delta = 1 } = options ?? {};
  checkDelta("huberLoss", delta);
  const losses = () => {
    const each = unary(activations.smoothL1, binary(binaries.sub, input, target), { beta: delta });
    return delta === 1 ? each : mul(each, delta);
  };
  return elementLoss("huberLoss", input, target, options, losses, HUBER_OPTIONS);
}

export function checkDelta(name: string, delta: unknown): void {
  checkNumber(name, "delta", delta, 0);
  check(delta > 0, () => `[${name}] delta must be above 0, got ${told(delta)}`, ValueError);
}

/** What `poissonNllLoss` takes. */
export interface PoissonNllOptions extends LossOptions {
  /** Whether the input is the logarithm of the expected count: the loss is exp(input) - target input. Default true. */
  logInput?: boolean;
  /** Add Stirling's approximation of log(target!) for targets above 1. Default false. */
  full?: boolean;
  /** Added to an input that is no logarithm before one is taken. Default 1e-8. */
  eps?: number;
}

/**
 * Negative log-likelihood of counts that are distributed as Poisson's: f32 input and target of one shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.poisson_nll_loss.html
 */
export function poissonNllLoss(input: Tensor, target: Tensor, options: PoissonNllOptions = {}): Tensor {
  const { logInput = true, full = false, eps = 1e-8 } = options ?? {};
  checkNumber("poissonNllLoss", "eps", eps);
  const losses = () => {
    const each = logInput ? sub(exp(input), mul(target, input)) : sub(input, mul(target, log(add(input, eps))));
    if (!full) return each;
    const safe = maximum(target, 1);
    const stirling = add(sub(mul(safe, log(safe)), safe), mul(log(mul(safe, 2 * Math.PI)), 0.5));
    return add(each, mul(stirling, to(gt(target, 1), "f32")));
  };
  return elementLoss("poissonNllLoss", input, target, options, losses, POISSON_OPTIONS);
}

/** What `gaussianNllLoss` takes. */
export interface GaussianNllOptions extends LossOptions {
  /** Add the constant log(2 pi) / 2. Default false. */
  full?: boolean;
  /** The least variance, above 0; gradients are as if there were none. Default 1e-6. */
  eps?: number;
}

/**
 * Negative log-likelihood of normal variables: (log(variance) + (input - target)^2 / variance) / 2. `variance` has input's shape, or
 * that without its last dimension or with 1 in its place.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.gaussian_nll_loss.html
 */
export function gaussianNllLoss(
  input: Tensor,
  target: Tensor,
  variance: Tensor,
  options: GaussianNllOptions = {},
): Tensor {
  const { full = false, eps = 1e-6 } = options ?? {};
  checkNumber("gaussianNllLoss", "eps", eps, 0);
  checkTensor("gaussianNllLoss", "input", input);
  checkTensor("gaussianNllLoss", "variance", variance);
  checkDtype("gaussianNllLoss", "variance", variance.dtype, "f32");
  const { shape } = input;
  const shorter = sameShape(variance.shape, shape.slice(0, -1)) && !sameShape(variance.shape, shape);
  check(
    shorter || sameShape(variance.shape, shape) || sameShape(variance.shape, [...shape.slice(0, -1), 1]),
    () =>
      `[gaussianNllLoss] variance has shape ${show(variance.shape)} but input ${show(shape)} expects the same, or that without its last dimension`,
  );
  const losses = () => {
    const given = shorter ? unsqueeze(variance, -1) : variance;
    const known = given.detach();
    const v = add(given, sub(maximum(known, eps), known));
    const each = mul(add(log(v), div(square(sub(input, target)), v)), 0.5);
    return full ? add(each, 0.5 * Math.log(2 * Math.PI)) : each;
  };
  return elementLoss("gaussianNllLoss", input, target, options, losses, GAUSSIAN_OPTIONS);
}

/** Targets 1 and -1, of f32 or integers, as f32. */
export function signs(name: string, target: Tensor): Tensor {
  checkTensor(name, "target", target);
  checkDtype(name, "target", target.dtype, "f32", "i32", "u32");
  return to(target, "f32");
}

/**
 * log(1 + exp(-target input)) for targets 1 and -1 of the input's shape, f32 or i32.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.soft_margin_loss.html
 */
export const softMarginLoss = (input: Tensor, target: Tensor, options: LossOptions = {}): Tensor =>
  signedLoss("softMarginLoss", input, target, options, LOSS_OPTIONS, (t) =>
    unary(activations.softplus, neg(mul(input, t)), { beta: 1, threshold: 20 }),
  );

/** What losses with a margin take. */
export interface MarginLossOptions extends LossOptions {
  /** How far apart what differs should be. Default 1 of `hingeEmbeddingLoss`, 0 of the others. */
  margin?: number;
}

/**
 * The input, a distance, for target 1; max(0, margin - input) for target -1: both of one shape, the target f32 or i32. `margin`
 * is 1 by default.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.hinge_embedding_loss.html
 */
export function hingeEmbeddingLoss(input: Tensor, target: Tensor, options: MarginLossOptions = {}): Tensor {
  const { margin = 1 } = options ?? {};
  checkNumber("hingeEmbeddingLoss", "margin", margin);
  return signedLoss("hingeEmbeddingLoss", input, target, options, MARGIN_OPTIONS, (t) =>
    // Another target than these counts for both, as in PyTorch.
    add(mul(clamp(add(neg(input), margin), { min: 0 }), to(ne(t, 1), "f32")), mul(input, to(ne(t, -1), "f32"))),
  );
}

/** A loss by element of a target of signs. */
function signedLoss(
  name: string,
  input: Tensor,
  target: Tensor,
  options: LossOptions,
  known: string[],
  losses: (signs: Tensor) => Tensor,
): Tensor {
  deviceOf(name, [input, target]);
  return scope(() => {
    const t = signs(name, target);
    return elementLoss(name, input, t, options, () => losses(t), known);
  });
}

/**
 * Cross-entropy of independent yes-or-no answers, the mean over the last dimension's classes: logits and target [N, C] or [C]. The
 * reduction is over samples. `weight`: [C].
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_soft_margin_loss.html
 */
export function multilabelSoftMarginLoss(input: Tensor, target: Tensor, options: WeightedLossOptions = {}): Tensor {
  const name = "multilabelSoftMarginLoss";
  checkOptions(name, options, WEIGHTED_OPTIONS);
  const { reduction, weight = null } = options;
  return scope(() => {
    const losses = () => {
      checkLossWeight(name, "weight", weight, input);
      check(input.ndim > 0, () => `[${name}] input is a scalar but must be [N, C] or [C]`);
      const each = apply1(logitsLoss, [input, target], undefined);
      return weight ? binary(binaries.mul, each, weight) : each;
    };
    const each = elementLoss(name, input, target, { reduction: "none" }, losses);
    return reduceLoss(name, reduction, () => mean(each, -1));
  });
}
