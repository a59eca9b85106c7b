// Bilinear: a layer of two inputs.
import { checkOptions, checkWhole } from "../errors.ts";
import { bilinear } from "../ops/bilinear.ts";
import { uniform } from "../ops/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/**
 * y[o] = x1 weight[o] x2 + bias[o] for x1: [..., in1Features] and x2: [..., in2Features]. Both start uniform in
 * +-1/sqrt(in1Features).
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Bilinear.html
 */
export class Bilinear extends Module<readonly [x1: Tensor, x2: Tensor]> {
  /** Features of the first input. */
  readonly in1Features: number;
  /** Features of the second input. */
  readonly in2Features: number;
  /** Features of the result. */
  readonly outFeatures: number;
  /** [outFeatures, in1Features, in2Features]. */
  weight: Parameter;
  /** [outFeatures]. */
  bias: Parameter | null;

  constructor(
    in1Features: number,
    in2Features: number,
    outFeatures: number,
    options: {
      /** Add a learned number to each result. Default true. */
      bias?: boolean;
    } = {},
  ) {
    super();
    checkOptions("Bilinear", options, ["bias"]);
    checkWhole("Bilinear", "in1Features", in1Features, 1);
    checkWhole("Bilinear", "in2Features", in2Features, 1);
    checkWhole("Bilinear", "outFeatures", outFeatures, 1);
    this.in1Features = in1Features;
    this.in2Features = in2Features;
    this.outFeatures = outFeatures;
    const bound = 1 / Math.sqrt(in1Features);
    this.weight = new Parameter(uniform([outFeatures, in1Features, in2Features], -bound, bound));
    this.bias = (options.bias ?? true) ? new Parameter(uniform([outFeatures], -bound, bound)) : null;
  }

  override forward(x1: Tensor, x2: Tensor): Tensor {
    return bilinear(x1, x2, this.weight, this.bias);
  }

  override describe(): string {
    return `${this.in1Features}, ${this.in2Features}, ${this.outFeatures}`;
  }
}
