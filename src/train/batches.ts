// What the functions of this room take of a loader's batches: their tensors, as a captured step's inputs, and images and labels.
import { type CapturedStep, capture } from "../capture/capture.ts";
import type { StepResult } from "../capture/recording.ts";
import { check, ShapeError, told, ValueError } from "../errors.ts";
import { Module } from "../nn/module.ts";
import { show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";

/** Batches to loop over, anew in each epoch: a `vision.DataLoader`, a `data.DataLoader`, an array. */
export type Batches<B> = Iterable<B> | AsyncIterable<B>;

/** Images or other inputs of a model, and what it should say of them. */
export interface LabelledBatch {
  /** The model's input, [N, ...]. */
  readonly images: Tensor;
  /** i32 [N]: classes; those below 0 (-100, of padding) count for nothing. Or class probabilities, f32 [N, classes]. */
  readonly labels: Tensor;
}

/** Batches that need no `prepare`: of `vision.DataLoader`, or pairs, as of `data.TensorDataset`. */
export type PlainBatch = LabelledBatch | readonly [images: Tensor, labels: Tensor, ...rest: unknown[]];

/** A batch without what is no tensor: a captured step sees nothing else of it. */
export type TensorsOf<B> = B extends readonly unknown[]
  ? B
  : { readonly [K in keyof B as B[K] extends Tensor ? K : never]: B[K] };

/** Makes images and labels of the tensors of a batch, inside the captured step; `training` is false where a model is tested. */
export type Prepare<B> = (batch: TensorsOf<B>, training: boolean) => LabelledBatch;

/** A `prepare`, which batches that have no images and labels need. */
export type PrepareOption<B> = [B] extends [PlainBatch]
  ? {
      /**
       * Makes images and labels of a batch, inside the captured step: augmentation, or `set.batch(indices)` of a `GpuDataset`.
       * Default: the batch's own.
       */
      prepare?: Prepare<B>;
    }
  : {
      /** Makes images and labels of a batch, inside the captured step: augmentation, or `set.batch(indices)` of a `GpuDataset`. */
      prepare: Prepare<B>;
    };

/** A model that this room trains or evaluates. `O` is what it returns: logits [N, classes], or what `logits` takes them from. */
export type Trainable<O> = Module<readonly [Tensor], O>;

/** Throws unless it is a model. */
export function checkTrainable(name: string, model: unknown): void {
  check(model instanceof Module, () => `[${name}] got ${told(model)} in the place of a model`, ValueError);
}

/** Throws unless it can be looped over. */
export function checkBatches(name: string, what: string, loader: unknown): void {
  check(
    typeof loader === "object" && loader !== null && (Symbol.iterator in loader || Symbol.asyncIterator in loader),
    () => `[${name}] ${what} must be batches to loop over, such as a DataLoader, got ${told(loader)}`,
    ValueError,
  );
}

/** The batch's own images and labels, which is what `prepare` is by default. */
function plain(name: string, batch: unknown): LabelledBatch {
  const [images, labels] = Array.isArray(batch)
    ? batch
    : [Reflect.get(Object(batch), "images"), Reflect.get(Object(batch), "labels")];
  return checked(name, { images, labels });
}

function checked(name: string, batch: LabelledBatch): LabelledBatch {
  const { images, labels } = Object(batch) as LabelledBatch;
  check(
    images instanceof Tensor && labels instanceof Tensor,
    () => `[${name}] a batch must have images and labels, or be a list that begins with them: make them in prepare`,
    ValueError,
  );
  check(
    images.ndim > 0 && labels.ndim > 0 && images.shape[0] === labels.shape[0],
    () => `[${name}] there are images ${show(images.shape)} for labels ${show(labels.shape)}: both begin with N`,
    ShapeError,
  );
  return { images, labels };
}

/** Images and labels of a batch's tensors. */
export function prepared<B>(
  name: string,
  prepare: Prepare<B> | undefined,
  batch: TensorsOf<B>,
  training: boolean,
): LabelledBatch {
  return prepare ? checked(name, prepare(batch, training)) : plain(name, batch);
}

/** A captured step of batches. */
export interface BatchStep<R extends StepResult> {
  (batch: unknown): R;
  dispose(): void;
}

/** Captures a step whose inputs are all tensors of a batch. */
export function captureBatches<B, R extends StepResult>(name: string, step: (batch: TensorsOf<B>) => R): BatchStep<R> {
  // By the names of a batch's tensors, which are the same in all of them but for odd loaders.
  const steps = new Map<string, CapturedStep<Tensor[], R>>();
  const run = (batch: unknown): R => {
    const isList = Array.isArray(batch);
    const entries = Object.entries(Object(batch) as object).filter(([, value]) => value instanceof Tensor);
    check(entries.length > 0, () => `[${name}] a batch must hold tensors, got ${told(batch)}`, ValueError);
    const keys = entries.map(([key]) => key);
    const key = `${isList} ${keys.join()}`;
    const known =
      steps.get(key) ??
      capture((...tensors: Tensor[]) => {
        const named = Object.fromEntries(tensors.map((t, i) => [keys[i], t]));
        // A batch's tensors under their own names, which is what the type says.
        return step((isList ? Object.assign([], named) : named) as TensorsOf<B>);
      });
    steps.set(key, known);
    return known(...entries.map(([, value]) => value as Tensor));
  };
  return Object.assign(run, {
    dispose: () => {
      for (const each of steps.values()) each.dispose();
      steps.clear();
    },
  });
}

/** Runs `fn` and puts back the modes, training or not, of a model and the modules below it. */
export async function keepingModes<T>(model: Module<readonly [Tensor], unknown>, fn: () => Promise<T>): Promise<T> {
  const modes = Array.from(model.modules(), (module) => [module, module.training] as const);
  try {
    return await fn();
  } finally {
    for (const [module, training] of modes) module.training = training;
  }
}
