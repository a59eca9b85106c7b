// The whole browser-safe public API of wgrad.

export { noGrad } from "./autograd/mode.ts";
export * from "./errors.ts";
export { Device, type DeviceInfo, type InitOptions } from "./gpu/device.ts";
export { init } from "./init.ts";
export type {} from "./ops/methods.ts";
export * as optim from "./optim/index.ts";
export { arange, full, ones, type TensorOptions, tensor, zeros } from "./tensor/create.ts";
export type { Dtype } from "./tensor/dtype.ts";
export { scope } from "./tensor/scope.ts";
export type { Shape } from "./tensor/shape.ts";
export { type MemoryInfo, memory } from "./tensor/storage.ts";
export { Tensor } from "./tensor/tensor.ts";
