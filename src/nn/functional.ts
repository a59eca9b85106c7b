// nn.functional: every operation of a network as a function, under PyTorch's names in camelCase.
import { checkOptions, told, ValueError } from "../errors.ts";
import * as activations from "../ops/activation-rows.ts";
import * as further from "../ops/further-rows.ts";
import { softmax } from "../ops/softmax.ts";
import { unary } from "../ops/unary.ts";
import * as unaries from "../ops/unary-rows.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";

export { correctCount } from "../ops/accuracy.ts";
export { type AttentionOptions, scaledDotProductAttention } from "../ops/attention.ts";
export { type BatchNormOptions, type BatchNormReluOptions, batchNorm, batchNormRelu } from "../ops/batch-norm.ts";
export { bilinear } from "../ops/bilinear.ts";
export { type ConvNdOptions, conv1d, conv3d } from "../ops/conv-1d-3d.ts";
export {
  type ConvTransposeOptions,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
} from "../ops/conv-transpose.ts";
export { type ConvOptions, conv2d } from "../ops/conv2d.ts";
export {
  type CosineSimilarityOptions,
  cosineEmbeddingLoss,
  cosineSimilarity,
  type MultiMarginOptions,
  marginRankingLoss,
  multiMarginLoss,
  type NormalizeOptions,
  normalize,
  type PairwiseDistanceOptions,
  pairwiseDistance,
  type TripletMarginOptions,
  tripletMarginLoss,
} from "../ops/distances.ts";
export { dropout } from "../ops/dropout.ts";
export {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropyWithLogits,
  l1Loss,
  mseLoss,
  smoothL1Loss,
} from "../ops/element-losses.ts";
export { relu, sigmoid, tanh } from "../ops/elementwise.ts";
export { type EmbeddingOptions, embedding } from "../ops/embedding.ts";
export { glu, prelu, tanhshrink } from "../ops/further-activations.ts";
export {
  alphaDropout,
  dropout1d,
  dropout2d,
  type StochasticDepthMode,
  stochasticDepth,
} from "../ops/further-dropout.ts";
export {
  binaryCrossEntropy,
  type GaussianNllOptions,
  gaussianNllLoss,
  hingeEmbeddingLoss,
  huberLoss,
  type KlDivOptions,
  klDiv,
  type MarginLossOptions,
  multilabelSoftMarginLoss,
  type PoissonNllOptions,
  poissonNllLoss,
  softMarginLoss,
  type WeightedLossOptions,
} from "../ops/further-losses.ts";
export { type AffineGridOptions, affineGrid, type GridSampleOptions, gridSample } from "../ops/grid-sample.ts";
export { groupNorm, type InstanceNormOptions, instanceNorm } from "../ops/group-norm.ts";
export { type InterpolateOptions, type InterpolationMode, interpolate } from "../ops/interpolate.ts";
export { layerNorm, rmsNorm } from "../ops/layer-norm.ts";
export { type LocalResponseNormOptions, localResponseNorm } from "../ops/local-response-norm.ts";
export {
  type CrossEntropyOptions,
  crossEntropy,
  type LossOptions,
  type NllLossOptions,
  nllLoss,
  type Reduction,
} from "../ops/losses.ts";
export { linear } from "../ops/matmul.ts";
export { oneHot } from "../ops/one-hot.ts";
export { type PadMode, pad } from "../ops/pad-modes.ts";
export {
  type AvgPoolOptions,
  adaptiveAvgPool2d,
  avgPool2d,
  type IndicesOption,
  type MaxPoolOptions,
  maxPool2d,
  type Pooled,
  type PoolOptions,
} from "../ops/pool.ts";
export {
  type AdaptiveSize1,
  type AdaptiveSize2,
  type AdaptiveSize3,
  type AvgPoolNdOptions,
  adaptiveAvgPool1d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  avgPool1d,
  avgPool3d,
  type MaxPoolNdOptions,
  maxPool1d,
  maxPool3d,
  type PoolNdOptions,
} from "../ops/pool-1d-3d.ts";
export { channelShuffle, pixelShuffle, pixelUnshuffle } from "../ops/shuffle.ts";
export { logSoftmax, softmax } from "../ops/softmax.ts";
export { fold, type UnfoldOptions, unfold } from "../ops/unfold.ts";
export { type MaxUnpoolOptions, maxUnpool1d, maxUnpool2d, maxUnpool3d } from "../ops/unpool.ts";

/** What `gelu` takes. */
export interface GeluOptions {
  /** "none": the exact normal distribution function. "tanh": 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). Default "none". */
  approximate?: "none" | "tanh";
}

/**
 * x Phi(x) by element, Phi being the normal distribution function. f32, any shape.
 * @see https://arxiv.org/abs/1606.08415 and https://pytorch.org/docs/stable/generated/torch.nn.functional.gelu.html
 */
export function gelu(x: Tensor, options: GeluOptions = {}): Tensor {
  checkOptions("gelu", options, ["approximate"]);
  const { approximate = "none" } = options;
  if (approximate === "none") return unary(activations.gelu, x);
  if (approximate === "tanh") return unary(further.geluTanh, x);
  throw new ValueError(`[gelu] approximate must be "none" or "tanh", got ${told(approximate)}`);
}
/**
 * min(max(x + 3, 0), 6) / 6 by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.hardsigmoid.html
 */
export const hardsigmoid = (x: Tensor): Tensor => unary(activations.hardsigmoid, x);
/**
 * x min(max(x + 3, 0), 6) / 6 by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.hardswish.html
 */
export const hardswish = (x: Tensor): Tensor => unary(activations.hardswish, x);
/**
 * log(1 + exp(beta x)) / beta by element; x itself where beta x is above `threshold`. Defaults 1 and 20. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.softplus.html
 */
export const softplus = (x: Tensor, beta = 1, threshold = 20): Tensor =>
  unary(activations.softplus, x, { beta, threshold });
/**
 * x where above 0, alpha (exp(x) - 1) where below, by element; `alpha` is 1 by default. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.elu.html
 */
export const elu = (x: Tensor, alpha = 1): Tensor => unary(activations.elu, x, { alpha });
/**
 * x where positive, else `negativeSlope` (default 0.01) times x, by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.leaky_relu.html
 */
export const leakyRelu = (x: Tensor, negativeSlope = 0.01): Tensor =>
  unary(activations.leakyRelu, x, { slope: negativeSlope });
/**
 * min(max(x, 0), 6) by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.relu6.html
 */
export const relu6 = (x: Tensor): Tensor => unary(activations.relu6, x);
/**
 * x sigmoid(x) by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.silu.html
 */
export const silu = (x: Tensor): Tensor => unary(activations.silu, x);
/**
 * x where above 0, alpha (exp(x / alpha) - 1) where below, by element; `alpha` is 1 by default. f32, any shape.
 * @see https://arxiv.org/abs/1704.07483 and https://pytorch.org/docs/stable/generated/torch.nn.functional.celu.html
 */
export const celu = (x: Tensor, alpha = 1): Tensor => unary(further.celu, x, { alpha });
/**
 * min(max(x, minVal), maxVal) by element, between -1 and 1 by default; unlike `clamp` without a gradient at the bounds. f32, any
 * shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.hardtanh.html
 */
export const hardtanh = (x: Tensor, minVal = -1, maxVal = 1): Tensor =>
  unary(further.hardtanh, x, { low: minVal, high: maxVal });
/**
 * log(sigmoid(x)) by element, exact also where the sigmoid is 0 or 1. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.logsigmoid.html
 */
export const logsigmoid = (x: Tensor): Tensor => unary(further.logSigmoid, x);
/**
 * x tanh(log(1 + exp(x))) by element. f32, any shape.
 * @see https://arxiv.org/abs/1908.08681 and https://pytorch.org/docs/stable/generated/torch.nn.functional.mish.html
 */
export const mish = (x: Tensor): Tensor => unary(further.mish, x);
/**
 * 1.0507 x where above 0, 1.7581 (exp(x) - 1) where below, by element. f32, any shape.
 * @see https://arxiv.org/abs/1706.02515 and https://pytorch.org/docs/stable/generated/torch.nn.functional.selu.html
 */
export const selu = (x: Tensor): Tensor => unary(further.selu, x);
/**
 * `softmax` of -x along `dim`.
 * @throws ShapeError for a dimension that x does not have.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.softmin.html
 */
export const softmin = (x: Tensor, dim: number): Tensor =>
  scope(() => softmax(unary(unaries.affine, x, { scale: -1, offset: 0 }), dim));
/**
 * x / (1 + |x|) by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.softsign.html
 */
export const softsign = (x: Tensor): Tensor => unary(further.softsign, x);
/**
 * x where above `threshold`, else `value`, by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.threshold.html
 */
export const threshold = (x: Tensor, threshold: number, value: number): Tensor =>
  unary(further.threshold, x, { threshold, value });
