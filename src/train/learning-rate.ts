// findLearningRate: a range test, which leaves model and optimizer as they were.
import { noGrad } from "../autograd/mode.ts";
import { check, checkNumber, checkOptions, checkWhole, told, ValueError } from "../errors.ts";
import { isStateful } from "../io/checkpoint.ts";
import { clone } from "../ops/clone.ts";
import { copy_ } from "../ops/inplace.ts";
import type { OptimizerStateDict } from "../optim/optimizer.ts";
import { getRngState, setRngState } from "../tensor/random-state.ts";
import { keep } from "../tensor/scope.ts";
import { Tensor } from "../tensor/tensor.ts";
import {
  type Batches,
  checkBatches,
  checkTrainable,
  keepingModes,
  type PrepareOption,
  type Trainable,
} from "./batches.ts";
import { checkRecipe, type FitOptimizer, optimizerOf, type RecipeOptions } from "./recipe.ts";
import { Updater } from "./updates.ts";

/** What `findLearningRate` takes beside model and loader: what the step is made of, as in `fit`'s recipe, and the range. */
export type FindLearningRateOptions<B, O> = Pick<
  RecipeOptions<O>,
  "optimizer" | "loss" | "logits" | "labelSmoothing" | "clipGradNorm" | "clipGradValue" | "batchTransform"
> &
  PrepareOption<B> & {
    /** The first rate. Default 1e-7. */
    startLr?: number;
    /** The last rate. Default 10. */
    endLr?: number;
    /** Steps from one to the other, each with a batch. Default 100. */
    numIter?: number;
    /** What the moving average of the losses keeps of itself at each step, in [0, 1). Default 0.98. */
    smoothing?: number;
    /** The test ends where the smoothed loss is so many times the least so far. Default 4. */
    divergence?: number;
    /** Which suggestion is `suggestion`. Default "steep". */
    suggest?: "steep" | "valley";
  };

/** What `findLearningRate` finds. Arrays have an element for each step; it ends earlier where the loss diverges. */
export interface LearningRates {
  /** The rates that were tried. */
  readonly rates: readonly number[];
  /** The losses. */
  readonly losses: readonly number[];
  /** The losses' moving average, without bias. */
  readonly smoothed: readonly number[];
  /** The rate to take; null where the losses say nothing. */
  readonly suggestion: number | null;
  /** Where the smoothed loss falls most steeply over the logarithm of the rate; null for too few steps. */
  readonly steep: number | null;
  /** Two thirds down the longest valley of the smoothed loss, a more careful choice; null for too few steps. */
  readonly valley: number | null;
}

const OWN = ["startLr", "endLr", "numIter", "smoothing", "divergence", "suggest"];
const STEP = [
  "optimizer",
  "loss",
  "logits",
  "labelSmoothing",
  "clipGradNorm",
  "clipGradValue",
  "batchTransform",
  "prepare",
];

/**
 * The learning rate range test: trains with rates that rise exponentially from step to step, and looks where the loss falls. The
 * model's parameters and buffers, the optimizer's state, the loader's place and the random numbers are put back afterwards; gradients are
 * dropped. Of several groups each keeps its share of the first one's rate.
 *
 * ```ts
 * const { suggestion, rates, smoothed } = await findLearningRate(model, loader, { optimizer });
 * ```
 * @throws ValueError for options out of range
 * @see https://arxiv.org/abs/1506.01186 (Smith), and https://docs.fast.ai/callback.schedule.html#learner.lr_find for the suggestions
 */
export async function findLearningRate<B, O>(
  model: Trainable<O>,
  loader: Batches<B>,
  options: FindLearningRateOptions<B, O>,
): Promise<LearningRates> {
  const name = "findLearningRate";
  checkTrainable(name, model);
  checkBatches(name, "the loader", loader);
  checkOptions(name, options, [...STEP, ...OWN]);
  const { startLr = 1e-7, endLr = 10, numIter = 100, smoothing = 0.98, divergence = 4, suggest = "steep" } = options;
  for (const [what, lr] of Object.entries({ startLr, endLr })) {
    checkNumber(name, what, lr, 0, 1e30);
    check(lr > 0, () => `[${name}] ${what} must be above 0: rates rise by a factor`, ValueError);
  }
  checkWhole(name, "numIter", numIter, 2);
  checkNumber(name, "smoothing", smoothing, 0, 1);
  check(smoothing < 1, () => `[${name}] smoothing must be below 1, got ${smoothing}`, ValueError);
  checkNumber(name, "divergence", divergence, 1);
  check(
    suggest === "steep" || suggest === "valley",
    () => `[${name}] suggest must be "steep" or "valley", got ${told(suggest)}`,
    ValueError,
  );
  const recipe = Object.fromEntries(Object.entries(options).filter(([key]) => STEP.includes(key)));
  checkRecipe(name, { ...recipe, optimizer: options.optimizer, epochs: 1 });

  const { optimizer, isMade } = optimizerOf(name, options.optimizer, model);
  const updater = new Updater<B, O>({ name, model, optimizer, recipe: options });
  const putBack = remember(model, optimizer, loader);
  const [rates, losses, smoothed]: [number[], number[], number[]] = [[], [], []];
  let [average, least] = [0, Number.POSITIVE_INFINITY];
  /** One step at a rate. False where the loss has diverged. */
  const tryOne = async (batch: B): Promise<boolean> => {
    const rate = startLr * (endLr / startLr) ** (rates.length / (numIter - 1));
    setRates(optimizer, rate, putBack.rates);
    const { loss, hits, labels } = updater.step(batch);
    const value = await loss.item().finally(() => {
      for (const t of [loss, hits, labels]) t.dispose();
    });
    if (!Number.isFinite(value)) return false;
    average = smoothing * average + (1 - smoothing) * value;
    const unbiased = average / (1 - smoothing ** (rates.length + 1));
    rates.push(rate);
    losses.push(value);
    smoothed.push(unbiased);
    least = Math.min(least, unbiased);
    return unbiased <= divergence * least;
  };
  try {
    await keepingModes(model, async () => {
      model.train();
      for (let going = true; going && rates.length < numIter; ) {
        const before = rates.length;
        for await (const batch of loader) {
          going = await tryOne(batch);
          if (!going || rates.length === numIter) break;
        }
        if (going) check(rates.length > before, () => `[${name}] the loader gave no batch`, ValueError);
      }
    });
  } finally {
    updater.dispose();
    putBack.run();
    updater.zeroGrad();
    if (isMade) optimizer.dispose();
  }
  // The first rates are too low to tell, at the last ones the loss goes up.
  const [from, to] = [Math.floor(numIter / 10), Math.max(0, rates.length - 5)];
  const [seenRates, seenLosses] = [rates.slice(from, to), smoothed.slice(from, to)];
  const [steep, valley] = [steepest(seenRates, seenLosses), inValley(seenRates, seenLosses)];
  return { rates, losses, smoothed, steep, valley, suggestion: suggest === "steep" ? steep : valley };
}

function setRates(optimizer: FitOptimizer, rate: number, before: readonly number[]): void {
  const [first = 0] = before;
  for (const [i, group] of optimizer.paramGroups.entries())
    group.lr = i === 0 || first === 0 ? rate : (rate * (before[i] ?? first)) / first;
}

/** Keeps copies of all state, to be put back by `run`. */
function remember(model: Trainable<unknown>, optimizer: FitOptimizer, loader: unknown) {
  const own = [...model.parameters(), ...model.buffers()];
  const copies = noGrad(() => own.map((t) => keep(clone(t))));
  const dict = optimizer.stateDict();
  const state: Record<number, Record<string, Tensor | number>> = {};
  for (const [index, saved] of Object.entries(dict.state)) {
    const entries = Object.entries(saved).map(([key, value]) => {
      if (!(value instanceof Tensor)) return [key, value] as const;
      const copy = noGrad(() => keep(clone(value)));
      value.dispose();
      return [key, copy] as const;
    });
    state[Number(index)] = Object.fromEntries(entries);
  }
  const kept: OptimizerStateDict = { state, paramGroups: dict.paramGroups };
  const place: unknown = isStateful(loader) ? loader.stateDict() : null;
  const random = getRngState();
  return {
    rates: optimizer.paramGroups.map(({ lr }) => lr),
    run: () => {
      // Batch norms count on the host until somebody asks.
      for (const _ of model.buffers());
      noGrad(() => {
        for (const [i, t] of own.entries()) {
          const copy = copies[i];
          if (copy) copy_(t, copy);
        }
      });
      optimizer.loadStateDict(kept);
      if (isStateful(loader)) loader.loadStateDict(place as never);
      setRngState(random);
      for (const t of [...copies, ...Object.values(state).flatMap((saved) => Object.values(saved))])
        if (t instanceof Tensor) t.dispose();
    },
  };
}

/** fastai's `steep`: where the loss falls most over the logarithm of the rate. */
export function steepest(rates: readonly number[], losses: readonly number[]): number | null {
  let [best, at] = [Number.POSITIVE_INFINITY, -1];
  for (let i = 0; i + 1 < rates.length; i++) {
    const [a = 0, b = 0] = losses.slice(i, i + 2);
    const [x = 1, y = 1] = rates.slice(i, i + 2);
    const slope = (b - a) / (Math.log(y) - Math.log(x));
    if (slope < best) [best, at] = [slope, i];
  }
  return rates[at] ?? null;
}

/** fastai's `valley`: in the longest decreasing subsequence of the losses, two thirds of the way through the middle third. */
export function inValley(rates: readonly number[], losses: readonly number[]): number | null {
  const lengths = losses.map(() => 1);
  let [start, end] = [0, 0];
  for (let i = 1; i < losses.length; i++) {
    for (let j = 0; j < i; j++) {
      const [mine = 1, other = 1] = [lengths[i], lengths[j]];
      if ((losses[i] ?? 0) < (losses[j] ?? 0) && mine < other + 1) lengths[i] = other + 1;
      if ((lengths[end] ?? 1) < (lengths[i] ?? 1)) {
        end = i;
        start = end - (lengths[end] ?? 1);
      }
    }
  }
  const section = (end - start) / 3;
  return rates[start + Math.floor(section) + Math.floor(section / 2)] ?? null;
}
