// Batch norm in one, two and three dimensions, layer and RMS norm. Those of groups of channels are in group-norm-layers.ts.

import { noGrad } from "../autograd/mode.ts";
import { checkTensor } from "../autograd/run.ts";
import { beforeReplay, unrecorded } from "../capture/hooks.ts";
import { context } from "../context.ts";
import { check, checkNumber, checkOptions, checkWhole, StateError, ValueError } from "../errors.ts";
import { type BatchNormOptions, batchNorm } from "../ops/batch-norm.ts";
import { binary } from "../ops/binary.ts";
import * as binaries from "../ops/binary-rows.ts";
import { to } from "../ops/cast.ts";
import { add_ } from "../ops/inplace.ts";
import { layerNorm, rmsNorm } from "../ops/layer-norm.ts";
import { ones, zeros } from "../tensor/create.ts";
import { scope } from "../tensor/scope.ts";
import { checkList, type Shape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** What batch norms take beside the number of channels. */
export interface BatchNormLayerOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number;
  /** Weight of the batch in the running statistics. Null: they are the mean of all batches. Default 0.1. */
  momentum?: number | null;
  /** Learned scale and shift. Default true. */
  affine?: boolean;
  /** Keep running statistics for evaluation; false: it uses the batch's too. Default true. */
  trackRunningStats?: boolean;
}

const SEQUENCES = { 2: "", 3: ", L" };
const IMAGES = { 4: ", H, W" };
const VOLUMES = { 5: ", D, H, W" };

/** What batch norms of any number of dimensions have in common; weight starts at 1, bias at 0. */
export abstract class BatchNorm extends Module {
  /** Channels of the input. */
  readonly numFeatures: number;
  /** Added to the variance. */
  readonly eps: number;
  /** Weight of the batch in the running statistics. Null: they are the mean of all batches, which no capture records. */
  momentum: number | null;
  /** Scale by channel: [numFeatures]. */
  weight: Parameter | null;
  /** Shift by channel: [numFeatures]. */
  bias: Parameter | null;
  /** Running mean by channel, a buffer: [numFeatures]. */
  readonly runningMean: Tensor | null;
  /** Running unbiased variance by channel, a buffer: [numFeatures]. */
  readonly runningVar: Tensor | null;
  // Not private by `#`, which no copy of a module could have.
  private readonly batches: Tensor | null;
  /** Training passes that `batches` does not count yet. */
  private uncounted = 0;
  /** The mode to go back to; null where the layer is not frozen. */
  private modeAfter: boolean | null = null;

  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    super();
    const { name } = new.target;
    checkOptions(name, options, ["eps", "momentum", "affine", "trackRunningStats"]);
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options;
    checkWhole(name, "numFeatures", numFeatures, 1);
    if (momentum !== null) checkNumber(name, "momentum (or null for the mean of all batches)", momentum);
    checkNumber(name, "eps", eps);
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? new Parameter(ones([numFeatures])) : null;
    this.bias = affine ? new Parameter(zeros([numFeatures])) : null;
    this.runningMean = trackRunningStats ? this.registerBuffer("runningMean", zeros([numFeatures])) : null;
    this.runningVar = trackRunningStats ? this.registerBuffer("runningVar", ones([numFeatures])) : null;
    this.batches = trackRunningStats ? this.registerBuffer("numBatchesTracked", zeros([], { dtype: "i32" })) : null;
  }

  /**
   * Whether the layer stays in evaluation mode through every `train()`. Released, it is in the mode that it was last told.
   * See `freezeBatchNorm`.
   */
  get frozen(): boolean {
    return this.modeAfter !== null;
  }

  set frozen(frozen: boolean) {
    if (frozen === this.frozen) return;
    const mode = this.modeAfter ?? this.training;
    this.modeAfter = null;
    this.training = frozen ? false : mode;
    if (frozen) this.modeAfter = mode;
  }

  override get training(): boolean {
    return super.training;
  }

  override set training(training: boolean) {
    if (this.modeAfter === null) super.training = training;
    else this.modeAfter = training;
  }

  /** Training passes so far: i32, shape []. The host counts them, and the device learns of it when this is read. */
  get numBatchesTracked(): Tensor | null {
    const { batches, uncounted } = this;
    if (batches && uncounted > 0) {
      this.uncounted = 0;
      unrecorded(() => noGrad(() => add_(batches, uncounted)));
    }
    return batches;
  }

  /** For the library's own use: as many passes wait to be counted as with `other`, whose counted ones were copied. */
  waitAs(other: BatchNorm): void {
    this.uncounted = other.uncounted;
  }

  /** What follows [N, channels in the shapes that it takes, by their number of dimensions. */
  protected abstract shapes(): Readonly<Record<number, string>>;

  override forward(x: Tensor): Tensor {
    const name = this.constructor.name;
    checkTensor(name, 0, x);
    const shapes = this.shapes();
    check(
      shapes[x.ndim] !== undefined,
      () =>
        `[${name}] input has shape ${show(x.shape)} but must be ${Object.values(shapes)
          .map((rest) => `[N, ${this.numFeatures}${rest}]`)
          .join(" or ")}`,
    );
    const options = this.begin();
    const { runningMean, runningVar, weight, bias } = this;
    const { momentum } = options;
    if (momentum !== null || x.numel === 0)
      return batchNorm(x, runningMean, runningVar, weight, bias, { ...options, momentum: momentum ?? 0 });
    return this.average(x, { training: true, eps: options.eps });
  }

  /** Training in which the running statistics are the mean of the batches': the device knows how many there were. */
  private average(x: Tensor, options: Pick<BatchNormOptions, "training" | "eps">): Tensor {
    check(
      !context.capture,
      () =>
        `[${this.constructor.name}] momentum: null weighs each batch by how many there were, which a captured step would repeat: run it outside of capture`,
      StateError,
    );
    const count = this.numBatchesTracked;
    return scope(() => {
      const mean = zeros([this.numFeatures]);
      const variance = zeros([this.numFeatures]);
      const y = batchNorm(x, mean, variance, this.weight, this.bias, { ...options, momentum: 1 });
      noGrad(() => {
        for (const [running, batch] of [
          [this.runningMean, mean],
          [this.runningVar, variance],
        ]) {
          if (count && running && batch)
            add_(running, binary(binaries.div, binary(binaries.sub, batch, running), to(count, "f32")));
        }
      });
      return y;
    });
  }

  /** Counts the pass in training, and gives the options of the op. */
  private begin(): { training: boolean; momentum: number | null; eps: number } {
    const { training, eps } = this;
    // Only training with running statistics asks for it.
    const momentum = training && this.batches ? this.momentum : 0;
    if (training && this.batches) {
      this.uncounted++;
      beforeReplay(() => this.uncounted++);
    }
    return { training: training || !this.runningMean, momentum, eps };
  }

  override describe(): string {
    return `${this.numFeatures}, eps: ${this.eps}, momentum: ${this.momentum}`;
  }
}

/**
 * Batch norm of x: [N, numFeatures] or [N, numFeatures, L], channel by channel. Weight starts at 1, bias at 0.
 * @see https://arxiv.org/abs/1502.03167 and https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html
 */
export class BatchNorm1d extends BatchNorm {
  protected override shapes(): Readonly<Record<number, string>> {
    return SEQUENCES;
  }
}

/**
 * Batch norm of x: [N, numFeatures, H, W], channel by channel. Weight starts at 1, bias at 0.
 * @see https://arxiv.org/abs/1502.03167 and https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
 */
export class BatchNorm2d extends BatchNorm {
  protected override shapes(): Readonly<Record<number, string>> {
    return IMAGES;
  }
}

/**
 * Batch norm of x: [N, numFeatures, D, H, W], channel by channel. Weight starts at 1, bias at 0.
 * @see https://arxiv.org/abs/1502.03167 and https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm3d.html
 */
export class BatchNorm3d extends BatchNorm {
  protected override shapes(): Readonly<Record<number, string>> {
    return VOLUMES;
  }
}

/** `normalizedShape` as a list. */
function sizesOf(name: string, normalizedShape: number | Shape): Shape {
  const sizes = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
  checkList(name, "normalizedShape is a size or an array of them", sizes);
  check(sizes.length > 0, () => `[${name}] normalizedShape holds no size: give the last ones of the input`, ValueError);
  for (const size of sizes) checkWhole(name, "each size of normalizedShape", size, 1);
  return [...sizes];
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
    checkOptions("LayerNorm", options, ["eps", "elementwiseAffine"]);
    const { eps = 1e-5, elementwiseAffine = true } = options;
    checkNumber("LayerNorm", "eps", eps);
    this.normalizedShape = sizesOf("LayerNorm", normalizedShape);
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

/**
 * RMS norm of x: [..., ...normalizedShape] over the last dimensions: as layer norm, without a mean and a bias. Weight starts at 1.
 * @see https://arxiv.org/abs/1910.07467 and https://pytorch.org/docs/stable/generated/torch.nn.RMSNorm.html
 */
export class RMSNorm extends Module {
  /** The last dimensions of the input, which are normalised together. */
  readonly normalizedShape: Shape;
  /** Added to the mean square. Null: 2^-23, the distance from 1 to the next f32. */
  readonly eps: number | null;
  /** Scale by element: normalizedShape. */
  weight: Parameter | null;

  constructor(
    normalizedShape: number | Shape,
    options: {
      /** Added to the mean square. Default null: 2^-23. */
      eps?: number | null;
      /** Learned scale. Default true. */
      elementwiseAffine?: boolean;
    } = {},
  ) {
    super();
    checkOptions("RMSNorm", options, ["eps", "elementwiseAffine"]);
    const { eps = null, elementwiseAffine = true } = options;
    if (eps !== null) checkNumber("RMSNorm", "eps", eps);
    this.normalizedShape = sizesOf("RMSNorm", normalizedShape);
    this.eps = eps;
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape)) : null;
  }

  override forward(x: Tensor): Tensor {
    return rmsNorm(x, this.normalizedShape, this.weight, this.eps);
  }

  override describe(): string {
    return `${show(this.normalizedShape)}, eps: ${this.eps}`;
  }
}
