// Schedules of the learning rate by epoch: LambdaLR, StepLR, MultiStepLR, ExponentialLR, CosineAnnealingLR.
import { check, told, ValueError } from "../errors.ts";
import type { Optimizer, ParamGroup } from "./optimizer.ts";
import { checkCount } from "./scheduler-arguments.ts";

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
    check(
      Array.isArray(optimizer?.paramGroups),
      () => `[${this.constructor.name}] got ${told(optimizer)} in the place of an optimizer`,
      ValueError,
    );
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

  /** What the scheduler needs to go on where it is, as JSON. */
  stateDict(): SchedulerState {
    return { lastEpoch: this.lastEpoch, baseLrs: [...this.baseLrs], lastLr: this.getLastLr() };
  }

  /** Goes on from a state. The optimizer's own state dict restores its learning rates. */
  loadStateDict(state: SchedulerState): void {
    check(
      state.baseLrs.length === this.baseLrs.length,
      () => `[loadStateDict] a state of ${state.baseLrs.length} groups does not fit ${this.baseLrs.length}`,
      ValueError,
    );
    this.lastEpoch = state.lastEpoch;
    this.baseLrs = [...state.baseLrs];
    this.#lastLr = [...state.lastLr];
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
    this.#lambdas = typeof lrLambda === "function" ? this.baseLrs.map(() => lrLambda) : lrLambda;
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
    checkCount("StepLR", "stepSize", stepSize);
    this.stepSize = stepSize;
    this.gamma = options.gamma ?? 0.1;
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
    this.milestones = [...milestones];
    this.gamma = options.gamma ?? 0.1;
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
    checkCount("CosineAnnealingLR", "tMax", tMax);
    this.tMax = tMax;
    this.etaMin = options.etaMin ?? 0;
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
