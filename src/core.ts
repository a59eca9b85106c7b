// What `wgrad` and `wgrad/mini` both export: tensors, autograd, devices, files, functions, models.

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
  AnomalyError,
  DataError,
  DeviceError,
  DtypeError,
  FormatError,
  KernelError,
  LimitError,
  NonFiniteLossError,
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
export { type LoadCheckpointOptions, loadCheckpoint, type Stateful, saveCheckpoint } from "./io/checkpoint.ts";
export { type LoadTorchOptions, loadSafetensors, loadTorch, safetensorsMetadata, saveSafetensors } from "./io/index.ts";
export { type TunedClass, type TuneOptions, type TuneProgress, tune } from "./kernels/tune.ts";
export { features } from "./nn/features.ts";
export {
  type FreezeBatchNormOptions,
  type FreezeOptions,
  freeze,
  freezeBatchNorm,
  type Paths,
  unfreeze,
  unfreezeBatchNorm,
} from "./nn/freeze.ts";
export { type LayerGroup, type ParameterGroupsOptions, parameterGroups } from "./nn/layer-decay.ts";
export { type IndexPutOptions, type Indices, index, indexPut, indexPut_, setSlice } from "./ops/advanced-index.ts";
export { cat, stack } from "./ops/cat.ts";
export { diag, diagEmbed, diagonal, trace, tril, triu } from "./ops/diagonal.ts";
export { einsum } from "./ops/einsum.ts";
export { clamp_, indexAdd_, lerp_, maskedFill_, scatter_, scatterAdd_ } from "./ops/inplace-functions.ts";
export {
  type BincountOptions,
  bincount,
  logsumexp,
  type MultinomialOptions,
  maskedFill,
  maskedSelect,
  multinomial,
  nonzero,
} from "./ops/masks.ts";
export {
  acos,
  asin,
  atan,
  cosh,
  erfc,
  exp2,
  expm1,
  isfinite,
  isinf,
  isnan,
  log1p,
  log2,
  log10,
  sinh,
  tan,
  trunc,
} from "./ops/math.ts";
export type { SliceRange } from "./ops/movement.ts";
export {
  type AddProductOptions,
  addmm,
  baddbmm,
  bmm,
  dot,
  eye,
  kron,
  mm,
  mv,
  outer,
} from "./ops/products.ts";
export { bernoulli, rand, randint, randLike, randn, randnLike, randperm } from "./ops/random.ts";
export {
  type MeshgridOptions,
  meshgrid,
  repeat,
  repeatInterleave,
  roll,
  takeAlongDim,
  tile,
  unbind,
} from "./ops/rearrange.ts";
export type { VarianceOptions } from "./ops/reduce.ts";
export { cumprod, cumsum, prod } from "./ops/scan.ts";
export { indexAdd, indexCopy, scatter, scatterAdd } from "./ops/scatter.ts";
export { argsort, sort, type UniqueOptions, unique } from "./ops/sort.ts";
export type { ReduceOptions } from "./ops/sum-expand.ts";
export {
  add,
  addcdiv,
  addcmul,
  atan2,
  type DivOptions,
  div,
  floorDivide,
  fmod,
  lerp,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  maximum,
  minimum,
  mul,
  pow,
  remainder,
  rsub,
  type ScaledOptions,
  sub,
} from "./ops/two-sided.ts";
export { where } from "./ops/where.ts";
export { arange, full, type NestedValues, ones, type TensorOptions, tensor, zeros } from "./tensor/create.ts";
export { emptyLike, fullLike, linspace, onesLike, zerosLike } from "./tensor/create-like.ts";
export type { Dtype, TensorData } from "./tensor/dtype.ts";
export { getRngState, manualSeed, type RngState, setRngState } from "./tensor/random-state.ts";
export { scope } from "./tensor/scope.ts";
export type { Shape } from "./tensor/shape.ts";
export { emptyCache, type MemoryInfo, memory } from "./tensor/storage.ts";
export { type GradHook, type NestedArray, type Spec, Tensor } from "./tensor/tensor.ts";
export { detectAnomaly } from "./train/anomaly.ts";
export type {
  Batches,
  LabelledBatch,
  PlainBatch,
  Prepare,
  PrepareOption,
  TensorsOf,
  Trainable,
} from "./train/batches.ts";
export { type CheckpointInfo, checkpoint, earlyStopping, progress } from "./train/callbacks.ts";
export {
  type ClassScores,
  type ConfusionMatrix,
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  type Scores,
} from "./train/evaluate.ts";
export type {
  Callbacks,
  EpochEndEvent,
  EpochRecord,
  EpochStartEvent,
  FitEndEvent,
  FitRun,
  FitStartEvent,
  History,
  StepEvent,
  TrainScores,
} from "./train/events.ts";
export { type FitData, type FitOptions, fit } from "./train/fit.ts";
export {
  type ConfusedPair,
  type Interpretation,
  type InterpretOptions,
  interpret,
  mostConfused,
  type TopLoss,
} from "./train/interpret.ts";
export { type FindLearningRateOptions, findLearningRate, type LearningRates } from "./train/learning-rate.ts";
export type { Reading } from "./train/outcomes.ts";
export type { FitOptimizer, Phase, Plan, Recipe, RecipeOptions, ScheduleOf } from "./train/recipe.ts";
export { type AlexNet, type AlexNetOptions, alexnet, cifarAlexnet } from "./vision/models/alexnet.ts";
export { loadWeights } from "./vision/models/load-weights.ts";
export { createModel, listModels, type ModelName, type WeightsNameOf } from "./vision/models/registry.ts";
export { type ResNet, type ResNetOptions, resnet18, resnet34, resnet50 } from "./vision/models/resnet.ts";
export {
  adaptToSmallImages,
  type SmallImageModel,
  type SmallImageRules,
  type SmallImagesOptions,
} from "./vision/models/small-images.ts";
export { alexnetWeights } from "./vision/models/weights/alexnet.ts";
export { IMAGENET_CATEGORIES } from "./vision/models/weights/categories.ts";
export { convnextWeights } from "./vision/models/weights/convnext.ts";
export { densenetWeights } from "./vision/models/weights/densenet.ts";
export { efficientnetWeights } from "./vision/models/weights/efficientnet.ts";
export { inceptionWeights } from "./vision/models/weights/inception.ts";
export { mobilenetWeights } from "./vision/models/weights/mobilenet.ts";
export { resnetWeights } from "./vision/models/weights/resnet.ts";
export { shufflenetWeights } from "./vision/models/weights/shufflenet.ts";
export { squeezenetWeights } from "./vision/models/weights/squeezenet.ts";
export { swinWeights } from "./vision/models/weights/swin.ts";
export { modelWeights } from "./vision/models/weights/table.ts";
export { vggWeights } from "./vision/models/weights/vgg.ts";
export { vitWeights } from "./vision/models/weights/vit.ts";
export type { WeightsDownload, WeightsEntry, WeightsFile, WeightsProgress } from "./vision/models/weights-entry.ts";
