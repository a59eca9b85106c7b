// Conv2d: the layer around ops/conv2d.ts.
import { check, checkOptions, checkWhole, ValueError } from "../errors.ts";
import { type ConvOptions, conv2d } from "../ops/conv2d.ts";
import { uniform } from "../ops/random.ts";
import { scope } from "../tensor/scope.ts";
import { pair } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";
import { checkPaddingMode, type PaddingMode, padEdges, sidesOf } from "./padding-mode.ts";
import { Parameter } from "./parameter.ts";

/**
 * A convolution: x: [N, inChannels, H, W] to [N, outChannels, H', W'];
 * weight: [outChannels, inChannels / groups, kernel rows, kernel columns]. Weight and bias start uniform in
 * +-1/sqrt(inputs of one output), which is PyTorch's kaiming_uniform with a = sqrt(5).
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
 */
export class Conv2d extends Module {
  /** Channels of the input. */
  readonly inChannels: number;
  /** Channels of the result. */
  readonly outChannels: number;
  /** Rows and columns of the kernel. */
  readonly kernelSize: readonly [number, number];
  /** Stride, padding, dilation and groups, defaults filled in. */
  readonly options: Readonly<Required<ConvOptions>>;
  /** What padding consists of. */
  readonly paddingMode: PaddingMode;
  /** [outChannels, inChannels / groups, kernel rows, kernel columns]. */
  weight: Parameter;
  /** [outChannels]. */
  bias: Parameter | null;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly [number, number],
    options: ConvOptions & {
      /** A learned number added to each channel of the result. Default true. */
      bias?: boolean;
      /** What padding consists of: "zeros", or what `nn.functional.pad` makes of "reflect", "replicate" or "circular". Default "zeros". */
      paddingMode?: PaddingMode;
    } = {},
  ) {
    super();
    checkOptions("Conv2d", options, ["stride", "padding", "dilation", "groups", "bias", "paddingMode"]);
    const { bias = true, stride = 1, padding = 0, dilation = 1, groups = 1, paddingMode = "zeros" } = options;
    checkPaddingMode("Conv2d", paddingMode);
    checkWhole("Conv2d", "inChannels", inChannels, 1);
    checkWhole("Conv2d", "outChannels", outChannels, 1);
    checkWhole("Conv2d", "groups", groups, 1);
    check(
      inChannels % groups === 0 && outChannels % groups === 0,
      () => `[Conv2d] ${inChannels} input and ${outChannels} output channels must be divisible by ${groups} groups`,
      ValueError,
    );
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = pair("Conv2d", "kernelSize", kernelSize, 1);
    this.options = { stride, padding, dilation, groups };
    this.paddingMode = paddingMode;
    const shape = [outChannels, inChannels / groups, ...this.kernelSize];
    const bound = 1 / Math.sqrt((inChannels / groups) * this.kernelSize[0] * this.kernelSize[1]);
    this.weight = new Parameter(uniform(shape, -bound, bound));
    this.bias = bias ? new Parameter(uniform([outChannels], -bound, bound)) : null;
  }

  override forward(x: Tensor): Tensor {
    const { weight, bias, options, paddingMode } = this;
    if (paddingMode === "zeros") return conv2d(x, weight, bias, options);
    const { padding, dilation } = options;
    const spread = typeof padding === "string" ? padding : pair("Conv2d", "padding", padding);
    const spacing = pair("Conv2d", "dilation", dilation, 1);
    const sides = sidesOf(spread, [spacing[0] * (this.kernelSize[0] - 1), spacing[1] * (this.kernelSize[1] - 1)]);
    return scope(() => conv2d(padEdges("Conv2d", x, sides, paddingMode), weight, bias, { ...options, padding: 0 }));
  }

  override describe(): string {
    const { stride, padding, dilation, groups } = this.options;
    const size = (s: number | string | readonly [number, number]) => (Array.isArray(s) ? `[${s.join(", ")}]` : s);
    const parts = [this.inChannels, this.outChannels, `[${this.kernelSize.join(", ")}]`, `stride: ${size(stride)}`];
    if (size(padding) !== 0) parts.push(`padding: ${size(padding)}`);
    if (size(dilation) !== 1) parts.push(`dilation: ${size(dilation)}`);
    if (groups !== 1) parts.push(`groups: ${groups}`);
    if (this.paddingMode !== "zeros") parts.push(`paddingMode: ${this.paddingMode}`);
    if (!this.bias) parts.push("bias: false");
    return parts.join(", ");
  }
}
