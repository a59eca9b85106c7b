// The training step: forward, backward and update of a batch, captured; or, where several batches make an update, apart.
import { noGrad } from "../autograd/mode.ts";
import { backward } from "../backward/backward.ts";
import type { StepResult } from "../capture/recording.ts";
import { correctCount } from "../ops/accuracy.ts";
import { mul } from "../ops/arithmetic.ts";
import { crossEntropy } from "../ops/losses.ts";
import { mean } from "../ops/reduce.ts";
import { argmax } from "../ops/topk.ts";
import { clipGradNorm_, clipGradValue_ } from "../optim/clip-grad.ts";
import { full } from "../tensor/create.ts";
import { keep, scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { captureBatches, type Prepare, prepared, type TensorsOf, type Trainable } from "./batches.ts";
import { checkLoss, logitsOf } from "./outcomes.ts";
import type { FitOptimizer, RecipeOptions } from "./recipe.ts";

/** What a batch came to, on the device. */
export type StepNumbers = {
  /** [] f32: the mean loss of the batch. */
  readonly loss: Tensor;
  /** [] i32: how many answers were right. */
  readonly hits: Tensor;
  /** [N]: the labels, for their number. */
  readonly labels: Tensor;
} & Readonly<Record<string, Tensor>>;

export interface TrainStep<B, O> {
  readonly name: string;
  readonly model: Trainable<O>;
  readonly optimizer: FitOptimizer;
  readonly recipe: Omit<RecipeOptions<O>, "epochs" | "optimizer"> & { prepare?: Prepare<B> };
}

/** Runs training steps. */
export class Updater<B, O> {
  readonly #of: TrainStep<B, O>;
  readonly #step: ReturnType<typeof captureBatches<B, StepNumbers & StepResult>>;
  readonly #accumulate: number;
  /** Samples whose gradients wait for an update, and of how many batches they are. */
  #samples = 0;
  #batches = 0;

  constructor(of: TrainStep<B, O>) {
    this.#of = of;
    this.#accumulate = of.recipe.accumulate ?? 1;
    this.#step = captureBatches<B, StepNumbers & StepResult>(of.name, (batch) => this.#run(batch));
  }

  /** Whether gradients wait for an update. */
  get waits(): boolean {
    return this.#batches > 0;
  }

  /** Trains on a batch. Whether the parameters were updated is `!waits` then. */
  step(batch: unknown): StepNumbers {
    const numbers = this.#step(batch);
    if (this.#accumulate === 1) return numbers;
    this.#samples += numbers.labels.shape[0] ?? 0;
    this.#batches++;
    if (this.#batches === this.#accumulate) this.update();
    return numbers;
  }

  /** Updates the parameters by the gradients that wait. */
  update(): void {
    const { optimizer } = this.#of;
    // Gradients of sums, by the number of samples, which is known only now: a smaller last batch counts for its samples.
    noGrad(() =>
      scope(() => {
        for (const { params } of optimizer.paramGroups)
          for (const p of params) if (p.grad) p.grad = keep(mul(p.grad, 1 / this.#samples));
      }),
    );
    scope(() => this.#apply());
    this.zeroGrad();
    this.#samples = 0;
    this.#batches = 0;
  }

  /** Drops all gradients, also those of parameters that the optimizer does not have. */
  zeroGrad(): void {
    this.#of.optimizer.zeroGrad();
    this.#of.model.zeroGrad();
  }

  /** Clips the gradients and steps. */
  #apply(): void {
    const { optimizer, recipe, model } = this.#of;
    const { clipGradNorm, clipGradValue, average } = recipe;
    const params = optimizer.paramGroups.flatMap((group) => group.params);
    if (clipGradNorm !== undefined) clipGradNorm_(params, clipGradNorm);
    if (clipGradValue !== undefined) clipGradValue_(params, clipGradValue);
    optimizer.step();
    average?.updateParameters(model);
  }

  #run(batch: TensorsOf<B>): StepNumbers {
    const { name, model, recipe } = this.#of;
    const { prepare, batchTransform, labelSmoothing = 0, loss: lossOf, logits: logitsIn } = recipe;
    const given = prepared(name, prepare, batch, true);
    const { images, labels } = batchTransform
      ? prepared(name, () => batchTransform(given.images, given.labels), batch, true)
      : given;
    const samples = labels.shape[0] ?? 0;
    const isWhole = this.#accumulate === 1;
    if (isWhole) this.zeroGrad();
    const output = model.forward(images);
    const logits = logitsOf(name, output, logitsIn);
    const found = lossOf ? lossOf(output, labels) : crossEntropy(logits, labels, { labelSmoothing });
    checkLoss(name, found, samples);
    const loss = found.ndim === 0 ? found : mean(found);
    // Of mixed labels the largest share. Before the update, which changes what logits are made of.
    const classes = labels.dtype === "i32" ? labels : argmax(labels, 1);
    const hits = noGrad(() => correctCount(logits, classes));
    if (isWhole) backward(loss);
    else backward(loss, full([], samples, { device: loss.device }));
    if (isWhole) this.#apply();
    return { loss, hits, labels };
  }

  dispose(): void {
    this.#step.dispose();
  }
}
