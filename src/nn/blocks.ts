// Blocks that many networks are built from: ConvNormActivation.

import { checkFunction, checkOptions } from "../errors.ts";
import { pair } from "../tensor/shape.ts";
import { ReLU } from "./activation-layers.ts";
import { Sequential } from "./containers.ts";
import { Conv2d } from "./conv-layers.ts";
import type { Module } from "./module.ts";
import { BatchNorm2d } from "./norm-layers.ts";

/** What a `ConvNormActivation` consists of. */
export interface ConvNormActivationOptions {
  /** A number, or rows and columns. Default 3. */
  kernelSize?: number | readonly [number, number];
  /** Step of the kernel. Default 1. */
  stride?: number | readonly [number, number];
  /** Zeros on each side. Default: what keeps the size of the map at stride 1. */
  padding?: number | readonly [number, number];
  /** Distance between the elements of the kernel. Default 1. */
  dilation?: number;
  /** Input and output channels are split into so many groups that do not mix. Default 1. */
  groups?: number;
  /** Makes the norm for so many channels; null: none. Default `BatchNorm2d`. */
  norm?: ((channels: number) => Module) | null;
  /** Makes the activation; null: none. Default `ReLU`. */
  activation?: (() => Module) | null;
  /** Whether the convolution has a bias. Default: where there is no norm. */
  bias?: boolean;
}

const OPTIONS = ["kernelSize", "stride", "padding", "dilation", "groups", "norm", "activation", "bias"];

/**
 * A convolution, its norm and its activation in a row: x: [N, inChannels, H, W] to [N, outChannels, H', W']. State-dict keys
 * are those of torchvision's block: `0` the convolution, `1` the norm. In evaluation the three are one pass over memory,
 * whatever the activation, as they are for the same layers in any other module.
 * @see https://pytorch.org/vision/stable/generated/torchvision.ops.Conv2dNormActivation.html
 * @throws ValueError as `Conv2d`.
 */
export class ConvNormActivation extends Sequential {
  /** Channels of the result. */
  readonly outChannels: number;

  constructor(inChannels: number, outChannels: number, options: ConvNormActivationOptions = {}) {
    checkOptions("ConvNormActivation", options, OPTIONS);
    const { kernelSize = 3, stride = 1, dilation = 1, groups = 1 } = options;
    const { norm = (channels: number) => new BatchNorm2d(channels), activation = () => new ReLU() } = options;
    const [rows, columns] = pair("ConvNormActivation", "kernelSize", kernelSize, 1);
    for (const [what, make] of Object.entries({ norm, activation }))
      if (make !== null) checkFunction("ConvNormActivation", `${what} (or null for none)`, make);
    const { padding = [(((rows - 1) / 2) | 0) * dilation, (((columns - 1) / 2) | 0) * dilation] as const } = options;
    const bias = options.bias ?? norm === null;
    super(
      new Conv2d(inChannels, outChannels, kernelSize, { stride, padding, dilation, groups, bias }),
      ...(norm ? [norm(outChannels)] : []),
      ...(activation ? [activation()] : []),
    );
    this.outChannels = outChannels;
  }
}
