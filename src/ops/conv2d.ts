// conv2d and its two gradients; and what a convolution takes into its own pass: batch norm, a residual, an activation.
import { apply1 } from "../autograd/apply.ts";
import type { Needs, Op, Saved } from "../autograd/op.ts";
import { checkTensor, type Run } from "../autograd/run.ts";
import { check, checkOptions, checkWhole, ValueError } from "../errors.ts";
import type { DeviceInfo } from "../gpu/device.ts";
import { gridSize } from "../gpu/limits.ts";
import { type ConvAlgorithm, waysOf } from "../kernels/conv-algorithm.ts";
import { forwardAlgorithms, inputGradientAlgorithms, weightGradientAlgorithms } from "../kernels/conv-algorithms.ts";
import { type ConvGeometry, convClass } from "../kernels/conv-geometry.ts";
import { launchBest } from "../kernels/variants.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { pair, type Shape, sameShape, show, sizeOf } from "../tensor/shape.ts";
import type { Storage } from "../tensor/storage.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";
import { type AbsorbedActivation, asActivation, asAddition, behindActivation } from "./absorb.ts";
import { asEvaluatedNorm } from "./batch-norm.ts";
import { pad } from "./movement.ts";
import { sum } from "./sum-expand.ts";

/** Stride, padding, dilation (a number, or rows and columns) and groups of a 2-D convolution. */
export interface ConvOptions {
  /** Step of the kernel. Default 1. */
  stride?: number | readonly [number, number];
  /**
   * Zeros added on each side; "same": as many as keep the size, at stride 1 (of an odd number the last one comes behind);
   * "valid": none. Default 0.
   */
  padding?: number | readonly [number, number] | "same" | "valid";
  /** Distance between the elements of the kernel. Default 1. */
  dilation?: number | readonly [number, number];
  /** Input and output channels are split into so many groups that do not mix. Default 1. */
  groups?: number;
}

/** Their names. */
export const CONV_OPTIONS = ["stride", "padding", "dilation", "groups"];

export interface ConvAttrs {
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;
}

interface ForwardAttrs extends ConvAttrs {
  readonly activation: AbsorbedActivation | null;
  /** Keep what the activation is given, for its gradient. */
  readonly keepsPre: boolean;
  /** Batch norm's, where its statistics are given. */
  readonly eps: number;
}

const plain = { activation: null, keepsPre: false, eps: 0 };

type Quad = readonly [number, number, number, number];
const quad = ([a = 0, b = 0, c = 0, d = 0]: Shape): Quad => [a, b, c, d];

function geometry(x: Shape, w: Shape, { stride, padding, dilation, groups }: ConvAttrs): ConvGeometry {
  const [batch, channels, height, width] = quad(x);
  const [filters, , rows, columns] = quad(w);
  const out = (size: number, kernel: number, i: 0 | 1) =>
    Math.floor((size + 2 * padding[i] - dilation[i] * (kernel - 1) - 1) / stride[i]) + 1;
  return {
    batch,
    channels,
    filters,
    groups,
    stride,
    padding,
    dilation,
    size: [height, width],
    kernel: [rows, columns],
    out: [out(height, rows, 0), out(width, columns, 1)],
  };
}

/** Records one of a convolution's products by the algorithm that is best for it. */
function launch<Io>(
  run: Run,
  kind: string,
  algorithms: readonly ConvAlgorithm<Io>[],
  g: ConvGeometry,
  [rows, k]: readonly [number, number],
  io: Io,
  storages: readonly Storage[],
): void {
  const ways = waysOf(algorithms, g, run.device.info);
  launchBest(run, kind, convClass(g, rows, k), { ways, io, storages });
}

/** Images for which a grid has workgroups, whose tiles have at least so many columns (see `tilesOf`). */
function mostImages(x: Tensor, y: Tensor, { limits, subgroupSize }: DeviceInfo): number {
  const most = gridSize(limits);
  const columns = Math.min(32, 2 * subgroupSize || 32);
  const positions = Math.max(1, ...[x, y].map(({ shape }) => sizeOf(shape.slice(2))));
  return Math.max(1, Math.min(most, Math.floor((most * columns) / positions)));
}

interface GradientAttrs extends ConvAttrs {
  /** Shape of the input or weight whose gradient this is. */
  readonly shape: Shape;
}

const bothInputs = ([a, b]: Needs<readonly [Tensor, Tensor]>): Saved => ({
  inputs: [...(b ? [0] : []), ...(a ? [1] : [])],
  outputs: [],
});

const convInputGradient: Op<readonly [dy: Tensor, weight: Tensor], GradientAttrs> = {
  name: "conv2dInputGradient",
  infer: (_inputs, { shape }) => [{ shape, dtype: "f32" }],
  forward(run, inputs, [out], attrs) {
    const g = geometry(out.shape, inputs[1].shape, attrs);
    const [dy, weight, dx] = [inputs[0].storage, inputs[1].storage, out.storage];
    const product = [g.channels / g.groups, g.filters / g.groups] as const;
    launch(run, "convInputGradient", inputGradientAlgorithms, g, product, { dy, weight, dx }, [dy, weight, dx]);
  },
  *divisions([dy], [dx], { groups }, info) {
    yield { inputs: [0, null], outputs: [0], most: mostImages(dy, dx, info) };
    if (groups > 1) return;
    yield { inputs: [null, 1], outputs: [1] };
    yield { inputs: [1, 0], outputs: ["sum"] };
  },
  crowded: ([dy], [dx], info) => (dx.shape[0] ?? 0) > mostImages(dy, dx, info),
  saves: bothInputs,
  vjp: ([g], c) => [
    c.needs[0] ? convolve(g, c.input(1), c.attrs) : null,
    c.needs[1] ? weightGradient(c.input(0), g, c.inputSpecs[1].shape, c.attrs) : null,
  ],
};

const convWeightGradient: Op<readonly [dy: Tensor, x: Tensor], GradientAttrs> = {
  name: "conv2dWeightGradient",
  infer: (_inputs, { shape }) => [{ shape, dtype: "f32" }],
  forward(run, inputs, [out], attrs) {
    const g = geometry(inputs[1].shape, out.shape, attrs);
    const [dy, x, dw] = [inputs[0].storage, inputs[1].storage, out.storage];
    const product = [g.filters / g.groups, g.channels / g.groups] as const;
    launch(run, "convWeightGradient", weightGradientAlgorithms, g, product, { dy, x, dw }, [dy, x, dw]);
  },
  *divisions(_inputs, _outputs, { groups }) {
    yield { inputs: [0, 0], outputs: ["sum"] };
    if (groups > 1) return;
    yield { inputs: [1, null], outputs: [0] };
    yield { inputs: [null, 1], outputs: [1] };
  },
  saves: bothInputs,
  vjp: ([g], c) => [
    c.needs[0] ? convolve(c.input(1), g, c.attrs) : null,
    c.needs[1] ? inputGradient(c.input(0), g, c.inputSpecs[1].shape, c.attrs) : null,
  ],
};

// A convolution is linear in x and in the weight: each of the three products is made of the two others' gradients.
const convolve = (x: Tensor, weight: Tensor, attrs: ConvAttrs): Tensor =>
  apply1(conv2dOp, [x, weight, null, null, null, null, null], { ...attrs, ...plain });
export const inputGradient = (dy: Tensor, weight: Tensor, shape: Shape, attrs: ConvAttrs): Tensor =>
  apply1(convInputGradient, [dy, weight], { ...attrs, shape });
const weightGradient = (dy: Tensor, x: Tensor, shape: Shape, attrs: ConvAttrs): Tensor =>
  apply1(convWeightGradient, [dy, x], { ...attrs, shape });

/** Batch norm by running statistics, all or none of it, comes with its bias in the place of the convolution's. */
type ConvInputs = readonly [
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  gamma: Tensor | null,
  mean: Tensor | null,
  variance: Tensor | null,
  residual: Tensor | null,
];
type Pre = readonly Tensor[];

/** y = activation(norm(x * weight + bias) + residual). */
export const conv2dOp: Op<ConvInputs, ForwardAttrs, readonly [Tensor], Pre> = {
  name: "conv2d",
  required: 2,
  aux: ({ keepsPre }) => (keepsPre ? 1 : 0),
  infer([x, w, bias], attrs) {
    const y = inferConv(x, w, bias, attrs);
    return attrs.keepsPre ? [y, y] : [y];
  },
  forward(run, [input, w, bias, gamma, mean, variance, residual], [out, pre], attrs) {
    const g = geometry(input.shape, w.shape, attrs);
    const [x, weight, y] = [input.storage, w.storage, out.storage];
    // Tuning may repeat the launch when the tensors are gone: it holds storages.
    const stored = (t: Tensor | null | undefined) => t?.storage ?? null;
    const end = {
      bias: stored(bias),
      gamma: stored(gamma),
      mean: stored(mean),
      variance: stored(variance),
      residual: stored(residual),
      pre: stored(pre),
      activation: attrs.activation,
      eps: attrs.eps,
    };
    const extra = [end.bias, end.gamma, end.mean, end.variance, end.residual, end.pre];
    const storages = [x, weight, y, ...extra.filter((storage) => storage !== null)];
    launch(
      run,
      "conv",
      forwardAlgorithms,
      g,
      [g.filters / g.groups, g.channels / g.groups],
      { x, weight, y, end },
      storages,
    );
  },
  *divisions([x, , ...rest], [y, pre], { groups, activation }, info) {
    yield { inputs: [0, null, null, null, null, null, 0], outputs: [0, 0], most: mostImages(x, y, info) };
    if (groups > 1) return;
    yield { inputs: [null, 0, 0, 0, 0, 0, 1], outputs: [1, 1] };
    // What comes behind the product does not add up.
    if (rest.every((t) => t === null) && !pre && !activation) yield { inputs: [1, 1], outputs: ["sum"] };
  },
  crowded: ([x], [y], info) => (x.shape[0] ?? 0) > mostImages(x, y, info),
  saves: ([x, w], { activation, keepsPre }) => ({
    inputs: [...(w ? [0] : []), ...(x ? [1] : [])],
    outputs: activation?.row.saves === "y" ? [0] : keepsPre ? [1] : [],
  }),
  connectsKept: true,
  vjp([dz, dpre], c) {
    const dy = behindActivation(c.attrs.activation, dz, (what) => c.output(what === "y" ? 0 : 1) ?? null, dpre);
    const [shape, wShape] = [c.inputSpecs[0].shape, c.inputSpecs[1].shape];
    return [
      c.needs[0] ? inputGradient(dy, c.input(1), shape, c.attrs) : null,
      c.needs[1] ? weightGradient(dy, c.input(0), wShape, c.attrs) : null,
      c.needs[2] ? sum(dy, [0, 2, 3]) : null,
      ...([null, null, null] as const),
      c.needs[6] ? dy : null,
    ];
  },
  absorb({ inputs, attrs, outputs: [y] }, next, recorded) {
    const [x, w, bias, gamma, mean, variance, residual] = inputs;
    if (attrs.activation || !y) return null;
    const norm = recorded || mean || residual ? null : asEvaluatedNorm(next);
    // The norm's bias takes the place of the convolution's own.
    if (norm && !bias) {
      const { weight, bias: shift, runningMean, runningVar, eps } = norm;
      return {
        op: conv2dOp,
        inputs: [x, w, shift, weight, runningMean, runningVar, null],
        attrs: { ...attrs, eps },
      };
    }
    const added = residual ? null : asAddition(next);
    if (added && sameShape(added.shape, y.shape)) {
      return { op: conv2dOp, inputs: [x, w, bias, gamma, mean, variance, added], attrs };
    }
    const activation = asActivation(next);
    if (!activation) return null;
    return {
      op: conv2dOp,
      inputs,
      attrs: { ...attrs, activation, keepsPre: recorded && activation.row.saves === "x" },
    };
  },
};

/** Checks shapes, and gives that of the result. */
function inferConv(x: Spec, w: Spec, bias: Spec | null, attrs: ConvAttrs): Spec {
  checkDtype("conv2d", "input", x.dtype, "f32");
  checkDtype("conv2d", "weight", w.dtype, "f32");
  if (bias) checkDtype("conv2d", "bias", bias.dtype, "f32");
  check(x.shape.length === 4, () => `[conv2d] input has shape ${show(x.shape)} but must be [N, C, H, W]`);
  check(
    w.shape.length === 4,
    () => `[conv2d] weight has shape ${show(w.shape)} but must be [filters, C / groups, KH, KW]`,
  );
  const { groups } = attrs;
  const [, channels] = quad(x.shape);
  const [filters, perGroup] = quad(w.shape);
  check(
    channels === perGroup * groups,
    () =>
      `[conv2d] input has ${channels} channels but weight ${show(w.shape)} expects ${perGroup * groups}${groups > 1 ? ` (${groups} groups of ${perGroup})` : ""}`,
  );
  check(
    filters % groups === 0,
    () => `[conv2d] weight ${show(w.shape)} has ${filters} filters, not a multiple of ${groups} groups`,
  );
  check(
    !bias || (bias.shape.length === 1 && bias.shape[0] === filters),
    () => `[conv2d] bias has shape ${show(bias?.shape ?? [])} but weight ${show(w.shape)} expects [${filters}]`,
  );
  const { batch, out } = geometry(x.shape, w.shape, attrs);
  check(
    out[0] > 0 && out[1] > 0,
    () =>
      `[conv2d] input ${show(x.shape)} padded by ${show(attrs.padding)} is smaller than kernel ${show(w.shape.slice(2))} dilated by ${show(attrs.dilation)}`,
  );
  return { shape: [batch, filters, ...out], dtype: "f32" };
}

/**
 * 2-D convolution (cross-correlation). x: [N, C, H, W], weight: [filters, C / groups, KH, KW], bias: [filters];
 * result: [N, filters, OH, OW]. A batch norm in evaluation, a residual and an activation that follow at once run in its pass.
 * @throws ShapeError where channels, groups or bias do not fit, ValueError for a stride or dilation below 1.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvOptions = {}): Tensor {
  const attrs = { ...convAttrs(options, weight), ...plain };
  const convolved = (x: Tensor) => apply1(conv2dOp, [x, weight, bias ?? null, null, null, null, null], attrs);
  if (options.padding !== "same") return convolved(x);
  const [below, right] = samePadding(weight, attrs.dilation).map((total) => total % 2);
  return below || right ? scope(() => convolved(pad(x, [0, right ?? 0, 0, below ?? 0]))) : convolved(x);
}

/** Rows and columns that padding adds in all, so that the result is as large as the input. */
const samePadding = ({ shape }: Tensor, dilation: readonly [number, number]): [number, number] => [
  dilation[0] * ((shape[2] ?? 1) - 1),
  dilation[1] * ((shape[3] ?? 1) - 1),
];

/** Checks options, and fills in what is left out. */
function convAttrs(options: ConvOptions, weight: Tensor): ConvAttrs {
  checkOptions("conv2d", options, CONV_OPTIONS);
  const { stride = 1, padding = 0, groups = 1 } = options;
  checkWhole("conv2d", "groups", groups, 1);
  const dilation = pair("conv2d", "dilation", options.dilation ?? 1, 1);
  const attrs = { stride: pair("conv2d", "stride", stride, 1), dilation, groups };
  if (padding === "valid") return { ...attrs, padding: [0, 0] };
  if (padding !== "same") return { ...attrs, padding: pair("conv2d", "padding", padding) };
  checkTensor("conv2d", "weight", weight);
  check(
    attrs.stride.every((step) => step === 1),
    () => `[conv2d] padding "same" keeps the size at stride 1 alone, got stride ${show(attrs.stride)}`,
    ValueError,
  );
  const [rows, columns] = samePadding(weight, dilation);
  return { ...attrs, padding: [Math.floor(rows / 2), Math.floor(columns / 2)] };
}
