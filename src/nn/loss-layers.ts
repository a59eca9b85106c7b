// Losses as modules: CrossEntropyLoss, MSELoss.
import { checkOptions } from "../errors.ts";
import { mseLoss } from "../ops/element-losses.ts";
import { CROSS_ENTROPY_OPTIONS, checkReduction, crossEntropy, LOSS_OPTIONS } from "../ops/losses.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

type CrossEntropyOptions = NonNullable<Parameters<typeof crossEntropy>[2]>;
type MseOptions = NonNullable<Parameters<typeof mseLoss>[2]>;

/**
 * See `nn.functional.crossEntropy`: logits [N, classes], target i32 [N] or class
 * probabilities f32 [N, classes], e.g. of `vision.mixup`.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
 */
export class CrossEntropyLoss extends Module<readonly [logits: Tensor, target: Tensor]> {
  /** Reduction and the like, as given. */
  readonly options: CrossEntropyOptions;

  constructor(options: CrossEntropyOptions = {}) {
    super();
    checkOptions("CrossEntropyLoss", options, CROSS_ENTROPY_OPTIONS);
    checkReduction("CrossEntropyLoss", options.reduction);
    this.options = options;
  }

  override forward(logits: Tensor, target: Tensor): Tensor {
    return crossEntropy(logits, target, this.options);
  }
}

/**
 * See `nn.functional.mseLoss`: input and target of one shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MSELoss.html
 */
export class MSELoss extends Module<readonly [input: Tensor, target: Tensor]> {
  /** Reduction and the like, as given. */
  readonly options: MseOptions;

  constructor(options: MseOptions = {}) {
    super();
    checkOptions("MSELoss", options, LOSS_OPTIONS);
    checkReduction("MSELoss", options.reduction);
    this.options = options;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return mseLoss(input, target, this.options);
  }
}
