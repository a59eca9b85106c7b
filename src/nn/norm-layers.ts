// BatchNorm2d and LayerNorm: normalisation with learned scale and shift.

import { noGrad } from "../autograd/mode.ts";
import { beforeReplay, unrecorded } from "../capture/hooks.ts";
import { check } from "../errors.ts";
import { batchNorm } from "../ops/batch-norm.ts";
import { update } from "../ops/inplace.ts";
import { layerNorm } from "../ops/layer-norm.ts";
import { ones, zeros } from "../tensor/create.ts";
import { type Shape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkCount } from "./layer-arguments.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** What `BatchNorm2d` takes beside the number of channels. */
export interface BatchNormLayerOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number;
  /** Weight of the batch in the running statistics. Default 0.1. */
  momentum?: number;
  /** Learned scale and shift. Default true. */
  affine?: boolean;
  /** Keep running statistics for evaluation; false: it uses the batch's too. Default true. */
  trackRunningStats?: boolean;
}

/**
 * Batch norm of x: [N, numFeatures, H, W], channel by channel. Weight starts at 1, bias at 0.
 * @see https://arxiv.org/abs/1502.03167 and https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
 */
export class BatchNorm2d extends Module {
  /** Channels of the input. */
  readonly numFeatures: number;
  /** Added to the variance. */
  readonly eps: number;
  /** Weight of the batch in the running statistics. */
  momentum: number;
  /** Scale by channel: [numFeatures]. */
  weight: Parameter | null;
  /** Shift by channel: [numFeatures]. */
  bias: Parameter | null;
  /** Running mean by channel, a buffer: [numFeatures]. */
  readonly runningMean: Tensor | null;
  /** Running unbiased variance by channel, a buffer: [numFeatures]. */
  readonly runningVar: Tensor | null;
  readonly #batches: Tensor | null;
  /** Training passes that `#batches` does not count yet. */
  #uncounted = 0;

  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    super();
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options;
    checkCount("BatchNorm2d", "numFeatures", numFeatures);
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? new Parameter(ones([numFeatures])) : null;
    this.bias = affine ? new Parameter(zeros([numFeatures])) : null;
    this.runningMean = trackRunningStats ? this.registerBuffer("runningMean", zeros([numFeatures])) : null;
    this.runningVar = trackRunningStats ? this.registerBuffer("runningVar", ones([numFeatures])) : null;
    this.#batches = trackRunningStats ? this.registerBuffer("numBatchesTracked", zeros([], { dtype: "i32" })) : null;
  }

  /** Training passes so far: i32, shape []. The host counts them, and the device learns of it when this is read. */
  get numBatchesTracked(): Tensor | null {
    const [batches, count] = [this.#batches, this.#uncounted];
    if (batches && count > 0) {
      this.#uncounted = 0;
      unrecorded(() => noGrad(() => update("add", batches, count)));
    }
    return batches;
  }

  override forward(x: Tensor): Tensor {
    this.#check(x);
    return batchNorm(x, this.runningMean, this.runningVar, this.weight, this.bias, this.#begin());
  }

  #check(x: Tensor): void {
    check(
      x.ndim === 4,
      () => `[BatchNorm2d] input has shape ${show(x.shape)} but must be [N, ${this.numFeatures}, H, W]`,
    );
  }

  /** Counts the pass in training, and gives the options of the op. */
  #begin(): { training: boolean; momentum: number; eps: number } {
    const { training, momentum, eps } = this;
    if (training && this.#batches) {
      this.#uncounted++;
      beforeReplay(() => this.#uncounted++);
    }
    return { training: training || !this.runningMean, momentum, eps };
  }

  override describe(): string {
    return `${this.numFeatures}, eps: ${this.eps}, momentum: ${this.momentum}`;
  }
}

/**
 * Layer norm of x: [..., ...normalizedShape] over the last dimensions. Weight starts at 1, bias at 0.
 * @see https://arxiv.org/abs/1607.06450 and https://pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html
 */
export class LayerNorm extends Module {
  /** The last dimensions of the input, which are normalised together. */
  readonly normalizedShape: Shape;
  /** Added to the variance. */
  readonly eps: number;
  /** Scale by element: normalizedShape. */
  weight: Parameter | null;
  /** Shift by element: normalizedShape. */
  bias: Parameter | null;

  constructor(
    normalizedShape: number | Shape,
    options: {
      /** Added to the variance. Default 1e-5. */
      eps?: number;
      /** Learned scale and shift. Default true. */
      elementwiseAffine?: boolean;
    } = {},
  ) {
    super();
    const { eps = 1e-5, elementwiseAffine = true } = options;
    this.normalizedShape = typeof normalizedShape === "number" ? [normalizedShape] : [...normalizedShape];
    for (const size of this.normalizedShape) checkCount("LayerNorm", "each size of normalizedShape", size);
    this.eps = eps;
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape)) : null;
    this.bias = elementwiseAffine ? new Parameter(zeros(this.normalizedShape)) : null;
  }

  override forward(x: Tensor): Tensor {
    return layerNorm(x, this.normalizedShape, this.weight, this.bias, this.eps);
  }

  override describe(): string {
    return `${show(this.normalizedShape)}, eps: ${this.eps}`;
  }
}
