// The whole browser-safe public API of wgrad.

export { noGrad } from "./autograd/mode.ts";
export type { BackwardOptions } from "./backward/backward.ts";
export { type GradOptions, grad } from "./backward/grad.ts";
export { type GradcheckOptions, gradcheck } from "./backward/gradcheck.ts";
export type { HookHandle } from "./backward/hooks.ts";
export { type CapturedStep, capture } from "./capture/capture.ts";
export type { StepResult } from "./capture/recording.ts";
export { type DefinedOp, defineOp, type OpDefinition } from "./custom/define-op.ts";
export { type Kernel, kernel, type Launcher } from "./custom/kernel.ts";
export {
  DataError,
  DeviceError,
  DtypeError,
  FormatError,
  KernelError,
  LimitError,
  OutOfMemoryError,
  ShapeError,
  StateDictError,
  StateError,
  UnsafePickleError,
  ValueError,
  WgradError,
} from "./errors.ts";
export { type CompileProgress, Device, type DeviceInfo, type InitOptions, useDevice } from "./gpu/device.ts";
export { type Grid, grid1d } from "./gpu/grid.ts";
export { init } from "./init.ts";
export { type LoadCheckpointOptions, loadCheckpoint, type Stateful, saveCheckpoint } from "./io/checkpoint.ts";
export { type LoadTorchOptions, loadSafetensors, loadTorch, safetensorsMetadata, saveSafetensors } from "./io/index.ts";
export { type TunedClass, type TuneOptions, type TuneProgress, tune } from "./kernels/tune.ts";
export type { TensorMethods } from "./methods.ts";
export * as nn from "./nn/index.ts";
export { cat, stack } from "./ops/cat.ts";
export type { SliceRange } from "./ops/movement.ts";
export { bernoulli, rand, randint, randn, randperm } from "./ops/random.ts";
export type { VarianceOptions } from "./ops/reduce.ts";
export { indexAdd, indexCopy, scatter, scatterAdd } from "./ops/scatter.ts";
export type { ReduceOptions } from "./ops/sum-expand.ts";
export { where } from "./ops/where.ts";
export * as optim from "./optim/index.ts";
export { arange, full, ones, type TensorOptions, tensor, zeros } from "./tensor/create.ts";
export type { Dtype, TensorData } from "./tensor/dtype.ts";
export { getRngState, manualSeed, type RngState, setRngState } from "./tensor/random-state.ts";
export { scope } from "./tensor/scope.ts";
export type { Shape } from "./tensor/shape.ts";
export { emptyCache, type MemoryInfo, memory } from "./tensor/storage.ts";
export { type GradHook, type NestedArray, type Spec, Tensor } from "./tensor/tensor.ts";
export * as vision from "./vision/index.ts";
export { type AlexNet, type AlexNetOptions, alexnet, cifarAlexnet } from "./vision/models/alexnet.ts";
export { type ResNet, type ResNetOptions, resnet18, resnet34, resnet50 } from "./vision/models/resnet.ts";
