// OneCycleLR: up to a maximal learning rate and down below the initial one, momentum the other way.
import { check, checkNumber, checkOptions, checkWhole, told, ValueError } from "../errors.ts";
import { type AnyGroup, type AnyOptimizer, LRScheduler } from "./lr-scheduler.ts";
import { checkOptimizer, perGroup } from "./scheduler-arguments.ts";

/** What `OneCycleLR` takes. */
export interface OneCycleOptions {
  /** Steps (batches) of the whole cycle. Default: epochs * stepsPerEpoch. */
  totalSteps?: number;
  /** Epochs of the whole cycle, with `stepsPerEpoch`. No default: needed where `totalSteps` is left out. */
  epochs?: number;
  /** Steps (batches) of an epoch, with `epochs`. No default: needed where `totalSteps` is left out. */
  stepsPerEpoch?: number;
  /** Share of the cycle in which the rate rises. Default 0.3. */
  pctStart?: number;
  /** The curve from one rate to the next. Default "cos". */
  annealStrategy?: "cos" | "linear";
  /** Whether SGD's momentum, or Adam's first beta, moves the other way. Default true. */
  cycleMomentum?: boolean;
  /** Momentum at the highest rate, one for all groups or one each. Default 0.85. */
  baseMomentum?: number | readonly number[];
  /** Momentum at the lowest rate, one for all groups or one each. Default 0.95. */
  maxMomentum?: number | readonly number[];
  /** The rate begins at maxLr / divFactor. Default 25. */
  divFactor?: number;
  /** The rate ends at the initial one / finalDivFactor. Default 1e4. */
  finalDivFactor?: number;
  /** Come down to the initial rate as fast as it rose, then to the final one. Default false: down in one go. */
  threePhase?: boolean;
}

const OPTIONS = [
  "totalSteps",
  "epochs",
  "stepsPerEpoch",
  "pctStart",
  "annealStrategy",
  "cycleMomentum",
  "baseMomentum",
  "maxMomentum",
  "divFactor",
  "finalDivFactor",
  "threePhase",
];

interface Phase {
  readonly end: number;
  readonly lr: readonly [from: Level, to: Level];
  readonly momentum: readonly [from: MomentumLevel, to: MomentumLevel];
}
type Level = "initial" | "max" | "min";
type MomentumLevel = "base" | "max";

interface Levels {
  readonly lr: Readonly<Record<Level, number>>;
  readonly momentum: Readonly<Record<MomentumLevel, number>>;
}

interface Cycled {
  momentum?: number;
  betas?: readonly [number, number];
}

/**
 * The 1cycle policy. Call `step()` after each batch.
 * @see https://arxiv.org/abs/1708.07120 and
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html
 * @throws ValueError for options out of range, or an optimizer without momentum while `cycleMomentum`.
 */
export class OneCycleLR extends LRScheduler {
  /** Steps (batches) of the whole cycle. */
  readonly totalSteps: number;
  // Not private to the language: a state dict has all properties of a scheduler.
  protected readonly phases: readonly [Phase, ...Phase[]];
  /** By group. */
  protected readonly levels: readonly Levels[];
  protected readonly linear: boolean;
  protected readonly cycleMomentum: boolean;

  constructor(optimizer: AnyOptimizer, maxLr: number | readonly number[], options: OneCycleOptions) {
    const name = "OneCycleLR";
    checkOptimizer(name, optimizer);
    checkOptions(name, options, OPTIONS);
    const { pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4, cycleMomentum = true, threePhase = false } = options;
    const groups = optimizer.paramGroups as readonly (AnyGroup & Cycled)[];
    const totalSteps = options.totalSteps ?? Number(options.epochs) * Number(options.stepsPerEpoch);
    checkWhole(name, "totalSteps (or epochs * stepsPerEpoch)", totalSteps, 1);
    checkNumber(name, "pctStart", pctStart, 0, 1);
    checkNumber(name, "divFactor", divFactor);
    checkNumber(name, "finalDivFactor", finalDivFactor);
    const { annealStrategy = "cos" } = options;
    check(
      annealStrategy === "cos" || annealStrategy === "linear",
      () => `[${name}] annealStrategy must be "cos" or "linear", got ${told(annealStrategy)}`,
      ValueError,
    );
    check(
      !cycleMomentum || groups.every((group) => group.momentum !== undefined || group.betas !== undefined),
      () => `[${name}] the optimizer has no momentum to cycle: set cycleMomentum: false`,
      ValueError,
    );
    const maxima = perGroup(name, "maxLr", maxLr, groups.length);
    for (const [i, group] of groups.entries()) group.initialLr = (maxima[i] ?? group.lr) / divFactor;
    super(optimizer);
    this.totalSteps = totalSteps;
    const base = perGroup(name, "baseMomentum", options.baseMomentum ?? 0.85, groups.length);
    const top = perGroup(name, "maxMomentum", options.maxMomentum ?? 0.95, groups.length);
    this.levels = maxima.map((max, i) => ({
      lr: { initial: max / divFactor, max, min: max / divFactor / finalDivFactor },
      momentum: { base: base[i] ?? 0, max: top[i] ?? 0 },
    }));
    this.linear = annealStrategy === "linear";
    this.cycleMomentum = cycleMomentum;
    const peak = pctStart * totalSteps - 1;
    const last = totalSteps - 1;
    const rise: Phase = { end: peak, lr: ["initial", "max"], momentum: ["max", "base"] };
    this.phases = threePhase
      ? [
          rise,
          { end: 2 * pctStart * totalSteps - 2, lr: ["max", "initial"], momentum: ["base", "max"] },
          { end: last, lr: ["initial", "min"], momentum: ["max", "max"] },
        ]
      : [rise, { end: last, lr: ["max", "min"], momentum: ["base", "max"] }];
    this.start();
  }

  protected override lr(group: AnyGroup & Cycled, _baseLr: number, index: number): number {
    const at = this.lastEpoch;
    check(
      at <= this.totalSteps,
      () => `[OneCycleLR] step ${at + 1} lies beyond the cycle of ${this.totalSteps} steps`,
      ValueError,
    );
    const levels = this.levels[index];
    // A group that was added since.
    if (!levels) return group.lr;
    let start = 0;
    let [phase] = this.phases;
    for (const candidate of this.phases) {
      phase = candidate;
      if (at <= candidate.end || candidate === this.phases.at(-1)) break;
      start = candidate.end;
    }
    const part = (at - start) / (phase.end - start);
    if (this.cycleMomentum) {
      const [from, to] = phase.momentum;
      const momentum = this.#anneal(levels.momentum[from], levels.momentum[to], part);
      if (group.betas) group.betas = [momentum, group.betas[1]];
      else group.momentum = momentum;
    }
    const [from, to] = phase.lr;
    return this.#anneal(levels.lr[from], levels.lr[to], part);
  }

  #anneal(from: number, to: number, part: number): number {
    return this.linear ? from + (to - from) * part : to + ((from - to) / 2) * (Math.cos(Math.PI * part) + 1);
  }
}
