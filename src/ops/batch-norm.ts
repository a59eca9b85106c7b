// Batch norm in training and evaluation, alone or with the residual add and ReLU that follow it in a residual block.
import { apply, apply1 } from "../autograd/apply.ts";
import { type OldOp, savesNothing } from "../autograd/op.ts";
import { check, ValueError } from "../errors.ts";
import type { Shader } from "../gpu/pipeline.ts";
import { f32Bits } from "../gpu/queue.ts";
import { channelWords, planChannels } from "../kernels/channel-plan.ts";
import { OldKernel as Kernel } from "../kernels/specialize.ts";
import forwardWgsl from "../kernels/wgsl/batch-norm.wgsl";
import backwardWgsl from "../kernels/wgsl/batch-norm-backward.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { sameShape, show } from "../tensor/shape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";

export interface BatchNormOptions {
  /** True: normalise with the batch's statistics, and move the running ones. Default false. */
  training?: boolean;
  /** Weight of the batch in the running statistics. Default 0.1. */
  momentum?: number;
  /** Added to the variance. Default 1e-5. */
  eps?: number;
}

export interface BatchNormReluOptions extends BatchNormOptions {
  /** Added before the ReLU, same shape as x. */
  residual?: Tensor | null;
}

type Extra = "weight" | "bias" | "residual" | "runningMean" | "runningVar";

interface Attrs {
  readonly name: string;
  readonly training: boolean;
  readonly momentum: number;
  readonly eps: number;
  readonly relu: boolean;
  /** The adapter is a software one: it is planned for differently. */
  readonly software: boolean;
  /** Positions among the inputs, which x leads; absent: not given. */
  readonly slots: Readonly<Partial<Record<Extra, number>>>;
}

/** "both": sums and their use in one dispatch. */
type Phase = "both" | "sums" | "apply";

function shaders(kernel: Kernel, sums: string) {
  return (phase: Phase, width: 1 | 4, residual: boolean): Shader =>
    kernel.variant(
      {
        [sums]: String(phase !== "apply"),
        APPLY: String(phase !== "sums"),
        RESIDUAL: String(residual),
        ...(width === 4
          ? { V: "vec4f", WIDTH: "4u", total: "fn total(v: V) -> f32 { return v.x + v.y + v.z + v.w; }" }
          : {}),
      },
      `${phase} width=${width}${residual ? " residual" : ""}`,
    );
}
const forwardShader = shaders(new Kernel("batch_norm", forwardWgsl), "STATS");
const backwardShader = shaders(new Kernel("batch_norm_backward", backwardWgsl), "REDUCE");

/** The smallest value that an output can have: 0 with a ReLU, else the least f32. */
const low = (relu: boolean): number => f32Bits(relu ? 0 : -3.4028234e38);

interface BackwardAttrs extends Attrs {
  /** Which of dx (and the residual's gradient) and the parameters' gradients are wanted. */
  readonly needsInput: boolean;
  readonly needsParams: boolean;
}

/** [x, dy, stats, y?] to [dx, dweight, dbias, dresidual]; what is not wanted has one vector. */
const backwardOp: OldOp<BackwardAttrs> = {
  name: "batchNormBackward",
  infer([x], { slots, needsInput }) {
    const nothing = { shape: [4], dtype: "f32" as const };
    const channels = { shape: [x!.shape[1]!], dtype: "f32" as const };
    return [needsInput ? x! : nothing, channels, channels, slots.residual ? x! : nothing];
  },
  forward({ queue }, [x, dy, stats, y], [dx, dw, db, dresidual], attrs) {
    const plan = planChannels(x!.shape, attrs.software);
    const residual = attrs.slots.residual !== undefined;
    const storages = [stats!, x!, dy!, y ?? x!, dx!, dw!, db!, dresidual!].map((t) => t.storage);
    const perElement = f32Bits(attrs.training ? 1 / plan.size : 0);
    const run = (phase: Phase, chunk: number, merged: number, gridY: number): void => {
      const words = [...channelWords({ ...plan, chunk }, merged), perElement, low(attrs.relu)];
      queue.dispatch(backwardShader(phase, plan.width, residual), storages, words, [plan.groups, gridY]);
    };
    if (!attrs.needsParams && !attrs.training) return run("apply", plan.chunk, 0, plan.chunks);
    if (attrs.needsInput && plan.chunks === 1) return run("both", plan.chunk, 1, 1);
    run("sums", plan.chunk, 1, plan.chunks);
    // Where dx is not wanted, the second dispatch has no elements to walk: it only merges the chunks' sums.
    if (attrs.needsInput) run("apply", plan.chunk, plan.chunks, plan.chunks);
    else run("apply", 0, plan.chunks, 1);
  },
  saves: savesNothing,
  vjp: "not differentiable",
};

/** x, then what `slots` says, to [y, stats]: a channel's mean, rstd, rstd * weight, bias; then the chunks' own statistics. */
const batchNormOp: OldOp<Attrs> = {
  name: "batchNorm",
  aux: 1,
  infer(inputs, { name, training, slots, software }) {
    const [x] = inputs;
    checkDtype(name, "input", x!.dtype, "f32");
    const { shape } = x!;
    check(
      shape.length >= 2,
      () =>
        `[${name}] input has shape ${show(shape)} but must be [N, C] or [N, C, ...]: use unsqueeze(0) for one sample`,
    );
    const channels = shape[1]!;
    for (const [extra, slot] of Object.entries(slots)) {
      const given = inputs[slot]!;
      checkDtype(name, extra, given.dtype, "f32");
      const expected = extra === "residual" ? shape : [channels];
      check(
        sameShape(given.shape, expected),
        () => `[${name}] ${extra} has shape ${show(given.shape)} but input ${show(shape)} expects ${show(expected)}`,
      );
    }
    check(
      (slots.runningMean === undefined) === (slots.runningVar === undefined),
      () => `[${name}] runningMean and runningVar go together: give both or neither`,
      ValueError,
    );
    check(
      training || slots.runningMean !== undefined,
      () => `[${name}] needs runningMean and runningVar in evaluation: give them, or set training: true`,
      ValueError,
    );
    const plan = planChannels(shape, software);
    check(
      !training || plan.size > 1,
      () =>
        `[${name}] Expected more than 1 value per channel when training, got input size ${show(shape)}: use a larger batch, or model.eval()`,
      ValueError,
    );
    return [x!, { shape: [1 + plan.chunks, channels, 4], dtype: "f32" }];
  },
  forward({ queue }, inputs, [y, stats], { training, momentum, eps, relu, software, slots }) {
    const [x] = inputs;
    const plan = planChannels(x!.shape, software);
    const given = (extra: Extra) => (slots[extra] === undefined ? null : inputs[slots[extra]]!);
    // A binding cannot be left out, and one that is written must not be bound twice.
    const unused =
      slots.runningMean === undefined ? [empty([plan.channels], "f32"), empty([plan.channels], "f32")] : [];
    const storages = [
      x!,
      given("residual") ?? x!,
      given("weight") ?? x!,
      given("bias") ?? x!,
      given("runningMean") ?? unused[0]!,
      given("runningVar") ?? unused[1]!,
      stats!,
      y!,
    ].map((t) => t.storage);
    const tail = [Number(!!given("weight")), Number(!!given("bias")), f32Bits(eps), f32Bits(momentum), low(relu)];
    const run = (phase: Phase, merged: number): void =>
      queue.dispatch(
        forwardShader(phase, plan.width, slots.residual !== undefined),
        storages,
        [...channelWords(plan, merged), ...tail],
        [plan.groups, plan.chunks],
      );
    if (!training) run("apply", 0);
    else if (plan.chunks === 1) run("both", 1);
    else {
      run("sums", 1);
      run("apply", plan.chunks);
    }
    for (const t of unused) t.dispose();
  },
  saves: (_, { relu, slots }) => ({ inputs: [0], outputs: relu && slots.residual !== undefined ? [0, 1] : [1] }),
  vjp([dy], c) {
    const { slots } = c.attrs;
    const needs = (extra: Extra) => slots[extra] !== undefined && c.needs[slots[extra]]!;
    const needsInput = c.needs[0]! || needs("residual");
    const attrs = { ...c.attrs, needsInput, needsParams: needs("weight") || needs("bias") };
    const inputs = [c.input(0), dy!, c.output(1), ...(slots.residual === undefined ? [] : [c.output(0)])];
    const [dx, dw, db, dresidual] = apply(backwardOp, inputs, attrs);
    const grads: (Tensor | null)[] = c.needs.map(() => null);
    grads[0] = dx!;
    if (slots.weight !== undefined) grads[slots.weight] = dw!;
    if (slots.bias !== undefined) grads[slots.bias] = db!;
    if (slots.residual !== undefined) grads[slots.residual] = dresidual!;
    return grads;
  },
};

function run(
  name: string,
  x: Tensor,
  extras: Partial<Record<Extra, Tensor | null>>,
  relu: boolean,
  o: BatchNormOptions,
): Tensor {
  const inputs = [x];
  const slots: Partial<Record<Extra, number>> = {};
  for (const [extra, tensor] of Object.entries(extras)) {
    if (tensor) slots[extra as Extra] = inputs.push(tensor) - 1;
  }
  const { training = false, momentum = 0.1, eps = 1e-5 } = o;
  const { isSoftware } = x.device.info;
  return apply1(batchNormOp, inputs, { name, training, momentum, eps, relu, software: isSoftware, slots });
}

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
  weight?: Tensor | null,
  bias?: Tensor | null,
  options: BatchNormOptions = {},
): Tensor {
  return run("batchNorm", x, { weight: weight ?? null, bias: bias ?? null, runningMean, runningVar }, false, options);
}

/**
 * `relu(batchNorm(x, ...) + residual)` in the same number of passes over memory as `batchNorm` alone.
 * Arguments, errors and gradients are those of the composition.
 */
export function batchNormRelu(
  x: Tensor,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  weight?: Tensor | null,
  bias?: Tensor | null,
  { residual = null, ...options }: BatchNormReluOptions = {},
): Tensor {
  const extras = { weight: weight ?? null, bias: bias ?? null, residual, runningMean, runningVar };
  return run("batchNormRelu", x, extras, true, options);
}
