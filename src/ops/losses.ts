// Losses: cross-entropy and negative log-likelihood, fused; mean squared, absolute and smooth ones, composed.
import { apply1 } from "../autograd/apply.ts";
import { type OldContext, type OldOp, savesNothing } from "../autograd/op.ts";
import { check, ValueError } from "../errors.ts";
import { faultCode } from "../gpu/faults.ts";
import { f32Bits } from "../gpu/queue.ts";
import { planRows, type RowPlan, rowWords } from "../kernels/row-plan.ts";
import { OldKernel as Kernel } from "../kernels/specialize.ts";
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

export type Reduction = "mean" | "sum" | "none";

export interface LossOptions {
  /** "none": a loss for each sample or element. Default "mean". */
  reduction?: Reduction;
}
export interface NllLossOptions extends LossOptions {
  /** Samples with this label count for nothing. Default -100. */
  ignoreIndex?: number;
  /** [C]: a factor for each class. A mean divides by the factors' sum. */
  weight?: Tensor | null;
}
export interface CrossEntropyOptions extends NllLossOptions {
  /** Share of the target that is spread evenly over all classes, from 0 to 1. Default 0. */
  labelSmoothing?: number;
}

interface Attrs {
  readonly name: string;
  readonly reduction: Reduction;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
  /** False: the input holds log-probabilities. */
  readonly normalize: boolean;
  readonly software: boolean;
}

const forwardKernel = new Kernel("cross_entropy", forwardWgsl);
const finishKernel = new Kernel("cross_entropy_finish", finishWgsl);
const backwardKernel = new Kernel("cross_entropy_backward", backwardWgsl);
const overrides = (probabilities: boolean, { normalize }: Attrs) => ({
  T: probabilities ? "f32" : "i32",
  PROBABILITIES: String(probabilities),
  NORMALIZE: String(normalize),
});

const REDUCTIONS = { none: 0, sum: 1, mean: 2 };
const LABEL_FAULT = faultCode(
  (label, classes) =>
    new ValueError(
      `[crossEntropy] a label is ${label}, but ${classes} classes take labels 0 to ${classes - 1} (or ignoreIndex): check the data set's labels and the model's numClasses`,
    ),
);

// Classes are dimension 1, or the only one.
const classDim = (shape: Shape): number => (shape.length === 1 ? 0 : 1);

function plan(shape: Shape, software: boolean): RowPlan & { readonly inner: number } {
  const dim = classDim(shape);
  const length = shape[dim]!;
  const rows = sizeOf(shape.filter((_, i) => i !== dim));
  return { ...planRows(rows, length, software), inner: sizeOf(shape.slice(dim + 1)) };
}

const smoothing = ({ labelSmoothing }: Attrs, classes: number) => [
  f32Bits(1 - labelSmoothing),
  f32Bits(labelSmoothing / classes),
];

/** [logits, target, saved, dy, weight?] to the logits' gradient. */
const backwardOp: OldOp<Attrs> = {
  name: "crossEntropyBackward",
  infer: ([x]) => [x!],
  forward({ queue }, [x, target, saved, dy, weight], [dx], attrs) {
    const p = plan(x!.shape, attrs.software);
    const words = [...rowWords(p), p.inner, REDUCTIONS[attrs.reduction], Number(!!weight), attrs.ignoreIndex];
    queue.dispatch(
      backwardKernel.variant(overrides(target!.dtype === "f32", attrs)),
      [x!, target!, weight ?? x!, saved!, dy!, dx!].map((t) => t.storage),
      [...words, ...smoothing(attrs, p.length)],
      p.grid,
    );
  },
  saves: savesNothing,
  vjp: "not differentiable",
};

/** [logits, target, weight?] to [loss, saved]. */
const crossEntropyOp: OldOp<Attrs> = {
  name: "crossEntropy",
  aux: 1,
  infer([x, target, weight], attrs) {
    const { name, reduction } = attrs;
    checkDtype(name, "input", x!.dtype, "f32");
    checkDtype(name, "target", target!.dtype, "i32", ...(attrs.normalize ? (["f32"] as const) : []));
    const { shape } = x!;
    check(shape.length > 0, () => `[${name}] input is a scalar but must be [N, C], [N, C, ...] or [C]`);
    const dim = classDim(shape);
    const classes = shape[dim]!;
    const samples = shape.filter((_, i) => i !== dim);
    const expected = target!.dtype === "f32" ? shape : samples;
    const kind = target!.dtype === "f32" ? "class probabilities (f32)" : "labels (i32)";
    check(
      sameShape(target!.shape, expected),
      () =>
        `[${name}] target of ${kind} has shape ${show(target!.shape)} but input ${show(shape)} expects ${show(expected)}`,
    );
    if (weight) {
      checkDtype(name, "weight", weight.dtype, "f32");
      check(
        sameShape(weight.shape, [classes]),
        () => `[${name}] weight has shape ${show(weight.shape)} but input ${show(shape)} expects ${show([classes])}`,
      );
    }
    check(
      attrs.labelSmoothing >= 0 && attrs.labelSmoothing <= 1,
      () => `[${name}] labelSmoothing must be from 0 to 1, got ${attrs.labelSmoothing}`,
      ValueError,
    );
    const { rows, groups } = plan(shape, attrs.software);
    return [
      { shape: reduction === "none" ? samples : [], dtype: "f32" },
      { shape: [rows + 1 + (groups > 1 ? groups : 0), 4], dtype: "f32" },
    ];
  },
  forward({ queue }, [x, target, weight], [loss, saved], attrs) {
    const p = plan(x!.shape, attrs.software);
    const reduction = REDUCTIONS[attrs.reduction];
    const words = [...rowWords(p), p.inner, p.groups, reduction, Number(!!weight), attrs.ignoreIndex];
    queue.dispatch(
      forwardKernel.variant(overrides(target!.dtype === "f32", attrs)),
      [...[x!, target!, weight ?? x!, loss!, saved!].map((t) => t.storage), queue.faults],
      [...words, ...smoothing(attrs, p.length), LABEL_FAULT],
      p.grid,
    );
    if (p.groups !== 1 && reduction !== 0) {
      queue.dispatch(finishKernel.variant(), [loss!.storage, saved!.storage], [p.rows, p.groups, reduction], [1]);
    }
  },
  saves: (needs) => ({ inputs: needs.map((_, i) => i), outputs: [1] }),
  vjp([dy], c) {
    const weight = c.inputSpecs.length > 2 ? [c.input(2)] : [];
    const dx = c.needs[0] ? apply1(backwardOp, [c.input(0), c.input(1), c.output(1), dy!, ...weight], c.attrs) : null;
    return [dx, c.needs[1] ? targetGradient(dy!, c) : null, null];
  },
};

/** Of class probabilities: -(1 - smoothing) w log p, times the gradient of each sample's loss. */
function targetGradient(dy: Tensor, c: OldContext<Attrs>): Tensor {
  const { attrs, inputSpecs } = c;
  const { shape } = inputSpecs[0]!;
  const dim = classDim(shape);
  const samples = shape.map((d, i) => (i === dim ? 1 : d));
  const perSample = attrs.reduction === "none" ? view("crossEntropy", dy, samples) : dy;
  const factor = (attrs.labelSmoothing - 1) / (attrs.reduction === "mean" ? sizeOf(samples) : 1);
  let grad = binary("mul", logSoftmax(c.input(0), dim), unary("affine", perSample, { scale: factor, offset: 0 }));
  if (inputSpecs.length > 2) {
    const perClass = shape.map((d, i) => (i === dim ? d : 1));
    grad = binary("mul", grad, view("crossEntropy", c.input(2), perClass));
  }
  return grad;
}

function classLoss(name: string, x: Tensor, target: Tensor, o: CrossEntropyOptions, normalize: boolean): Tensor {
  const { reduction = "mean", ignoreIndex = -100, labelSmoothing = 0, weight } = o;
  const attrs = { name, reduction, ignoreIndex, labelSmoothing, normalize, software: x.device.info.isSoftware };
  return apply1(crossEntropyOp, weight ? [x, target, weight] : [x, target], attrs);
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
  { beta = 1, ...options }: LossOptions & { beta?: number } = {},
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
