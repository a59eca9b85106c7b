// Schedulers of schedulers: SequentialLR, one after the other; ChainedScheduler, one on top of the other.
import { check, told, ValueError } from "../errors.ts";
import { checkList } from "../tensor/shape.ts";
import { type AnyOptimizer, LRScheduler, type SchedulerState } from "./lr-scheduler.ts";

/** What schedulers of schedulers need to go on where they were. JSON. */
export interface SeveralState {
  /** Steps since the start. */
  readonly lastEpoch: number;
  /** By scheduler. */
  readonly schedulers: readonly SchedulerState[];
}

abstract class Several {
  /** Whose learning rates they set. */
  readonly optimizer: AnyOptimizer;
  /** In order. */
  readonly schedulers: readonly LRScheduler[];
  /** Steps since the start. */
  lastEpoch = 0;

  constructor(optimizer: AnyOptimizer, schedulers: readonly LRScheduler[]) {
    const name = new.target.name;
    check(
      Array.isArray(schedulers) &&
        schedulers.length > 0 &&
        schedulers.every((s) => s instanceof LRScheduler && s.optimizer === optimizer),
      () => `[${name}] takes schedulers of one optimizer, and at least one (ReduceLROnPlateau steps by itself)`,
      ValueError,
    );
    this.optimizer = optimizer;
    this.schedulers = [...schedulers];
  }

  /** Moves on by one epoch (or batch, where the schedules count batches). */
  abstract step(): void;

  /** The learning rates, by group. */
  getLastLr(): number[] {
    return this.optimizer.paramGroups.map((group) => group.lr);
  }

  /** What the schedulers need to go on where they are, as JSON. */
  stateDict(): SeveralState {
    return { lastEpoch: this.lastEpoch, schedulers: this.schedulers.map((s) => s.stateDict()) };
  }

  /** Goes on from a state. The optimizer's own state dict restores its learning rates. */
  loadStateDict(state: SeveralState): void {
    check(
      state.schedulers.length === this.schedulers.length,
      () => `[loadStateDict] a state of ${state.schedulers.length} schedulers does not fit ${this.schedulers.length}`,
      ValueError,
    );
    this.lastEpoch = state.lastEpoch;
    for (const [i, s] of this.schedulers.entries()) {
      const own = state.schedulers[i];
      if (own) s.loadStateDict(own);
    }
  }
}

/**
 * One scheduler until the first milestone, the next one until the second, and so on; each starts from the initial rates.
 * A warm-up is `new SequentialLR(opt, [new LinearLR(opt), new CosineAnnealingLR(opt, 95)], [5])`.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html
 */
export class SequentialLR extends Several {
  /** The epochs at which the next one begins. */
  readonly milestones: readonly number[];

  constructor(optimizer: AnyOptimizer, schedulers: readonly LRScheduler[], milestones: readonly number[]) {
    super(optimizer, schedulers);
    checkList("SequentialLR", "milestones are epochs in an array", milestones);
    check(
      milestones.length === schedulers.length - 1,
      () =>
        `[SequentialLR] ${schedulers.length} schedulers need ${schedulers.length - 1} milestones, got ${milestones.length}`,
      ValueError,
    );
    check(
      milestones.every((m, i) => Number.isInteger(m) && m > (milestones[i - 1] ?? 0)),
      () => `[SequentialLR] milestones must be rising whole numbers above 0, got ${told(milestones)}`,
      ValueError,
    );
    this.milestones = [...milestones];
    // Each put its own first rate into the optimizer as it was made.
    this.schedulers[0]?.restart();
  }

  override step(): void {
    this.lastEpoch++;
    const begun = this.milestones.filter((m) => m <= this.lastEpoch).length;
    const scheduler = this.schedulers[begun];
    if (begun > 0 && this.milestones[begun - 1] === this.lastEpoch) scheduler?.restart();
    else scheduler?.step();
  }
}

/**
 * All schedulers at every step, each on the rates that the one before set.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ChainedScheduler.html
 */
export class ChainedScheduler extends Several {
  constructor(schedulers: readonly LRScheduler[]) {
    super(Object((schedulers ?? [])[0]).optimizer, schedulers);
  }

  override step(): void {
    this.lastEpoch++;
    for (const scheduler of this.schedulers) scheduler.step();
  }
}
