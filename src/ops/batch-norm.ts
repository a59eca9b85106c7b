// Batch norm in training and evaluation, alone or with what often follows it: adding a residual, an activation.

import { apply, apply1 } from "../autograd/apply.ts";
import { type Following, type Op, withoutGradient } from "../autograd/op.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, checkNumber, checkOptions, ValueError } from "../errors.ts";
import { planChannels } from "../kernels/channel-plan.ts";
import type { Division } from "../kernels/divide.ts";
import { type Activation, unaryBody } from "../kernels/elementwise.ts";
import { Kernel } from "../kernels/kernel.ts";
import type { Run } from "../kernels/run.ts";
import forwardWgsl from "../kernels/wgsl/batch-norm.wgsl";
import backwardWgsl from "../kernels/wgsl/batch-norm-backward.wgsl";
import { ones } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { sameShape, show } from "../tensor/shape.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";
import { asActivation, asAddition } from "./absorb.ts";
import { relu } from "./unary-rows.ts";
import { inPlaces } from "./wanted.ts";

/** What `batchNorm` takes beside tensors. */
export interface BatchNormOptions {
  /** True: normalise with the batch's statistics, and move the running ones. Default false. */
  training?: boolean;
  /** Weight of the batch in the running statistics. Default 0.1. */
  momentum?: number;
  /** Added to the variance. Default 1e-5. */
  eps?: number;
}

/** What `batchNormRelu` takes beside tensors. */
export interface BatchNormReluOptions extends BatchNormOptions {
  /** Added before the ReLU, same shape as x. Default null: nothing. */
  residual?: Tensor | null;
}

export interface BatchNormAttrs {
  /** Of the function that was called, for errors. */
  readonly name: string;
  readonly training: boolean;
  /** False: training leaves the running statistics as they are. Default true. */
  readonly update?: boolean;
  readonly momentum: number;
  readonly eps: number;
  /** Applied last. */
  readonly activation: Activation | null;
}

export type BatchNormInputs = readonly [
  x: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  residual: Tensor | null,
];

/** "both": sums and their use in one dispatch. */
type Phase = "both" | "sums" | "apply";

const VECTORS = {
  V: "vec4f",
  WIDTH: "4u",
  total: "fn total(v: V) -> f32 { return v.x + v.y + v.z + v.w; }",
};
const MAP = "fn map(v: V) -> V { return vec4f(f(v.x), f(v.y), f(v.z), f(v.w)); }";
const PULL =
  "fn pull(x: V, dy: V) -> V { return vec4f(back(act(x.x), dy.x), back(act(x.y), dy.y), back(act(x.z), dy.z), back(act(x.w), dy.w)); }";
const NONE: Activation = { name: "linear", row: { f: "x", dx: "dy", saves: "none" }, scalars: [] };

const forwardKernel = new Kernel(forwardWgsl);
const backwardKernel = new Kernel(backwardWgsl);

function forwardVariant(phase: Phase, width: 1 | 4, { name, row }: Activation) {
  const overrides = {
    STATS: phase !== "apply",
    APPLY: phase !== "sums",
    f: `fn f(x: f32) -> f32 { ${unaryBody(row, row.f)} }`,
    ...(width === 4 && { ...VECTORS, map: MAP }),
  };
  return forwardKernel.variant(overrides, `${phase} width=${width} ${name}`);
}

/** `fromZ`: the derivative is to be had from the value before the activation, whatever its row would save. */
function backwardVariant(phase: Phase, width: 1 | 4, { name, row }: Activation, fromZ: boolean) {
  const overrides = {
    REDUCE: phase !== "apply",
    APPLY: phase !== "sums",
    back: `fn back(x: f32, dy: f32) -> f32 { ${unaryBody(row, row.dx)} }`,
    ...(fromZ && row.saves === "y" && { act: `fn act(x: f32) -> f32 { ${unaryBody(row, row.f)} }` }),
    ...(width === 4 && { ...VECTORS, pull: PULL }),
  };
  return backwardKernel.variant(overrides, `${phase} width=${width} ${name}${fromZ ? "" : " y"}`);
}

/** Channels that workgroups take at a time: one may be of one channel. */
const MOST_CHANNELS = 65_535;
const crowded = ([x]: readonly (Tensor | null)[]): boolean => (x?.shape[1] ?? 0) > MOST_CHANNELS;

/**
 * Channels do not know of each other; where the statistics are given, nor do images. Of each tensor the lists have the dimension
 * of the channels: 1 where the images are in front. `summed`: outputs of channels are sums over images.
 */
function* divisions(
  { training }: BatchNormAttrs,
  inputs: readonly number[],
  outputs: readonly number[],
  { summed = false, writes = [] }: { readonly summed?: boolean; readonly writes?: readonly number[] },
): Generator<Division<never>> {
  if (!training) {
    yield {
      inputs: inputs.map((d) => (d === 1 ? 0 : null)),
      outputs: outputs.map((d) => (d === 1 ? 0 : summed ? "sum" : null)),
    };
  }
  yield { inputs, outputs, writes, most: MOST_CHANNELS };
}

interface BackwardAttrs extends BatchNormAttrs {
  readonly wanted: readonly [dx: boolean, dw: boolean, db: boolean, dresidual: boolean];
}

type BackwardInputs = readonly [x: Tensor, dy: Tensor, stats: Tensor, y: Tensor | null, residual: Tensor | null];

/** What a dispatch binds besides the inputs, or in their place. */
type BackwardRest = Partial<Record<"chunks" | "dx" | "dw" | "db" | "dresidual" | "y" | "residual", Tensor | null>>;

/** Those of dx, dweight, dbias and dresidual that are wanted. At most one of y and residual is needed, see `saves`. */
const backwardOp: Op<BackwardInputs, BackwardAttrs, readonly Tensor[]> = {
  name: "batchNormBackward",
  required: 3,
  infer([x], { wanted }) {
    const channels: Spec = { shape: x.shape.slice(1, 2), dtype: "f32" };
    return [x, channels, channels, x].filter((_, i) => wanted[i]);
  },
  forward(run, [x, dy, stats, y, residual], outputs, { training, wanted, activation }) {
    const plan = planChannels(x.shape, run.device.info);
    const { groups, chunks, width } = plan;
    const [dx, dw, db, dresidual] = inPlaces(wanted, outputs);
    const act = activation ?? NONE;
    const [a = 0, b = 0] = act.scalars;
    const params = { ...plan.params, per_element: training ? 1 / plan.size : 0, a, b };
    const launch = (phase: Phase, rest: BackwardRest, gridY = chunks): void => {
      const none = { chunks: null, dx: null, dw: null, db: null, dresidual: null };
      const buffers = { stats, x, dy, y, residual, ...none, ...rest };
      backwardVariant(phase, width, act, buffers.y === null).launch(run, buffers, params, [groups, gridY]);
    };
    // Statistics that are fixed, and no gradients of parameters: there is nothing to sum up.
    if (!training && !dw && !db) return launch("apply", { dx, dresidual });
    if (chunks === 1) return launch("both", { dx, dw, db, dresidual });
    const sums = run.scratch([chunks, plan.channels, 2]);
    launch("sums", { chunks: sums, dresidual });
    const joined = { chunks: sums, dw, db };
    // Without dx only the sums are left to be joined. With a residual's gradient y and the residual are done with.
    if (!dx) launch("apply", joined, 1);
    else if (dresidual) launch("apply", { ...joined, dx, dresidual, y: null, residual: null });
    else launch("apply", { ...joined, dx });
  },
  divisions: (_inputs, _outputs, attrs) =>
    divisions(
      attrs,
      [1, 1, 0, 1, 1],
      [1, 0, 0, 1].filter((_, i) => attrs.wanted[i]),
      { summed: true },
    ),
  crowded,
  ...withoutGradient,
};

/** A copy of `t` where one of `others` has its buffer, which cannot be bound for reading and for writing at once. */
function apart(run: Run, t: Tensor | null, ...others: readonly (Tensor | null)[]): Tensor | null {
  if (!t || !others.some((other) => other?.storage.buffer === t.storage.buffer)) return t;
  const copy = run.scratch(t.shape);
  run.queue.copy(t.storage, copy.storage);
  return copy;
}

type ForwardRest = Partial<
  Record<"residual" | "weight" | "bias" | "running_mean" | "running_var" | "chunks", Tensor | null>
>;

/** y, and for the tape each channel's mean, rstd, rstd * weight and bias. Writes the running statistics in training. */
export const batchNormOp: Op<BatchNormInputs, BatchNormAttrs, readonly [y: Tensor], readonly [stats: Tensor]> = {
  name: "batchNorm",
  required: 1,
  aux: 1,
  infer([x, weight, bias, runningMean, runningVar, residual], { name, training }, info) {
    checkDtype(name, "input", x.dtype, "f32");
    const { shape } = x;
    check(
      shape.length >= 2,
      () =>
        `[${name}] input has shape ${show(shape)} but must be [N, C] or [N, C, ...]: use unsqueeze(0) for one sample`,
    );
    const channels = shape.slice(1, 2);
    for (const [what, given] of Object.entries({ weight, bias, runningMean, runningVar, residual })) {
      if (!given) continue;
      checkDtype(name, what, given.dtype, "f32");
      const expected = what === "residual" ? shape : channels;
      check(
        sameShape(given.shape, expected),
        () => `[${name}] ${what} has shape ${show(given.shape)} but input ${show(shape)} expects ${show(expected)}`,
      );
    }
    check(
      (runningMean === null) === (runningVar === null),
      () => `[${name}] runningMean and runningVar go together: give both or neither`,
      ValueError,
    );
    check(
      training || runningMean !== null,
      () => `[${name}] needs runningMean and runningVar in evaluation: give them, or set training: true`,
      ValueError,
    );
    check(
      !training || planChannels(shape, info).size !== 1,
      () =>
        `[${name}] Expected more than 1 value per channel when training, got input size ${show(shape)}: use a larger batch, or model.eval()`,
      ValueError,
    );
    return [x, { shape: [...channels, 4], dtype: "f32" }];
  },
  forward(run, inputs, [y, stats], attrs) {
    const { training, update = true, momentum, eps, activation } = attrs;
    const [, , , mean, variance] = inputs;
    // Running statistics are bound for writing. Where they are not written it is they that are copied.
    const read = (t: Tensor | null) => (training ? apart(run, t, mean, variance) : t);
    const x = read(inputs[0]) ?? inputs[0];
    const [weight, bias, residual] = [read(inputs[1]), read(inputs[2]), read(inputs[5])];
    const runningMean = training ? mean : apart(run, mean, x, weight, bias, variance, residual);
    const runningVar = training ? variance : apart(run, variance, x, weight, bias, residual);
    const plan = planChannels(x.shape, run.device.info);
    const act = activation ?? NONE;
    const [a = 0, b = 0] = act.scalars;
    const params = { ...plan.params, eps, momentum, a, b };
    const launch = (phase: Phase, rest: ForwardRest): void => {
      const none = { residual: null, weight: null, bias: null, running_mean: null, running_var: null, chunks: null };
      // Moments know nothing of the activation.
      const variant = forwardVariant(phase, plan.width, phase === "sums" ? NONE : act);
      variant.launch(run, { x, stats, y, ...none, ...rest }, params, [plan.groups, plan.chunks]);
    };
    const running = !training || update ? { running_mean: runningMean, running_var: runningVar } : {};
    if (!training) return launch("apply", { residual, weight, bias, ...running });
    if (plan.chunks === 1) launch("both", { residual, weight, bias, ...running });
    else {
      const chunks = run.scratch([1 + plan.chunks, plan.channels, 4]);
      launch("sums", { chunks, weight, bias });
      launch("apply", { chunks, residual, ...running });
    }
  },
  divisions: (_inputs, _outputs, attrs) => divisions(attrs, [1, 0, 0, 0, 0, 1], [1, 0], { writes: [3, 4] }),
  crowded,
  // Without a residual, or with one that needs no gradient, what the derivative needs is computed anew.
  saves([, , , , , residual], { activation }) {
    const saves = activation?.row.saves ?? "none";
    if (saves === "none") return { inputs: [0], outputs: [1] };
    return saves === "y" && residual ? { inputs: [0], outputs: [0, 1] } : { inputs: [0, 5], outputs: [1] };
  },
  vjp([dy], c) {
    const [x, weight, bias, , , residual] = c.needs;
    const saves = c.attrs.activation?.row.saves ?? "none";
    const y = saves === "y" && residual ? c.output(0) : null;
    const added = saves === "none" || y ? null : c.input(5);
    const wanted = [x, weight, bias, residual] as const;
    const given = [c.input(0), dy, c.output(1), y, added] as const;
    const [dx, dw, db, dresidual] = inPlaces(wanted, apply(backwardOp, given, { ...c.attrs, wanted }));
    return [dx, dw, db, null, null, dresidual];
  },
  absorb({ inputs, attrs, outputs: [y] }, next) {
    if (attrs.activation || !y) return null;
    const [x, weight, bias, runningMean, runningVar, residual] = inputs;
    const added = residual ? null : asAddition(next);
    if (added && sameShape(added.shape, y.shape)) {
      return { op: batchNormOp, inputs: [x, weight, bias, runningMean, runningVar, added], attrs };
    }
    const activation = asActivation(next);
    return activation && { op: batchNormOp, inputs, attrs: { ...attrs, activation } };
  },
  again({ inputs, attrs }) {
    const [x, weight, bias, , , residual] = inputs;
    if (!attrs.training) return { inputs, attrs };
    return { inputs: [x, weight, bias, null, null, residual], attrs: { ...attrs, update: false } };
  },
};

/** A batch norm in evaluation, alone, that is about to be applied to a result of four dimensions. */
export function asEvaluatedNorm({ op, inputs, attrs, at }: Following) {
  if (op !== batchNormOp || at !== 0) return null;
  const [, weight = null, bias = null, runningMean = null, runningVar = null, residual = null] = inputs;
  // Of this op, so its attributes are these.
  const { training, activation, eps } = attrs as BatchNormAttrs;
  if (training || activation || residual || !runningMean || !runningVar) return null;
  return { weight, bias, runningMean, runningVar, eps };
}

/** Applies the op, whose running statistics count as changed from now on. */
function moving(attrs: BatchNormAttrs, inputs: BatchNormInputs): Tensor {
  const [x, weight, bias, runningMean, runningVar, residual] = inputs;
  checkTensor(attrs.name, 0, x);
  check(
    !attrs.training || !runningMean || runningMean.storage !== runningVar?.storage,
    () => `[${attrs.name}] runningMean and runningVar are one tensor, and training moves both: clone() one`,
    ValueError,
  );
  if (attrs.training && x.numel === 0 && x.ndim > 1) {
    // A batch of nothing has no statistics and moves none: any do for it.
    return scope(() => {
      const any = () => ones(x.shape.slice(1, 2), { device: x.device });
      const given = [x, weight, bias, runningMean ?? any(), runningVar ?? any(), residual] as const;
      return apply1(batchNormOp, given, { ...attrs, training: false });
    });
  }
  const y = apply1(batchNormOp, inputs, attrs);
  if (attrs.training) for (const moved of [runningMean, runningVar]) if (moved) moved.storage.version++;
  return y;
}

const OPTIONS = ["training", "momentum", "eps"];
const RELU_OPTIONS = [...OPTIONS, "residual"];

/** Checks options, and fills in what is left out. */
function attrsOf(
  name: string,
  options: BatchNormOptions,
  known: readonly string[],
  activation: Activation | null,
): BatchNormAttrs {
  checkOptions(name, options, known);
  const { training = false, momentum = 0.1, eps = 1e-5 } = options;
  checkNumber(name, "momentum", momentum);
  checkNumber(name, "eps", eps);
  return { name, training, momentum, eps, activation };
}

const RELU: Activation = { name: "relu", row: relu.row, scalars: [] };

/**
 * Normalises each channel of x: [N, C, ...] to mean 0 and variance 1, then scales by `weight` [C] and adds `bias` [C].
 * In training the statistics are the batch's (variance over N * ... elements), and `runningMean` and `runningVar` [C]
 * move towards them in place, on the device: running = (1 - momentum) * running + momentum * batch, with the variance
 * over one element less. Otherwise the running statistics are used.
 * @throws ValueError where training gets a single value per channel, or evaluation no running statistics.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.batch_norm.html
 */
export function batchNorm(
  x: Tensor,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  weight: Tensor | null = null,
  bias: Tensor | null = null,
  options: BatchNormOptions = {},
): Tensor {
  const attrs = attrsOf("batchNorm", options, OPTIONS, null);
  return moving(attrs, [x, weight, bias, runningMean, runningVar, null]);
}

/**
 * `relu(batchNorm(x, ...) + residual)` in the same number of passes over memory as `batchNorm` alone.
 * Arguments, errors and gradients are those of the composition.
 */
export function batchNormRelu(
  x: Tensor,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  weight: Tensor | null = null,
  bias: Tensor | null = null,
  options: BatchNormReluOptions = {},
): Tensor {
  const attrs = attrsOf("batchNormRelu", options, RELU_OPTIONS, RELU);
  return moving(attrs, [x, weight, bias, runningMean, runningVar, options.residual ?? null]);
}
