// PixelShuffle, PixelUnshuffle, ChannelShuffle and LocalResponseNorm: layers around functions of channels, without parameters.
import { checkWhole } from "../errors.ts";
import { checkNorm, type LocalResponseNormOptions, localResponseNorm } from "../ops/local-response-norm.ts";
import { channelShuffle, pixelShuffle, pixelUnshuffle } from "../ops/shuffle.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

/**
 * [..., C r r, H, W] to [..., C, H r, W r]: sub-pixel convolution.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.PixelShuffle.html
 */
export class PixelShuffle extends Module {
  /** r: how many times as many rows and columns. */
  readonly upscaleFactor: number;

  constructor(upscaleFactor: number) {
    super();
    checkWhole("PixelShuffle", "upscaleFactor", upscaleFactor, 1);
    this.upscaleFactor = upscaleFactor;
  }

  override forward(x: Tensor): Tensor {
    return pixelShuffle(x, this.upscaleFactor);
  }

  override describe(): string {
    return String(this.upscaleFactor);
  }
}

/** [..., C, H r, W r] to [..., C r r, H, W]. @see https://pytorch.org/docs/stable/generated/torch.nn.PixelUnshuffle.html */
export class PixelUnshuffle extends Module {
  /** r: how many times fewer rows and columns. */
  readonly downscaleFactor: number;

  constructor(downscaleFactor: number) {
    super();
    checkWhole("PixelUnshuffle", "downscaleFactor", downscaleFactor, 1);
    this.downscaleFactor = downscaleFactor;
  }

  override forward(x: Tensor): Tensor {
    return pixelUnshuffle(x, this.downscaleFactor);
  }

  override describe(): string {
    return String(this.downscaleFactor);
  }
}

/** Channels of [N, C, ...] by turns from each group. @see https://pytorch.org/docs/stable/generated/torch.nn.ChannelShuffle.html */
export class ChannelShuffle extends Module {
  /** Into how many groups the channels are divided. */
  readonly groups: number;

  constructor(groups: number) {
    super();
    checkWhole("ChannelShuffle", "groups", groups, 1);
    this.groups = groups;
  }

  override forward(x: Tensor): Tensor {
    return channelShuffle(x, this.groups);
  }

  override describe(): string {
    return String(this.groups);
  }
}

/**
 * Divides each element of [N, C, ...] by a power of the mean square of `size` channels around it.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.LocalResponseNorm.html
 */
export class LocalResponseNorm extends Module {
  /** How many channels. */
  readonly size: number;
  /** alpha, beta and k, as given. */
  readonly options: LocalResponseNormOptions;

  constructor(size: number, options: LocalResponseNormOptions = {}) {
    super();
    checkNorm("LocalResponseNorm", size, options);
    this.size = size;
    this.options = options;
  }

  override forward(x: Tensor): Tensor {
    return localResponseNorm(x, this.size, this.options);
  }

  override describe(): string {
    return [this.size, ...Object.entries(this.options).map(([name, value]) => `${name}: ${value}`)].join(", ");
  }
}
