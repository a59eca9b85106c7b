// Small layers without parameters: Identity, Flatten, Dropout.
import { check, ValueError } from "../errors.ts";
import { dropout } from "../ops/dropout.ts";
import { flatten } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

/** Returns its input: put it in the place of a layer to take that out. */
export class Identity extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}

/** Dimensions `startDim` (default 1) to `endDim` (default -1) as one. */
export class Flatten extends Module {
  /** The first of the dimensions that become one. */
  readonly startDim: number;
  /** The last of them. */
  readonly endDim: number;

  constructor(startDim = 1, endDim = -1) {
    super();
    this.startDim = startDim;
    this.endDim = endDim;
  }

  override forward(x: Tensor): Tensor {
    return flatten(x, this.startDim, this.endDim);
  }
}

/**
 * In training, zeroes each element with probability `p` (default 0.5) and scales the others by 1 / (1 - p).
 * @see https://jmlr.org/papers/v15/srivastava14a.html
 */
export class Dropout extends Module {
  /** Probability of an element to be zeroed. */
  readonly p: number;

  constructor(p = 0.5) {
    super();
    check(p >= 0 && p <= 1, () => `[Dropout] p must be from 0 to 1, got ${p}`, ValueError);
    this.p = p;
  }

  override forward(x: Tensor): Tensor {
    return dropout(x, this.p, this.training);
  }

  override describe(): string {
    return String(this.p);
  }
}
