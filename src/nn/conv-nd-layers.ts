// Convolution layers beside Conv2d: of signals and volumes, and transposed ones.
import { check, checkOptions, checkWhole, told, ValueError } from "../errors.ts";
import { type ConvNdOptions, conv1d, conv3d } from "../ops/conv-1d-3d.ts";
import {
  CONV_TRANSPOSE_OPTIONS,
  type ConvTransposeOptions,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
} from "../ops/conv-transpose.ts";
import { CONV_OPTIONS } from "../ops/conv2d.ts";
import { uniform } from "../ops/random.ts";
import { type Size1, type Size2, type Size3, type SizeN, spread } from "../ops/spatial.ts";
import { scope } from "../tensor/scope.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";
import { checkPaddingMode, type PaddingMode, padEdges, sidesOf } from "./padding-mode.ts";
import { Parameter } from "./parameter.ts";

interface BiasOption {
  /** A learned number added to each channel of the result. Default true. */
  bias?: boolean;
}

interface PaddingOption extends BiasOption {
  /** What padding consists of: "zeros", or what `nn.functional.pad` makes of "reflect", "replicate" or "circular". Default "zeros". */
  paddingMode?: PaddingMode;
}

interface TransposedOption extends BiasOption {
  /** Zeros alone: padding of a transposed convolution is what is cut off. Default "zeros". */
  paddingMode?: "zeros";
}

type Convolve<O> = (x: Tensor, weight: Tensor, bias: Tensor | null, options: O) => Tensor;

/** What they have in common. */
abstract class ConvLayer<
  S extends SizeN,
  O extends { groups?: number; padding?: S | "same" | "valid"; dilation?: S },
> extends Module {
  /** Channels of the input. */
  readonly inChannels: number;
  /** Channels of the result. */
  readonly outChannels: number;
  /** The kernel's size along each dimension. */
  readonly kernelSize: readonly number[];
  /** Whether it is a transposed convolution, whose weight's first dimension is that of inputs. */
  readonly transposed: boolean;
  /** What padding consists of. */
  readonly paddingMode: PaddingMode;
  /** Stride, padding and the like, as given. */
  readonly options: Readonly<O>;
  /** The kernel of each pair of channels. */
  weight: Parameter;
  /** [outChannels]. */
  bias: Parameter | null;

  constructor(
    name: string,
    inChannels: number,
    outChannels: number,
    kernelSize: SizeN,
    given: O & PaddingOption,
    { dims, isTransposed }: { dims: number; isTransposed: boolean },
  ) {
    super();
    const known = isTransposed ? CONV_TRANSPOSE_OPTIONS : CONV_OPTIONS;
    checkOptions(name, given, [...known, "bias", "paddingMode"]);
    checkWhole(name, "inChannels", inChannels, 1);
    checkWhole(name, "outChannels", outChannels, 1);
    const { bias = true, paddingMode = "zeros", ...options } = given;
    check(
      !isTransposed || paddingMode === "zeros",
      () => `[${name}] Only "zeros" padding mode is supported for ${name}; got ${told(paddingMode)}`,
      ValueError,
    );
    checkPaddingMode(name, paddingMode);
    const { groups = 1 } = options;
    checkWhole(name, "groups", groups, 1);
    check(
      inChannels % groups === 0 && outChannels % groups === 0,
      () => `[${name}] ${inChannels} input and ${outChannels} output channels must be divisible by ${groups} groups`,
      ValueError,
    );
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = spread(name, "kernelSize", kernelSize, dims, 1);
    this.transposed = isTransposed;
    this.paddingMode = paddingMode;
    this.options = options as O;
    const [first, second] = isTransposed ? [inChannels, outChannels] : [outChannels, inChannels];
    const shape = [first, second / groups, ...this.kernelSize];
    // As PyTorch counts: of a transposed one, too, by the weight's second dimension.
    const bound = 1 / Math.sqrt(sizeOf(shape.slice(1)));
    this.weight = new Parameter(uniform(shape, -bound, bound));
    this.bias = bias ? new Parameter(uniform([outChannels], -bound, bound)) : null;
  }

  /** The function behind the layer. */
  protected abstract get convolve(): Convolve<O>;

  override forward(x: Tensor): Tensor {
    const { weight, bias, options, paddingMode } = this;
    if (paddingMode === "zeros") return this.convolve(x, weight, bias, options);
    const name = `Conv${this.kernelSize.length}d`;
    const dims = this.kernelSize.length;
    const { padding = 0, dilation = 1 } = options;
    const spacing = spread(name, "dilation", dilation, dims, 1);
    const reaches = this.kernelSize.map((size, d) => (spacing[d] ?? 1) * (size - 1));
    const sides = sidesOf(typeof padding === "string" ? padding : spread(name, "padding", padding, dims), reaches);
    return scope(() =>
      this.convolve(padEdges(name, x, sides, paddingMode), weight, bias, { ...options, padding: "valid" }),
    );
  }

  override describe(): string {
    const options = Object.entries(this.options).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
    const parts = [this.inChannels, this.outChannels, `[${this.kernelSize.join(", ")}]`, ...options];
    if (this.paddingMode !== "zeros") parts.push(`paddingMode: ${this.paddingMode}`);
    return [...parts, ...(this.bias ? [] : ["bias: false"])].join(", ");
  }
}

/**
 * A convolution of signals: x: [N, inChannels, L] to [N, outChannels, L']; weight: [outChannels, inChannels / groups, kernelSize].
 * Starts as `Conv2d` does.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Conv1d.html
 */
export class Conv1d extends ConvLayer<Size1, ConvNdOptions<Size1>> {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size1,
    options: ConvNdOptions<Size1> & PaddingOption = {},
  ) {
    super("Conv1d", inChannels, outChannels, kernelSize, options, { dims: 1, isTransposed: false });
  }
  protected override get convolve() {
    return conv1d;
  }
}

/**
 * A convolution of volumes: x: [N, inChannels, D, H, W] to [N, outChannels, D', H', W']; weight: [outChannels,
 * inChannels / groups, kernel depth, rows, columns]. Starts as `Conv2d` does.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Conv3d.html
 */
export class Conv3d extends ConvLayer<Size3, ConvNdOptions<Size3>> {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size3,
    options: ConvNdOptions<Size3> & PaddingOption = {},
  ) {
    super("Conv3d", inChannels, outChannels, kernelSize, options, { dims: 3, isTransposed: false });
  }
  protected override get convolve() {
    return conv3d;
  }
}

/**
 * A transposed convolution of signals: x: [N, inChannels, L] to [N, outChannels, L']; weight: [inChannels,
 * outChannels / groups, kernelSize]. Weight and bias start uniform in +-1/sqrt(outChannels / groups * kernelSize).
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose1d.html
 */
export class ConvTranspose1d extends ConvLayer<Size1, ConvTransposeOptions<Size1>> {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size1,
    options: ConvTransposeOptions<Size1> & TransposedOption = {},
  ) {
    super("ConvTranspose1d", inChannels, outChannels, kernelSize, options, { dims: 1, isTransposed: true });
  }
  protected override get convolve() {
    return convTranspose1d;
  }
}

/**
 * A transposed convolution of images, as decoders upsample: x: [N, inChannels, H, W] to [N, outChannels, H', W']; weight:
 * [inChannels, outChannels / groups, kernel rows, kernel columns]. Weight and bias start uniform in
 * +-1/sqrt(outChannels / groups * kernel area).
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html
 */
export class ConvTranspose2d extends ConvLayer<Size2, ConvTransposeOptions<Size2>> {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size2,
    options: ConvTransposeOptions<Size2> & TransposedOption = {},
  ) {
    super("ConvTranspose2d", inChannels, outChannels, kernelSize, options, { dims: 2, isTransposed: true });
  }
  protected override get convolve() {
    return convTranspose2d;
  }
}

/**
 * A transposed convolution of volumes: x: [N, inChannels, D, H, W] to [N, outChannels, D', H', W']; weight: [inChannels,
 * outChannels / groups, kernel depth, rows, columns]. Starts as `ConvTranspose2d` does.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose3d.html
 */
export class ConvTranspose3d extends ConvLayer<Size3, ConvTransposeOptions<Size3>> {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size3,
    options: ConvTransposeOptions<Size3> & TransposedOption = {},
  ) {
    super("ConvTranspose3d", inChannels, outChannels, kernelSize, options, { dims: 3, isTransposed: true });
  }
  protected override get convolve() {
    return convTranspose3d;
  }
}
