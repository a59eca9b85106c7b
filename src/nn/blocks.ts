// Blocks that many networks are built from: ConvNormActivation, SqueezeExcitation.

import { check, checkFunction, checkOptions, checkWhole, told, ValueError } from "../errors.ts";
import { binary } from "../ops/binary.ts";
import * as binaries from "../ops/binary-rows.ts";
import type { ConvOptions } from "../ops/conv2d.ts";
import { pair } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ReLU, Sigmoid } from "./activation-layers.ts";
import { Sequential } from "./containers.ts";
import { Conv2d } from "./conv-layers.ts";
import { Module } from "./module.ts";
import { BatchNorm2d } from "./norm-layers.ts";
import { AdaptiveAvgPool2d } from "./pooling-layers.ts";

/** Makes a convolution, as `new Conv2d` does. */
export type ConvMaker = (
  inChannels: number,
  outChannels: number,
  kernelSize: number | readonly [number, number],
  options: Required<ConvOptions> & { readonly bias: boolean },
) => Module;

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
  /** Makes the convolution. Default `Conv2d`. */
  conv?: ConvMaker;
}

const OPTIONS = ["kernelSize", "stride", "padding", "dilation", "groups", "norm", "activation", "bias", "conv"];

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
    const { conv = (from, to, size, rest) => new Conv2d(from, to, size, rest) } = options;
    const [rows, columns] = pair("ConvNormActivation", "kernelSize", kernelSize, 1);
    for (const [what, make] of Object.entries({ norm, activation }))
      if (make !== null) checkFunction("ConvNormActivation", `${what} (or null for none)`, make);
    checkFunction("ConvNormActivation", "conv", conv);
    const { padding = [(((rows - 1) / 2) | 0) * dilation, (((columns - 1) / 2) | 0) * dilation] as const } = options;
    const bias = options.bias ?? norm === null;
    super(
      conv(inChannels, outChannels, kernelSize, { stride, padding, dilation, groups, bias }),
      ...(norm ? [norm(outChannels)] : []),
      ...(activation ? [activation()] : []),
    );
    this.outChannels = outChannels;
  }
}

/** What a `SqueezeExcitation` consists of. */
export interface SqueezeExcitationOptions {
  /** Makes the activation between the two layers. Default: ReLU. */
  activation?: () => Module;
  /** Makes the activation of the factors. Default: sigmoid. */
  scaleActivation?: () => Module;
}

/**
 * x: [N, inputChannels, H, W], each channel times a factor between 0 and 1 that two layers make of all channels' means.
 * @see https://arxiv.org/abs/1709.01507 and https://pytorch.org/vision/stable/generated/torchvision.ops.SqueezeExcitation.html
 */
export class SqueezeExcitation extends Module {
  /** Means over the positions. */
  readonly avgpool: AdaptiveAvgPool2d;
  /** From inputChannels to squeezeChannels, 1 x 1. */
  readonly fc1: Conv2d;
  /** And back. */
  readonly fc2: Conv2d;
  /** Between the two. */
  readonly activation: Module;
  /** Of the factors. */
  readonly scaleActivation: Module;

  constructor(inputChannels: number, squeezeChannels: number, options: SqueezeExcitationOptions = {}) {
    super();
    checkOptions("SqueezeExcitation", options, ["activation", "scaleActivation"]);
    const { activation = () => new ReLU(), scaleActivation = () => new Sigmoid() } = options;
    checkWhole("SqueezeExcitation", "inputChannels", inputChannels, 1);
    checkWhole("SqueezeExcitation", "squeezeChannels", squeezeChannels, 1);
    checkFunction("SqueezeExcitation", "activation", activation);
    checkFunction("SqueezeExcitation", "scaleActivation", scaleActivation);
    const made = (what: string, make: () => Module): Module => {
      const module: unknown = make();
      check(
        module instanceof Module,
        () => `[SqueezeExcitation] ${what} must return a module, got ${told(module)}`,
        ValueError,
      );
      return module as Module;
    };
    this.avgpool = new AdaptiveAvgPool2d(1);
    this.fc1 = new Conv2d(inputChannels, squeezeChannels, 1);
    this.fc2 = new Conv2d(squeezeChannels, inputChannels, 1);
    this.activation = made("activation", activation);
    this.scaleActivation = made("scaleActivation", scaleActivation);
  }

  override forward(x: Tensor): Tensor {
    const squeezed = this.activation.forward(this.fc1.forward(this.avgpool.forward(x)));
    return binary(binaries.mul, x, this.scaleActivation.forward(this.fc2.forward(squeezed)));
  }
}
