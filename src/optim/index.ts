// The names of `optim`: optimizers, gradient clipping, schedulers.
export { Adagrad, type AdagradOptions } from "./adagrad.ts";
export { Adam, type AdamOptions, AdamW } from "./adam.ts";
export { clipGradNorm_, clipGradValue_ } from "./clip-grad.ts";
export { CyclicLR, type CyclicOptions } from "./cyclic.ts";
export { Lion, type LionOptions } from "./lion.ts";
export {
  CosineAnnealingLR,
  ExponentialLR,
  LambdaLR,
  LRScheduler,
  MultiStepLR,
  type SchedulerState,
  StepLR,
} from "./lr-scheduler.ts";
export { Muon, type MuonOptions } from "./muon.ts";
export { NAdam, type NAdamOptions } from "./nadam.ts";
export { OneCycleLR, type OneCycleOptions } from "./one-cycle.ts";
export { type GivenGroup, Optimizer, type OptimizerStateDict, type ParamGroup, type ParamsInput } from "./optimizer.ts";
export { type PlateauOptions, type PlateauState, ReduceLROnPlateau } from "./plateau.ts";
export { RMSprop, type RMSpropOptions } from "./rmsprop.ts";
export { ChainedScheduler, SequentialLR, type SeveralState } from "./several-schedulers.ts";
export { SGD, type SGDOptions } from "./sgd.ts";
export * as swaUtils from "./swa-utils.ts";
export { type Formula, UpdateRule } from "./update-rule.ts";
export { ConstantLR, CosineAnnealingWarmRestarts, LinearLR, PolynomialLR } from "./warm-up.ts";
