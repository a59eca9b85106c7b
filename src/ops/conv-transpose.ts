// Transposed convolutions, which are the gradients of convolutions in their inputs: of images, and of signals and volumes
// by way of images.
import { apply1 } from "../autograd/apply.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, checkOptions, checkWhole, ValueError } from "../errors.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./arithmetic.ts";
import { inputGradient } from "./conv2d.ts";
import { pad, permute } from "./movement.ts";
import { batched, type Size1, type Size2, type Size3, type SizeN, spread } from "./spatial.ts";
import { foldOp } from "./unfold.ts";
import { view } from "./view.ts";

/** Options of a transposed convolution: numbers for all spatial dimensions, or one for each. */
export interface ConvTransposeOptions<S extends SizeN = Size2> {
  /** Step of the kernel over the result. Default 1. */
  stride?: S;
  /** Of dilation * (kernel size - 1), by which the kernel reaches over each end, so much is cut off. Default 0. */
  padding?: S;
  /** Added to one end of the result, which several sizes could be: less than the stride or the dilation. Default 0. */
  outputPadding?: S;
  /** Input and output channels are split into so many groups that do not mix. Default 1. */
  groups?: number;
  /** Distance between the elements of the kernel. Default 1. */
  dilation?: S;
}

/** Their names. */
export const CONV_TRANSPOSE_OPTIONS = ["stride", "padding", "outputPadding", "groups", "dilation"];

/** A transposed convolution as its shapes and options say. */
interface Plan {
  readonly sizes: readonly number[];
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
  /** Sizes of the result. */
  readonly out: readonly number[];
  /** Zeros to be added behind x, so that the convolution of a result of that size gives as many. */
  readonly more: readonly number[];
  readonly n: number;
  readonly filters: number;
}

function plan(
  op: string,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null | undefined,
  options: ConvTransposeOptions<SizeN>,
  count: number,
): Plan {
  const { n, channels, sizes } = batched(op, x, count);
  checkTensor(op, "weight", weight);
  checkOptions(op, options, CONV_TRANSPOSE_OPTIONS);
  const { groups = 1 } = options;
  checkWhole(op, "groups", groups, 1);
  const stride = spread(op, "stride", options.stride ?? 1, count, 1);
  const padding = spread(op, "padding", options.padding ?? 0, count);
  const outputPadding = spread(op, "outputPadding", options.outputPadding ?? 0, count);
  const dilation = spread(op, "dilation", options.dilation ?? 1, count, 1);
  checkDtype(op, "input", x.dtype, "f32");
  checkDtype(op, "weight", weight.dtype, "f32");
  const [inputs = 0, perGroup = 0, ...kernel] = weight.shape;
  check(
    weight.ndim === count + 2 && inputs === channels && channels % groups === 0 && kernel.every((size) => size > 0),
    () =>
      `[${op}] input ${show(x.shape)} has ${channels} channels in ${groups} groups, so weight must be [${channels}, filters / groups, ...kernel], got ${show(weight.shape)}`,
  );
  const filters = perGroup * groups;
  if (bias) {
    checkTensor(op, "bias", bias);
    checkDtype(op, "bias", bias.dtype, "f32");
    check(
      bias.ndim === 1 && bias.shape[0] === filters,
      () => `[${op}] bias has shape ${show(bias.shape)} but weight ${show(weight.shape)} expects [${filters}]`,
    );
  }
  const at = (list: readonly number[], i: number) => list[i] ?? 0;
  check(
    outputPadding.every((more, i) => more < Math.max(at(stride, i), at(dilation, i))),
    () =>
      `[${op}] outputPadding ${show(outputPadding)} must be less than stride ${show(stride)} or dilation ${show(dilation)}`,
    ValueError,
  );
  const out = sizes.map(
    (size, i) =>
      (size - 1) * at(stride, i) -
      2 * at(padding, i) +
      at(dilation, i) * (at(kernel, i) - 1) +
      at(outputPadding, i) +
      1,
  );
  check(
    out.every((size) => size > 0),
    () => `[${op}] input ${show(x.shape)} and weight ${show(weight.shape)} give a result of ${show(out)}: pad less`,
  );
  const more = stride.map((step, i) => Math.floor(at(outputPadding, i) / step));
  return { sizes, kernel, stride, padding, dilation, groups, out, more, n, filters };
}

/** Two numbers, the first for rows. */
const two = ([a = 0, b]: readonly number[], filler: number): [number, number] =>
  b === undefined ? [filler, a] : [a, b];

/** The adjoint of a convolution of images: x: [N, C, H, W], weight: [C, filters / groups, KH, KW], as the last two numbers say. */
function transposed(x: Tensor, weight: Tensor, p: Plan, filters = p.filters): Tensor {
  const last = (list: readonly number[], filler: number) => two(list.slice(-2), filler);
  const attrs = {
    stride: last(p.stride, 1),
    padding: last(p.padding, 0),
    dilation: last(p.dilation, 1),
    groups: p.groups,
  };
  const [down, across] = last(p.more, 0);
  const padded = down || across ? pad(x, [0, across, 0, down]) : x;
  return inputGradient(padded, weight, [x.shape[0] ?? 0, filters, ...last(p.out, 1)], attrs);
}

const withBias = (y: Tensor, bias: Tensor | null | undefined): Tensor =>
  bias ? add(y, view("bias", bias, [1, bias.numel, ...y.shape.slice(2).map(() => 1)])) : y;

/**
 * Transposed 1-D convolution. x: [N, C, L], weight: [C, filters / groups, K], bias: [filters]; result: [N, filters, L'].
 * @throws ShapeError where shapes do not fit, ValueError for options out of range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose1d.html
 */
export function convTranspose1d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: ConvTransposeOptions<Size1> = {},
): Tensor {
  const p = plan("convTranspose1d", x, weight, bias, options, 1);
  const image = ({ shape: [a = 0, b = 0, length = 0] }: Tensor) => [a, b, 1, length];
  return scope(() => {
    const y = transposed(view("convTranspose1d", x, image(x)), view("convTranspose1d", weight, image(weight)), p);
    return withBias(view("convTranspose1d", y, [p.n, p.filters, ...p.out]), bias);
  });
}

/**
 * Transposed 2-D convolution, the gradient of a convolution in its input: upsampling that is learned. x: [N, C, H, W],
 * weight: [C, filters / groups, KH, KW], bias: [filters]; result: [N, filters, H', W'] with
 * H' = (H - 1) stride - 2 padding + dilation (KH - 1) + outputPadding + 1.
 * @throws ShapeError where shapes do not fit, ValueError for options out of range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose2d.html
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: ConvTransposeOptions<Size2> = {},
): Tensor {
  const p = plan("convTranspose2d", x, weight, bias, options, 2);
  return scope(() => withBias(transposed(x, weight, p), bias));
}

/**
 * Transposed 3-D convolution. x: [N, C, D, H, W], weight: [C, filters / groups, KD, KH, KW], bias: [filters]; result:
 * [N, filters, D', H', W']. Each slice is an image whose result has the kernel's depth among its channels, and these are
 * added up where they overlap.
 * @throws ShapeError where shapes do not fit, ValueError for options out of range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose3d.html
 */
export function convTranspose3d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: ConvTransposeOptions<Size3> = {},
): Tensor {
  const name = "convTranspose3d";
  const p = plan(name, x, weight, bias, options, 3);
  const [channels = 0, perGroup = 0] = weight.shape;
  const [depth = 0, ...image] = p.sizes;
  const [deep = 1, ...flat] = p.kernel;
  const [outDepth = 0, ...outImage] = p.out;
  const area = outImage.reduce((a, b) => a * b, 1);
  return scope(() => {
    const slices = view(name, permute(x, [0, 2, 1, 3, 4]), [p.n * depth, channels, ...image]);
    const kernel = view(name, weight, [channels, perGroup * deep, ...flat]);
    const parts = view(name, transposed(slices, kernel, p, p.filters * deep), [p.n, depth, p.filters * deep, area]);
    const windows = {
      size: [outDepth, area],
      kernel: [deep, 1],
      stride: [p.stride[0] ?? 1, 1],
      padding: [p.padding[0] ?? 0, 0],
      dilation: [p.dilation[0] ?? 1, 1],
      out: [depth, area],
    } as const;
    const columns = view(name, permute(parts, [0, 2, 1, 3]), [p.n, p.filters * deep, depth * area]);
    return withBias(view(name, apply1(foldOp, [columns], windows), [p.n, p.filters, ...p.out]), bias);
  });
}
