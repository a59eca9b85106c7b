// Small layers without parameters: Identity, Flatten, Dropout.
import { checkNumber, checkWhole } from "../errors.ts";
import { dropout } from "../ops/dropout.ts";
import { flatten } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

/**
 * Returns its input: put it in the place of a layer to take that out.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Identity.html
 */
export class Identity extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}

/**
 * Dimensions `startDim` (default 1) to `endDim` (default -1) as one.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Flatten.html
 */
export class Flatten extends Module {
  /** The first of the dimensions that become one. */
  readonly startDim: number;
  /** The last of them. */
  readonly endDim: number;

  constructor(startDim = 1, endDim = -1) {
    super();
    checkWhole("Flatten", "startDim", startDim);
    checkWhole("Flatten", "endDim", endDim);
    this.startDim = startDim;
    this.endDim = endDim;
  }

  override forward(x: Tensor): Tensor {
    return flatten(x, this.startDim, this.endDim);
  }
}

/**
 * In training, zeroes each element with probability `p` (default 0.5) and scales the others by 1 / (1 - p).
 * @see https://jmlr.org/papers/v15/srivastava14a.html and https://pytorch.org/docs/stable/generated/torch.nn.Dropout.html
 */
export class Dropout extends Module {
  /** Probability of an element to be zeroed. */
  readonly p: number;

  constructor(p = 0.5) {
    super();
    checkNumber("Dropout", "p", p, 0, 1);
    this.p = p;
  }

  override forward(x: Tensor): Tensor {
    return dropout(x, this.p, this.training);
  }

  override describe(): string {
    return String(this.p);
  }
}
