// Losses as modules beyond those of loss-layers.ts, each a function of nn.functional with its options.
import { checkNumber, checkOptions } from "../errors.ts";
import {
  COSINE_OPTIONS,
  type CosineSimilarityOptions,
  cosineEmbeddingLoss,
  cosineSimilarity,
  DISTANCE_OPTIONS,
  MULTI_MARGIN_OPTIONS,
  type MultiMarginOptions,
  marginRankingLoss,
  multiMarginLoss,
  type PairwiseDistanceOptions,
  pairwiseDistance,
  TRIPLET_OPTIONS,
  type TripletMarginOptions,
  tripletMarginLoss,
} from "../ops/distances.ts";
import {
  BINARY_OPTIONS,
  type BinaryCrossEntropyOptions,
  binaryCrossEntropyWithLogits,
  l1Loss,
  SMOOTH_OPTIONS,
  smoothL1Loss,
} from "../ops/element-losses.ts";
import {
  binaryCrossEntropy,
  checkDelta,
  GAUSSIAN_OPTIONS,
  type GaussianNllOptions,
  gaussianNllLoss,
  HUBER_OPTIONS,
  hingeEmbeddingLoss,
  huberLoss,
  KL_OPTIONS,
  type KlDivOptions,
  klDiv,
  klReduction,
  MARGIN_OPTIONS,
  type MarginLossOptions,
  multilabelSoftMarginLoss,
  POISSON_OPTIONS,
  type PoissonNllOptions,
  poissonNllLoss,
  softMarginLoss,
  WEIGHTED_OPTIONS,
  type WeightedLossOptions,
} from "../ops/further-losses.ts";
import {
  checkReduction,
  LOSS_OPTIONS,
  type LossOptions,
  NLL_OPTIONS,
  type NllLossOptions,
  nllLoss,
} from "../ops/losses.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { LossLayer } from "./loss-layer.ts";
import { Module } from "./module.ts";

type SmoothL1Options = NonNullable<Parameters<typeof smoothL1Loss>[2]>;
type HuberOptions = NonNullable<Parameters<typeof huberLoss>[2]>;

/**
 * See `nn.functional.binaryCrossEntropy`: probabilities and target probabilities of one shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.BCELoss.html
 */
export class BCELoss extends LossLayer<readonly [input: Tensor, target: Tensor], WeightedLossOptions> {
  constructor(options: WeightedLossOptions = {}) {
    super("BCELoss", options, WEIGHTED_OPTIONS);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropy(input, target, this.options);
  }
}

/**
 * See `nn.functional.binaryCrossEntropyWithLogits`: logits and target probabilities of one shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html
 */
export class BCEWithLogitsLoss extends LossLayer<readonly [input: Tensor, target: Tensor], BinaryCrossEntropyOptions> {
  constructor(options: BinaryCrossEntropyOptions = {}) {
    super("BCEWithLogitsLoss", options, BINARY_OPTIONS);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropyWithLogits(input, target, this.options);
  }
}

/**
 * See `nn.functional.klDiv`: logarithms of probabilities, and probabilities of the same shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html
 */
export class KLDivLoss extends Module<readonly [input: Tensor, target: Tensor]> {
  /** Reduction and the like, as given. */
  readonly options: KlDivOptions;

  constructor(options: KlDivOptions = {}) {
    super();
    checkOptions("KLDivLoss", options, KL_OPTIONS);
    checkReduction("KLDivLoss", klReduction(options.reduction));
    this.options = options;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return klDiv(input, target, this.options);
  }
}

/**
 * See `nn.functional.nllLoss`: log-probabilities [N, C], [N, C, d1, ...] or [C], labels i32 of that shape without C.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html
 */
export class NLLLoss extends LossLayer<readonly [logProbabilities: Tensor, target: Tensor], NllLossOptions> {
  constructor(options: NllLossOptions = {}) {
    super("NLLLoss", options, NLL_OPTIONS);
  }

  override forward(logProbabilities: Tensor, target: Tensor): Tensor {
    return nllLoss(logProbabilities, target, this.options);
  }
}

/**
 * See `nn.functional.l1Loss`: input and target of one shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.L1Loss.html
 */
export class L1Loss extends LossLayer<readonly [input: Tensor, target: Tensor], LossOptions> {
  constructor(options: LossOptions = {}) {
    super("L1Loss", options, LOSS_OPTIONS);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return l1Loss(input, target, this.options);
  }
}

/**
 * See `nn.functional.smoothL1Loss`: input and target of one shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html
 */
export class SmoothL1Loss extends LossLayer<readonly [input: Tensor, target: Tensor], SmoothL1Options> {
  constructor(options: SmoothL1Options = {}) {
    super("SmoothL1Loss", options, SMOOTH_OPTIONS);
    checkNumber("SmoothL1Loss", "beta", options.beta ?? 1, 0);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return smoothL1Loss(input, target, this.options);
  }
}

/**
 * See `nn.functional.huberLoss`: input and target of one shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html
 */
export class HuberLoss extends LossLayer<readonly [input: Tensor, target: Tensor], HuberOptions> {
  constructor(options: HuberOptions = {}) {
    super("HuberLoss", options, HUBER_OPTIONS);
    checkDelta("HuberLoss", options.delta ?? 1);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return huberLoss(input, target, this.options);
  }
}

/**
 * See `nn.functional.poissonNllLoss`: expected counts, or their logarithms, and counts of the same shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html
 */
export class PoissonNLLLoss extends LossLayer<readonly [input: Tensor, target: Tensor], PoissonNllOptions> {
  constructor(options: PoissonNllOptions = {}) {
    super("PoissonNLLLoss", options, POISSON_OPTIONS);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return poissonNllLoss(input, target, this.options);
  }
}

/**
 * See `nn.functional.gaussianNllLoss`: means and targets of one shape, and variances.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.GaussianNLLLoss.html
 */
export class GaussianNLLLoss extends LossLayer<
  readonly [input: Tensor, target: Tensor, variance: Tensor],
  GaussianNllOptions
> {
  constructor(options: GaussianNllOptions = {}) {
    super("GaussianNLLLoss", options, GAUSSIAN_OPTIONS);
  }

  override forward(input: Tensor, target: Tensor, variance: Tensor): Tensor {
    return gaussianNllLoss(input, target, variance, this.options);
  }
}

/**
 * See `nn.functional.softMarginLoss`: scores, and targets 1 and -1 of the same shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.SoftMarginLoss.html
 */
export class SoftMarginLoss extends LossLayer<readonly [input: Tensor, target: Tensor], LossOptions> {
  constructor(options: LossOptions = {}) {
    super("SoftMarginLoss", options, LOSS_OPTIONS);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return softMarginLoss(input, target, this.options);
  }
}

/**
 * See `nn.functional.hingeEmbeddingLoss`: distances, and targets 1 and -1 of the same shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.HingeEmbeddingLoss.html
 */
export class HingeEmbeddingLoss extends LossLayer<readonly [input: Tensor, target: Tensor], MarginLossOptions> {
  constructor(options: MarginLossOptions = {}) {
    super("HingeEmbeddingLoss", options, MARGIN_OPTIONS);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return hingeEmbeddingLoss(input, target, this.options);
  }
}

/**
 * See `nn.functional.multilabelSoftMarginLoss`: logits and targets [N, C] or [C].
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MultiLabelSoftMarginLoss.html
 */
export class MultiLabelSoftMarginLoss extends LossLayer<readonly [input: Tensor, target: Tensor], WeightedLossOptions> {
  constructor(options: WeightedLossOptions = {}) {
    super("MultiLabelSoftMarginLoss", options, WEIGHTED_OPTIONS);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return multilabelSoftMarginLoss(input, target, this.options);
  }
}

/**
 * See `nn.functional.cosineEmbeddingLoss`: vectors [N, D], and targets 1 and -1, [N].
 * @see https://pytorch.org/docs/stable/generated/torch.nn.CosineEmbeddingLoss.html
 */
export class CosineEmbeddingLoss extends LossLayer<
  readonly [x1: Tensor, x2: Tensor, target: Tensor],
  MarginLossOptions
> {
  constructor(options: MarginLossOptions = {}) {
    super("CosineEmbeddingLoss", options, MARGIN_OPTIONS);
  }

  override forward(x1: Tensor, x2: Tensor, target: Tensor): Tensor {
    return cosineEmbeddingLoss(x1, x2, target, this.options);
  }
}

/**
 * See `nn.functional.marginRankingLoss`: scores, and targets 1 and -1 of the same shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MarginRankingLoss.html
 */
export class MarginRankingLoss extends LossLayer<readonly [x1: Tensor, x2: Tensor, target: Tensor], MarginLossOptions> {
  constructor(options: MarginLossOptions = {}) {
    super("MarginRankingLoss", options, MARGIN_OPTIONS);
  }

  override forward(x1: Tensor, x2: Tensor, target: Tensor): Tensor {
    return marginRankingLoss(x1, x2, target, this.options);
  }
}

/**
 * See `nn.functional.multiMarginLoss`: scores [N, C] or [C], labels i32 [N] or [].
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MultiMarginLoss.html
 */
export class MultiMarginLoss extends LossLayer<readonly [input: Tensor, target: Tensor], MultiMarginOptions> {
  constructor(options: MultiMarginOptions = {}) {
    super("MultiMarginLoss", options, MULTI_MARGIN_OPTIONS);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return multiMarginLoss(input, target, this.options);
  }
}

/**
 * See `nn.functional.tripletMarginLoss`: vectors [N, D] each.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html
 */
export class TripletMarginLoss extends LossLayer<
  readonly [anchor: Tensor, positive: Tensor, negative: Tensor],
  TripletMarginOptions
> {
  constructor(options: TripletMarginOptions = {}) {
    super("TripletMarginLoss", options, TRIPLET_OPTIONS);
  }

  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return tripletMarginLoss(anchor, positive, negative, this.options);
  }
}

/**
 * See `nn.functional.cosineSimilarity`: the cosine of the angle between vectors.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.CosineSimilarity.html
 */
export class CosineSimilarity extends Module<readonly [x1: Tensor, x2: Tensor]> {
  /** As given. */
  readonly options: CosineSimilarityOptions;

  constructor(options: CosineSimilarityOptions = {}) {
    super();
    checkOptions("CosineSimilarity", options, COSINE_OPTIONS);
    this.options = options;
  }

  override forward(x1: Tensor, x2: Tensor): Tensor {
    return cosineSimilarity(x1, x2, this.options);
  }
}

/**
 * See `nn.functional.pairwiseDistance`: the distance of vectors along the last dimension.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.PairwiseDistance.html
 */
export class PairwiseDistance extends Module<readonly [x1: Tensor, x2: Tensor]> {
  /** As given. */
  readonly options: PairwiseDistanceOptions;

  constructor(options: PairwiseDistanceOptions = {}) {
    super();
    checkOptions("PairwiseDistance", options, DISTANCE_OPTIONS);
    this.options = options;
  }

  override forward(x1: Tensor, x2: Tensor): Tensor {
    return pairwiseDistance(x1, x2, this.options);
  }
}
