// ReduceLROnPlateau: a lower learning rate when a metric has stopped improving.
import { check, checkNumber, checkOptions, told, ValueError } from "../errors.ts";
import type { AnyOptimizer } from "./lr-scheduler.ts";
import { checkOptimizer, checkState, perGroup, schedulerText } from "./scheduler-arguments.ts";

/** What `ReduceLROnPlateau` takes. */
export interface PlateauOptions {
  /** Whether the metric should fall ("min", default) or rise. */
  mode?: "min" | "max";
  /** The learning rate is multiplied by it. Default 0.1; below 1. */
  factor?: number;
  /** Epochs without improvement that are tolerated: the one after them reduces the rate. Default 10. */
  patience?: number;
  /** How much better than the best counts as an improvement. Default 1e-4. */
  threshold?: number;
  /** "rel" (default): the threshold is a share of the best; "abs": a difference. */
  thresholdMode?: "rel" | "abs";
  /** Epochs after a reduction in which bad ones are not counted. Default 0. */
  cooldown?: number;
  /** The rate falls no lower; one for all groups or one each. Default 0. */
  minLr?: number | readonly number[];
  /** Reductions smaller than this are not made. Default 1e-8. */
  eps?: number;
}

const OPTIONS = ["mode", "factor", "patience", "threshold", "thresholdMode", "cooldown", "minLr", "eps"];

/** What a plateau scheduler needs to go on where it was, with its options. `best` is null before the first metric. */
export interface PlateauState extends Readonly<Required<PlateauOptions>> {
  /** The best metric so far. */
  readonly best: number | null;
  /** Epochs since it that were not better. */
  readonly numBadEpochs: number;
  /** Epochs left in which bad ones are not counted. */
  readonly cooldownCounter: number;
  /** Steps since the start. */
  readonly lastEpoch: number;
  /** The learning rates, by group, after the last step. */
  readonly lastLr: readonly number[];
}

/**
 * Multiplies the learning rates by `factor` after more than `patience` epochs without improvement.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html
 * @throws ValueError for options out of range.
 */
export class ReduceLROnPlateau {
  /** Whose learning rates it reduces. */
  readonly optimizer: AnyOptimizer;
  #options: Required<PlateauOptions>;
  /** The best metric so far; null before the first. */
  best: number | null = null;
  /** Epochs since the best metric that were not better. */
  numBadEpochs = 0;
  /** Epochs left in which bad ones are not counted. */
  cooldownCounter = 0;
  /** Steps since the start. */
  lastEpoch = 0;
  #lastLr: readonly number[];

  constructor(optimizer: AnyOptimizer, options: PlateauOptions = {}) {
    const name = "ReduceLROnPlateau";
    checkOptimizer(name, optimizer);
    this.optimizer = optimizer;
    checkOptions(name, options, OPTIONS);
    const { mode = "min", factor = 0.1, patience = 10, threshold = 1e-4, thresholdMode = "rel" } = options;
    const { cooldown = 0, minLr = 0, eps = 1e-8 } = options;
    this.#options = { mode, factor, patience, threshold, thresholdMode, cooldown, minLr, eps };
    for (const [key, value] of Object.entries({ factor, patience, threshold, cooldown, eps }))
      checkNumber(name, key, value);
    check(factor < 1, () => `[ReduceLROnPlateau] factor must be below 1, got ${told(factor)}`, ValueError);
    check(
      mode === "min" || mode === "max",
      () => `[ReduceLROnPlateau] mode must be "min" or "max", got ${told(mode)}`,
      ValueError,
    );
    check(
      thresholdMode === "rel" || thresholdMode === "abs",
      () => `[ReduceLROnPlateau] thresholdMode must be "rel" or "abs", got ${told(thresholdMode)}`,
      ValueError,
    );
    // One number is for groups that are added later, too.
    const groups = optimizer.paramGroups.length;
    const minLrs = perGroup(name, "minLr", minLr, groups);
    if (typeof minLr !== "number") this.#options.minLr = minLrs;
    this.#lastLr = optimizer.paramGroups.map((group) => group.lr);
  }

  /** Takes the epoch's metric, e.g. the validation loss. */
  step(metric: number): void {
    check(
      typeof metric === "number",
      () => `[ReduceLROnPlateau] the metric must be a number, got ${told(metric)}: await loss.item() first`,
      ValueError,
    );
    const { patience, cooldown } = this.#options;
    this.lastEpoch++;
    if (this.#isBetter(metric)) {
      this.best = metric;
      this.numBadEpochs = 0;
    } else this.numBadEpochs++;
    if (this.cooldownCounter > 0) {
      this.cooldownCounter--;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs > patience) {
      this.#reduce();
      this.cooldownCounter = cooldown;
      this.numBadEpochs = 0;
    }
    this.#lastLr = this.optimizer.paramGroups.map((group) => group.lr);
  }

  #isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options;
    const best = this.best ?? (mode === "min" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY);
    if (mode === "min") return metric < (thresholdMode === "rel" ? best * (1 - threshold) : best - threshold);
    return metric > (thresholdMode === "rel" ? best * (1 + threshold) : best + threshold);
  }

  #reduce(): void {
    const { factor, minLr, eps } = this.#options;
    for (const [i, group] of this.optimizer.paramGroups.entries()) {
      const least = typeof minLr === "number" ? minLr : (minLr[i] ?? 0);
      const next = Math.max(group.lr * factor, least);
      if (group.lr - next > eps) group.lr = next;
    }
  }

  /** The learning rates, by group, after the last step. */
  getLastLr(): number[] {
    return [...this.#lastLr];
  }

  /** What the scheduler needs to go on where it is: its options and counts. JSON where the best metric is finite. */
  stateDict(): PlateauState {
    const { best, numBadEpochs, cooldownCounter, lastEpoch } = this;
    return { ...this.#options, best, numBadEpochs, cooldownCounter, lastEpoch, lastLr: this.getLastLr() };
  }

  /**
   * Goes on from a state, with its options. The optimizer's own state dict restores its learning rates. Nothing changes when
   * an error is found.
   * @throws StateDictError for a state of something else or another number of groups, or an entry of another type.
   */
  loadStateDict(state: PlateauState): void {
    checkState("ReduceLROnPlateau", state, this.stateDict());
    const { best, numBadEpochs, cooldownCounter, lastEpoch, lastLr, ...options } = state;
    Object.assign(this, { best, numBadEpochs, cooldownCounter, lastEpoch });
    this.#options = options;
    this.#lastLr = [...lastLr];
  }

  /** Class, options, state and learning rates. */
  toString(): string {
    return schedulerText(this, this.#options);
  }

  // What console.log shows in Node.
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}
