// Losses as modules: CrossEntropyLoss, MSELoss.
import { mseLoss } from "../ops/element-losses.ts";
import { CROSS_ENTROPY_OPTIONS, crossEntropy, LOSS_OPTIONS } from "../ops/losses.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { LossLayer } from "./loss-layer.ts";

type CrossEntropyOptions = NonNullable<Parameters<typeof crossEntropy>[2]>;
type MseOptions = NonNullable<Parameters<typeof mseLoss>[2]>;

/**
 * See `nn.functional.crossEntropy`: logits [N, classes], target i32 [N] or class
 * probabilities f32 [N, classes], e.g. of `vision.mixup`.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
 */
export class CrossEntropyLoss extends LossLayer<readonly [logits: Tensor, target: Tensor], CrossEntropyOptions> {
  constructor(options: CrossEntropyOptions = {}) {
    super("CrossEntropyLoss", options, CROSS_ENTROPY_OPTIONS);
  }

  override forward(logits: Tensor, target: Tensor): Tensor {
    return crossEntropy(logits, target, this.options);
  }
}

/**
 * See `nn.functional.mseLoss`: input and target of one shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MSELoss.html
 */
export class MSELoss extends LossLayer<readonly [input: Tensor, target: Tensor], MseOptions> {
  constructor(options: MseOptions = {}) {
    super("MSELoss", options, LOSS_OPTIONS);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return mseLoss(input, target, this.options);
  }
}
