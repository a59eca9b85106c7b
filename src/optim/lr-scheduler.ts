// Schedules of the learning rate by epoch: LambdaLR, StepLR, MultiStepLR, ExponentialLR, CosineAnnealingLR.
import { check, checkFunction, checkNumber, checkOptions, checkWhole, listed, ValueError } from "../errors.ts";
import type { Optimizer, ParamGroup } from "./optimizer.ts";
import { checkOptimizer, checkState, schedulerText } from "./scheduler-arguments.ts";

/** An optimizer as schedulers see it. */
export type AnyOptimizer = Pick<Optimizer, "paramGroups">;
export type AnyGroup = ParamGroup<{ lr: number }>;

/** What a scheduler needs to go on where it was. JSON. */
export interface SchedulerState {
  /** Steps since the start. */
  readonly lastEpoch: number;
  /** Each group's learning rate at the start. */
  readonly baseLrs: readonly number[];
  /** The learning rates, by group, that the last step set. */
  readonly lastLr: readonly number[];
  /** The schedule's own numbers (`stepSize`, `gamma`, ...). Functions, such as LambdaLR's, are not among them. */
  readonly [option: string]: unknown;
}

/**
 * Base of the schedulers that know the learning rate from the epoch. Construction counts as the first step, as in
 * PyTorch: it puts epoch 0's rate into the optimizer. Call `step()` after each epoch's training.
 * @see https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate
 */
export abstract class LRScheduler {
  /** Whose learning rates it sets. */
  readonly optimizer: AnyOptimizer;
  /** Steps since the start. */
  lastEpoch = -1;
  /** Each group's learning rate when the first scheduler was attached. */
  baseLrs: readonly number[];
  #lastLr: readonly number[] = [];

  constructor(optimizer: AnyOptimizer) {
    checkOptimizer(this.constructor.name, optimizer);
    this.optimizer = optimizer;
    this.baseLrs = optimizer.paramGroups.map((group) => {
      group.initialLr ??= group.lr;
      return group.initialLr;
    });
  }

  /** Subclasses call it at the end of their constructors. */
  protected start(): void {
    this.step();
  }

  /**
   * A group's learning rate at `lastEpoch`; `baseLr` is its entry of `baseLrs`. Most schedules change the present
   * `group.lr` rather than compute it anew, so that several schedulers, and changes by hand, add up.
   */
  protected abstract lr(group: AnyGroup, baseLr: number, index: number): number;

  /** Moves on by one epoch (or batch, where the schedule counts batches). */
  step(): void {
    this.lastEpoch++;
    const next = this.optimizer.paramGroups.map((group, i) => this.lr(group, this.baseLrs[i] ?? group.lr, i));
    for (const [i, group] of this.optimizer.paramGroups.entries()) group.lr = next[i] ?? group.lr;
    this.#lastLr = next;
  }

  /** Starts over from the initial learning rates, as `SequentialLR` has each of its schedulers do. */
  restart(): void {
    for (const [i, group] of this.optimizer.paramGroups.entries()) group.lr = this.baseLrs[i] ?? group.lr;
    this.lastEpoch = -1;
    this.step();
  }

  /** The learning rates, by group, that the last step set. */
  getLastLr(): number[] {
    return [...this.#lastLr];
  }

  /** What the scheduler needs to go on where it is, as JSON: its public properties but for the optimizer and functions. */
  stateDict(): SchedulerState {
    const own = Object.entries(this).filter(([name, value]) => name !== "optimizer" && typeof value !== "function");
    return {
      ...Object.fromEntries(own),
      lastEpoch: this.lastEpoch,
      baseLrs: [...this.baseLrs],
      lastLr: this.getLastLr(),
    };
  }

  /**
   * Goes on from a state, with its numbers (`stepSize`, `gamma`, ...). The optimizer's own state dict restores its learning
   * rates. Nothing changes when an error is found.
   * @throws StateDictError for a state of another schedule or number of groups, or an entry of another type.
   */
  loadStateDict(state: SchedulerState): void {
    checkState(this.constructor.name, state, this.stateDict());
    const { lastLr, ...own } = state;
    Object.assign(this, own);
    this.#lastLr = [...lastLr];
  }

  /** Class, options, state and learning rates, such as `StepLR(lastEpoch: 1, baseLrs: [0.1], stepSize: 2, gamma: 0.1, lr: [0.1])`. */
  toString(): string {
    return schedulerText(this);
  }

  // What console.log shows in Node.
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/**
 * The initial learning rate times `lrLambda(epoch)`; one function, or one for each group.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LambdaLR.html
 */
export class LambdaLR extends LRScheduler {
  readonly #lambdas: readonly ((epoch: number) => number)[];

  constructor(optimizer: AnyOptimizer, lrLambda: ((epoch: number) => number) | readonly ((epoch: number) => number)[]) {
    super(optimizer);
    this.#lambdas = Array.isArray(lrLambda) ? lrLambda : this.baseLrs.map(() => lrLambda as (epoch: number) => number);
    for (const each of this.#lambdas) checkFunction("LambdaLR", "lrLambda", each);
    check(
      this.#lambdas.length === this.baseLrs.length,
      () => `[LambdaLR] got ${this.#lambdas.length} functions for ${this.baseLrs.length} groups`,
      ValueError,
    );
    this.start();
  }

  protected override lr(_group: AnyGroup, baseLr: number, index: number): number {
    return baseLr * (this.#lambdas[index]?.(this.lastEpoch) ?? 1);
  }
}

function gammaOf(scheduler: string, options: { gamma?: number }): number {
  checkOptions(scheduler, options, ["gamma"]);
  const { gamma = 0.1 } = options;
  checkNumber(scheduler, "gamma", gamma);
  return gamma;
}

/**
 * Times `gamma` (default 0.1) every `stepSize` epochs.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html
 */
export class StepLR extends LRScheduler {
  /** Epochs from one change to the next. */
  readonly stepSize: number;
  /** The factor. */
  readonly gamma: number;

  constructor(
    optimizer: AnyOptimizer,
    stepSize: number,
    options: {
      /** The factor. Default 0.1. */
      gamma?: number;
    } = {},
  ) {
    super(optimizer);
    checkWhole("StepLR", "stepSize", stepSize, 1);
    this.stepSize = stepSize;
    this.gamma = gammaOf("StepLR", options);
    this.start();
  }

  protected override lr(group: AnyGroup): number {
    return this.lastEpoch === 0 || this.lastEpoch % this.stepSize !== 0 ? group.lr : group.lr * this.gamma;
  }
}

/**
 * Times `gamma` (default 0.1) at each of `milestones`, which are epochs.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiStepLR.html
 */
export class MultiStepLR extends LRScheduler {
  /** The epochs at which the rate changes. */
  readonly milestones: readonly number[];
  /** The factor. */
  readonly gamma: number;

  constructor(
    optimizer: AnyOptimizer,
    milestones: readonly number[],
    options: {
      /** The factor. Default 0.1. */
      gamma?: number;
    } = {},
  ) {
    super(optimizer);
    this.milestones = listed("MultiStepLR", "milestones: pass an array of epochs", milestones);
    for (const epoch of this.milestones) checkWhole("MultiStepLR", "a milestone", epoch);
    this.gamma = gammaOf("MultiStepLR", options);
    this.start();
  }

  protected override lr(group: AnyGroup): number {
    return group.lr * this.gamma ** this.milestones.filter((epoch) => epoch === this.lastEpoch).length;
  }
}

/**
 * Times `gamma` every epoch.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html
 */
export class ExponentialLR extends LRScheduler {
  /** The factor. */
  readonly gamma: number;

  constructor(optimizer: AnyOptimizer, gamma: number) {
    super(optimizer);
    checkNumber("ExponentialLR", "gamma", gamma);
    this.gamma = gamma;
    this.start();
  }

  protected override lr(group: AnyGroup): number {
    return this.lastEpoch === 0 ? group.lr : group.lr * this.gamma;
  }
}

/**
 * Half a cosine from the initial learning rate down to `etaMin` (default 0) in `tMax` epochs, and back up.
 * @see https://arxiv.org/abs/1608.03983 and
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html
 */
export class CosineAnnealingLR extends LRScheduler {
  /** Epochs down to the lowest rate. */
  readonly tMax: number;
  /** The lowest rate. */
  readonly etaMin: number;

  constructor(
    optimizer: AnyOptimizer,
    tMax: number,
    options: {
      /** The lowest rate. Default 0. */
      etaMin?: number;
    } = {},
  ) {
    super(optimizer);
    checkWhole("CosineAnnealingLR", "tMax", tMax, 1);
    this.tMax = tMax;
    checkOptions("CosineAnnealingLR", options, ["etaMin"]);
    const { etaMin = 0 } = options;
    checkNumber("CosineAnnealingLR", "etaMin", etaMin);
    this.etaMin = etaMin;
    this.start();
  }

  protected override lr(group: AnyGroup, baseLr: number): number {
    const { lastEpoch, tMax, etaMin } = this;
    if (lastEpoch === 0) return group.lr;
    if ((lastEpoch - 1 - tMax) % (2 * tMax) === 0) {
      return group.lr + ((baseLr - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2;
    }
    const height = (epoch: number) => 1 + Math.cos((Math.PI * epoch) / tMax);
    return (height(lastEpoch) / height(lastEpoch - 1)) * (group.lr - etaMin) + etaMin;
  }
}
