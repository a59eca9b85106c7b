// LossLayer: what the losses as modules have in common.
import { checkOptions } from "../errors.ts";
import { checkReduction, type LossOptions } from "../ops/losses.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

/** A loss with its options, which are checked as it is made. */
export abstract class LossLayer<I extends readonly Tensor[], O extends LossOptions> extends Module<I> {
  /** Reduction and the like, as given. */
  readonly options: O;

  constructor(name: string, options: O, known: readonly string[]) {
    super();
    checkOptions(name, options, known);
    checkReduction(name, options.reduction);
    this.options = options;
  }
}
