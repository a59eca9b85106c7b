// The names of `nn`: modules, layers, losses, and the namespaces `functional` and `init`.
export {
  GELU,
  Hardsigmoid,
  Hardswish,
  LeakyReLU,
  ReLU,
  ReLU6,
  Sigmoid,
  SiLU,
  Softmax,
  Tanh,
} from "./activation-layers.ts";
export { Dropout, Flatten, Identity } from "./basic-layers.ts";
export { ConvNormActivation, type ConvNormActivationOptions } from "./blocks.ts";
export { ModuleList, Sequential } from "./containers.ts";
export { Conv2d } from "./conv-layers.ts";
export { Embedding } from "./embedding-layer.ts";
export * as functional from "./functional.ts";
export * as init from "./initialization.ts";
export { Linear } from "./linear-layer.ts";
export type { LoadOptions, LoadResult, StateDict, StateDictLike } from "./load-state-dict.ts";
export { CrossEntropyLoss, MSELoss } from "./loss-layers.ts";
export { type AnyModule, type ForwardHook, type ForwardPreHook, Module } from "./module.ts";
export { BatchNorm2d, type BatchNormLayerOptions, LayerNorm } from "./norm-layers.ts";
export { Parameter } from "./parameter.ts";
export { AdaptiveAvgPool2d, AvgPool2d, MaxPool2d } from "./pooling-layers.ts";
export { GRU, LSTM, type RecurrentOptions, RNN, type RNNOptions } from "./recurrent-layers.ts";
export { countParameters } from "./summary.ts";
