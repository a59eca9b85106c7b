// Callbacks for `fit` that are ready to use: progress, checkpoint, earlyStopping.
import { checkFunction, checkNumber, checkOptions, checkWhole } from "../errors.ts";
import { type Callbacks, type EpochRecord, lossOf } from "./events.ts";

const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;

/** An epoch in a line. */
function lineOf({ epoch, lr, train, test }: EpochRecord, epochs: number): string {
  const speed = `${train.seconds.toFixed(1)} s, ${(train.samples / train.seconds).toFixed(0)} samples/s`;
  const tested = test ? `  test ${test.loss.toFixed(4)} ${percent(test.top1)}` : "";
  return `epoch ${epoch}/${epochs}  train ${train.loss.toFixed(4)} ${percent(train.accuracy)}${tested}  rate ${lr}  ${speed}`;
}

/**
 * Writes a line after each epoch: `progress(console.log)`. With `everySteps`, also one after so many batches, whose loss
 * is read for it.
 */
export function progress(
  write: (line: string) => void,
  options: {
    /** Batches from line to line within an epoch. Default: none are written. */
    everySteps?: number;
  } = {},
): Callbacks {
  checkFunction("progress", "what writes a line", write);
  checkOptions("progress", options, ["everySteps"]);
  const { everySteps } = options;
  if (everySteps !== undefined) checkWhole("progress", "everySteps", everySteps, 1);
  let batches = Number.POSITIVE_INFINITY;
  return {
    onEpochStart(event) {
      batches = event.batches;
    },
    async onStep({ run, epoch, step, loss }) {
      if (everySteps === undefined || step % everySteps !== 0) return;
      const of = Number.isFinite(batches) ? `/${batches}` : "";
      write(`epoch ${epoch}/${run.plan.epochs}  step ${step}${of}  loss ${(await loss.item()).toFixed(4)}`);
    },
    onEpochEnd({ run, record }) {
      write(lineOf(record, run.plan.epochs));
    },
  };
}

/** What a checkpoint is of. */
export interface CheckpointInfo {
  /** Epochs that are over. */
  readonly epoch: number;
  /** Batches of the next one that are over as well, where the run was stopped in its middle; else 0. */
  readonly batches: number;
  /** Whether the last epoch is the best so far, by its test loss. */
  readonly isBest: boolean;
}

/**
 * Hands over the run as bytes after each epoch, and where it is stopped in the middle of one; `fit` with `resume` goes on from them.
 *
 * ```ts
 * checkpoint((bytes, { isBest }) => writeFileAtomic(isBest ? "best.checkpoint" : "last.checkpoint", bytes))
 * ```
 * `loadCheckpoint(bytes, { model })` takes the model out of them.
 */
export function checkpoint(
  write: (bytes: Uint8Array<ArrayBuffer>, info: CheckpointInfo) => unknown,
  options: {
    /** Epochs from one to the next; the last epoch's comes in any case. Default 1. */
    every?: number;
    /** Only epochs that are the best so far. Default false. */
    bestOnly?: boolean;
    /** What is saved beside the run, as `saveCheckpoint` takes it. Default: nothing. */
    values?: Readonly<Record<string, unknown>>;
  } = {},
): Callbacks {
  checkFunction("checkpoint", "what writes it", write);
  checkOptions("checkpoint", options, ["every", "bestOnly", "values"]);
  const { every = 1, bestOnly = false, values = {} } = options;
  checkWhole("checkpoint", "every", every, 1);
  checkOptions("checkpoint", values, Object.keys(Object(values)));
  return {
    async onEpochEnd({ run, record: { epoch }, isBest }) {
      const isDue = bestOnly ? isBest : epoch % every === 0 || epoch === run.plan.epochs;
      if (isDue) await write(await run.save(values), { epoch, batches: 0, isBest });
    },
    async onFitEnd({ run, batches }) {
      if (batches > 0 && !bestOnly)
        await write(await run.save(values), { epoch: run.epochs.length, batches, isBest: false });
    },
  };
}

/**
 * Stops a run once `patience` epochs in a row were not better than the best before them, by more than `minDelta`. What counts is
 * the test loss, the training loss where nothing is tested. As it looks at the whole history, a resumed run stops where it would have.
 * @see https://keras.io/api/callbacks/early_stopping/
 */
export function earlyStopping(
  options: {
    /** Epochs without improvement that end the run. Default 3. */
    patience?: number;
    /** How much less than the least a loss must be to count as an improvement. Default 0. */
    minDelta?: number;
  } = {},
): Callbacks {
  checkOptions("earlyStopping", options, ["patience", "minDelta"]);
  const { patience = 3, minDelta = 0 } = options;
  checkWhole("earlyStopping", "patience", patience, 1);
  checkNumber("earlyStopping", "minDelta", minDelta, 0);
  return {
    onEpochEnd({ run }) {
      let best = Number.POSITIVE_INFINITY;
      let bad = 0;
      for (const record of run.epochs) {
        const loss = lossOf(record);
        bad = loss < best - minDelta ? 0 : bad + 1;
        if (bad === 0) best = loss;
      }
      if (bad >= patience) run.stop();
    },
  };
}
