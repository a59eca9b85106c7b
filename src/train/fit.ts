// fit: epochs of training and testing by a recipe, told to callbacks, saved and resumed to the bit.
import { check, checkOptions, FormatError, told, ValueError } from "../errors.ts";
import type { GlobalType } from "../gpu/global-type.ts";
import { isStateful, loadCheckpoint, type Stateful, saveCheckpoint } from "../io/checkpoint.ts";
import { freeze, unfreeze } from "../nn/freeze.ts";
import type { LRScheduler } from "../optim/lr-scheduler.ts";
import { ReduceLROnPlateau } from "../optim/plateau.ts";
import { type Batches, checkBatches, checkTrainable, keepingModes, type Prepare, type Trainable } from "./batches.ts";
import { EpochLog, type EpochPart, trainScores } from "./epoch-log.ts";
import { evaluationOf } from "./evaluate.ts";
import { type Callbacks, type EpochRecord, type FitRun, type History, lossOf } from "./events.ts";
import { OutcomeReader } from "./outcomes.ts";
import {
  checkRecipe,
  optimizerOf,
  type Plan,
  type Recipe,
  type RecipeOptions,
  scheduleOf,
  setRates,
} from "./recipe.ts";
import { Updater } from "./updates.ts";

/** What `fit` trains on. */
export interface FitData<B> {
  /** Batches to train on, an epoch each time it is looped over. */
  train: Batches<B>;
  /** Batches to test on after each epoch. Default: nothing is tested. */
  test?: Batches<B>;
}

/** What `fit` takes beside model, data and recipe. */
export interface FitOptions<B, O> {
  /** Called in their order. Default: none. */
  callbacks?: readonly Callbacks<B, O>[];
  /** Stops the run after the present update; what it came to is returned. Default: none. */
  signal?: GlobalType<"AbortSignal">;
  /** What `run.save()` or the callback `checkpoint` gave: the run goes on from there, to the bit. Default: it begins. */
  resume?: ArrayBuffer | Uint8Array;
}

/** Where a run stands, in a checkpoint. */
interface Place {
  readonly epochs: readonly EpochRecord[];
  readonly part: EpochPart | null;
}

/**
 * Trains a classifier by a recipe: steps are captured, losses and hits stay on the device and are read some at a time, and after each
 * epoch the model is tested. The model's modes are left as they were.
 *
 * ```ts
 * const { epochs } = await fit(
 *   model,
 *   { train: new vision.DataLoader(trainSet, { batchSize: 64, shuffle: true, transform }), test },
 *   {
 *     epochs: 20,
 *     optimizer: (model) => new optim.AdamW(model.parameters(), { lr: 1e-3 }),
 *     stepScheduler: (optimizer, { totalSteps }) => new optim.OneCycleLR(optimizer, 1e-2, { totalSteps }),
 *     labelSmoothing: 0.1,
 *     phases: [{ from: 1, freeze: { except: "head" } }, { from: 4, unfreeze: {}, lr: 1e-4 }],
 *   },
 *   { callbacks: [progress(console.log), earlyStopping({ patience: 3 })] },
 * );
 * ```
 *
 * An epoch's loss is the mean of its samples, whatever the size of the last batch; gradients that are accumulated, too, are those of
 * one batch of all samples. A loader with a state (`stateDict`), as both `DataLoader`s are, goes on in the middle of an epoch; of
 * other batches those seen are passed over.
 * @throws NonFiniteLossError where a loss is NaN or infinite, with its epoch and step; ValueError for a recipe out of range;
 *   FormatError or StateDictError for a checkpoint that does not fit
 * @see https://docs.fast.ai/callback.schedule.html and https://keras.io/api/models/model_training_apis/
 */
export async function fit<B, O>(
  model: Trainable<O>,
  data: FitData<B>,
  recipe: Recipe<B, O>,
  options: FitOptions<NoInfer<B>, NoInfer<O>> = {},
): Promise<History> {
  checkTrainable("fit", model);
  checkOptions("fit", data, ["train", "test"]);
  checkBatches("fit", "train", data.train);
  if (data.test !== undefined) checkBatches("fit", "test", data.test);
  checkRecipe("fit", recipe);
  checkOptions("fit", options, ["callbacks", "signal", "resume"]);
  const { callbacks = [], signal } = options;
  check(
    Array.isArray(callbacks) && callbacks.every((each) => typeof each === "object" && each !== null),
    () => `[fit] callbacks must be an array of objects with onEpochEnd and the like, got ${told(callbacks)}`,
    ValueError,
  );
  check(
    signal === undefined || typeof Object(signal).aborted === "boolean",
    () => `[fit] signal must be an AbortSignal, got ${told(signal)}`,
    ValueError,
  );
  const run = new Fitting<B, O>(model, data, recipe, callbacks, () => signal?.aborted ?? false);
  try {
    if (options.resume !== undefined) await run.resume(options.resume);
    return await keepingModes(model, () => run.all());
  } finally {
    run.dispose();
  }
}

const lengthOf = (loader: unknown): number => {
  const { length } = Object(loader);
  return typeof length === "number" ? length : Number.POSITIVE_INFINITY;
};

/** A run in progress. */
class Fitting<B, O> implements FitRun<O> {
  readonly model: Trainable<O>;
  readonly optimizer: FitRun<O>["optimizer"];
  readonly stepScheduler: LRScheduler | null;
  readonly epochScheduler: LRScheduler | ReduceLROnPlateau | null;
  readonly average: FitRun<O>["average"];
  readonly plan: Plan;
  readonly epochs: EpochRecord[] = [];
  readonly #data: FitData<B>;
  readonly #recipe: RecipeOptions<O>;
  readonly #callbacks: readonly Callbacks<B, O>[];
  readonly #isAborted: () => boolean;
  readonly #updater: Updater<B, O>;
  readonly #tester: OutcomeReader<B, O>;
  readonly #ownsOptimizer: boolean;
  /** The epoch in progress, as far as it was read; what a resumed run begins with. */
  #part: EpochPart | null = null;
  #stopped: History["stopped"] = null;

  constructor(
    model: Trainable<O>,
    data: FitData<B>,
    recipe: RecipeOptions<O> & { prepare?: Prepare<B> },
    callbacks: readonly Callbacks<B, O>[],
    isAborted: () => boolean,
  ) {
    const { epochs, accumulate = 1, loss, logits, prepare } = recipe;
    this.model = model;
    this.#data = data;
    this.#recipe = recipe;
    this.#callbacks = callbacks;
    this.#isAborted = isAborted;
    this.average = recipe.average ?? null;
    const { optimizer, isMade } = optimizerOf("fit", recipe.optimizer, model);
    this.optimizer = optimizer;
    this.#ownsOptimizer = isMade;
    const stepsPerEpoch = Math.ceil(lengthOf(data.train) / accumulate);
    this.plan = { epochs, stepsPerEpoch, totalSteps: epochs * stepsPerEpoch };
    this.stepScheduler = scheduleOf("fit", "stepScheduler", recipe.stepScheduler, optimizer, this.plan);
    this.epochScheduler = scheduleOf("fit", "epochScheduler", recipe.epochScheduler, optimizer, this.plan);
    this.#updater = new Updater({ name: "fit", model, optimizer, recipe });
    this.#tester = new OutcomeReader("fit", this.average ?? model, { loss, logits, prepare });
  }

  stop(): void {
    this.#stopped ??= "callback";
  }

  /** What a checkpoint holds the states of. */
  #parts(): Record<string, Stateful> {
    const { model, optimizer, stepScheduler, epochScheduler, average } = this;
    const loader: unknown = this.#data.train;
    return {
      ...{ model, optimizer },
      ...(stepScheduler && { stepScheduler }),
      ...(epochScheduler && { epochScheduler }),
      ...(average && { average }),
      ...(isStateful(loader) && { loader }),
    };
  }

  save(values: Readonly<Record<string, unknown>> = {}): Promise<Uint8Array<ArrayBuffer>> {
    checkOptions("save", values, Object.keys(values));
    const place: Place = { epochs: this.epochs, part: this.#part };
    return saveCheckpoint({ ...values, ...this.#parts(), fit: place });
  }

  async resume(bytes: ArrayBuffer | Uint8Array): Promise<void> {
    const { fit: place } = await loadCheckpoint(bytes, this.#parts());
    const { epochs, part } = Object(place) as Partial<Place>;
    check(
      Array.isArray(epochs) && (part === null || Array.isArray(part?.losses)),
      () => "[fit] resume is a checkpoint, but none of fit: pass what run.save() or the callback checkpoint gave",
      FormatError,
    );
    this.epochs.push(...epochs);
    this.#part = part;
  }

  async all(): Promise<History> {
    this.#updater.zeroGrad();
    await this.#tell("onFitStart", { run: this, batches: this.#part?.losses.length ?? 0 });
    const first = this.epochs.length + 1;
    for (let epoch = first; epoch <= this.plan.epochs && !this.#isOver(); epoch++) {
      const isWhole = await this.#epoch(epoch, epoch === first);
      if (!isWhole) break;
    }
    const history: History = { epochs: [...this.epochs], stopped: this.#stopped };
    await this.#tell("onFitEnd", { run: this, history, batches: this.#part?.losses.length ?? 0 });
    return history;
  }

  #isOver(): boolean {
    if (this.#isAborted()) this.#stopped = "signal";
    return this.#stopped !== null;
  }

  /** Trains for an epoch, or what is left of it, and tests. False where it was stopped before its end. */
  async #epoch(epoch: number, isFirst: boolean): Promise<boolean> {
    this.#enter(epoch, isFirst);
    const lr = this.#part?.lr ?? this.optimizer.paramGroups[0].lr;
    await this.#tell("onEpochStart", { run: this, epoch, batches: lengthOf(this.#data.train), lr });
    const { part, isWhole } = await this.#train(epoch, lr);
    this.#part = part;
    if (!isWhole) return false;
    check(part.sizes.length > 0, () => "[fit] train gave no batch: can it be looped over again?", ValueError);
    const { test } = this.#data;
    const evaluation = test === undefined ? null : evaluationOf(await this.#tester.run(test));
    const record: EpochRecord = { epoch, lr, train: trainScores(part), test: evaluation && scoresOf(evaluation) };
    const isBest = this.epochs.every((earlier) => lossOf(record) < lossOf(earlier));
    this.epochs.push(record);
    this.#part = null;
    const { epochScheduler } = this;
    if (epochScheduler instanceof ReduceLROnPlateau) epochScheduler.step(lossOf(record));
    else epochScheduler?.step();
    await this.#tell("onEpochEnd", { run: this, record, evaluation, isBest });
    return true;
  }

  /** Sets phases and modes. */
  #enter(epoch: number, isFirst: boolean): void {
    const { phases = [] } = this.#recipe;
    // What is frozen is no part of a checkpoint: a resumed run sets the phases before it, too.
    for (const { from, ...phase } of [...phases].sort((a, b) => a.from - b.from)) {
      if (from > epoch || (from < epoch && !isFirst)) continue;
      if (phase.freeze) freeze(this.model, phase.freeze);
      if (phase.unfreeze) unfreeze(this.model, phase.unfreeze);
      if (phase.lr !== undefined && from === epoch && this.#part === null) setRates("fit", this.optimizer, phase.lr);
    }
    this.model.train();
  }

  async #train(epoch: number, lrAtStart: number): Promise<{ part: EpochPart; isWhole: boolean }> {
    const log = new EpochLog(epoch, lrAtStart, this.#part);
    // A loader with a state goes on by itself.
    let passed = isStateful(this.#data.train) ? 0 : log.batches;
    let isWhole = true;
    try {
      for await (const batch of this.#data.train) {
        if (passed-- > 0) continue;
        const [{ lr }] = this.optimizer.paramGroups;
        const { loss, hits, labels } = this.#updater.step(batch);
        const samples = labels.shape[0] ?? 0;
        const { device } = labels;
        labels.dispose();
        const updated = !this.#updater.waits;
        if (updated) this.stepScheduler?.step();
        log.push(loss, hits, samples);
        await this.#tell("onStep", { run: this, epoch, step: log.batches, batch, samples, loss, updated, lr });
        await log.settle();
        // Gradients that wait for an update are no part of a checkpoint.
        if (updated && this.#isOver()) {
          isWhole = log.batches >= lengthOf(this.#data.train);
          break;
        }
        await device.queue.idle(6);
      }
      if (this.#updater.waits) {
        this.#updater.update();
        this.stepScheduler?.step();
      }
      return { part: await log.part(), isWhole };
    } finally {
      log.dispose();
    }
  }

  async #tell<K extends keyof Callbacks<B, O>>(
    name: K,
    event: Parameters<NonNullable<Callbacks<B, O>[K]>>[0],
  ): Promise<void> {
    for (const callbacks of this.#callbacks) {
      const callback = callbacks[name] as ((event: unknown) => unknown) | undefined;
      await callback?.call(callbacks, event);
    }
  }

  dispose(): void {
    this.#updater.dispose();
    this.#tester.dispose();
    if (this.#ownsOptimizer) this.optimizer.dispose();
    this.#updater.zeroGrad();
  }
}

function scoresOf({ samples, loss, top1, top5, calibrationError }: ReturnType<typeof evaluationOf>) {
  return { samples, loss, top1, top5, calibrationError };
}
