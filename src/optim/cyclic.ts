// CyclicLR: the rate up and down between two bounds, momentum the other way.
import { check, checkOptions, checkWhole, told, ValueError } from "../errors.ts";
import { type AnyGroup, type AnyOptimizer, LRScheduler } from "./lr-scheduler.ts";
import { checkOptimizer, perGroup } from "./scheduler-arguments.ts";

/** What `CyclicLR` takes beside the bounds. */
export interface CyclicOptions {
  /** Steps (batches) up. Default 2000. */
  stepSizeUp?: number;
  /** Steps (batches) down. Default: as many as up. */
  stepSizeDown?: number;
  /** "triangular" (default); "triangular2": half as high each cycle; "exp_range": gamma ** step as high. */
  mode?: "triangular" | "triangular2" | "exp_range";
  /** For "exp_range". Default 1. */
  gamma?: number;
  /** How high in a cycle (1, 2, ...) or at a step (0, 1, ...), in place of `mode`. Default: as `mode` says. */
  scaleFn?: (at: number) => number;
  /** What `scaleFn` gets. Default "cycle". */
  scaleMode?: "cycle" | "iterations";
  /** Whether SGD's momentum moves the other way. Default true. */
  cycleMomentum?: boolean;
  /** Momentum at the highest rate, one for all groups or one each. Default 0.8. */
  baseMomentum?: number | readonly number[];
  /** Momentum at the lowest rate, one for all groups or one each. Default 0.9. */
  maxMomentum?: number | readonly number[];
}

const OPTIONS = [
  "stepSizeUp",
  "stepSizeDown",
  "mode",
  "gamma",
  "scaleFn",
  "scaleMode",
  "cycleMomentum",
  "baseMomentum",
  "maxMomentum",
];

interface Bounds {
  readonly lr: readonly [base: number, max: number];
  readonly momentum: readonly [base: number, max: number];
}

/**
 * The cyclical policy between `baseLr` and `maxLr`, each one for all groups or one each. Call `step()` after each batch.
 * @see https://arxiv.org/abs/1506.01186 and https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CyclicLR.html
 * @throws ValueError for options out of range, or an optimizer without momentum while `cycleMomentum`.
 */
export class CyclicLR extends LRScheduler {
  readonly #bounds: readonly Bounds[];
  readonly #length: number;
  /** The share of a cycle in which the rate rises. */
  readonly #rise: number;
  readonly #scale: (at: number) => number;
  readonly #byCycle: boolean;
  readonly #cycleMomentum: boolean;

  constructor(
    optimizer: AnyOptimizer,
    baseLr: number | readonly number[],
    maxLr: number | readonly number[],
    options: CyclicOptions = {},
  ) {
    const name = "CyclicLR";
    checkOptimizer(name, optimizer);
    checkOptions(name, options, OPTIONS);
    const { stepSizeUp = 2000, mode = "triangular", gamma = 1, cycleMomentum = true } = options;
    const { stepSizeDown = stepSizeUp, scaleMode = "cycle", scaleFn } = options;
    const groups = optimizer.paramGroups as readonly (AnyGroup & { momentum?: number })[];
    checkWhole(name, "stepSizeUp", stepSizeUp, 1);
    checkWhole(name, "stepSizeDown", stepSizeDown, 1);
    const modes = {
      triangular: () => 1,
      triangular2: (n: number) => 2 ** (1 - n),
      exp_range: (n: number) => gamma ** n,
    };
    check(
      Object.hasOwn(modes, mode),
      () => `[${name}] mode must be one of ${Object.keys(modes).join(", ")}, got ${told(mode)}`,
      ValueError,
    );
    check(
      !cycleMomentum || groups.every((group) => group.momentum !== undefined),
      () => `[${name}] the optimizer has no momentum to cycle: set cycleMomentum: false`,
      ValueError,
    );
    const count = groups.length;
    const [base, max] = [perGroup(name, "baseLr", baseLr, count), perGroup(name, "maxLr", maxLr, count)];
    for (const [i, group] of groups.entries()) {
      group.lr = base[i] ?? group.lr;
      group.initialLr = group.lr;
    }
    super(optimizer);
    const low = perGroup(name, "baseMomentum", options.baseMomentum ?? 0.8, count);
    const high = perGroup(name, "maxMomentum", options.maxMomentum ?? 0.9, count);
    this.#bounds = base.map((lr, i) => ({ lr: [lr, max[i] ?? lr], momentum: [low[i] ?? 0, high[i] ?? 0] }));
    this.#length = stepSizeUp + stepSizeDown;
    this.#rise = stepSizeUp / this.#length;
    this.#scale = scaleFn ?? modes[mode];
    this.#byCycle = scaleFn ? scaleMode === "cycle" : mode !== "exp_range";
    this.#cycleMomentum = cycleMomentum;
    this.start();
  }

  protected override lr(group: AnyGroup & { momentum?: number }, _baseLr: number, index: number): number {
    const bounds = this.#bounds[index];
    // A group that was added since.
    if (!bounds) return group.lr;
    const at = this.lastEpoch / this.#length;
    const cycle = Math.floor(1 + at);
    const x = 1 + at - cycle;
    const height = x <= this.#rise ? x / this.#rise : (x - 1) / (this.#rise - 1);
    const scaled = height * this.#scale(this.#byCycle ? cycle : this.lastEpoch);
    const [base, max] = bounds.lr;
    const [low, high] = bounds.momentum;
    if (this.#cycleMomentum) group.momentum = high - (high - low) * scaled;
    return base + (max - base) * scaled;
  }
}
