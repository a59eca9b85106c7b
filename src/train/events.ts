// What `fit` tells its callbacks, and what it returns: events, records of epochs, the history.
import type { AveragedModel } from "../optim/averaged-model.ts";
import type { LRScheduler } from "../optim/lr-scheduler.ts";
import type { ReduceLROnPlateau } from "../optim/plateau.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Trainable } from "./batches.ts";
import type { Evaluation, Scores } from "./evaluate.ts";
import type { FitOptimizer, Plan } from "./recipe.ts";

/** What an epoch of training came to. */
export interface TrainScores {
  /** The mean loss of a sample, as the model was when it came by. */
  readonly loss: number;
  /** How many answers were right then, a part of 1; of mixed labels, the class with the largest share. */
  readonly accuracy: number;
  /** The mean loss of each batch. */
  readonly losses: readonly number[];
  /** Samples seen. */
  readonly samples: number;
  /** How long it took. */
  readonly seconds: number;
}

/** An epoch in numbers. */
export interface EpochRecord {
  /** Counted from 1. */
  readonly epoch: number;
  /** The learning rate of the first group when it began. */
  readonly lr: number;
  /** What training came to. */
  readonly train: TrainScores;
  /** What the test came to; null without test data. */
  readonly test: Scores | null;
}

/** What `fit` returns. */
export interface History {
  /** Every whole epoch, those before a resumption included. */
  readonly epochs: readonly EpochRecord[];
  /** What ended the run before its last epoch: the signal, or a callback; null: nothing did. */
  readonly stopped: "signal" | "callback" | null;
}

/** A run as callbacks see it. */
export interface FitRun<O = unknown> {
  /** What is trained. */
  readonly model: Trainable<O>;
  /** Trains it. */
  readonly optimizer: FitOptimizer;
  /** The schedule that moves on with each update, if there is one. */
  readonly stepScheduler: LRScheduler | null;
  /** The schedule that moves on with each epoch, if there is one. */
  readonly epochScheduler: LRScheduler | ReduceLROnPlateau | null;
  /** The average of the weights, if there is one. */
  readonly average: AveragedModel<readonly [Tensor], O> | null;
  /** How long the run is. */
  readonly plan: Plan;
  /** The epochs that are over. */
  readonly epochs: readonly EpochRecord[];
  /** Ends the run after the present update, or before the next epoch. */
  stop(): void;
  /**
   * The run as the bytes of a file, from which `fit` with `resume` goes on to the bit: the states of its parts, where it stands, and
   * `values` beside them, as `saveCheckpoint` holds them and `loadCheckpoint` returns them.
   */
  save(values?: Readonly<Record<string, unknown>>): Promise<Uint8Array<ArrayBuffer>>;
}

/** Before the first epoch. */
export interface FitStartEvent<O = unknown> {
  /** The run. */
  readonly run: FitRun<O>;
  /** Batches of the next epoch that were seen before the run was resumed. */
  readonly batches: number;
}

/** Before an epoch's first batch, phases and modes set. */
export interface EpochStartEvent<O = unknown> {
  /** The run. */
  readonly run: FitRun<O>;
  /** Counted from 1. */
  readonly epoch: number;
  /** Batches that it has; infinity for loaders that do not know their `length`. */
  readonly batches: number;
  /** The first group's learning rate. */
  readonly lr: number;
}

/** After a batch. */
export interface StepEvent<B = unknown, O = unknown> {
  /** The run. */
  readonly run: FitRun<O>;
  /** Counted from 1. */
  readonly epoch: number;
  /** The batch's place in the epoch, counted from 1. */
  readonly step: number;
  /** The batch, lent. */
  readonly batch: B;
  /** Its samples. */
  readonly samples: number;
  /** Its mean loss, [] on the device, lent: reading it makes the loop wait. */
  readonly loss: Tensor;
  /** Whether the parameters were updated; not where their gradients wait for more batches. */
  readonly updated: boolean;
  /** The first group's learning rate in this step. */
  readonly lr: number;
}

/** After an epoch and its test, schedules moved on. */
export interface EpochEndEvent<O = unknown> {
  /** The run. */
  readonly run: FitRun<O>;
  /** The epoch. */
  readonly record: EpochRecord;
  /** The whole of the test; null without test data. */
  readonly evaluation: Evaluation | null;
  /** Whether its test loss (training loss, where nothing is tested) is the least so far. */
  readonly isBest: boolean;
}

/** After the last epoch, or where the run was stopped. */
export interface FitEndEvent<O = unknown> {
  /** The run. */
  readonly run: FitRun<O>;
  /** What `fit` returns. */
  readonly history: History;
  /** Batches of an epoch that is not over; 0 between epochs. */
  readonly batches: number;
}

type Answer = void | Promise<void>;

/** Functions that `fit` calls, and waits for. All may be left out. */
export interface Callbacks<B = unknown, O = unknown> {
  /** Before the first epoch. */
  onFitStart?(event: FitStartEvent<O>): Answer;
  /** Before an epoch. */
  onEpochStart?(event: EpochStartEvent<O>): Answer;
  /** After a batch. */
  onStep?(event: StepEvent<B, O>): Answer;
  /** After an epoch and its test. */
  onEpochEnd?(event: EpochEndEvent<O>): Answer;
  /** At the end, unless an error is thrown. */
  onFitEnd?(event: FitEndEvent<O>): Answer;
}

/** The loss that epochs are compared by: of the test, or of training where nothing is tested. */
export const lossOf = ({ test, train }: EpochRecord): number => (test ?? train).loss;
