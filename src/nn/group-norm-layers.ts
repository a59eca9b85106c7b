// Norms whose statistics are those of a sample, with a scale and shift by channel: group norm, instance norm, and the layer norm
// over an image's channels.
import { checkTensor } from "../autograd/run.ts";
import { check, checkNumber, checkOptions, checkWhole } from "../errors.ts";
import { channelNorm, groupNorm, instanceNorm } from "../ops/group-norm.ts";
import { squeeze, unsqueeze } from "../ops/view.ts";
import { ones, zeros } from "../tensor/create.ts";
import { scope } from "../tensor/scope.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/**
 * Group norm of x: [N, numChannels, ...]: each sample's channels in `numGroups` groups, each normalised over its channels and all
 * positions. Weight starts at 1, bias at 0.
 * @see https://arxiv.org/abs/1803.08494 and https://pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html
 */
export class GroupNorm extends Module {
  /** Groups of neighbouring channels. */
  readonly numGroups: number;
  /** Channels of the input. */
  readonly numChannels: number;
  /** Added to the variance. */
  readonly eps: number;
  /** Scale by channel: [numChannels]. */
  weight: Parameter | null;
  /** Shift by channel: [numChannels]. */
  bias: Parameter | null;

  constructor(
    numGroups: number,
    numChannels: number,
    options: {
      /** Added to the variance. Default 1e-5. */
      eps?: number;
      /** Learned scale and shift. Default true. */
      affine?: boolean;
    } = {},
  ) {
    super();
    checkOptions("GroupNorm", options, ["eps", "affine"]);
    const { eps = 1e-5, affine = true } = options;
    checkWhole("GroupNorm", "numGroups", numGroups, 1);
    checkWhole("GroupNorm", "numChannels", numChannels, 1);
    checkNumber("GroupNorm", "eps", eps);
    check(
      numChannels % numGroups === 0,
      () => `[GroupNorm] ${numChannels} channels do not make ${numGroups} groups of one size`,
    );
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = eps;
    this.weight = affine ? new Parameter(ones([numChannels])) : null;
    this.bias = affine ? new Parameter(zeros([numChannels])) : null;
  }

  override forward(x: Tensor): Tensor {
    checkTensor("GroupNorm", "input", x);
    const { numGroups, numChannels, weight, bias, eps } = this;
    check(
      x.shape[1] === numChannels,
      () => `[GroupNorm] input has shape ${show(x.shape)} but must be [N, ${numChannels}, ...]`,
    );
    return groupNorm(x, numGroups, weight, bias, eps);
  }

  override describe(): string {
    return `${this.numGroups}, ${this.numChannels}, eps: ${this.eps}`;
  }
}

/** What instance norms take beside the number of channels. */
export interface InstanceNormLayerOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number;
  /** Weight of the batch in the running statistics. Default 0.1. */
  momentum?: number;
  /** Learned scale and shift. Default false. */
  affine?: boolean;
  /** Keep running statistics, which evaluation uses. Default false. */
  trackRunningStats?: boolean;
}

/** What instance norms have in common; weight starts at 1, bias at 0. */
abstract class InstanceNorm extends Module {
  /** Channels of the input. */
  readonly numFeatures: number;
  /** Added to the variance. */
  readonly eps: number;
  /** Weight of the batch in the running statistics. */
  readonly momentum: number;
  /** Scale by channel: [numFeatures]; null without `affine`. */
  weight: Parameter | null;
  /** Shift by channel: [numFeatures]; null without `affine`. */
  bias: Parameter | null;
  /** Running mean by channel, a buffer: [numFeatures]; null without `trackRunningStats`. */
  readonly runningMean: Tensor | null;
  /** Running unbiased variance by channel, a buffer: [numFeatures]; null without `trackRunningStats`. */
  readonly runningVar: Tensor | null;
  /** In PyTorch's state dict, though no instance norm counts: i32, shape [], 0. Null without `trackRunningStats`. */
  readonly numBatchesTracked: Tensor | null;

  constructor(numFeatures: number, options: InstanceNormLayerOptions = {}) {
    super();
    const { name } = new.target;
    checkOptions(name, options, ["eps", "momentum", "affine", "trackRunningStats"]);
    const { eps = 1e-5, momentum = 0.1, affine = false, trackRunningStats = false } = options;
    checkWhole(name, "numFeatures", numFeatures, 1);
    checkNumber(name, "momentum", momentum);
    checkNumber(name, "eps", eps);
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? new Parameter(ones([numFeatures])) : null;
    this.bias = affine ? new Parameter(zeros([numFeatures])) : null;
    this.runningMean = trackRunningStats ? this.registerBuffer("runningMean", zeros([numFeatures])) : null;
    this.runningVar = trackRunningStats ? this.registerBuffer("runningVar", ones([numFeatures])) : null;
    this.numBatchesTracked = trackRunningStats
      ? this.registerBuffer("numBatchesTracked", zeros([], { dtype: "i32" }))
      : null;
  }

  /** What follows the channels. */
  protected abstract positions(): readonly string[];

  override forward(x: Tensor): Tensor {
    const { name } = this.constructor;
    checkTensor(name, "input", x);
    const { numFeatures, runningMean, runningVar, weight, bias, momentum, eps } = this;
    const rest = this.positions();
    const alone = x.ndim === rest.length + 1;
    check(
      (alone || x.ndim === rest.length + 2) && x.shape[alone ? 0 : 1] === numFeatures,
      () =>
        `[${name}] input has shape ${show(x.shape)} but must be [N, ${numFeatures}, ${rest.join(", ")}] or [${numFeatures}, ${rest.join(", ")}]`,
    );
    const options = { useInputStats: this.training || !runningMean, momentum, eps };
    const norm = (x: Tensor) => instanceNorm(x, runningMean, runningVar, weight, bias, options);
    return alone ? scope(() => squeeze(norm(unsqueeze(x, 0)), 0)) : norm(x);
  }

  override describe(): string {
    return `${this.numFeatures}, eps: ${this.eps}, momentum: ${this.momentum}`;
  }
}

/**
 * Instance norm of x: [N, numFeatures, L] or [numFeatures, L]: each channel of each sample over its positions.
 * @see https://arxiv.org/abs/1607.08022 and https://pytorch.org/docs/stable/generated/torch.nn.InstanceNorm1d.html
 */
export class InstanceNorm1d extends InstanceNorm {
  protected override positions(): readonly string[] {
    return ["L"];
  }
}

/**
 * Instance norm of x: [N, numFeatures, H, W] or [numFeatures, H, W]: each channel of each sample over its positions.
 * @see https://arxiv.org/abs/1607.08022 and https://pytorch.org/docs/stable/generated/torch.nn.InstanceNorm2d.html
 */
export class InstanceNorm2d extends InstanceNorm {
  protected override positions(): readonly string[] {
    return ["H", "W"];
  }
}

/**
 * Layer norm of images x: [N, numChannels, H, W] over the channels, at each position, as ConvNeXt's. Weight starts at 1, bias at 0.
 * @see https://arxiv.org/abs/2201.03545 and https://github.com/pytorch/vision/blob/main/torchvision/models/convnext.py
 */
export class LayerNorm2d extends Module {
  /** Channels of the input. */
  readonly numChannels: number;
  /** Added to the variance. */
  readonly eps: number;
  /** Scale by channel: [numChannels]. */
  weight: Parameter | null;
  /** Shift by channel: [numChannels]. */
  bias: Parameter | null;

  constructor(
    numChannels: number,
    options: {
      /** Added to the variance. Default 1e-5. */
      eps?: number;
      /** Learned scale and shift. Default true. */
      elementwiseAffine?: boolean;
    } = {},
  ) {
    super();
    checkOptions("LayerNorm2d", options, ["eps", "elementwiseAffine"]);
    const { eps = 1e-5, elementwiseAffine = true } = options;
    checkWhole("LayerNorm2d", "numChannels", numChannels, 1);
    checkNumber("LayerNorm2d", "eps", eps);
    this.numChannels = numChannels;
    this.eps = eps;
    this.weight = elementwiseAffine ? new Parameter(ones([numChannels])) : null;
    this.bias = elementwiseAffine ? new Parameter(zeros([numChannels])) : null;
  }

  override forward(x: Tensor): Tensor {
    checkTensor("LayerNorm2d", "input", x);
    const { numChannels, weight, bias, eps } = this;
    check(
      x.ndim === 4 && x.shape[1] === numChannels,
      () => `[LayerNorm2d] input has shape ${show(x.shape)} but must be [N, ${numChannels}, H, W]`,
    );
    return channelNorm("LayerNorm2d", x, weight, bias, eps);
  }

  override describe(): string {
    return `${this.numChannels}, eps: ${this.eps}`;
  }
}
