// Windows of images as columns (im2col), and the sum of such columns (col2im), which is its adjoint.
import { apply1 } from "../autograd/apply.ts";
import { type Op, savesNothing } from "../autograd/op.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, checkOptions, ShapeError } from "../errors.ts";
import { alike } from "../kernels/divide.ts";
import { Kernel } from "../kernels/kernel.ts";
import { walkPlanes } from "../kernels/plane-plan.ts";
import foldWgsl from "../kernels/wgsl/fold.wgsl";
import unfoldWgsl from "../kernels/wgsl/unfold.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { pair, type Shape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Size2 } from "./spatial.ts";

/** How windows move over an image. */
export interface UnfoldOptions {
  /** Distance between the elements of a window. Default 1. */
  dilation?: Size2;
  /** Zeros added on each side. Default 0. */
  padding?: Size2;
  /** Step of the windows. Default 1. */
  stride?: Size2;
}

/** Their names. */
export const UNFOLD_OPTIONS = ["dilation", "padding", "stride"];

type Pair = readonly [number, number];

interface Windows {
  /** Of the images. */
  readonly size: Pair;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  /** How many there are, down and across. */
  readonly out: Pair;
}

const unfoldKernel = new Kernel(unfoldWgsl);
const foldKernel = new Kernel(foldWgsl);

/** Loops over squares of up to this size are unrolled. */
const UNROLLED = 3;
const loops = ({ kernel: [rows, columns] }: Windows) =>
  rows <= UNROLLED && columns <= UNROLLED ? { ROWS: `${rows}u`, COLUMNS: `${columns}u` } : {};

const params = ({ kernel, stride, padding, dilation }: Windows) => ({ turns: kernel, stride, pad: padding, dilation });

/** Images in a batch, times their channels. */
const planesOf = ({ shape }: Tensor, { kernel }: Windows): number =>
  ((shape[0] ?? 0) * (shape[1] ?? 0)) / (kernel[0] * kernel[1]);

export const unfoldOp: Op<readonly [x: Tensor], Windows> = {
  name: "unfold",
  infer([x], { kernel, out }) {
    checkDtype("unfold", "input", x.dtype, "f32");
    const [n = 0, channels = 0] = x.shape;
    return [{ shape: [n, channels * kernel[0] * kernel[1], out[0] * out[1]], dtype: "f32" }];
  },
  forward(run, [x], [y], windows) {
    const { params: walk, grid } = walkPlanes(planesOf(y, windows), windows.out, run.device.info);
    const { size } = windows;
    unfoldKernel.variant(loops(windows)).launch(run, { x, y }, { ...walk, ...params(windows), size }, grid);
  },
  divisions: () => alike([0], 1, 1),
  saves: savesNothing,
  vjp: ([dy], { attrs }) => [apply1(foldOp, [dy], attrs)],
};

export const foldOp: Op<readonly [x: Tensor], Windows> = {
  name: "fold",
  infer([x], { kernel, size }) {
    checkDtype("fold", "input", x.dtype, "f32");
    const [n = 0, columns = 0] = x.shape;
    return [{ shape: [n, columns / (kernel[0] * kernel[1]), ...size], dtype: "f32" }];
  },
  forward(run, [x], [y], windows) {
    const { params: walk, grid } = walkPlanes(planesOf(x, windows), windows.size, run.device.info);
    const { out, stride } = windows;
    const per_stride = [1 / stride[0], 1 / stride[1]] as const;
    foldKernel.variant(loops(windows)).launch(run, { x, y }, { ...walk, ...params(windows), out, per_stride }, grid);
  },
  divisions: () => alike([0], 1, 1),
  saves: savesNothing,
  vjp: ([dy], { attrs }) => [apply1(unfoldOp, [dy], attrs)],
};

function windowsOf(op: string, [height = 0, width = 0]: Shape, kernelSize: Size2, options: UnfoldOptions): Windows {
  checkOptions(op, options, UNFOLD_OPTIONS);
  const kernel = pair(op, "kernelSize", kernelSize, 1);
  const stride = pair(op, "stride", options.stride ?? 1, 1);
  const padding = pair(op, "padding", options.padding ?? 0);
  const dilation = pair(op, "dilation", options.dilation ?? 1, 1);
  const along = (size: number, i: 0 | 1) =>
    Math.floor((size + 2 * padding[i] - dilation[i] * (kernel[i] - 1) - 1) / stride[i]) + 1;
  const out: Pair = [along(height, 0), along(width, 1)];
  check(
    out[0] > 0 && out[1] > 0,
    () => `[${op}] no window ${show(kernel)} dilated by ${show(dilation)} fits ${height} rows and ${width} columns`,
  );
  return { size: [height, width], kernel, stride, padding, dilation, out };
}

/**
 * The windows of x: [N, C, H, W] as columns: [N, C * kernel area, windows], both row by row.
 * @throws ShapeError where no window fits.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.unfold.html
 */
export function unfold(x: Tensor, kernelSize: Size2, options: UnfoldOptions = {}): Tensor {
  checkTensor("unfold", "input", x);
  check(x.ndim === 4, () => `[unfold] input has shape ${show(x.shape)} but must be [N, C, H, W]`);
  return apply1(unfoldOp, [x], windowsOf("unfold", x.shape.slice(2), kernelSize, options));
}

/**
 * The sum of windows x: [N, C * kernel area, windows], each at its place, as images [N, C, ...outputSize]: what `unfold` takes apart.
 * @throws ShapeError where x has another number of windows than images of that size.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.fold.html
 */
export function fold(x: Tensor, outputSize: Size2, kernelSize: Size2, options: UnfoldOptions = {}): Tensor {
  checkTensor("fold", "input", x);
  const windows = windowsOf("fold", pair("fold", "outputSize", outputSize, 1), kernelSize, options);
  const [area, count] = [windows.kernel[0] * windows.kernel[1], windows.out[0] * windows.out[1]];
  check(
    x.ndim === 3 && (x.shape[1] ?? 0) % area === 0 && x.shape[2] === count,
    () =>
      `[fold] input has shape ${show(x.shape)} but must be [N, a multiple of ${area}, ${count}] for windows ${show(windows.kernel)} of images ${show(windows.size)}`,
    ShapeError,
  );
  return apply1(foldOp, [x], windows);
}
