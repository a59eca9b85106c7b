// Dropout of channels and samples, and the one for SELU, as layers. That of elements is in basic-layers.ts.
import { checkNumber } from "../errors.ts";
import {
  alphaDropout,
  checkMode,
  dropout1d,
  dropout2d,
  type StochasticDepthMode,
  stochasticDepth,
} from "../ops/further-dropout.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

/** What layers of a probability have in common. */
abstract class Dropping extends Module {
  /** Probability to be dropped. */
  readonly p: number;

  constructor(p = 0.5) {
    super();
    checkNumber(new.target.name, "p", p, 0, 1);
    this.p = p;
  }

  override describe(): string {
    return String(this.p);
  }
}

/**
 * In training, zeroes each channel of x: [N, C, L] or [C, L] with probability `p` (default 0.5) and scales the others by 1 / (1 - p).
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Dropout1d.html
 */
export class Dropout1d extends Dropping {
  override forward(x: Tensor): Tensor {
    return dropout1d(x, this.p, this.training);
  }
}

/**
 * In training, zeroes each channel of x: [N, C, H, W] with probability `p` (default 0.5) and scales the others by 1 / (1 - p).
 * @see https://arxiv.org/abs/1411.4280 and https://pytorch.org/docs/stable/generated/torch.nn.Dropout2d.html
 */
export class Dropout2d extends Dropping {
  override forward(x: Tensor): Tensor {
    return dropout2d(x, this.p, this.training);
  }
}

/**
 * In training, sets each element with probability `p` (default 0.5) to what SELU tends to below, keeping mean 0 and variance 1.
 * @see https://arxiv.org/abs/1706.02515 and https://pytorch.org/docs/stable/generated/torch.nn.AlphaDropout.html
 */
export class AlphaDropout extends Dropping {
  override forward(x: Tensor): Tensor {
    return alphaDropout(x, this.p, this.training);
  }
}

/**
 * In training, zeroes samples of x: [N, ...] with probability `p`, each by itself ("row") or all together ("batch"), and scales the
 * others by 1 / (1 - p).
 * @see https://arxiv.org/abs/1603.09382 and https://pytorch.org/vision/stable/generated/torchvision.ops.StochasticDepth.html
 */
export class StochasticDepth extends Dropping {
  /** What is dropped together. */
  readonly mode: StochasticDepthMode;

  constructor(p: number, mode: StochasticDepthMode) {
    checkNumber("StochasticDepth", "p", p, 0, 1);
    super(p);
    checkMode("StochasticDepth", mode);
    this.mode = mode;
  }

  override forward(x: Tensor): Tensor {
    return stochasticDepth(x, this.p, this.mode, this.training);
  }

  override describe(): string {
    return `p: ${this.p}, mode: "${this.mode}"`;
  }
}
