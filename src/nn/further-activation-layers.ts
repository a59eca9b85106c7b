// Activation functions as layers, beyond those of activation-layers.ts: with numbers of their own, learned ones, or seldom used.

import { checkTensor } from "../autograd/run.ts";
import { check, checkNumber, checkOptions, checkWhole, told, ValueError } from "../errors.ts";
import * as activations from "../ops/activation-rows.ts";
import { glu, prelu, tanhshrink } from "../ops/further-activations.ts";
import * as further from "../ops/further-rows.ts";
import { logSoftmax, softmax } from "../ops/softmax.ts";
import { unary } from "../ops/unary.ts";
import { full } from "../tensor/create.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type GeluOptions, gelu, softmin } from "./functional.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/**
 * x Phi(x), Phi being the normal distribution function, exactly or by tanh.
 * @see https://arxiv.org/abs/1606.08415 and https://pytorch.org/docs/stable/generated/torch.nn.GELU.html
 */
export class GELU extends Module {
  /** How Phi is computed. */
  readonly approximate: "none" | "tanh";

  constructor(options: GeluOptions = {}) {
    super();
    checkOptions("GELU", options, ["approximate"]);
    const { approximate = "none" } = options;
    if (approximate !== "none" && approximate !== "tanh")
      throw new ValueError(`[GELU] approximate must be "none" or "tanh", got ${told(approximate)}`);
    this.approximate = approximate;
  }

  override forward(x: Tensor): Tensor {
    return gelu(x, { approximate: this.approximate });
  }

  override describe(): string {
    return this.approximate === "none" ? "" : `approximate: "${this.approximate}"`;
  }
}

/**
 * x where positive, else a learned slope times x. x: any shape, [N, numParameters, ...] where there are several.
 * @see https://arxiv.org/abs/1502.01852 and https://pytorch.org/docs/stable/generated/torch.nn.PReLU.html
 */
export class PReLU extends Module {
  /** Slopes: one, or one by channel. */
  readonly numParameters: number;
  /** Slope of negative elements: [numParameters]. */
  weight: Parameter;

  /** `init`: what the slopes start at, 0.25 by default. */
  constructor(numParameters = 1, init = 0.25) {
    super();
    checkWhole("PReLU", "numParameters", numParameters, 1);
    checkNumber("PReLU", "init", init);
    this.numParameters = numParameters;
    this.weight = new Parameter(full([numParameters], init));
  }

  override forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }

  override describe(): string {
    return String(this.numParameters);
  }
}

/**
 * Softmax over the channels of images x: [N, C, H, W] or [C, H, W], at each position.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Softmax2d.html
 */
export class Softmax2d extends Module {
  override forward(x: Tensor): Tensor {
    checkTensor("Softmax2d", "input", x);
    check(
      x.ndim === 3 || x.ndim === 4,
      () => `[Softmax2d] input has shape ${show(x.shape)} but must be [N, C, H, W] or [C, H, W]`,
    );
    return softmax(x, -3);
  }
}

/**
 * log(1 + exp(beta x)) / beta; x itself where beta x is above `threshold`. Defaults 1 and 20.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Softplus.html
 */
export class Softplus extends Module {
  /** Steepness: the larger, the nearer to ReLU. */
  readonly beta: number;
  /** Above it beta x counts as the logarithm. */
  readonly threshold: number;

  constructor(beta = 1, threshold = 20) {
    super();
    checkNumber("Softplus", "beta", beta);
    checkNumber("Softplus", "threshold", threshold);
    this.beta = beta;
    this.threshold = threshold;
  }

  override forward(x: Tensor): Tensor {
    return unary(activations.softplus, x, { beta: this.beta, threshold: this.threshold });
  }

  override describe(): string {
    return `beta: ${this.beta}, threshold: ${this.threshold}`;
  }
}

/**
 * x where above 0, `alpha` (default 1) times exp(x) - 1 where below.
 * @see https://arxiv.org/abs/1511.07289 and https://pytorch.org/docs/stable/generated/torch.nn.ELU.html
 */
export class ELU extends Module {
  /** Minus the value at negative infinity. */
  readonly alpha: number;

  constructor(alpha = 1) {
    super();
    checkNumber("ELU", "alpha", alpha);
    this.alpha = alpha;
  }

  override forward(x: Tensor): Tensor {
    return unary(activations.elu, x, { alpha: this.alpha });
  }

  override describe(): string {
    return `alpha: ${this.alpha}`;
  }
}

/**
 * x where above 0, `alpha` (default 1) times exp(x / alpha) - 1 where below.
 * @see https://arxiv.org/abs/1704.07483 and https://pytorch.org/docs/stable/generated/torch.nn.CELU.html
 */
export class CELU extends Module {
  /** Minus the value at negative infinity. */
  readonly alpha: number;

  constructor(alpha = 1) {
    super();
    checkNumber("CELU", "alpha", alpha);
    this.alpha = alpha;
  }

  override forward(x: Tensor): Tensor {
    return unary(further.celu, x, { alpha: this.alpha });
  }

  override describe(): string {
    return `alpha: ${this.alpha}`;
  }
}

/**
 * 1.0507 x where above 0, 1.7581 (exp(x) - 1) where below.
 * @see https://arxiv.org/abs/1706.02515 and https://pytorch.org/docs/stable/generated/torch.nn.SELU.html
 */
export class SELU extends Module {
  override forward(x: Tensor): Tensor {
    return unary(further.selu, x);
  }
}

/**
 * x tanh(log(1 + exp(x))).
 * @see https://arxiv.org/abs/1908.08681 and https://pytorch.org/docs/stable/generated/torch.nn.Mish.html
 */
export class Mish extends Module {
  override forward(x: Tensor): Tensor {
    return unary(further.mish, x);
  }
}

/**
 * The first half of x along `dim` (default -1), times the sigmoid of the second half.
 * @see https://arxiv.org/abs/1612.08083 and https://pytorch.org/docs/stable/generated/torch.nn.GLU.html
 */
export class GLU extends Module {
  /** The dimension that is halved. */
  readonly dim: number;

  constructor(dim = -1) {
    super();
    checkWhole("GLU", "dim", dim);
    this.dim = dim;
  }

  override forward(x: Tensor): Tensor {
    return glu(x, this.dim);
  }

  override describe(): string {
    return `dim: ${this.dim}`;
  }
}

/**
 * min(max(x, minVal), maxVal), between -1 and 1 by default.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Hardtanh.html
 */
export class Hardtanh extends Module {
  /** The least result. */
  readonly minVal: number;
  /** The largest result. */
  readonly maxVal: number;

  constructor(minVal = -1, maxVal = 1) {
    super();
    checkNumber("Hardtanh", "minVal", minVal);
    checkNumber("Hardtanh", "maxVal", maxVal);
    this.minVal = minVal;
    this.maxVal = maxVal;
  }

  override forward(x: Tensor): Tensor {
    return unary(further.hardtanh, x, { low: this.minVal, high: this.maxVal });
  }

  override describe(): string {
    return `minVal: ${this.minVal}, maxVal: ${this.maxVal}`;
  }
}

/**
 * log(sigmoid(x)), exact also where the sigmoid is 0 or 1.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.LogSigmoid.html
 */
export class LogSigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return unary(further.logSigmoid, x);
  }
}

/**
 * x / (1 + |x|).
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Softsign.html
 */
export class Softsign extends Module {
  override forward(x: Tensor): Tensor {
    return unary(further.softsign, x);
  }
}

/**
 * x - tanh(x).
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Tanhshrink.html
 */
export class Tanhshrink extends Module {
  override forward(x: Tensor): Tensor {
    return tanhshrink(x);
  }
}

/**
 * x where above `threshold`, else `value`.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Threshold.html
 */
export class Threshold extends Module {
  /** What x is compared with. */
  readonly threshold: number;
  /** The result at and below the threshold. */
  readonly value: number;

  constructor(threshold: number, value: number) {
    super();
    checkNumber("Threshold", "threshold", threshold);
    checkNumber("Threshold", "value", value);
    this.threshold = threshold;
    this.value = value;
  }

  override forward(x: Tensor): Tensor {
    return unary(further.threshold, x, { threshold: this.threshold, value: this.value });
  }

  override describe(): string {
    return `threshold: ${this.threshold}, value: ${this.value}`;
  }
}

/**
 * The logarithm of softmax along `dim`, computed without taking it of small numbers.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html
 */
export class LogSoftmax extends Module {
  /** The dimension along which the exponentials sum to 1. */
  readonly dim: number;

  constructor(dim: number) {
    super();
    checkWhole("LogSoftmax", "dim", dim);
    this.dim = dim;
  }

  override forward(x: Tensor): Tensor {
    return logSoftmax(x, this.dim);
  }

  override describe(): string {
    return `dim: ${this.dim}`;
  }
}

/**
 * Softmax of -x along `dim`.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Softmin.html
 */
export class Softmin extends Module {
  /** The dimension along which the result sums to 1. */
  readonly dim: number;

  constructor(dim: number) {
    super();
    checkWhole("Softmin", "dim", dim);
    this.dim = dim;
  }

  override forward(x: Tensor): Tensor {
    return softmin(x, this.dim);
  }

  override describe(): string {
    return `dim: ${this.dim}`;
  }
}
