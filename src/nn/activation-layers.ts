// The usual activation functions as layers; more are in further-activation-layers.ts.
import { checkNumber, checkWhole } from "../errors.ts";
import * as activations from "../ops/activation-rows.ts";
import { softmax } from "../ops/softmax.ts";
import { unary } from "../ops/unary.ts";
import * as unaries from "../ops/unary-rows.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

/**
 * max(x, 0).
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ReLU.html
 */
export class ReLU extends Module {
  override forward(x: Tensor): Tensor {
    return unary(unaries.relu, x);
  }
}

/**
 * min(max(x, 0), 6).
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ReLU6.html
 */
export class ReLU6 extends Module {
  override forward(x: Tensor): Tensor {
    return unary(activations.relu6, x);
  }
}

/**
 * x sigmoid(x).
 * @see https://arxiv.org/abs/1702.03118 and https://pytorch.org/docs/stable/generated/torch.nn.SiLU.html
 */
export class SiLU extends Module {
  override forward(x: Tensor): Tensor {
    return unary(activations.silu, x);
  }
}

/**
 * x min(max(x + 3, 0), 6) / 6.
 * @see https://arxiv.org/abs/1905.02244 and https://pytorch.org/docs/stable/generated/torch.nn.Hardswish.html
 */
export class Hardswish extends Module {
  override forward(x: Tensor): Tensor {
    return unary(activations.hardswish, x);
  }
}

/**
 * min(max(x + 3, 0), 6) / 6.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Hardsigmoid.html
 */
export class Hardsigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return unary(activations.hardsigmoid, x);
  }
}

/**
 * 1 / (1 + exp(-x)).
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html
 */
export class Sigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return unary(unaries.sigmoid, x);
  }
}

/**
 * Hyperbolic tangent: (exp(x) - exp(-x)) / (exp(x) + exp(-x)).
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Tanh.html
 */
export class Tanh extends Module {
  override forward(x: Tensor): Tensor {
    return unary(unaries.tanh, x);
  }
}

/**
 * x where positive, else `negativeSlope` (default 0.01) times x.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.LeakyReLU.html
 */
export class LeakyReLU extends Module {
  /** Factor of negative elements. */
  readonly negativeSlope: number;

  constructor(negativeSlope = 0.01) {
    super();
    checkNumber("LeakyReLU", "negativeSlope", negativeSlope);
    this.negativeSlope = negativeSlope;
  }

  override forward(x: Tensor): Tensor {
    return unary(activations.leakyRelu, x, { slope: this.negativeSlope });
  }

  override describe(): string {
    return String(this.negativeSlope);
  }
}

/**
 * exp(x) over its sum along `dim`.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Softmax.html
 */
export class Softmax extends Module {
  /** The dimension along which the result sums to 1. */
  readonly dim: number;

  constructor(dim: number) {
    super();
    checkWhole("Softmax", "dim, the dimension that sums to 1,", dim);
    this.dim = dim;
  }

  override forward(x: Tensor): Tensor {
    return softmax(x, this.dim);
  }

  override describe(): string {
    return `dim: ${this.dim}`;
  }
}
