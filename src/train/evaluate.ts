// evaluate: loss, accuracy, calibration and errors by class of a model on a loader.
import { checkOptions, checkWhole } from "../errors.ts";
import type { Batches, PlainBatch, PrepareOption, Trainable } from "./batches.ts";
import { OutcomeReader, type Outcomes, type Reading } from "./outcomes.ts";

/** How often each class was taken for which. */
export interface ConfusionMatrix {
  /** How many classes there are. */
  readonly numClasses: number;
  /** [numClasses, numClasses], row by row: `counts[label * numClasses + prediction]`. */
  readonly counts: Int32Array;
}

/** A model's answers by class. Each array has an element for every class. */
export interface ClassScores {
  /** Of the samples that were said to be of the class, the part that is; NaN where none was. */
  readonly precision: Float64Array;
  /** Of the samples of the class, the part that was found; NaN where there are none. */
  readonly recall: Float64Array;
  /** The part of all samples that were rightly said to be of the class, or not to be. */
  readonly accuracy: Float64Array;
  /** Samples of the class. */
  readonly support: Int32Array;
}

/** What a model is worth on a loader, in a few numbers. */
export interface Scores {
  /** Samples that have a label. */
  readonly samples: number;
  /** The mean loss of a sample. */
  readonly loss: number;
  /** How often the best guess is right, a part of 1. */
  readonly top1: number;
  /** How often the right class is among the five best (all, where there are fewer), a part of 1. */
  readonly top5: number;
  /** How far confidence and accuracy lie apart, a part of 1: 0 for a model that is right as often as it says. */
  readonly calibrationError: number;
}

/** What `evaluate` finds. */
export interface Evaluation extends Scores {
  /** By class. */
  readonly classes: ClassScores;
  /** How often each class was taken for which. */
  readonly confusion: ConfusionMatrix;
}

/** What `evaluate` takes beside model and loader. */
export type EvaluateOptions<B, O> = Reading<O> &
  PrepareOption<B> & {
    /** Average the logits of each image and of its mirror image (the last dimension reversed). Default false. */
    flip?: boolean;
    /** Bins of confidence for the calibration error. Default 15. */
    bins?: number;
  };

const OPTIONS = ["loss", "logits", "prepare", "flip", "bins"];

/**
 * Tests a model on a loader: in evaluation mode, without gradients, by captured steps whose results are read once, at the end. The
 * model's modes are left as they were. Samples with a label below 0, which pad a batch, count for nothing, so that the result
 * is the same for any batch size.
 *
 * ```ts
 * const { loss, top1, confusion } = await evaluate(model, new vision.DataLoader(test, { batchSize: 100, transform }));
 * ```
 *
 * The calibration error is the expected one of Guo et al. (https://arxiv.org/abs/1706.04599): samples in bins of equal width by the
 * probability of their prediction, the bins' gaps between mean probability and accuracy weighted by their sizes.
 * @throws ValueError for a loader without batches, options out of range, or labels that are no classes; ShapeError for labels or
 *   logits of another shape
 */
export function evaluate<B extends PlainBatch, O>(
  model: Trainable<O>,
  loader: Batches<B>,
  options?: EvaluateOptions<B, O>,
): Promise<Evaluation>;
/** The same of batches of any kind, of which `prepare` makes images and labels. */
export function evaluate<B, O>(
  model: Trainable<O>,
  loader: Batches<B>,
  options: EvaluateOptions<B, O>,
): Promise<Evaluation>;
export async function evaluate<B, O>(
  model: Trainable<O>,
  loader: Batches<B>,
  options: Partial<EvaluateOptions<B, O>> = {},
): Promise<Evaluation> {
  checkOptions("evaluate", options, OPTIONS);
  const { bins = 15, ...reading } = options;
  checkWhole("evaluate", "bins", bins, 1, 1e6);
  const reader = new OutcomeReader<B, O>("evaluate", model, reading);
  try {
    return evaluationOf(await reader.run(loader), bins);
  } finally {
    reader.dispose();
  }
}

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);

/** The numbers that outcomes come to. */
export function evaluationOf(outcomes: Outcomes, bins = 15): Evaluation {
  const { losses, labels, predictions, inTop5 } = outcomes;
  const samples = labels.length;
  const confusion = confusionOf(outcomes);
  return {
    samples,
    loss: sum(losses) / samples,
    top1: labels.filter((label, i) => label === predictions[i]).length / samples,
    top5: sum(inTop5) / samples,
    calibrationError: calibrationErrorOf(outcomes, bins),
    classes: scoresOf(confusion),
    confusion,
  };
}

function confusionOf({ numClasses, labels, predictions }: Outcomes): ConfusionMatrix {
  const counts = new Int32Array(numClasses * numClasses);
  for (const [i, label] of labels.entries()) {
    const at = label * numClasses + (predictions[i] ?? 0);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return { numClasses, counts };
}

/** By bins that are open below and closed above, as in the authors' code (https://github.com/gpleiss/temperature_scaling). */
function calibrationErrorOf({ labels, predictions, confidences }: Outcomes, bins: number): number {
  const gaps = new Float64Array(bins);
  for (const [i, confidence] of confidences.entries()) {
    const bin = Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1));
    gaps[bin] = (gaps[bin] ?? 0) + confidence - (labels[i] === predictions[i] ? 1 : 0);
  }
  return sum(gaps.map(Math.abs)) / labels.length;
}

function scoresOf({ numClasses, counts }: ConfusionMatrix): ClassScores {
  const support = new Int32Array(numClasses);
  const predicted = new Int32Array(numClasses);
  const hits = Float64Array.from(support, (_, c) => counts[c * numClasses + c] ?? 0);
  for (const [i, count] of counts.entries()) {
    const [label, prediction] = [Math.floor(i / numClasses), i % numClasses];
    support[label] = (support[label] ?? 0) + count;
    predicted[prediction] = (predicted[prediction] ?? 0) + count;
  }
  const all = sum(support);
  const of = (f: (hits: number, support: number, predicted: number) => number) =>
    hits.map((hit, c) => f(hit, support[c] ?? 0, predicted[c] ?? 0));
  return {
    precision: of((hit, _, said) => hit / said),
    recall: of((hit, there) => hit / there),
    accuracy: of((hit, there, said) => (all - there - said + 2 * hit) / all),
    support,
  };
}
