// Linear: y = x W^T + b.
import { checkOptions, checkWhole } from "../errors.ts";
import { linear } from "../ops/matmul.ts";
import { uniform } from "../ops/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/**
 * A fully connected layer: x: [..., inFeatures] to [..., outFeatures]; weight: [outFeatures, inFeatures]. Weight and bias
 * start uniform in +-1/sqrt(inFeatures), as PyTorch's do.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Linear.html
 */
export class Linear extends Module {
  /** Size of the last dimension of the input. */
  readonly inFeatures: number;
  /** Size of the last dimension of the result. */
  readonly outFeatures: number;
  /** [outFeatures, inFeatures]. */
  weight: Parameter;
  /** [outFeatures]. */
  bias: Parameter | null;

  constructor(
    inFeatures: number,
    outFeatures: number,
    options: {
      /** A learned number added to each feature of the result. Default true. */
      bias?: boolean;
    } = {},
  ) {
    super();
    checkOptions("Linear", options, ["bias"]);
    checkWhole("Linear", "inFeatures", inFeatures, 1);
    checkWhole("Linear", "outFeatures", outFeatures, 1);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    const bound = 1 / Math.sqrt(inFeatures);
    this.weight = new Parameter(uniform([outFeatures, inFeatures], -bound, bound));
    this.bias = (options.bias ?? true) ? new Parameter(uniform([outFeatures], -bound, bound)) : null;
  }

  override forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }

  override describe(): string {
    return `${this.inFeatures}, ${this.outFeatures}${this.bias ? "" : ", bias: false"}`;
  }
}
