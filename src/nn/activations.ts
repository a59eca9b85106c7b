// Activation functions as layers.
import { softmax } from "../ops/softmax.ts";
import { type UnaryName, unary } from "../ops/unary.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

abstract class Elementwise extends Module {
  protected abstract readonly op: UnaryName;

  override forward(x: Tensor): Tensor {
    return unary(this.op, x);
  }
}

/** max(x, 0). */
export class ReLU extends Elementwise {
  protected override readonly op = "relu";
}

/** min(max(x, 0), 6). */
export class ReLU6 extends Elementwise {
  protected override readonly op = "relu6";
}

/** x Phi(x), with the exact normal distribution function. @see https://arxiv.org/abs/1606.08415 */
export class GELU extends Elementwise {
  protected override readonly op = "gelu";
}

/** x sigmoid(x). @see https://arxiv.org/abs/1702.03118 */
export class SiLU extends Elementwise {
  protected override readonly op = "silu";
}

/** x min(max(x + 3, 0), 6) / 6. @see https://arxiv.org/abs/1905.02244 */
export class Hardswish extends Elementwise {
  protected override readonly op = "hardswish";
}

/** min(max(x + 3, 0), 6) / 6. */
export class Hardsigmoid extends Elementwise {
  protected override readonly op = "hardsigmoid";
}

/** 1 / (1 + exp(-x)). */
export class Sigmoid extends Elementwise {
  protected override readonly op = "sigmoid";
}

export class Tanh extends Elementwise {
  protected override readonly op = "tanh";
}

/** x where positive, else `negativeSlope` (default 0.01) times x. */
export class LeakyReLU extends Module {
  readonly negativeSlope: number;

  constructor(negativeSlope = 0.01) {
    super();
    this.negativeSlope = negativeSlope;
  }

  override forward(x: Tensor): Tensor {
    return unary("leakyRelu", x, this.negativeSlope);
  }

  override describe(): string {
    return String(this.negativeSlope);
  }
}

/** exp(x) over its sum along `dim`. */
export class Softmax extends Module {
  readonly dim: number;

  constructor(dim: number) {
    super();
    this.dim = dim;
  }

  override forward(x: Tensor): Tensor {
    return softmax(x, this.dim);
  }

  override describe(): string {
    return `dim: ${this.dim}`;
  }
}
