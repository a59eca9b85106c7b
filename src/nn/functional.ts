// nn.functional: every operation of a network as a function, under PyTorch's names in camelCase.
import { activation } from "../ops/activation-rows.ts";
import { unary } from "../ops/unary.ts";
import type { Tensor } from "../tensor/tensor.ts";

export { correctCount } from "../ops/accuracy.ts";
export { batchNorm, batchNormRelu } from "../ops/batch-norm.ts";
export { conv2d } from "../ops/conv2d.ts";
export { dropout } from "../ops/dropout.ts";
export { layerNorm } from "../ops/layer-norm.ts";
export {
  binaryCrossEntropyWithLogits,
  crossEntropy,
  l1Loss,
  mseLoss,
  nllLoss,
  smoothL1Loss,
} from "../ops/losses.ts";
export { linear } from "../ops/matmul.ts";
export { pad } from "../ops/movement.ts";
export { adaptiveAvgPool2d, avgPool2d, maxPool2d } from "../ops/pool.ts";
export { logSoftmax, softmax } from "../ops/softmax.ts";

/** x Phi(x), with the exact normal distribution function. */
export const gelu = (x: Tensor): Tensor => activation("gelu", x);
/** min(max(x + 3, 0), 6) / 6. */
export const hardsigmoid = (x: Tensor): Tensor => activation("hardsigmoid", x);
/** x min(max(x + 3, 0), 6) / 6. */
export const hardswish = (x: Tensor): Tensor => activation("hardswish", x);
/** log(1 + exp(beta x)) / beta; x itself where beta x is above `threshold`. Defaults 1 and 20. */
export const softplus = (x: Tensor, beta = 1, threshold = 20): Tensor => activation("softplus", x, { beta, threshold });
/** x above 0, alpha (exp(x) - 1) below. */
export const elu = (x: Tensor, alpha = 1): Tensor => activation("elu", x, { alpha });
/** x where positive, else `negativeSlope` (default 0.01) times x. */
export const leakyRelu = (x: Tensor, negativeSlope = 0.01): Tensor =>
  activation("leakyRelu", x, { slope: negativeSlope });
/** max(x, 0). */
export const relu = (x: Tensor): Tensor => unary("relu", x);
/** min(max(x, 0), 6). */
export const relu6 = (x: Tensor): Tensor => activation("relu6", x);
/** 1 / (1 + exp(-x)). */
export const sigmoid = (x: Tensor): Tensor => unary("sigmoid", x);
/** x sigmoid(x). */
export const silu = (x: Tensor): Tensor => activation("silu", x);
/** Hyperbolic tangent. @see https://pytorch.org/docs/stable/generated/torch.nn.functional.tanh.html */
export const tanh = (x: Tensor): Tensor => unary("tanh", x);
