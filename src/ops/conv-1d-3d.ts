// Convolutions of signals and volumes, by way of those of images.
import { apply1 } from "../autograd/apply.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, checkOptions, checkWhole, ValueError } from "../errors.ts";
import { scope } from "../tensor/scope.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./arithmetic.ts";
import { CONV_OPTIONS, conv2d } from "./conv2d.ts";
import { pad, permute } from "./movement.ts";
import { batched, type Size1, type Size3, type SizeN, spread } from "./spatial.ts";
import { unfoldOp } from "./unfold.ts";
import { view } from "./view.ts";

/** Stride, padding, dilation and groups of a convolution in any number of dimensions. */
export interface ConvNdOptions<S extends SizeN> {
  /** Step of the kernel. Default 1. */
  stride?: S;
  /**
   * Zeros added on each side; "same": as many as keep the size, at stride 1 (of an odd number the last one comes behind);
   * "valid": none. Default 0.
   */
  padding?: S | "same" | "valid";
  /** Distance between the elements of the kernel. Default 1. */
  dilation?: S;
  /** Input and output channels are split into so many groups that do not mix. Default 1. */
  groups?: number;
}

/** Checks what conv2d would tell in its own terms, and fills in what is left out. */
function plan(
  op: string,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null | undefined,
  options: ConvNdOptions<SizeN>,
  count: number,
) {
  const { n, channels, sizes } = batched(op, x, count);
  checkTensor(op, "weight", weight);
  checkOptions(op, options, CONV_OPTIONS);
  const { groups = 1, padding = 0 } = options;
  checkWhole(op, "groups", groups, 1);
  const [filters = 0, perGroup = 0, ...kernel] = weight.shape;
  check(
    weight.ndim === count + 2 && perGroup * groups === channels && filters % groups === 0,
    () =>
      `[${op}] input ${show(x.shape)} has ${channels} channels in ${groups} groups, so weight must be [filters, ${channels / groups}, ...kernel], got ${show(weight.shape)}`,
  );
  if (bias) checkTensor(op, "bias", bias);
  const stride = spread(op, "stride", options.stride ?? 1, count, 1);
  const dilation = spread(op, "dilation", options.dilation ?? 1, count, 1);
  const spans = kernel.map((size, i) => (dilation[i] ?? 1) * (size - 1));
  const same = padding === "same";
  check(
    !same || stride.every((step) => step === 1),
    () => `[${op}] padding "same" keeps the size at stride 1 alone, got stride ${show(stride)}`,
    ValueError,
  );
  const before = same
    ? spans.map((span) => Math.floor(span / 2))
    : spread(op, "padding", padding === "valid" ? 0 : (padding as SizeN), count);
  /** More zeros behind. */
  const behind = spans.map((span) => (same ? span % 2 : 0));
  const out = sizes.map((size, i) => {
    const room = size + 2 * (before[i] ?? 0) + (behind[i] ?? 0) - (spans[i] ?? 0) - 1;
    return Math.floor(room / (stride[i] ?? 1)) + 1;
  });
  check(
    out.every((size) => size > 0) && kernel.every((size) => size > 0),
    () => `[${op}] input ${show(x.shape)} padded by ${show(before)} is smaller than kernel ${show(kernel)}`,
  );
  return { n, channels, sizes, filters, perGroup, kernel, groups, stride, dilation, padding: before, behind, out };
}

/** With zeros behind each dimension. */
const extended = (x: Tensor, behind: readonly number[]): Tensor =>
  behind.some((n) => n > 0)
    ? pad(
        x,
        [...behind].reverse().flatMap((n) => [0, n]),
      )
    : x;

/**
 * 1-D convolution (cross-correlation). x: [N, C, L], weight: [filters, C / groups, K], bias: [filters]; result:
 * [N, filters, L'].
 * @throws ShapeError where channels, groups or bias do not fit, ValueError for options out of range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv1d.html
 */
export function conv1d(x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvNdOptions<Size1> = {}): Tensor {
  const p = plan("conv1d", x, weight, bias, options, 1);
  const image = (t: Tensor) => view("conv1d", t, [t.shape[0] ?? 0, t.shape[1] ?? 0, 1, t.shape[2] ?? 0]);
  const across = ([n = 0]: readonly number[], rows: number): [number, number] => [rows, n];
  return scope(() => {
    const y = conv2d(image(extended(x, p.behind)), image(weight), bias, {
      stride: across(p.stride, 1),
      padding: across(p.padding, 0),
      dilation: across(p.dilation, 1),
      groups: p.groups,
    });
    return view("conv1d", y, [p.n, p.filters, ...p.out]);
  });
}

/**
 * 3-D convolution (cross-correlation). x: [N, C, D, H, W], weight: [filters, C / groups, KD, KH, KW], bias: [filters];
 * result: [N, filters, D', H', W']. The slices that meet in a result become channels of an image.
 * @throws ShapeError where channels, groups or bias do not fit, ValueError for options out of range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv3d.html
 */
export function conv3d(x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvNdOptions<Size3> = {}): Tensor {
  const name = "conv3d";
  const p = plan(name, x, weight, bias, options, 3);
  const last = ([, a = 0, b = 0]: readonly number[]): [number, number] => [a, b];
  return scope(() => {
    const whole = extended(x, p.behind);
    const [depth = 0, height = 0, width = 0] = whole.shape.slice(2);
    const [deep = 1, ...flat] = p.kernel;
    const [outDepth = 1, ...image] = p.out;
    const area = height * width;
    const windows = {
      size: [depth, area],
      kernel: [deep, 1],
      stride: [p.stride[0] ?? 1, 1],
      padding: [p.padding[0] ?? 0, 0],
      dilation: [p.dilation[0] ?? 1, 1],
      out: [outDepth, area],
    } as const;
    const channels = p.channels * deep;
    const unfolded = apply1(unfoldOp, [view(name, whole, [p.n, p.channels, depth, area])], windows);
    const slices = permute(view(name, unfolded, [p.n, channels, outDepth, area]), [0, 2, 1, 3]);
    const y = conv2d(
      view(name, slices, [p.n * outDepth, channels, height, width]),
      view(name, weight, [p.filters, p.perGroup * deep, ...flat]),
      null,
      { stride: last(p.stride), padding: last(p.padding), dilation: last(p.dilation), groups: p.groups },
    );
    const volume = permute(view(name, y, [p.n, outDepth, p.filters, ...image]), [0, 2, 1, 3, 4]);
    return bias ? add(volume, view(name, bias, [p.filters, 1, 1, 1])) : volume;
  });
}
