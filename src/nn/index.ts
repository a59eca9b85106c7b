// The names of `nn`: modules, layers, losses, and the namespaces `functional` and `init`.
export { GELU, Hardsigmoid, Hardswish, LeakyReLU, ReLU, ReLU6, Sigmoid, SiLU, Softmax, Tanh } from "./activations.ts";
export { Dropout, Flatten, Identity } from "./basic.ts";
export { ModuleList, Sequential } from "./containers.ts";
export { Conv2d } from "./conv.ts";
export * as functional from "./functional.ts";
export * as init from "./init.ts";
export { Linear } from "./linear.ts";
export type { LoadOptions, LoadResult, StateDict, StateDictLike } from "./load.ts";
export { CrossEntropyLoss, MSELoss } from "./losses.ts";
export { type AnyModule, type ForwardHook, type ForwardPreHook, Module } from "./module.ts";
export { BatchNorm2d, type BatchNormLayerOptions, LayerNorm } from "./norm.ts";
export { Parameter } from "./parameter.ts";
export { AdaptiveAvgPool2d, AvgPool2d, MaxPool2d } from "./pooling.ts";
