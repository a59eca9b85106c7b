// nn.functional: every operation of a network as a function, under PyTorch's names in camelCase.
import { activation } from "../ops/activation-rows.ts";
import { unary } from "../ops/unary.ts";
import type { Tensor } from "../tensor/tensor.ts";

export { correctCount } from "../ops/accuracy.ts";
export { type BatchNormOptions, type BatchNormReluOptions, batchNorm, batchNormRelu } from "../ops/batch-norm.ts";
export { type ConvOptions, conv2d } from "../ops/conv2d.ts";
export { dropout } from "../ops/dropout.ts";
export { binaryCrossEntropyWithLogits, l1Loss, mseLoss, smoothL1Loss } from "../ops/element-losses.ts";
export { type EmbeddingOptions, embedding } from "../ops/embedding.ts";
export { layerNorm } from "../ops/layer-norm.ts";
export {
  type CrossEntropyOptions,
  crossEntropy,
  type LossOptions,
  type NllLossOptions,
  nllLoss,
  type Reduction,
} from "../ops/losses.ts";
export { linear } from "../ops/matmul.ts";
export { pad } from "../ops/movement.ts";
export { oneHot } from "../ops/one-hot.ts";
export {
  type AvgPoolOptions,
  adaptiveAvgPool2d,
  avgPool2d,
  type MaxPoolOptions,
  maxPool2d,
  type PoolOptions,
} from "../ops/pool.ts";
export { logSoftmax, softmax } from "../ops/softmax.ts";

/**
 * x Phi(x) by element, with the exact normal distribution function Phi. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.gelu.html
 */
export const gelu = (x: Tensor): Tensor => activation("gelu", x);
/**
 * min(max(x + 3, 0), 6) / 6 by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.hardsigmoid.html
 */
export const hardsigmoid = (x: Tensor): Tensor => activation("hardsigmoid", x);
/**
 * x min(max(x + 3, 0), 6) / 6 by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.hardswish.html
 */
export const hardswish = (x: Tensor): Tensor => activation("hardswish", x);
/**
 * log(1 + exp(beta x)) / beta by element; x itself where beta x is above `threshold`. Defaults 1 and 20. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.softplus.html
 */
export const softplus = (x: Tensor, beta = 1, threshold = 20): Tensor => activation("softplus", x, { beta, threshold });
/**
 * x where above 0, alpha (exp(x) - 1) where below, by element; `alpha` is 1 by default. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.elu.html
 */
export const elu = (x: Tensor, alpha = 1): Tensor => activation("elu", x, { alpha });
/**
 * x where positive, else `negativeSlope` (default 0.01) times x, by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.leaky_relu.html
 */
export const leakyRelu = (x: Tensor, negativeSlope = 0.01): Tensor =>
  activation("leakyRelu", x, { slope: negativeSlope });
/**
 * max(x, 0) by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.relu.html
 */
export const relu = (x: Tensor): Tensor => unary("relu", x);
/**
 * min(max(x, 0), 6) by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.relu6.html
 */
export const relu6 = (x: Tensor): Tensor => activation("relu6", x);
/**
 * 1 / (1 + exp(-x)) by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.sigmoid.html
 */
export const sigmoid = (x: Tensor): Tensor => unary("sigmoid", x);
/**
 * x sigmoid(x) by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.silu.html
 */
export const silu = (x: Tensor): Tensor => activation("silu", x);
/**
 * Hyperbolic tangent by element. f32, any shape.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.tanh.html
 */
export const tanh = (x: Tensor): Tensor => unary("tanh", x);
