// Norms with a weight and bias by channel whose statistics are those of a sample: group and instance norm, and the layer norm
// over channels at each position of an image.
import { apply, apply1 } from "../autograd/apply.ts";
import { noGrad } from "../autograd/mode.ts";
import { type Op, withoutGradient } from "../autograd/op.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, checkNumber, checkOptions, checkWhole, ValueError } from "../errors.ts";
import type { DeviceInfo } from "../gpu/device.ts";
import { Kernel } from "../kernels/kernel.ts";
import { planRows } from "../kernels/row-plan.ts";
import paramsWgsl from "../kernels/wgsl/group-norm-params.wgsl";
import forwardWgsl from "../kernels/wgsl/layer-norm.wgsl";
import backwardWgsl from "../kernels/wgsl/layer-norm-backward.wgsl";
import { copy_ } from "../tensor/copy.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { type Shape, sameShape, show, sizeOf } from "../tensor/shape.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";
import { batchNorm } from "./batch-norm.ts";
import { expand, mean, sum } from "./sum-expand.ts";
import { view } from "./view.ts";
import { inPlaces } from "./wanted.ts";

interface Attrs {
  /** Of the function that was called, for errors. */
  readonly name: string;
  /** Groups of channels that are normalised together, over all positions; "positions": each position, over all channels. */
  readonly groups: number | "positions";
  readonly eps: number;
}

export type GroupNormAttrs = Attrs;

const forwardKernel = new Kernel(forwardWgsl);
const backwardKernel = new Kernel(backwardWgsl);
const paramsKernel = new Kernel(paramsWgsl);

/** Of x: [N, C, P]. */
interface Sizes {
  readonly samples: number;
  readonly channels: number;
  readonly plane: number;
}

const sizesOf = ([samples = 0, channels = 0, ...rest]: Shape): Sizes => ({ samples, channels, plane: sizeOf(rest) });

/** Statistics: [N, groups, 2], or [N, ...positions, 2]. */
const statsOf = ({ shape }: Spec, groups: Attrs["groups"]): Spec => ({
  shape: groups === "positions" ? [...shape.slice(0, 1), ...shape.slice(2), 2] : [shape[0] ?? 0, groups, 2],
  dtype: "f32",
});

/** How the rows lie, and the variant of both kernels. */
function planOf({ shape }: Tensor, groups: Attrs["groups"], info: DeviceInfo) {
  const { samples, channels, plane } = sizesOf(shape);
  if (groups === "positions") {
    const { params, grid } = planRows(samples * plane, channels, info, plane);
    return { params: { ...params, groups: 1, width: 0, plane: 1 }, grid, overrides: {} };
  }
  const width = channels / groups;
  const { params, grid } = planRows(samples * groups, width * plane, info);
  return { params: { ...params, groups, width, plane: Math.max(plane, 1) }, grid, overrides: { GROUPED: true } };
}

/** dx. */
const inputGradientOp: Op<readonly [x: Tensor, weight: Tensor | null, stats: Tensor, dy: Tensor], Attrs> = {
  name: "groupNormBackward",
  required: 1,
  infer: ([x]) => [x],
  forward(run, [x, weight, stats, dy], [dx], { groups }) {
    const { params, grid, overrides } = planOf(x, groups, run.device.info);
    backwardKernel.variant(overrides).launch(run, { x, weight, stats, dy, dx }, params, grid);
  },
  divisions: () => [{ inputs: [0, null, 0, 0], outputs: [0] }],
  ...withoutGradient,
};

interface ParamsAttrs extends Attrs {
  readonly wanted: readonly [dw: boolean, db: boolean];
}

/** Those of dweight and dbias that are wanted, of each sample: [N, C]. */
const paramsGradientOp: Op<readonly [x: Tensor, stats: Tensor, dy: Tensor], ParamsAttrs, readonly Tensor[]> = {
  name: "groupNormParamsBackward",
  infer: ([x], { wanted }) => wanted.filter(Boolean).map(() => ({ shape: x.shape.slice(0, 2), dtype: "f32" })),
  forward(run, [x, stats, dy], outputs, { groups, wanted }) {
    const { samples, channels, plane } = sizesOf(x.shape);
    const { params, grid } = planRows(samples * channels, plane, run.device.info);
    const [dw, db] = inPlaces(wanted, outputs);
    const each = groups === "positions";
    const at = { width: each ? channels : channels / groups, spread: each ? plane : 1 };
    paramsKernel.launch(run, { x, stats, dy, dw, db }, { ...params, ...at }, grid);
  },
  divisions: (_, outputs) => [{ inputs: [0, 0, 0], outputs: outputs.map(() => 0) }],
  ...withoutGradient,
};

type Inputs = readonly [x: Tensor, weight: Tensor | null, bias: Tensor | null];

/** y, and each group's mean and rstd for the tape. */
export const groupNormOp: Op<Inputs, Attrs, readonly [y: Tensor], readonly [stats: Tensor]> = {
  name: "groupNorm",
  required: 1,
  aux: 1,
  infer([x, weight, bias], { name, groups }) {
    checkDtype(name, "input", x.dtype, "f32");
    const [, channels = 0] = x.shape;
    check(x.shape.length >= 2, () => `[${name}] input has shape ${show(x.shape)} but must be [N, C] or [N, C, ...]`);
    check(
      groups === "positions" || (channels > 0 && channels % groups === 0),
      () => `[${name}] ${channels} channels of input ${show(x.shape)} do not make ${groups} groups of one size`,
    );
    for (const [what, given] of Object.entries({ weight, bias })) {
      if (!given) continue;
      checkDtype(name, what, given.dtype, "f32");
      check(
        sameShape(given.shape, [channels]),
        () => `[${name}] ${what} has shape ${show(given.shape)} but input ${show(x.shape)} expects [${channels}]`,
      );
    }
    return [x, statsOf(x, groups)];
  },
  forward(run, [x, weight, bias], [y, stats], { groups, eps }) {
    const { params, grid, overrides } = planOf(x, groups, run.device.info);
    forwardKernel.variant(overrides).launch(run, { x, weight, bias, stats, y }, { ...params, eps }, grid);
  },
  divisions: () => [{ inputs: [0, null, null], outputs: [0, 0] }],
  saves: ([x]) => ({ inputs: x ? [0, 1] : [0], outputs: [1] }),
  vjp([dy], c) {
    const [x, stats] = [c.input(0), c.output(1)];
    const dx = c.needs[0] ? apply1(inputGradientOp, [x, c.input(1), stats, dy], c.attrs) : null;
    const wanted = [c.needs[1], c.needs[2]] as const;
    const params = wanted.includes(true) ? apply(paramsGradientOp, [x, stats, dy], { ...c.attrs, wanted }) : [];
    return [
      dx,
      ...inPlaces(
        wanted,
        params.map((each) => sum(each, 0)),
      ),
    ];
  },
};

/** Layer norm over the channels of x: [N, C, ...] at each position. */
export const channelNorm = (name: string, x: Tensor, weight: Tensor | null, bias: Tensor | null, eps: number): Tensor =>
  apply1(groupNormOp, [x, weight, bias], { name, groups: "positions", eps });

/**
 * Normalises each of `numGroups` groups of neighbouring channels of x: [N, C, ...] to mean 0 and variance 1 over the group's
 * channels and all positions, sample by sample; then scales by `weight` [C] and adds `bias` [C].
 * @throws ShapeError where the channels do not make groups of one size.
 * @see https://arxiv.org/abs/1803.08494 and https://pytorch.org/docs/stable/generated/torch.nn.functional.group_norm.html
 */
export function groupNorm(
  x: Tensor,
  numGroups: number,
  weight?: Tensor | null,
  bias?: Tensor | null,
  eps = 1e-5,
): Tensor {
  checkTensor("groupNorm", "input", x);
  checkWhole("groupNorm", "numGroups", numGroups, 1);
  checkNumber("groupNorm", "eps", eps);
  return apply1(groupNormOp, [x, weight ?? null, bias ?? null], { name: "groupNorm", groups: numGroups, eps });
}

/** What `instanceNorm` takes beside tensors. */
export interface InstanceNormOptions {
  /** True: normalise with each sample's own statistics, and move the running ones. Default true. */
  useInputStats?: boolean;
  /** Weight of the batch in the running statistics. Default 0.1. */
  momentum?: number;
  /** Added to the variance. Default 1e-5. */
  eps?: number;
}

const INSTANCE_OPTIONS = ["useInputStats", "momentum", "eps"];

/**
 * As PyTorch has it: batch norm of one sample with N * C channels, whose running statistics are then averaged over N. Its kernels
 * take four elements at a time, which those of group norm do not.
 */
function perSample(
  x: Tensor,
  statistics: readonly [mean: Tensor, variance: Tensor] | null,
  [weight, bias]: readonly [weight: Tensor | null, bias: Tensor | null],
  { momentum, eps }: { readonly momentum: number; readonly eps: number },
): Tensor {
  const { samples, channels } = sizesOf(x.shape);
  const long = [samples * channels];
  return scope(() => {
    const repeat = (t: Tensor) => view("instanceNorm", expand(t, [samples, channels]), long);
    const [runningMean, runningVar] = noGrad(() => statistics?.map(repeat) ?? []);
    const given = [weight && repeat(weight), bias && repeat(bias)] as const;
    const flat = view("instanceNorm", x, [1, ...long, ...x.shape.slice(2)]);
    const options = { training: true, momentum, eps };
    const y = batchNorm(flat, runningMean ?? null, runningVar ?? null, ...given, options);
    noGrad(() => {
      for (const [i, target] of (statistics ?? []).entries()) {
        const moved = [runningMean, runningVar][i];
        if (moved) copy_(target, mean(view("instanceNorm", moved, [samples, channels]), 0));
      }
    });
    return view("instanceNorm", y, x.shape);
  });
}

/**
 * Normalises each channel of each sample of x: [N, C, ...] to mean 0 and variance 1 over its positions, then scales by `weight` [C]
 * and adds `bias` [C]. `runningMean` and `runningVar` [C], where given, move towards the mean of the samples' statistics, and take
 * their place with `useInputStats: false`.
 * @throws ValueError where there is a single position, or no statistics.
 * @see https://arxiv.org/abs/1607.08022 and https://pytorch.org/docs/stable/generated/torch.nn.functional.instance_norm.html
 */
export function instanceNorm(
  x: Tensor,
  runningMean: Tensor | null = null,
  runningVar: Tensor | null = null,
  weight: Tensor | null = null,
  bias: Tensor | null = null,
  options: InstanceNormOptions = {},
): Tensor {
  checkTensor("instanceNorm", "input", x);
  checkOptions("instanceNorm", options, INSTANCE_OPTIONS);
  const { useInputStats = true, momentum = 0.1, eps = 1e-5 } = options;
  checkNumber("instanceNorm", "momentum", momentum);
  checkNumber("instanceNorm", "eps", eps);
  check(
    x.ndim >= 3,
    () => `[instanceNorm] input has shape ${show(x.shape)} but must be [N, C, ...] with at least one more dimension`,
  );
  if (!useInputStats) return batchNorm(x, runningMean, runningVar, weight, bias, { eps });
  const { samples, channels, plane } = sizesOf(x.shape);
  check(
    plane !== 1,
    () => `[instanceNorm] one position a channel, of input ${show(x.shape)}, has no variance: give more of them`,
    ValueError,
  );
  check(
    (runningMean === null) === (runningVar === null),
    () => "[instanceNorm] runningMean and runningVar go together: give both or neither",
    ValueError,
  );
  // A batch of nothing has nothing to move either.
  if (samples * channels * plane === 0)
    return apply1(groupNormOp, [x, weight, bias], { name: "instanceNorm", groups: Math.max(channels, 1), eps });
  for (const [what, t] of Object.entries({ runningMean, runningVar, weight, bias })) {
    if (t === null) continue;
    checkTensor("instanceNorm", what, t);
    checkDtype("instanceNorm", what, t.dtype, "f32");
    check(
      sameShape(t.shape, [channels]),
      () => `[instanceNorm] ${what} has shape ${show(t.shape)} but input ${show(x.shape)} expects [${channels}]`,
    );
  }
  const statistics = runningMean && runningVar ? ([runningMean, runningVar] as const) : null;
  return perSample(x, statistics, [weight, bias], { momentum, eps });
}
