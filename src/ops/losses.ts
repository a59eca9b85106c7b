// Losses of classes, cross-entropy and negative log-likelihood, fused. Those of single elements are in element-losses.ts.
import { apply1 } from "../autograd/apply.ts";
import { type Op, withoutGradient } from "../autograd/op.ts";
import type { Run } from "../autograd/run.ts";
import { check, checkNumber, checkOptions, told, ValueError } from "../errors.ts";
import type { DeviceInfo } from "../gpu/device.ts";
import { faultCode } from "../gpu/faults.ts";
import { allFit, partOf } from "../kernels/binding-parts.ts";
import { Kernel } from "../kernels/kernel.ts";
import { planRows, type RowPlan } from "../kernels/row-plan.ts";
import forwardWgsl from "../kernels/wgsl/cross-entropy.wgsl";
import backwardWgsl from "../kernels/wgsl/cross-entropy-backward.wgsl";
import finishWgsl from "../kernels/wgsl/cross-entropy-finish.wgsl";
import { checkDtype, checkValue } from "../tensor/dtype.ts";
import { type Shape, sameShape, show, sizeOf } from "../tensor/shape.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";
import { bySamples } from "./losses-in-pieces.ts";

/** By the numbers that the kernels know them by. */
const REDUCTIONS = { none: 0, sum: 1, mean: 2 };
/** What becomes of the losses of samples or elements: their mean, their sum, or nothing. */
export type Reduction = keyof typeof REDUCTIONS;

/** Callers without types may ask for anything. */
export function checkReduction(name: string, reduction: Reduction = "mean"): void {
  check(
    typeof reduction === "string" && Object.hasOwn(REDUCTIONS, reduction),
    () => `[${name}] reduction must be one of ${Object.keys(REDUCTIONS).join(", ")}, got ${told(reduction)}`,
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

/** Names of the options. */
export const LOSS_OPTIONS = ["reduction"];
export const NLL_OPTIONS = [...LOSS_OPTIONS, "ignoreIndex", "weight"];
export const CROSS_ENTROPY_OPTIONS = [...NLL_OPTIONS, "labelSmoothing"];

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

interface BackwardAttrs extends CrossEntropyAttrs {
  /** Of what the gradient is. */
  readonly of: "logits" | "probabilities";
}

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
type BackwardInputs = readonly [...Inputs, saved: Tensor, dy: Tensor];

const backwardVariant = (target: Spec, attrs: BackwardAttrs) =>
  backwardKernel.variant({ ...overrides(target, attrs), TARGET: attrs.of === "probabilities" });

/** Some samples at a time. */
function backwardInPieces(
  run: Run,
  [x, labels, weight, saved, dy]: BackwardInputs,
  dx: Tensor,
  attrs: BackwardAttrs,
): void {
  const variant = backwardVariant(labels, attrs);
  bySamples(run, x, saved.numel / 4 - 1, (piece) => {
    const { rows, firstRow } = piece;
    const kept = piece.scratch([rows + 1, 4]);
    run.queue.copy(partOf(saved.storage, 4 * firstRow, 4 * rows), kept.storage);
    run.queue.copy(partOf(saved.storage, saved.numel - 4, 4), partOf(kept.storage, 4 * rows, 4));
    const [logits, result] = [piece.of(x), piece.room(dx)];
    const p = plan(logits.shape, run.device.info);
    const given = attrs.reduction === "none" ? piece.of(dy) : dy;
    const buffers = { x: logits, labels: piece.of(labels), weight, saved: kept, dy: given, dx: result };
    variant.launch(run, buffers, paramsOf(p, attrs), p.grid);
    piece.put(result, dx);
  });
}

/** The gradient of the logits, or of class probabilities. */
const backwardOp: Op<BackwardInputs, BackwardAttrs> = {
  name: "crossEntropyBackward",
  required: 2,
  infer: ([x]) => [x],
  forward(run, inputs, [dx], attrs) {
    const [x, labels, weight, saved, dy] = inputs;
    if (!allFit(run.device.info, [x, saved]) && x.ndim > 1) {
      backwardInPieces(run, inputs, dx, attrs);
      return;
    }
    const p = plan(x.shape, run.device.info);
    backwardVariant(labels, attrs).launch(run, { x, labels, weight, saved, dy, dx }, paramsOf(p, attrs), p.grid);
  },
  ...withoutGradient,
};

/** Some samples at a time: their sums are added up as those of workgroups are. */
function forwardInPieces(
  run: Run,
  [x, labels, weight]: Inputs,
  loss: Tensor,
  saved: Tensor,
  attrs: CrossEntropyAttrs,
): void {
  const variant = forwardKernel.variant(overrides(labels, attrs));
  const reduction = REDUCTIONS[attrs.reduction];
  const sums: Tensor[] = [];
  bySamples(run, x, saved.numel / 4 - 1, (piece) => {
    const logits = piece.of(x);
    const p = plan(logits.shape, run.device.info);
    const kept = piece.scratch([piece.rows + 1, 4]);
    const totals = reduction === REDUCTIONS.none ? null : run.scratch([p.groups, 2]);
    if (totals) sums.push(totals);
    const losses = totals ? loss : piece.room(loss);
    variant.launch(
      run,
      { x: logits, labels: piece.of(labels), weight, loss: losses, saved: kept, totals, faults: run.queue.faults },
      { ...paramsOf(p, attrs), groups: p.groups, fault: LABEL_FAULT },
      p.grid,
    );
    // With the row for all samples, which the next piece writes over.
    run.queue.copy(kept.storage, partOf(saved.storage, 4 * piece.firstRow, kept.numel));
    if (!totals) piece.put(losses, loss);
  });
  if (sums.length === 0) return;
  const numel = sums.reduce((n, t) => n + t.numel, 0);
  const [totals, scale] = [run.scratch([numel]), run.scratch([4])];
  let at = 0;
  for (const t of sums) {
    run.queue.copy(t.storage, partOf(totals.storage, at, t.numel));
    at += t.numel;
  }
  finishKernel.launch(run, { totals, loss, saved: scale }, { rows: 0, groups: numel / 2, reduction }, [1]);
  run.queue.copy(scale.storage, partOf(saved.storage, saved.numel - 4, 4));
}

/** The loss; for the tape what the kernels call `saved`, a vector for each sample and one for all. */
export const crossEntropyOp: Op<Inputs, CrossEntropyAttrs, readonly [loss: Tensor], readonly [saved: Tensor]> = {
  name: "crossEntropy",
  required: 2,
  aux: 1,
  infer([x, target, weight], { name, reduction, normalize }) {
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
    return [
      { shape: reduction === "none" ? samples : [], dtype: "f32" },
      { shape: [sizeOf(samples) + 1, 4], dtype: "f32" },
    ];
  },
  forward(run, inputs, [loss, saved], attrs) {
    const [x, labels, weight] = inputs;
    if (!allFit(run.device.info, [x, saved]) && x.ndim > 1) {
      forwardInPieces(run, inputs, loss, saved, attrs);
      return;
    }
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
    const gradient = (of: BackwardAttrs["of"]) => apply1(backwardOp, given, { ...c.attrs, of });
    return [c.needs[0] ? gradient("logits") : null, c.needs[1] ? gradient("probabilities") : null, null];
  },
};

function classLoss(name: string, x: Tensor, target: Tensor, o: CrossEntropyOptions, normalize: boolean): Tensor {
  checkOptions(name, o, normalize ? CROSS_ENTROPY_OPTIONS : NLL_OPTIONS);
  const { reduction = "mean", ignoreIndex = -100, labelSmoothing = 0, weight } = o;
  checkValue(name, () => "ignoreIndex", ignoreIndex, "i32");
  checkNumber(name, "labelSmoothing", labelSmoothing, 0, 1);
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
export const nllLoss = (logProbabilities: Tensor, target: Tensor, options: NllLossOptions = {}): Tensor =>
  classLoss("nllLoss", logProbabilities, target, options, false);
