// Losses: cross-entropy and negative log-likelihood, fused; mean squared, absolute and smooth ones, composed.
import { apply1 } from "../autograd/apply.ts";
import { type Op, type VjpContext, withoutGradient } from "../autograd/op.ts";
import { check, ValueError } from "../errors.ts";
import type { DeviceInfo } from "../gpu/device.ts";
import { faultCode } from "../gpu/faults.ts";
import { Kernel } from "../kernels/kernel.ts";
import { planRows, type RowPlan } from "../kernels/row-plan.ts";
import forwardWgsl from "../kernels/wgsl/cross-entropy.wgsl";
import backwardWgsl from "../kernels/wgsl/cross-entropy-backward.wgsl";
import finishWgsl from "../kernels/wgsl/cross-entropy-finish.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { type Shape, sameShape, show, sizeOf } from "../tensor/shape.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";
import { activation } from "./activation-rows.ts";
import { binary } from "./binary.ts";
import { mean, sum } from "./reduce.ts";
import { logSoftmax } from "./softmax.ts";
import { unary } from "./unary.ts";
import { view } from "./view.ts";

/** By the numbers that the kernels know them by. */
const REDUCTIONS = { none: 0, sum: 1, mean: 2 };
/** What becomes of the losses of samples or elements: their mean, their sum, or nothing. */
export type Reduction = keyof typeof REDUCTIONS;

/** Callers without types may ask for anything. */
function checkReduction(name: string, reduction: Reduction): void {
  check(
    Object.hasOwn(REDUCTIONS, reduction),
    () => `[${name}] reduction must be one of ${Object.keys(REDUCTIONS).join(", ")}, got ${reduction}`,
    ValueError,
  );
}

/** What every loss takes. */
export interface LossOptions {
  /** "none": a loss for each sample or element. Default "mean". */
  reduction?: Reduction;
}
/** What losses of classes take. */
export interface NllLossOptions extends LossOptions {
  /** Samples with this label count for nothing. Default -100. */
  ignoreIndex?: number;
  /** [C]: a factor for each class. A mean divides by the factors' sum. Default null: all count the same. */
  weight?: Tensor | null;
}
/** What `crossEntropy` takes. */
export interface CrossEntropyOptions extends NllLossOptions {
  /** Share of the target that is spread evenly over all classes, from 0 to 1. Default 0. */
  labelSmoothing?: number;
}

export interface CrossEntropyAttrs {
  readonly name: string;
  readonly reduction: Reduction;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
  /** False: the input holds log-probabilities. */
  readonly normalize: boolean;
}

const forwardKernel = new Kernel(forwardWgsl);
const finishKernel = new Kernel(finishWgsl);
const backwardKernel = new Kernel(backwardWgsl);

/** The variant of both kernels for this target. */
const overrides = ({ dtype }: Spec, { normalize }: CrossEntropyAttrs) => ({
  T: dtype,
  PROBABILITIES: dtype === "f32",
  NORMALIZE: normalize,
});

const LABEL_FAULT = faultCode(
  (label, classes) =>
    new ValueError(
      `[crossEntropy] a label is ${label}, but ${classes} classes take labels 0 to ${classes - 1} (or ignoreIndex): check the data set's labels and the model's numClasses`,
    ),
);

// Classes are dimension 1, or the only one.
export const classDim = (shape: Shape): number => (shape.length === 1 ? 0 : 1);

const plan = (shape: Shape, info: DeviceInfo): RowPlan => {
  const dim = classDim(shape);
  const rows = sizeOf(shape.filter((_, i) => i !== dim));
  return planRows(rows, shape[dim] ?? 0, info, sizeOf(shape.slice(dim + 1)));
};

/** What both kernels take besides the plan's numbers. */
const paramsOf = ({ params }: RowPlan, { reduction, ignoreIndex, labelSmoothing }: CrossEntropyAttrs) => ({
  ...params,
  reduction: REDUCTIONS[reduction],
  ignore: ignoreIndex,
  keep: 1 - labelSmoothing,
  even: labelSmoothing / params.length,
});

type Inputs = readonly [logits: Tensor, target: Tensor, weight: Tensor | null];
type Context = VjpContext<Inputs, CrossEntropyAttrs, readonly [loss: Tensor, saved: Tensor]>;

/** The logits' gradient. */
const backwardOp: Op<readonly [...Inputs, saved: Tensor, dy: Tensor], CrossEntropyAttrs> = {
  name: "crossEntropyBackward",
  infer: ([x]) => [x],
  forward(run, [x, labels, weight, saved, dy], [dx], attrs) {
    const p = plan(x.shape, run.device.info);
    const variant = backwardKernel.variant(overrides(labels, attrs));
    variant.launch(run, { x, labels, weight, saved, dy, dx }, paramsOf(p, attrs), p.grid);
  },
  ...withoutGradient,
};

/** The loss; for the tape what the kernels call `saved`, a vector for each sample and one for all. */
export const crossEntropyOp: Op<Inputs, CrossEntropyAttrs, readonly [loss: Tensor], readonly [saved: Tensor]> = {
  name: "crossEntropy",
  aux: 1,
  infer([x, target, weight], { name, reduction, normalize, labelSmoothing }) {
    checkDtype(name, "input", x.dtype, "f32");
    checkDtype(name, "target", target.dtype, "i32", ...(normalize ? (["f32"] as const) : []));
    checkReduction(name, reduction);
    const { shape } = x;
    check(shape.length > 0, () => `[${name}] input is a scalar but must be [N, C], [N, C, ...] or [C]`);
    const dim = classDim(shape);
    const classes = shape.slice(dim, dim + 1);
    const samples = shape.filter((_, i) => i !== dim);
    const expected = target.dtype === "f32" ? shape : samples;
    const kind = target.dtype === "f32" ? "class probabilities (f32)" : "labels (i32)";
    check(
      sameShape(target.shape, expected),
      () =>
        `[${name}] target of ${kind} has shape ${show(target.shape)} but input ${show(shape)} expects ${show(expected)}`,
    );
    if (weight) {
      checkDtype(name, "weight", weight.dtype, "f32");
      check(
        sameShape(weight.shape, classes),
        () => `[${name}] weight has shape ${show(weight.shape)} but input ${show(shape)} expects ${show(classes)}`,
      );
    }
    check(
      labelSmoothing >= 0 && labelSmoothing <= 1,
      () => `[${name}] labelSmoothing must be from 0 to 1, got ${labelSmoothing}`,
      ValueError,
    );
    return [
      { shape: reduction === "none" ? samples : [], dtype: "f32" },
      { shape: [sizeOf(samples) + 1, 4], dtype: "f32" },
    ];
  },
  forward(run, [x, labels, weight], [loss, saved], attrs) {
    const p = plan(x.shape, run.device.info);
    const { groups } = p;
    const reduction = REDUCTIONS[attrs.reduction];
    // One workgroup reduces by itself.
    const totals = groups === 1 || reduction === REDUCTIONS.none ? null : run.scratch([Math.max(groups, 1), 2]);
    forwardKernel
      .variant(overrides(labels, attrs))
      .launch(
        run,
        { x, labels, weight, loss, saved, totals, faults: run.queue.faults },
        { ...paramsOf(p, attrs), groups, fault: LABEL_FAULT },
        p.grid,
      );
    if (totals) finishKernel.launch(run, { totals, loss, saved }, { rows: p.params.rows, groups, reduction }, [1]);
  },
  saves: () => ({ inputs: [0, 1, 2], outputs: [1] }),
  vjp([dy], c) {
    const given = [c.input(0), c.input(1), c.input(2), c.output(1), dy] as const;
    return [c.needs[0] ? apply1(backwardOp, given, c.attrs) : null, c.needs[1] ? targetGradient(dy, c) : null, null];
  },
};

/** Of class probabilities: -(1 - smoothing) w log p, times the gradient of each sample's loss. */
function targetGradient(dy: Tensor, c: Context): Tensor {
  const [logits, weight] = [c.input(0), c.input(2)];
  const { reduction, labelSmoothing } = c.attrs;
  const { shape } = logits;
  const dim = classDim(shape);
  const samples = shape.map((d, i) => (i === dim ? 1 : d));
  const perSample = reduction === "none" ? view("crossEntropy", dy, samples) : dy;
  const factor = (labelSmoothing - 1) / (reduction === "mean" ? sizeOf(samples) : 1);
  const grad = binary("mul", logSoftmax(logits, dim), unary("affine", perSample, { scale: factor, offset: 0 }));
  if (!weight) return grad;
  const perClass = shape.map((d, i) => (i === dim ? d : 1));
  return binary("mul", grad, view("crossEntropy", weight, perClass));
}

function classLoss(name: string, x: Tensor, target: Tensor, o: CrossEntropyOptions, normalize: boolean): Tensor {
  const { reduction = "mean", ignoreIndex = -100, labelSmoothing = 0, weight } = o;
  const attrs = { name, reduction, ignoreIndex, labelSmoothing, normalize };
  return apply1(crossEntropyOp, [x, target, weight ?? null], attrs);
}

/**
 * Cross-entropy of `logits` [N, C], [N, C, d1, ...] or [C] with `target`: labels, i32 of that shape without C, or
 * class probabilities, f32 of that shape. Stable for logits of any size. The mean divides by the number of samples that
 * are not ignored, or by the sum of their labels' weights.
 * @throws ValueError for a label out of range; as only the device sees labels, it comes from the next read or sync().
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
 */
export const crossEntropy = (logits: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor =>
  classLoss("crossEntropy", logits, target, options, true);

/**
 * Negative log-likelihood: `crossEntropy` of log-probabilities instead of logits, with labels.
 * @throws ValueError as `crossEntropy`.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.nll_loss.html
 */
export const nllLoss = (logProbabilities: Tensor, target: Tensor, options: NllLossOptions = {}): Tensor => {
  const { reduction, ignoreIndex, weight } = options;
  return classLoss("nllLoss", logProbabilities, target, { reduction, ignoreIndex, weight }, false);
};

/** Checks both tensors, runs `losses` on them, and reduces what it gives. */
function elementLoss(name: string, input: Tensor, target: Tensor, o: LossOptions, losses: () => Tensor): Tensor {
  checkSame(name, input, target);
  const { reduction = "mean" } = o;
  checkReduction(name, reduction);
  return scope(() => {
    const each = losses();
    if (reduction === "none") return each;
    return reduction === "mean" ? mean(each) : sum(each);
  });
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
  elementLoss("mseLoss", input, target, options, () => unary("square", binary("sub", input, target)));

/**
 * Absolute differences of two f32 tensors of one shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.l1_loss.html
 */
export const l1Loss = (input: Tensor, target: Tensor, options: LossOptions = {}): Tensor =>
  elementLoss("l1Loss", input, target, options, () => unary("abs", binary("sub", input, target)));

/**
 * d^2 / (2 beta) for differences d below `beta` (default 1), |d| - beta / 2 above.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.smooth_l1_loss.html
 */
export function smoothL1Loss(
  input: Tensor,
  target: Tensor,
  {
    beta = 1,
    ...options
  }: LossOptions & {
    /** The difference at which the square becomes linear. Default 1. */
    beta?: number;
  } = {},
): Tensor {
  check(beta >= 0, () => `[smoothL1Loss] beta must not be negative, got ${beta}`, ValueError);
  if (beta === 0) return l1Loss(input, target, options);
  return elementLoss("smoothL1Loss", input, target, options, () => {
    // With c = min(|d|, beta): c (|d| - c / 2) / beta is both branches in one.
    const d = unary("abs", binary("sub", input, target));
    const c = unary("clamp", d, { low: 0, high: beta });
    const half = unary("affine", c, { scale: 0.5, offset: 0 });
    return unary("affine", binary("mul", c, binary("sub", d, half)), { scale: 1 / beta, offset: 0 });
  });
}

/**
 * Cross-entropy of independent yes-or-no answers: logits of any shape, target probabilities of the same. Stable.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy_with_logits.html
 */
export const binaryCrossEntropyWithLogits = (input: Tensor, target: Tensor, options: LossOptions = {}): Tensor =>
  elementLoss("binaryCrossEntropyWithLogits", input, target, options, () =>
    // A threshold that no logit reaches: softplus as it is, never the identity.
    binary("sub", activation("softplus", input, { beta: 1, threshold: 1e30 }), binary("mul", input, target)),
  );
