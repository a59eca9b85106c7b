// The algorithms of each product of a convolution, the first that supports a geometry being the one to take without tuning.
import type { ConvAlgorithm, ForwardIo, InputGradientIo, WeightGradientIo } from "./algorithm.ts";
import { depthwiseForward, depthwiseInputGradient, depthwiseWeightGradient } from "./depthwise.ts";
import { generalForward, generalInputGradient, rowsForward, rowsInputGradient } from "./implicit-gemm.ts";
import { pointwiseForward, pointwiseInputGradient } from "./pointwise.ts";
import { generalWeightGradient, rowsWeightGradient } from "./weight-gradient.ts";

export const forwardAlgorithms: readonly ConvAlgorithm<ForwardIo>[] = [
  depthwiseForward,
  rowsForward,
  generalForward,
  pointwiseForward,
];
export const inputGradientAlgorithms: readonly ConvAlgorithm<InputGradientIo>[] = [
  depthwiseInputGradient,
  rowsInputGradient,
  generalInputGradient,
  pointwiseInputGradient,
];
export const weightGradientAlgorithms: readonly ConvAlgorithm<WeightGradientIo>[] = [
  depthwiseWeightGradient,
  rowsWeightGradient,
  generalWeightGradient,
];
