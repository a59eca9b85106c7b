// interpret: where a model goes wrong: the samples of the highest losses, and the classes that it confuses.
import { check, checkOptions, checkWhole, told, ValueError } from "../errors.ts";
import type { Batches, PlainBatch, PrepareOption, Trainable } from "./batches.ts";
import { type ConfusionMatrix, type Evaluation, evaluationOf } from "./evaluate.ts";
import { OutcomeReader, type Outcomes, type Reading } from "./outcomes.ts";

/** A sample that a model is wrong about, or not sure of. */
export interface TopLoss {
  /** Its position in the data set, where batches have `indices`, as those of `vision.DataLoader`; else in the loader's order. */
  readonly index: number;
  /** Its loss. */
  readonly loss: number;
  /** What it is. */
  readonly label: number;
  /** What the model says that it is. */
  readonly prediction: number;
  /** The probability that the model gives that, a part of 1. */
  readonly confidence: number;
}

/** A class that was taken for another. */
export interface ConfusedPair {
  /** The class. */
  readonly label: number;
  /** What it was taken for. */
  readonly prediction: number;
  /** How often. */
  readonly count: number;
}

/** What `interpret` finds. */
export interface Interpretation {
  /** The samples of the highest losses, the highest first. */
  readonly topLosses: readonly TopLoss[];
  /** The pairs of classes that are confused most often, these first. */
  readonly mostConfused: readonly ConfusedPair[];
  /** What `evaluate` would have given. */
  readonly evaluation: Evaluation;
}

/** What `interpret` takes beside model and loader. */
export type InterpretOptions<B, O> = Reading<O> &
  PrepareOption<B> & {
    /** How many samples, and how many pairs. Default 9. */
    k?: number;
    /** Average the logits of each image and of its mirror image. Default false. */
    flip?: boolean;
  };

/**
 * Looks for a model's mistakes on a loader, with `evaluate`'s numbers from the same pass.
 *
 * ```ts
 * const { topLosses, mostConfused } = await interpret(model, loader, { k: 16 });
 * for (const { label, prediction, count } of mostConfused) console.log(classes[label], "taken for", classes[prediction], count);
 * ```
 * @throws what `evaluate` throws
 * @see https://docs.fast.ai/interpret.html
 */
export function interpret<B extends PlainBatch, O>(
  model: Trainable<O>,
  loader: Batches<B>,
  options?: InterpretOptions<B, O>,
): Promise<Interpretation>;
/** The same of batches of any kind, of which `prepare` makes images and labels. */
export function interpret<B, O>(
  model: Trainable<O>,
  loader: Batches<B>,
  options: InterpretOptions<B, O>,
): Promise<Interpretation>;
export async function interpret<B, O>(
  model: Trainable<O>,
  loader: Batches<B>,
  options: Partial<InterpretOptions<B, O>> = {},
): Promise<Interpretation> {
  checkOptions("interpret", options, ["loss", "logits", "prepare", "flip", "k"]);
  const { k = 9, ...reading } = options;
  checkWhole("interpret", "k", k, 0);
  const reader = new OutcomeReader<B, O>("interpret", model, reading);
  try {
    const outcomes = await reader.run(loader);
    const evaluation = evaluationOf(outcomes);
    return { topLosses: topLosses(outcomes, k), mostConfused: mostConfused(evaluation.confusion, { k }), evaluation };
  } finally {
    reader.dispose();
  }
}

function topLosses({ losses, labels, predictions, confidences, indices }: Outcomes, k: number): TopLoss[] {
  // NaN is worst of all.
  const rank = (i: number) => (Number.isNaN(losses[i]) ? Number.POSITIVE_INFINITY : (losses[i] ?? 0));
  const order = Array.from(losses, (_, i) => i).sort((a, b) => (rank(a) === rank(b) ? a - b : rank(b) - rank(a)));
  return order.slice(0, k).map((i) => ({
    index: indices[i] ?? 0,
    loss: losses[i] ?? 0,
    label: labels[i] ?? 0,
    prediction: predictions[i] ?? 0,
    confidence: confidences[i] ?? 0,
  }));
}

/**
 * The pairs of different classes that a confusion matrix counts most often, these first; of equal ones in the order of the classes.
 * @throws ValueError for what is no confusion matrix, or options out of range.
 */
export function mostConfused(
  confusion: ConfusionMatrix,
  options: {
    /** How many pairs. Default: all. */
    k?: number;
    /** Pairs that are rarer are left out. Default 1. */
    minCount?: number;
  } = {},
): ConfusedPair[] {
  checkOptions("mostConfused", options, ["k", "minCount"]);
  const { k, minCount = 1 } = options;
  if (k !== undefined) checkWhole("mostConfused", "k", k, 0);
  checkWhole("mostConfused", "minCount", minCount, 1);
  const { numClasses, counts } = Object(confusion) as ConfusionMatrix;
  check(
    counts instanceof Int32Array && counts.length === numClasses * numClasses,
    () => `[mostConfused] got ${told(confusion)} in the place of a confusion matrix, as evaluate() gives it`,
    ValueError,
  );
  return Array.from(counts, (count, i) => ({ label: Math.floor(i / numClasses), prediction: i % numClasses, count }))
    .filter(({ label, prediction, count }) => label !== prediction && count >= minCount)
    .sort((a, b) => b.count - a.count)
    .slice(0, k);
}
