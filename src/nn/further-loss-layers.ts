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
import { Module } from "./module.ts";

type SmoothL1Options = NonNullable<Parameters<typeof smoothL1Loss>[2]>;
type HuberOptions = NonNullable<Parameters<typeof huberLoss>[2]>;

/**
 * See `nn.functional.binaryCrossEntropy`: probabilities and target probabilities of one shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.BCELoss.html
 */
export class BCELoss extends Module<readonly [input: Tensor, target: Tensor]> {
  /** Reduction and the like, as given. */
  readonly options: WeightedLossOptions;

  constructor(options: WeightedLossOptions = {}) {
    super();
    checkOptions("BCELoss", options, WEIGHTED_OPTIONS);
    checkReduction("BCELoss", options.reduction);
    this.options = options;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropy(input, target, this.options);
  }
}

/**
 * See `nn.functional.binaryCrossEntropyWithLogits`: logits and target probabilities of one shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html
 */
export class BCEWithLogitsLoss extends Module<readonly [input: Tensor, target: Tensor]> {
  /** Reduction and the like, as given. */
  readonly options: BinaryCrossEntropyOptions;

  constructor(options: BinaryCrossEntropyOptions = {}) {
    super();
    checkOptions("BCEWithLogitsLoss", options, BINARY_OPTIONS);
    checkReduction("BCEWithLogitsLoss", options.reduction);
    this.options = options;
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
export class NLLLoss extends Module<readonly [logProbabilities: Tensor, target: Tensor]> {
  /** Reduction and the like, as given. */
  readonly options: NllLossOptions;

  constructor(options: NllLossOptions = {}) {
    super();
    checkOptions("NLLLoss", options, NLL_OPTIONS);
    checkReduction("NLLLoss", options.reduction);
    this.options = options;
  }

  override forward(logProbabilities: Tensor, target: Tensor): Tensor {
    return nllLoss(logProbabilities, target, this.options);
  }
}

/**
 * See `nn.functional.l1Loss`: input and target of one shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.L1Loss.html
 */
export class L1Loss extends Module<readonly [input: Tensor, target: Tensor]> {
  /** Reduction and the like, as given. */
  readonly options: LossOptions;

  constructor(options: LossOptions = {}) {
    super();
    checkOptions("L1Loss", options, LOSS_OPTIONS);
    checkReduction("L1Loss", options.reduction);
    this.options = options;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return l1Loss(input, target, this.options);
  }
}

/**
 * See `nn.functional.smoothL1Loss`: input and target of one shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html
 */
export class SmoothL1Loss extends Module<readonly [input: Tensor, target: Tensor]> {
  /** Reduction and the like, as given. */
  readonly options: SmoothL1Options;

  constructor(options: SmoothL1Options = {}) {
    super();
    checkOptions("SmoothL1Loss", options, SMOOTH_OPTIONS);
    checkReduction("SmoothL1Loss", options.reduction);
    checkNumber("SmoothL1Loss", "beta", options.beta ?? 1, 0);
    this.options = options;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return smoothL1Loss(input, target, this.options);
  }
}

/**
 * See `nn.functional.huberLoss`: input and target of one shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html
 */
export class HuberLoss extends Module<readonly [input: Tensor, target: Tensor]> {
  /** Reduction and the like, as given. */
  readonly options: HuberOptions;

  constructor(options: HuberOptions = {}) {
    super();
    checkOptions("HuberLoss", options, HUBER_OPTIONS);
    checkReduction("HuberLoss", options.reduction);
    checkDelta("HuberLoss", options.delta ?? 1);
    this.options = options;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return huberLoss(input, target, this.options);
  }
}

/**
 * See `nn.functional.poissonNllLoss`: expected counts, or their logarithms, and counts of the same shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html
 */
export class PoissonNLLLoss extends Module<readonly [input: Tensor, target: Tensor]> {
  /** Reduction and the like, as given. */
  readonly options: PoissonNllOptions;

  constructor(options: PoissonNllOptions = {}) {
    super();
    checkOptions("PoissonNLLLoss", options, POISSON_OPTIONS);
    checkReduction("PoissonNLLLoss", options.reduction);
    this.options = options;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return poissonNllLoss(input, target, this.options);
  }
}

/**
 * See `nn.functional.gaussianNllLoss`: means and targets of one shape, and variances.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.GaussianNLLLoss.html
 */
export class GaussianNLLLoss extends Module<readonly [input: Tensor, target: Tensor, variance: Tensor]> {
  /** Reduction and the like, as given. */
  readonly options: GaussianNllOptions;

  constructor(options: GaussianNllOptions = {}) {
    super();
    checkOptions("GaussianNLLLoss", options, GAUSSIAN_OPTIONS);
    checkReduction("GaussianNLLLoss", options.reduction);
    this.options = options;
  }

  override forward(input: Tensor, target: Tensor, variance: Tensor): Tensor {
    return gaussianNllLoss(input, target, variance, this.options);
  }
}

/**
 * See `nn.functional.softMarginLoss`: scores, and targets 1 and -1 of the same shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.SoftMarginLoss.html
 */
export class SoftMarginLoss extends Module<readonly [input: Tensor, target: Tensor]> {
  /** Reduction and the like, as given. */
  readonly options: LossOptions;

  constructor(options: LossOptions = {}) {
    super();
    checkOptions("SoftMarginLoss", options, LOSS_OPTIONS);
    checkReduction("SoftMarginLoss", options.reduction);
    this.options = options;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return softMarginLoss(input, target, this.options);
  }
}

/**
 * See `nn.functional.hingeEmbeddingLoss`: distances, and targets 1 and -1 of the same shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.HingeEmbeddingLoss.html
 */
export class HingeEmbeddingLoss extends Module<readonly [input: Tensor, target: Tensor]> {
  /** Reduction and the like, as given. */
  readonly options: MarginLossOptions;

  constructor(options: MarginLossOptions = {}) {
    super();
    checkOptions("HingeEmbeddingLoss", options, MARGIN_OPTIONS);
    checkReduction("HingeEmbeddingLoss", options.reduction);
    this.options = options;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return hingeEmbeddingLoss(input, target, this.options);
  }
}

/**
 * See `nn.functional.multilabelSoftMarginLoss`: logits and targets [N, C] or [C].
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MultiLabelSoftMarginLoss.html
 */
export class MultiLabelSoftMarginLoss extends Module<readonly [input: Tensor, target: Tensor]> {
  /** Reduction and the like, as given. */
  readonly options: WeightedLossOptions;

  constructor(options: WeightedLossOptions = {}) {
    super();
    checkOptions("MultiLabelSoftMarginLoss", options, WEIGHTED_OPTIONS);
    checkReduction("MultiLabelSoftMarginLoss", options.reduction);
    this.options = options;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return multilabelSoftMarginLoss(input, target, this.options);
  }
}

/**
 * See `nn.functional.cosineEmbeddingLoss`: vectors [N, D], and targets 1 and -1, [N].
 * @see https://pytorch.org/docs/stable/generated/torch.nn.CosineEmbeddingLoss.html
 */
export class CosineEmbeddingLoss extends Module<readonly [x1: Tensor, x2: Tensor, target: Tensor]> {
  /** Reduction and the like, as given. */
  readonly options: MarginLossOptions;

  constructor(options: MarginLossOptions = {}) {
    super();
    checkOptions("CosineEmbeddingLoss", options, MARGIN_OPTIONS);
    checkReduction("CosineEmbeddingLoss", options.reduction);
    this.options = options;
  }

  override forward(x1: Tensor, x2: Tensor, target: Tensor): Tensor {
    return cosineEmbeddingLoss(x1, x2, target, this.options);
  }
}

/**
 * See `nn.functional.marginRankingLoss`: scores, and targets 1 and -1 of the same shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MarginRankingLoss.html
 */
export class MarginRankingLoss extends Module<readonly [x1: Tensor, x2: Tensor, target: Tensor]> {
  /** Reduction and the like, as given. */
  readonly options: MarginLossOptions;

  constructor(options: MarginLossOptions = {}) {
    super();
    checkOptions("MarginRankingLoss", options, MARGIN_OPTIONS);
    checkReduction("MarginRankingLoss", options.reduction);
    this.options = options;
  }

  override forward(x1: Tensor, x2: Tensor, target: Tensor): Tensor {
    return marginRankingLoss(x1, x2, target, this.options);
  }
}

/**
 * See `nn.functional.multiMarginLoss`: scores [N, C] or [C], labels i32 [N] or [].
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MultiMarginLoss.html
 */
export class MultiMarginLoss extends Module<readonly [input: Tensor, target: Tensor]> {
  /** Reduction and the like, as given. */
  readonly options: MultiMarginOptions;

  constructor(options: MultiMarginOptions = {}) {
    super();
    checkOptions("MultiMarginLoss", options, MULTI_MARGIN_OPTIONS);
    checkReduction("MultiMarginLoss", options.reduction);
    this.options = options;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return multiMarginLoss(input, target, this.options);
  }
}

/**
 * See `nn.functional.tripletMarginLoss`: vectors [N, D] each.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html
 */
export class TripletMarginLoss extends Module<readonly [anchor: Tensor, positive: Tensor, negative: Tensor]> {
  /** Reduction and the like, as given. */
  readonly options: TripletMarginOptions;

  constructor(options: TripletMarginOptions = {}) {
    super();
    checkOptions("TripletMarginLoss", options, TRIPLET_OPTIONS);
    checkReduction("TripletMarginLoss", options.reduction);
    this.options = options;
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
