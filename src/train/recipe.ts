// What `fit` takes: a recipe with its makers, phases and options, checked.
import { check, checkFunction, checkNumber, checkOptions, checkWhole, told, ValueError } from "../errors.ts";
import type { FreezeOptions } from "../nn/freeze.ts";
import { AveragedModel } from "../optim/averaged-model.ts";
import type { LRScheduler } from "../optim/lr-scheduler.ts";
import { Optimizer } from "../optim/optimizer.ts";
import type { ReduceLROnPlateau } from "../optim/plateau.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LabelledBatch, PrepareOption, Trainable } from "./batches.ts";
import { checkReading, type Reading } from "./outcomes.ts";

/** An optimizer, whatever its hyper-parameters. */
export type FitOptimizer = Pick<
  Optimizer,
  "paramGroups" | "step" | "zeroGrad" | "stateDict" | "loadStateDict" | "dispose"
>;

/** How long a run is, for schedules. */
export interface Plan {
  /** Epochs altogether. */
  readonly epochs: number;
  /** Updates an epoch; infinity for loaders that do not know their `length`. */
  readonly stepsPerEpoch: number;
  /** Updates altogether; infinity for loaders that do not know their `length`. */
  readonly totalSteps: number;
}

/** A schedule of an optimizer that there is, or what makes one. */
export type ScheduleOf<S> = S | ((optimizer: FitOptimizer, plan: Plan) => S);

/** What changes at the start of an epoch. */
export interface Phase {
  /** The epoch, counted from 1. */
  from: number;
  /** What is frozen then, see `freeze`; `{}` is the whole model. Default: nothing. */
  freeze?: FreezeOptions;
  /** What is released then, after `freeze`, see `unfreeze`; `{}` is the whole model. Default: nothing. */
  unfreeze?: FreezeOptions;
  /** The learning rate from then on: of all groups, or one for each. Default: as it is. */
  lr?: number | readonly number[];
}

/** How `fit` trains. */
export interface RecipeOptions<O> extends Reading<O> {
  /** Epochs altogether; a run that is resumed counts those before it. */
  epochs: number;
  /** The optimizer, or what makes it; one that is made is freed when the run ends. */
  optimizer: FitOptimizer | ((model: Trainable<O>) => FitOptimizer);
  /** Share of the target that is spread evenly over all classes, from 0 to 1, of the default loss in training. Default 0. */
  labelSmoothing?: number;
  /** A schedule that moves on with each update, such as `OneCycleLR`. Default: none. */
  stepScheduler?: ScheduleOf<LRScheduler>;
  /** A schedule that moves on with each epoch. `ReduceLROnPlateau` gets the test loss, or the training loss where nothing is tested. Default: none. */
  epochScheduler?: ScheduleOf<LRScheduler | ReduceLROnPlateau>;
  /** Largest common 2-norm of the gradients: see `optim.clipGradNorm_`. Default: any. */
  clipGradNorm?: number;
  /** Largest absolute value of the gradients' elements: see `optim.clipGradValue_`. Default: any. */
  clipGradValue?: number;
  /** Batches whose gradients make one update, as one batch of all their samples would. Default 1. */
  accumulate?: number;
  /**
   * What becomes of training images and labels: `vision.mixup({ numClasses })`, `vision.cutmix(...)`, or a function of one's own, which runs
   * inside the captured step. Default: nothing.
   */
  batchTransform?: (images: Tensor, labels: Tensor) => LabelledBatch;
  /** An average of the weights, which is updated with each step, and tested in the model's place. Default: none. */
  average?: AveragedModel<readonly [Tensor], O>;
  /** Phases of freezing, by the epochs in which they begin. Default: none. */
  phases?: readonly Phase[];
}

/** A recipe for `fit`. Batches that are neither `{ images, labels }` nor a pair need `prepare`. */
export type Recipe<B, O> = RecipeOptions<O> & PrepareOption<B>;

const OPTIONS = [
  "epochs",
  "optimizer",
  "loss",
  "logits",
  "labelSmoothing",
  "stepScheduler",
  "epochScheduler",
  "clipGradNorm",
  "clipGradValue",
  "accumulate",
  "batchTransform",
  "average",
  "phases",
  "prepare",
];

/** Throws `ValueError` for options out of range. */
export function checkRecipe<O>(name: string, recipe: RecipeOptions<O>): void {
  checkOptions(name, recipe, OPTIONS);
  const { epochs, labelSmoothing, clipGradNorm, clipGradValue, accumulate, batchTransform, average, phases } = recipe;
  checkWhole(name, "epochs", epochs, 1);
  checkReading(name, recipe, Reflect.get(recipe, "prepare"));
  if (labelSmoothing !== undefined) checkNumber(name, "labelSmoothing", labelSmoothing, 0, 1);
  check(
    !labelSmoothing || recipe.loss === undefined,
    () => `[${name}] labelSmoothing is of the default loss: smooth labels in yours, or leave loss out`,
    ValueError,
  );
  if (clipGradNorm !== undefined) checkNumber(name, "clipGradNorm", clipGradNorm, 0);
  if (clipGradValue !== undefined) checkNumber(name, "clipGradValue", clipGradValue, 0);
  if (accumulate !== undefined) checkWhole(name, "accumulate", accumulate, 1);
  if (batchTransform !== undefined) checkFunction(name, "batchTransform", batchTransform);
  check(
    average === undefined || average instanceof AveragedModel,
    () => `[${name}] average must be an optim.swaUtils.AveragedModel, got ${told(average)}`,
    ValueError,
  );
  check(
    phases === undefined || Array.isArray(phases),
    () => `[${name}] phases must be an array of { from, freeze, unfreeze, lr }, got ${told(phases)}`,
    ValueError,
  );
  for (const phase of phases ?? []) {
    checkOptions(name, phase, ["from", "freeze", "unfreeze", "lr"]);
    checkWhole(name, "a phase's from", phase.from, 1);
    for (const lr of [phase.lr ?? []].flat()) checkNumber(name, "a phase's lr", lr, 0);
  }
}

/** The optimizer that was given or is made; and whether it is the caller's own. */
export function optimizerOf<O>(
  name: string,
  given: RecipeOptions<O>["optimizer"],
  model: Trainable<O>,
): { optimizer: FitOptimizer; isMade: boolean } {
  const isMade = typeof given === "function";
  const optimizer: unknown = isMade ? given(model) : given;
  check(
    optimizer instanceof Optimizer,
    () => `[${name}] optimizer must be one of optim, or a function that makes it, got ${told(optimizer)}`,
    ValueError,
  );
  return { optimizer, isMade };
}

/** The schedule that was given or is made. */
export function scheduleOf<S extends object>(
  name: string,
  what: string,
  given: ScheduleOf<S> | undefined,
  optimizer: FitOptimizer,
  plan: Plan,
): S | null {
  if (given === undefined) return null;
  const made = typeof given === "function" ? given(optimizer, plan) : given;
  const step: unknown = Reflect.get(Object(made), "step");
  check(
    typeof step === "function",
    () => `[${name}] ${what} must be a scheduler of optim, or a function that makes it, got ${told(made)}`,
    ValueError,
  );
  return made;
}

/** Sets the learning rates that a phase gives. */
export function setRates(name: string, optimizer: FitOptimizer, lr: number | readonly number[]): void {
  const { paramGroups } = optimizer;
  check(
    typeof lr === "number" || lr.length === paramGroups.length,
    () => `[${name}] a phase has ${told(lr)} for the rates of ${paramGroups.length} groups: give a number, or one each`,
    ValueError,
  );
  for (const [i, group] of paramGroups.entries()) group.lr = typeof lr === "number" ? lr : (lr[i] ?? group.lr);
}
