// The algorithms of each product of a convolution, the first that supports a geometry being the one to take without tuning.
import type { ConvAlgorithm, ForwardIo, InputGradientIo, WeightGradientIo } from "./conv-algorithm.ts";
import { depthwiseForward, depthwiseInputGradient, depthwiseWeightGradient } from "./conv-depthwise.ts";
import { generalForward, generalInputGradient, rowsForward, rowsInputGradient } from "./conv-implicit-gemm.ts";
import { pointwiseForward, pointwiseInputGradient, vectorForward, vectorInputGradient } from "./conv-pointwise.ts";
import { generalWeightGradient, rowsWeightGradient } from "./conv-weight-gradient.ts";

export const forwardAlgorithms: readonly ConvAlgorithm<ForwardIo>[] = [
  depthwiseForward,
  rowsForward,
  vectorForward,
  generalForward,
  pointwiseForward,
];
export const inputGradientAlgorithms: readonly ConvAlgorithm<InputGradientIo>[] = [
  depthwiseInputGradient,
  rowsInputGradient,
  vectorInputGradient,
  generalInputGradient,
  pointwiseInputGradient,
];
export const weightGradientAlgorithms: readonly ConvAlgorithm<WeightGradientIo>[] = [
  depthwiseWeightGradient,
  rowsWeightGradient,
  generalWeightGradient,
];
