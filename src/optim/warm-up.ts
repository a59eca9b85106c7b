// Schedules that warm up or fade out over a number of steps: LinearLR, ConstantLR, PolynomialLR, CosineAnnealingWarmRestarts.
import { check, checkNumber, checkOptions, checkWhole, told, ValueError } from "../errors.ts";
import { type AnyGroup, type AnyOptimizer, LRScheduler, type SchedulerState } from "./lr-scheduler.ts";
import { checkShare } from "./scheduler-arguments.ts";

/**
 * From `startFactor` (default 1/3) of the rate to `endFactor` (default 1) of it in `totalIters` (default 5) steps.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html
 */
export class LinearLR extends LRScheduler {
  /** The first factor. */
  readonly startFactor: number;
  /** The last factor. */
  readonly endFactor: number;
  /** Steps from the first to the last. */
  readonly totalIters: number;

  constructor(
    optimizer: AnyOptimizer,
    options: {
      /** Above 0, at most 1. Default 1/3. */
      startFactor?: number;
      /** From 0 to 1. Default 1. */
      endFactor?: number;
      /** Default 5. */
      totalIters?: number;
    } = {},
  ) {
    super(optimizer);
    checkOptions("LinearLR", options, ["startFactor", "endFactor", "totalIters"]);
    const { startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = options;
    checkShare("LinearLR", "startFactor", startFactor);
    checkShare("LinearLR", "endFactor", endFactor);
    check(startFactor > 0, () => `[LinearLR] startFactor must be above 0, got ${told(startFactor)}`, ValueError);
    checkWhole("LinearLR", "totalIters", totalIters, 1);
    this.startFactor = startFactor;
    this.endFactor = endFactor;
    this.totalIters = totalIters;
    this.start();
  }

  protected override lr(group: AnyGroup): number {
    const { lastEpoch, startFactor, endFactor, totalIters } = this;
    if (lastEpoch === 0) return group.lr * startFactor;
    if (lastEpoch > totalIters) return group.lr;
    const step = endFactor - startFactor;
    return group.lr * (1 + step / (totalIters * startFactor + (lastEpoch - 1) * step));
  }
}

/**
 * `factor` (default 1/3) of the rate for `totalIters` (default 5) steps, then all of it.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ConstantLR.html
 */
export class ConstantLR extends LRScheduler {
  /** The factor. */
  readonly factor: number;
  /** Steps for which it holds. */
  readonly totalIters: number;

  constructor(
    optimizer: AnyOptimizer,
    options: {
      /** Above 0, at most 1. Default 1/3. */
      factor?: number;
      /** Default 5. */
      totalIters?: number;
    } = {},
  ) {
    super(optimizer);
    checkOptions("ConstantLR", options, ["factor", "totalIters"]);
    const { factor = 1 / 3, totalIters = 5 } = options;
    checkShare("ConstantLR", "factor", factor);
    check(factor > 0, () => `[ConstantLR] factor must be above 0, got ${told(factor)}`, ValueError);
    checkWhole("ConstantLR", "totalIters", totalIters, 1);
    this.factor = factor;
    this.totalIters = totalIters;
    this.start();
  }

  protected override lr(group: AnyGroup): number {
    if (this.lastEpoch === 0) return group.lr * this.factor;
    return this.lastEpoch === this.totalIters ? group.lr / this.factor : group.lr;
  }
}

/**
 * The rate times (1 - step / totalIters) ** power: down to 0 in `totalIters` (default 5) steps.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.PolynomialLR.html
 */
export class PolynomialLR extends LRScheduler {
  /** Steps down to 0. */
  readonly totalIters: number;
  /** The exponent. */
  readonly power: number;

  constructor(
    optimizer: AnyOptimizer,
    options: {
      /** Default 5. */
      totalIters?: number;
      /** Default 1: a line. */
      power?: number;
    } = {},
  ) {
    super(optimizer);
    checkOptions("PolynomialLR", options, ["totalIters", "power"]);
    const { totalIters = 5, power = 1 } = options;
    checkWhole("PolynomialLR", "totalIters", totalIters, 1);
    check(Number.isFinite(power), () => `[PolynomialLR] power must be a number, got ${told(power)}`, ValueError);
    this.totalIters = totalIters;
    this.power = power;
    this.start();
  }

  protected override lr(group: AnyGroup): number {
    const { lastEpoch, totalIters, power } = this;
    if (lastEpoch === 0 || lastEpoch > totalIters) return group.lr;
    return group.lr * ((1 - lastEpoch / totalIters) / (1 - (lastEpoch - 1) / totalIters)) ** power;
  }
}

/**
 * Half a cosine from the initial rate down to `etaMin` in `t0` epochs, then again from the top, each time `tMult` times as long.
 * @see https://arxiv.org/abs/1608.03983 and
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.html
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  /** Epochs of the first cycle. */
  readonly t0: number;
  /** How many times as long each cycle is as the one before. */
  readonly tMult: number;
  /** The lowest rate. */
  readonly etaMin: number;
  /** Where it is, in epochs, whole or not. */
  #at = -1;

  constructor(
    optimizer: AnyOptimizer,
    t0: number,
    options: {
      /** A whole number. Default 1. */
      tMult?: number;
      /** Default 0. */
      etaMin?: number;
    } = {},
  ) {
    super(optimizer);
    checkOptions("CosineAnnealingWarmRestarts", options, ["tMult", "etaMin"]);
    const { tMult = 1, etaMin = 0 } = options;
    checkWhole("CosineAnnealingWarmRestarts", "t0", t0, 1);
    checkWhole("CosineAnnealingWarmRestarts", "tMult", tMult, 1);
    checkNumber("CosineAnnealingWarmRestarts", "etaMin", etaMin);
    this.t0 = t0;
    this.tMult = tMult;
    this.etaMin = etaMin;
    this.start();
  }

  /** Moves on by one epoch, or to `epoch`, such as `epoch + batch / batches`. */
  override step(epoch: number = this.#at + 1): void {
    checkNumber("CosineAnnealingWarmRestarts", "epoch", epoch, 0, Number.MAX_VALUE);
    this.#at = epoch;
    this.lastEpoch = Math.floor(epoch) - 1;
    super.step();
  }

  override restart(): void {
    this.#at = -1;
    super.restart();
  }

  protected override lr(_group: AnyGroup, baseLr: number): number {
    let [at, length] = [this.#at, this.t0];
    while (at >= length) {
      at -= length;
      length *= this.tMult;
    }
    return this.etaMin + ((baseLr - this.etaMin) * (1 + Math.cos((Math.PI * at) / length))) / 2;
  }

  override stateDict(): SchedulerState & { readonly at: number } {
    return { ...super.stateDict(), at: this.#at };
  }

  override loadStateDict(state: SchedulerState & { readonly at?: number }): void {
    super.loadStateDict(state);
    this.#at = state.at ?? state.lastEpoch;
  }
}
