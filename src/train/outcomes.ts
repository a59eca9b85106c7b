// What a model says of every sample of a loader: computed in captured steps, kept on the device, and read once.
import { noGrad } from "../autograd/mode.ts";
import { check, checkFunction, ShapeError, told, ValueError } from "../errors.ts";
import { add, eq, mul } from "../ops/arithmetic.ts";
import { to } from "../ops/cast.ts";
import { cat, stack } from "../ops/cat.ts";
import { crossEntropy } from "../ops/losses.ts";
import { flip } from "../ops/movement.ts";
import { expand, max } from "../ops/reduce.ts";
import { softmax } from "../ops/softmax.ts";
import { topk } from "../ops/topk.ts";
import { reshape, unsqueeze } from "../ops/view.ts";
import { keep } from "../tensor/scope.ts";
import { show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import {
  type Batches,
  captureBatches,
  checkBatches,
  checkTrainable,
  keepingModes,
  type Prepare,
  prepared,
  type TensorsOf,
  type Trainable,
} from "./batches.ts";

/** How outputs of a model become losses and logits. */
export interface Reading<O> {
  /** The mean loss of a batch, [], or one for each of its samples, [N]. Default: cross-entropy. */
  loss?: (output: O, labels: Tensor) => Tensor;
  /** The logits [N, classes] in what the model returns. Default: that itself. */
  logits?: (output: O) => Tensor;
}

/** What `Outcomes` are made with. */
export interface OutcomeOptions<B, O> extends Reading<O> {
  flip?: boolean;
  prepare?: Prepare<B>;
}

/** Of every sample that has a label, in the loader's order. */
export interface Outcomes {
  readonly numClasses: number;
  readonly losses: Float32Array;
  readonly labels: Int32Array;
  readonly predictions: Int32Array;
  /** The probability of the prediction. */
  readonly confidences: Float32Array;
  /** 1 where the label is among the five best. */
  readonly inTop5: Uint8Array;
  /** Its position in the data set where the batches say so (`indices`), else in the loader's order. */
  readonly indices: Int32Array;
}

/** The logits in a model's output. Throws for what is none. */
export function logitsOf<O>(name: string, output: O, logits: Reading<O>["logits"]): Tensor {
  const found: unknown = logits ? logits(output) : output;
  check(
    found instanceof Tensor,
    () => `[${name}] the model must return logits, got ${told(found)}: give an option logits that takes them from it`,
    ValueError,
  );
  check(
    found.ndim === 2 && found.dtype === "f32",
    () => `[${name}] logits must be f32 [N, classes], got ${found.dtype} ${show(found.shape)}`,
    ShapeError,
  );
  return found;
}

/** Throws for functions that are none. */
export function checkReading<O>(name: string, { loss, logits }: Reading<O>, prepare: unknown): void {
  for (const [what, fn] of Object.entries({ loss, logits, prepare }))
    if (fn !== undefined) checkFunction(name, what, fn);
}

/** A loss that the user's function gave. */
export function checkLoss(name: string, loss: unknown, samples: number): asserts loss is Tensor {
  check(
    loss instanceof Tensor && (loss.ndim === 0 || (loss.ndim === 1 && loss.shape[0] === samples)),
    () =>
      `[${name}] the loss must be a tensor of shape [], the mean, or [${samples}], got ${loss instanceof Tensor ? show(loss.shape) : told(loss)}`,
    ValueError,
  );
}

/** Rows of what is kept of a batch. Whole numbers up to 2^24 are exact in f32. */
const ROWS = 6;

/** Computes `Outcomes` of a model, again and again with the same recordings. */
export class OutcomeReader<B, O> {
  readonly #name: string;
  readonly #model: Trainable<O>;
  readonly #step: ReturnType<typeof captureBatches<B, { rows: Tensor }>>;
  #numClasses = 0;

  constructor(name: string, model: Trainable<O>, options: OutcomeOptions<B, O>) {
    checkTrainable(name, model);
    checkReading(name, options, options.prepare);
    check(
      options.flip === undefined || typeof options.flip === "boolean",
      () => `[${name}] flip must be true or false, got ${told(options.flip)}`,
      ValueError,
    );
    this.#name = name;
    this.#model = model;
    this.#step = captureBatches<B, { rows: Tensor }>(name, (batch) =>
      noGrad(() => ({ rows: this.#rows(batch, options) })),
    );
  }

  #rows(batch: TensorsOf<B>, options: OutcomeOptions<B, O>): Tensor {
    const name = this.#name;
    const { images, labels } = prepared(name, options.prepare, batch, false);
    check(
      labels.dtype === "i32" && labels.ndim === 1,
      () => `[${name}] labels must be i32 [N], got ${labels.dtype} ${show(labels.shape)}`,
      ShapeError,
    );
    const n = labels.numel;
    const output = this.#model.forward(images);
    const own = logitsOf(name, output, options.logits);
    const logits = options.flip
      ? mul(add(own, logitsOf(name, this.#model.forward(flip(images, images.ndim - 1)), options.logits)), 0.5)
      : own;
    this.#numClasses = logits.shape[1] ?? 0;
    check(this.#numClasses > 0, () => `[${name}] logits ${show(logits.shape)} have no classes`, ShapeError);
    // A loss of one's own is of the model's output; that of averaged logits is the usual one.
    const loss = options.loss
      ? options.loss(output, labels)
      : crossEntropy(logits, labels, { reduction: "none", ignoreIndex: -100 });
    checkLoss(name, loss, n);
    const best = topk(logits, Math.min(5, this.#numClasses), 1).indices;
    const [prediction] = [topk(logits, 1, 1).indices];
    const given: unknown = Reflect.get(Object(batch), "indices");
    const indices = given instanceof Tensor && given.numel === n ? reshape(given, [n]) : labels;
    return stack([
      loss.ndim === 0 ? expand(loss, [n]) : loss,
      to(labels, "f32"),
      to(reshape(prediction, [n]), "f32"),
      max(softmax(logits, 1), 1),
      to(max(eq(best, unsqueeze(labels, 1)), 1), "f32"),
      to(indices, "f32"),
    ]);
  }

  /** Goes through the loader once, in evaluation mode, and leaves the modes as they were. */
  async run(loader: Batches<B>): Promise<Outcomes> {
    checkBatches(this.#name, "the loader", loader);
    const parts: Tensor[] = [];
    let positioned = false;
    try {
      await keepingModes(this.#model, async () => {
        this.#model.eval();
        for await (const batch of loader) {
          positioned = Reflect.get(Object(batch), "indices") instanceof Tensor;
          const { rows } = this.#step(batch);
          parts.push(keep(rows));
          await rows.device.queue.idle(6);
        }
      });
      check(parts.length > 0, () => `[${this.#name}] the loader gave no batch`, ValueError);
      const all = cat(parts, 1);
      const values = await all.data().finally(() => all.dispose());
      return this.#outcomes(values, positioned);
    } finally {
      for (const part of parts) part.dispose();
    }
  }

  #outcomes(values: ArrayLike<number>, positioned: boolean): Outcomes {
    const n = values.length / ROWS;
    const at = (row: number, i: number) => values[row * n + i] ?? 0;
    const labelled = Array.from({ length: n }, (_, i) => i).filter((i) => at(1, i) >= 0);
    const numClasses = this.#numClasses;
    return {
      numClasses,
      losses: Float32Array.from(labelled, (i) => at(0, i)),
      labels: Int32Array.from(labelled, (i) => at(1, i)),
      predictions: Int32Array.from(labelled, (i) => at(2, i)),
      confidences: Float32Array.from(labelled, (i) => at(3, i)),
      inTop5: Uint8Array.from(labelled, (i) => at(4, i)),
      indices: Int32Array.from(labelled, (i) => (positioned ? at(5, i) : i)),
    };
  }

  dispose(): void {
    this.#step.dispose();
  }
}
