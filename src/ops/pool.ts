// Max, average and adaptive average pooling over planes.

import { apply, apply1 } from "../autograd/apply.ts";
import { type Op, savesNothing, withoutGradient } from "../autograd/op.ts";
import type { Run } from "../autograd/run.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, checkOptions, ShapeError, ValueError } from "../errors.ts";
import { alike } from "../kernels/divide.ts";
import { Kernel } from "../kernels/kernel.ts";
import { walkPlanes } from "../kernels/plane-plan.ts";
import avgWgsl from "../kernels/wgsl/avg-pool.wgsl";
import avgBackwardWgsl from "../kernels/wgsl/avg-pool-backward.wgsl";
import maxWgsl from "../kernels/wgsl/max-pool.wgsl";
import maxBackwardWgsl from "../kernels/wgsl/max-pool-backward.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { pair, type Shape, show, sizeOf } from "../tensor/shape.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";

/** Rows and columns. */
type Pair = readonly [number, number];
type Size = number | Pair;

/** How windows move over the input. */
export interface PoolOptions {
  /** Default: the kernel's size. */
  stride?: Size;
  /** On both sides; at most half the kernel. Default 0. */
  padding?: Size;
  /** Round output sizes up: windows may reach over the edge, but start inside. Default false. */
  ceilMode?: boolean;
}
/** What `maxPool2d` takes beside the size of the window. */
export interface MaxPoolOptions extends PoolOptions {
  /** Distance between the elements of a window. Default 1. */
  dilation?: Size;
}
/** Whether maxima come with their positions. */
export interface IndicesOption<R extends boolean> {
  /** Give also where in its plane or volume each maximum was found, counted row after row: i32, what unpooling takes. Default false. */
  returnIndices?: R;
}
/** The maxima; with `returnIndices` a pair of them and of their positions, of the same shape. */
export type Pooled<R extends boolean> = R extends true ? [values: Tensor, indices: Tensor] : Tensor;
/** What `avgPool2d` takes beside the size of the window. */
export interface AvgPoolOptions extends PoolOptions {
  /** Padding counts in the divisor. Default true. */
  countIncludePad?: boolean;
}

/** Their names. */
export const MAX_POOL_OPTIONS = ["stride", "padding", "dilation", "ceilMode", "returnIndices"];
export const AVG_POOL_OPTIONS = ["stride", "padding", "ceilMode", "countIncludePad"];

interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly ceilMode: boolean;
}

const maxKernel = new Kernel(maxWgsl);
const maxBackwardKernel = new Kernel(maxBackwardWgsl);
const avgKernel = new Kernel(avgWgsl);
const avgBackwardKernel = new Kernel(avgBackwardWgsl);

const rowsOf = (shape: Shape): Pair => [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
const planesOf = (shape: Shape): number => sizeOf(shape.slice(0, -2));
/** The dimensions of planes: each is pooled by itself. */
const planeDims = ({ shape }: Tensor): number[] => [...shape.keys()].slice(0, -2);
const AXES = [0, 1] as const;
const map = (f: (axis: 0 | 1) => number): Pair => [f(0), f(1)];

function window(name: string, kernelSize: Size, o: MaxPoolOptions, known: readonly string[]): Window {
  checkOptions(name, o, known);
  const kernel = pair(name, "kernelSize", kernelSize, 1);
  const padding = pair(name, "padding", o.padding ?? 0);
  const dilation = pair(name, "dilation", o.dilation ?? 1, 1);
  check(
    AXES.every((i) => 2 * padding[i] <= (kernel[i] - 1) * dilation[i] + 1),
    () =>
      `[${name}] padding ${show(padding)} must be at most half of the kernel ${show(kernel)}, dilation ${show(dilation)}`,
    ValueError,
  );
  return {
    kernel,
    stride: pair(name, "stride", o.stride ?? kernel, 1),
    padding,
    dilation,
    ceilMode: o.ceilMode ?? false,
  };
}

function pooledSpec(name: string, x: Spec, w: Window): Spec {
  checkInput(name, x);
  const size = rowsOf(x.shape);
  const out = map((i) => {
    const room = size[i] + 2 * w.padding[i] - (w.kernel[i] - 1) * w.dilation[i] - 1;
    if (!w.ceilMode) return Math.floor(room / w.stride[i]) + 1;
    const n = Math.ceil(room / w.stride[i]) + 1;
    return (n - 1) * w.stride[i] >= size[i] + w.padding[i] ? n - 1 : n;
  });
  check(
    out[0] > 0 && out[1] > 0,
    () =>
      `[${name}] input ${show(x.shape)} is smaller than the kernel ${show(w.kernel)}: the output would have ${show(out)} rows and columns`,
  );
  return { shape: [...x.shape.slice(0, -2), ...out], dtype: "f32" };
}

function checkInput(name: string, { shape, dtype }: Spec): void {
  checkDtype(name, "input", dtype, "f32");
  check(
    shape.length === 3 || shape.length === 4,
    () => `[${name}] input has shape ${show(shape)} but must be [N, C, H, W] or [C, H, W]`,
    ShapeError,
  );
}

/** How a forward kernel walks its outputs. */
const outputWalk = (run: Run, y: Tensor) => walkPlanes(planesOf(y.shape), rowsOf(y.shape), run.device.info);

/** How a backward kernel walks the inputs: in blocks of 2 x 2. */
function blockWalk(run: Run, dx: Tensor) {
  const size = rowsOf(dx.shape);
  return walkPlanes(
    planesOf(dx.shape),
    map((i) => Math.ceil(size[i] / 2)),
    run.device.info,
  );
}

/** Loops over squares of up to this size are unrolled. */
const UNROLLED = 3;
const loops = ([rows, columns]: Pair) =>
  rows === columns && rows <= UNROLLED ? { ROWS: `${rows}u`, COLUMNS: `${columns}u` } : {};

/** The parameters that describe windows with stride and padding. */
const windowParams = ({ kernel, stride, padding, dilation }: Window) => ({
  stride,
  pad: padding,
  dilation,
  reach: map((i) => (kernel[i] - 1) * dilation[i]),
  per_stride: map((i) => 1 / stride[i]),
});

/** Rows and columns of windows that cover a block of 2 x 2 inputs, at most. */
const covering = (w: Window): Pair =>
  map((i) => {
    const first = (at: number) => Math.ceil((at - (w.kernel[i] - 1) * w.dilation[i]) / w.stride[i]);
    const last = (at: number) => Math.floor((at + 1) / w.stride[i]);
    // Blocks start at even positions, so two strides further on they see the same again.
    const starts = Array.from({ length: w.stride[i] }, (_, k) => w.padding[i] + 2 * k);
    return Math.max(...starts.map((at) => last(at) - first(at) + 1));
  });

type BackwardAttrs<A> = A & { readonly shape: Shape };

export const maxBackwardOp: Op<readonly [dy: Tensor, found: Tensor], BackwardAttrs<Window>> = {
  name: "maxPool2dBackward",
  infer: (_, { shape }) => [{ shape, dtype: "f32" }],
  forward(run, [dy, found], [dx], w) {
    const { params, grid } = blockWalk(run, dx);
    const turns = covering(w);
    const sizes = { size: rowsOf(dx.shape), out: rowsOf(dy.shape) };
    maxBackwardKernel
      .variant(loops(turns))
      .launch(run, { dy, found, dx }, { ...params, turns, ...sizes, ...windowParams(w) }, grid);
  },
  divisions: ([x]) => alike(planeDims(x), 2, 1),
  ...withoutGradient,
};

function launchMax(run: Run, { x, y, found }: { x: Tensor; y: Tensor; found: Tensor }, w: Window): void {
  const { params, grid } = outputWalk(run, y);
  const size = rowsOf(x.shape);
  maxKernel
    .variant(loops(w.kernel))
    .launch(run, { x, y, found }, { ...params, turns: w.kernel, size, ...windowParams(w) }, grid);
}

const maxOp: Op<readonly [x: Tensor], Window, readonly [y: Tensor], readonly [found: Tensor]> = {
  name: "maxPool2d",
  aux: 1,
  infer([x], w) {
    const y = pooledSpec("maxPool2d", x, w);
    return [y, { shape: y.shape, dtype: "u32" }];
  },
  forward: (run, [x], [y, found], w) => launchMax(run, { x, y, found }, w),
  divisions: ([x]) => alike(planeDims(x), 1, 2),
  saves: () => ({ inputs: [], outputs: [1] }),
  vjp: ([dy], c) => [apply1(maxBackwardOp, [dy, c.output(1)], { ...c.attrs, shape: c.inputSpecs[0].shape })],
};

/** The same with positions as a result. */
const maxIndicesOp: Op<readonly [x: Tensor], Window, readonly [y: Tensor, found: Tensor]> = {
  name: "maxPool2dIndices",
  infer([x], w) {
    const y = pooledSpec("maxPool2d", x, w);
    return [y, { shape: y.shape, dtype: "i32" }];
  },
  forward: (run, [x], [y, found], w) => launchMax(run, { x, y, found }, w),
  divisions: ([x]) => alike(planeDims(x), 1, 2),
  saves: () => ({ inputs: [], outputs: [1] }),
  vjp: ([dy], c) => [apply1(maxBackwardOp, [dy, c.output(1)], { ...c.attrs, shape: c.inputSpecs[0].shape })],
};

interface AvgAttrs extends Window {
  readonly countIncludePad: boolean;
}

const avgBackwardOp: Op<readonly [dy: Tensor], BackwardAttrs<AvgAttrs>> = {
  name: "avgPool2dBackward",
  infer: (_, { shape }) => [{ shape, dtype: "f32" }],
  forward(run, [dy], [dx], w) {
    const { params, grid } = blockWalk(run, dx);
    const turns = covering(w);
    const sizes = { size: rowsOf(dx.shape), out: rowsOf(dy.shape) };
    avgBackwardKernel
      .variant({ INCLUDE_PAD: w.countIncludePad, ...loops(turns) })
      .launch(run, { dy, dx }, { ...params, turns, ...sizes, ...windowParams(w) }, grid);
  },
  divisions: ([x]) => alike(planeDims(x), 1, 1),
  saves: savesNothing,
  vjp: ([g], { attrs }) => [apply1(avgOp, [g], attrs)],
};

const avgOp: Op<readonly [x: Tensor], AvgAttrs> = {
  name: "avgPool2d",
  infer: ([x], w) => [pooledSpec("avgPool2d", x, w)],
  forward(run, [x], [y], w) {
    const { params, grid } = outputWalk(run, y);
    const sizes = { size: rowsOf(x.shape), out: rowsOf(y.shape) };
    avgKernel
      .variant({ INCLUDE_PAD: w.countIncludePad, ...loops(w.kernel) })
      .launch(run, { x, y }, { ...params, turns: w.kernel, ...sizes, ...windowParams(w) }, grid);
  },
  divisions: ([x]) => alike(planeDims(x), 1, 1),
  saves: savesNothing,
  vjp: ([dy], c) => [apply1(avgBackwardOp, [dy], { ...c.attrs, shape: c.inputSpecs[0].shape })],
};

/** Adaptive windows follow from the sizes alone. */
const NO_WINDOW = { stride: [0, 0], pad: [0, 0], reach: [0, 0], per_stride: [0, 0] } as const;

/** The longest stretch of `to` positions that `span` of `from` overlap, where both cover the same length. */
function longest(from: number, to: number, span: number): number {
  let most = 1;
  for (let i = 0; i < from; i += span) {
    const end = Math.ceil((Math.min(i + span, from) * to) / from);
    most = Math.max(most, end - Math.floor((i * to) / from));
  }
  return most;
}

const adaptiveBackwardOp: Op<readonly [dy: Tensor], { readonly shape: Shape }> = {
  name: "adaptiveAvgPool2dBackward",
  infer: (_, { shape }) => [{ shape, dtype: "f32" }],
  forward(run, [dy], [dx]) {
    const { params, grid } = blockWalk(run, dx);
    const [size, out] = [rowsOf(dx.shape), rowsOf(dy.shape)];
    const turns = map((i) => longest(size[i], out[i], 2));
    avgBackwardKernel
      .variant({ ADAPTIVE: true, ...loops(turns) })
      .launch(run, { dy, dx }, { ...params, turns, size, out, ...NO_WINDOW }, grid);
  },
  divisions: ([x]) => alike(planeDims(x), 1, 1),
  saves: savesNothing,
  vjp: ([g], { inputSpecs }) => [apply1(adaptiveOp, [g], { out: rowsOf(inputSpecs[0].shape) })],
};

const adaptiveOp: Op<readonly [x: Tensor], { readonly out: Pair }> = {
  name: "adaptiveAvgPool2d",
  infer([x], { out }) {
    checkInput("adaptiveAvgPool2d", x);
    check(
      sizeOf(x.shape.slice(1)) > 0,
      () => `[adaptiveAvgPool2d] input ${show(x.shape)} has no elements to average: only the batch may be empty`,
    );
    return [{ shape: [...x.shape.slice(0, -2), ...out], dtype: "f32" }];
  },
  forward(run, [x], [y]) {
    const { params, grid } = outputWalk(run, y);
    const [size, out] = [rowsOf(x.shape), rowsOf(y.shape)];
    const turns = map((i) => longest(out[i], size[i], 1));
    avgKernel
      .variant({ ADAPTIVE: true, ...loops(turns) })
      .launch(run, { x, y }, { ...params, turns, size, out, ...NO_WINDOW }, grid);
  },
  divisions: ([x]) => alike(planeDims(x), 1, 1),
  saves: savesNothing,
  vjp: ([dy], c) => [apply1(adaptiveBackwardOp, [dy], { shape: c.inputSpecs[0].shape })],
};

/**
 * The largest element of each window of x: [N, C, H, W] or [C, H, W]. Padding never wins, and NaN always does. Among equal
 * elements the first gets the gradient.
 * @throws ValueError for padding beyond half the kernel, ShapeError where no window fits.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html
 */
export function maxPool2d<R extends boolean = false>(
  x: Tensor,
  kernelSize: Size,
  options: MaxPoolOptions & IndicesOption<R> = {},
): Pooled<R> {
  const w = window("maxPool2d", kernelSize, options, MAX_POOL_OPTIONS);
  return (options.returnIndices === true ? [...apply(maxIndicesOp, [x], w)] : apply1(maxOp, [x], w)) as Pooled<R>;
}

/**
 * The mean of each window of x: [N, C, H, W] or [C, H, W], padding counted as zeros unless `countIncludePad` is false.
 * @throws ValueError for padding beyond half the kernel, ShapeError where no window fits.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool2d.html
 */
export function avgPool2d(x: Tensor, kernelSize: Size, options: AvgPoolOptions = {}): Tensor {
  const attrs = window("avgPool2d", kernelSize, options, AVG_POOL_OPTIONS);
  return apply1(avgOp, [x], { ...attrs, countIncludePad: Boolean(options.countIncludePad ?? true) });
}

/**
 * Averages x: [N, C, H, W] or [C, H, W] to `outputSize` rows and columns, smaller or larger; null keeps a size.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool2d.html
 */
export function adaptiveAvgPool2d(x: Tensor, outputSize: number | readonly [number | null, number | null]): Tensor {
  checkTensor("adaptiveAvgPool2d", "input", x);
  const [rows, columns] = Array.isArray(outputSize) ? outputSize : [outputSize, outputSize];
  const out = pair("adaptiveAvgPool2d", "outputSize", [rows ?? x.shape.at(-2) ?? 1, columns ?? x.shape.at(-1) ?? 1], 1);
  return apply1(adaptiveOp, [x], { out });
}
