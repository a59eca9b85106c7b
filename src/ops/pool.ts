// Max, average and adaptive average pooling over planes.
import { apply1 } from "../autograd/apply.ts";
import { type OldOp, savesNothing } from "../autograd/op.ts";
import { check, ShapeError, ValueError } from "../errors.ts";
import type { Shader } from "../gpu/pipeline.ts";
import { f32Bits } from "../gpu/queue.ts";
import { walkPlanes } from "../kernels/plane-plan.ts";
import { OldKernel as Kernel } from "../kernels/specialize.ts";
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

export interface PoolOptions {
  /** Default: the kernel's size. */
  stride?: Size;
  /** On both sides; at most half the kernel. Default 0. */
  padding?: Size;
  /** Round output sizes up: windows may reach over the edge, but start inside. Default false. */
  ceilMode?: boolean;
}
export interface MaxPoolOptions extends PoolOptions {
  /** Distance between the elements of a window. Default 1. */
  dilation?: Size;
}
export interface AvgPoolOptions extends PoolOptions {
  /** Padding counts in the divisor. Default true. */
  countIncludePad?: boolean;
}

interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly ceilMode: boolean;
}

const maxKernel = new Kernel("max_pool", maxWgsl);
const maxBackwardKernel = new Kernel("max_pool_backward", maxBackwardWgsl);
const avgKernel = new Kernel("avg_pool", avgWgsl);
const avgBackwardKernel = new Kernel("avg_pool_backward", avgBackwardWgsl);

const rowsOf = (shape: Shape): Pair => [shape.at(-2)!, shape.at(-1)!];
const planesOf = (shape: Shape): number => sizeOf(shape.slice(0, -2));
const map = (f: (axis: 0 | 1) => number): Pair => [f(0), f(1)];

function window(name: string, kernelSize: Size, o: MaxPoolOptions): Window {
  const kernel = pair(name, "kernelSize", kernelSize, 1);
  const padding = pair(name, "padding", o.padding ?? 0);
  const dilation = pair(name, "dilation", o.dilation ?? 1, 1);
  check(
    [0, 1].every((i) => 2 * padding[i]! <= (kernel[i]! - 1) * dilation[i]! + 1),
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

/** The plan of a forward kernel, and the words with which its `Params` begin. */
function outputWalk(x: Tensor, y: Tensor, third = 0) {
  const out = rowsOf(y.shape);
  const walk = walkPlanes(planesOf(y.shape), ...out, x.device.info.isSoftware);
  return { grid: walk.grid, words: [walk.positions, walk.per, third, 0, ...walk.step, 0, ...rowsOf(x.shape), ...out] };
}

/** The same of a backward kernel, which walks blocks of 2 x 2 inputs; `blocks`: how many a plane has. */
function blockWalk(dy: Tensor, dx: Tensor, third = 0) {
  const size = rowsOf(dx.shape);
  const blocks = map((i) => Math.ceil(size[i] / 2));
  const walk = walkPlanes(planesOf(dx.shape), ...blocks, dx.device.info.isSoftware);
  const words = [walk.positions, walk.per, third, 0, ...walk.step, 0, ...size, ...rowsOf(dy.shape)];
  return { grid: walk.grid, words, blocks };
}

/**
 * The variant for loops over `rows` and `columns`, with `extra` overrides under their own tag. Loops over squares of up
 * to this size are unrolled: on software adapters a turn of a loop costs as much as several loads.
 */
const UNROLLED = 3;
function variant(kernel: Kernel, [rows, columns]: Pair, extra: Record<string, string> = {}, tag = ""): Shader {
  if (rows !== columns || rows > UNROLLED) return kernel.variant(extra, tag);
  const loops = {
    rows: `fn rows() -> u32 { return ${rows}u; }`,
    columns: `fn columns() -> u32 { return ${columns}u; }`,
  };
  return kernel.variant({ ...loops, ...extra }, `${tag} ${rows}x${columns}`.trim());
}

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

const maxBackwardOp: OldOp<BackwardAttrs<Window>> = {
  name: "maxPool2dBackward",
  infer: (_, { shape }) => [{ shape, dtype: "f32" }],
  forward({ queue }, [dy, found], [dx], w) {
    const { grid, words, blocks } = blockWalk(dy!, dx!);
    const reach = map((i) => (w.kernel[i] - 1) * w.dilation[i]);
    const inverse = map((i) => f32Bits(1 / w.stride[i]));
    const windows = covering(w);
    queue.dispatch(
      variant(maxBackwardKernel, windows),
      [dy!.storage, found!.storage, dx!.storage],
      [...words, ...blocks, ...w.padding, ...reach, ...inverse, ...windows],
      grid,
    );
  },
  saves: savesNothing,
  vjp: "not differentiable",
};

const maxOp: OldOp<Window> = {
  name: "maxPool2d",
  aux: 1,
  infer([x], w) {
    const y = pooledSpec("maxPool2d", x!, w);
    return [y, { shape: y.shape, dtype: "u32" }];
  },
  forward({ queue }, [x], [y, found], w) {
    const { grid, words } = outputWalk(x!, y!);
    queue.dispatch(
      variant(maxKernel, w.kernel),
      [x!.storage, y!.storage, found!.storage],
      [...words, ...w.kernel, ...w.stride, ...w.padding, ...w.dilation],
      grid,
    );
  },
  saves: () => ({ inputs: [], outputs: [1] }),
  vjp: ([dy], c) => [apply1(maxBackwardOp, [dy!, c.output(1)], { ...c.attrs, shape: c.inputSpecs[0]!.shape })],
};

interface AvgAttrs extends Window {
  readonly countIncludePad: boolean;
}
const avgWords = (w: AvgAttrs): number[] => [...w.kernel, ...w.stride, ...w.padding];

const avgBackwardOp: OldOp<BackwardAttrs<AvgAttrs>> = {
  name: "avgPool2dBackward",
  infer: (_, { shape }) => [{ shape, dtype: "f32" }],
  forward({ queue }, [dy], [dx], w) {
    const { grid, words, blocks } = blockWalk(dy!, dx!, Number(w.countIncludePad));
    const inverse = map((i) => f32Bits(1 / w.stride[i]));
    const windows = covering(w);
    const params = [...words, ...avgWords(w), ...blocks, ...inverse, ...windows];
    queue.dispatch(variant(avgBackwardKernel, windows), [dy!.storage, dx!.storage], params, grid);
  },
  saves: savesNothing,
  vjp: "not differentiable",
};

const avgOp: OldOp<AvgAttrs> = {
  name: "avgPool2d",
  infer: ([x], w) => [pooledSpec("avgPool2d", x!, w)],
  forward({ queue }, [x], [y], w) {
    const { grid, words } = outputWalk(x!, y!, Number(w.countIncludePad));
    queue.dispatch(variant(avgKernel, w.kernel), [x!.storage, y!.storage], [...words, ...avgWords(w)], grid);
  },
  saves: savesNothing,
  vjp: ([dy], c) => [apply1(avgBackwardOp, [dy!], { ...c.attrs, shape: c.inputSpecs[0]!.shape })],
};

// Window o of n in a plane of m reaches from floor(o m / n) to ceil((o + 1) m / n). Whole quotients by way of floats, with
// one step of correction: integer division is slow where it is emulated.
const DIVIDE = `fn divide(a: u32, b: u32) -> u32 {
  let q = u32(i32(f32(i32(a)) / f32(i32(b))));
  let rest = i32(a - q * b);
  return q + select(0u, 1u, rest >= i32(b)) - select(0u, 1u, rest < 0);
}`;
const ADAPTIVE = {
  window: `${DIVIDE}
fn window(o: u32, axis: u32) -> vec3u {
  let begin = divide(o * p.size[axis], p.out[axis]);
  let end = divide((o + 1u) * p.size[axis] + p.out[axis] - 1u, p.out[axis]);
  return vec3u(begin, end, end - begin);
}`,
};
const ADAPTIVE_BACKWARD = {
  ...ADAPTIVE,
  covering: `fn covering(i: u32, axis: u32) -> vec2u {
  let end = divide(min(i + 2u, p.size[axis]) * p.out[axis] + p.size[axis] - 1u, p.size[axis]);
  return vec2u(divide(i * p.out[axis], p.size[axis]), end);
}`,
};
/** The longest stretch of `to` positions that `span` of `from` overlap, where both cover the same length. */
function longest(from: number, to: number, span: number): number {
  let most = 1;
  for (let i = 0; i < from; i += span) {
    const end = Math.ceil((Math.min(i + span, from) * to) / from);
    most = Math.max(most, end - Math.floor((i * to) / from));
  }
  return most;
}

const adaptiveBackwardOp: OldOp<{ shape: Shape }> = {
  name: "adaptiveAvgPool2dBackward",
  infer: (_, { shape }) => [{ shape, dtype: "f32" }],
  forward({ queue }, [dy], [dx]) {
    const { grid, words, blocks } = blockWalk(dy!, dx!);
    const [size, out] = [rowsOf(dx!.shape), rowsOf(dy!.shape)];
    const windows = map((i) => longest(size[i], out[i], 2));
    queue.dispatch(
      variant(avgBackwardKernel, windows, ADAPTIVE_BACKWARD, "adaptive"),
      [dy!.storage, dx!.storage],
      [...words, 0, 0, 0, 0, 0, 0, ...blocks, 0, 0, ...windows],
      grid,
    );
  },
  saves: savesNothing,
  vjp: "not differentiable",
};

const adaptiveOp: OldOp<{ out: Pair }> = {
  name: "adaptiveAvgPool2d",
  infer([x], { out }) {
    checkInput("adaptiveAvgPool2d", x!);
    check(
      sizeOf(x!.shape.slice(1)) > 0,
      () => `[adaptiveAvgPool2d] input ${show(x!.shape)} has no elements to average: only the batch may be empty`,
    );
    return [{ shape: [...x!.shape.slice(0, -2), ...out], dtype: "f32" }];
  },
  forward({ queue }, [x], [y]) {
    const { grid, words } = outputWalk(x!, y!);
    const [size, out] = [rowsOf(x!.shape), rowsOf(y!.shape)];
    const largest = map((i) => longest(out[i], size[i], 1));
    queue.dispatch(
      variant(avgKernel, largest, ADAPTIVE, "adaptive"),
      [x!.storage, y!.storage],
      [...words, ...largest, 0, 0, 0, 0],
      grid,
    );
  },
  saves: savesNothing,
  vjp: ([dy], c) => [apply1(adaptiveBackwardOp, [dy!], { shape: c.inputSpecs[0]!.shape })],
};

/**
 * The largest element of each window of x: [N, C, H, W] or [C, H, W]. Padding never wins. Among equal elements the first
 * gets the gradient.
 * @throws ValueError for padding beyond half the kernel, ShapeError where no window fits.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html
 */
export const maxPool2d = (x: Tensor, kernelSize: Size, options: MaxPoolOptions = {}): Tensor =>
  apply1(maxOp, [x], window("maxPool2d", kernelSize, options));

/**
 * The mean of each window of x: [N, C, H, W] or [C, H, W], padding counted as zeros unless `countIncludePad` is false.
 * @throws ValueError for padding beyond half the kernel, ShapeError where no window fits.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool2d.html
 */
export function avgPool2d(x: Tensor, kernelSize: Size, options: AvgPoolOptions = {}): Tensor {
  const { countIncludePad = true, ...rest } = options;
  return apply1(avgOp, [x], { ...window("avgPool2d", kernelSize, rest), countIncludePad });
}

/**
 * Averages x: [N, C, H, W] or [C, H, W] to `outputSize` rows and columns, smaller or larger; null keeps a size.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool2d.html
 */
export function adaptiveAvgPool2d(x: Tensor, outputSize: number | readonly [number | null, number | null]): Tensor {
  const [rows, columns] = typeof outputSize === "number" ? [outputSize, outputSize] : outputSize;
  const out = pair("adaptiveAvgPool2d", "outputSize", [rows ?? x.shape.at(-2) ?? 1, columns ?? x.shape.at(-1) ?? 1], 1);
  return apply1(adaptiveOp, [x], { out });
}
