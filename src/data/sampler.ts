// Samplers: in which order, and how often, a loader goes through the items. Each is a function of the epoch, so that a loader
// can say where it stands with two numbers, and go on from there.
import { check, checkNumber, checkOptions, checkWhole, told, ValueError } from "../errors.ts";
import { seedOf, shuffled, uniformAt } from "../tensor/philox.ts";

/**
 * The order of an epoch: anything with these two. `order` must give the same positions for the same epoch again: a resumed run
 * asks anew.
 *
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.Sampler
 */
export interface Sampler {
  /** How many positions an epoch has. */
  readonly length: number;
  /** Positions in the data set, in the order of epoch `epoch` (from 0). */
  order(epoch: number): Int32Array<ArrayBuffer>;
}

/** The batches of an epoch: anything with these two, such as batches of texts of similar lengths. */
export interface BatchOrder {
  /** How many batches an epoch has. */
  readonly length: number;
  /** Positions in the data set, a batch each, for epoch `epoch` (from 0). */
  batches(epoch: number): readonly Int32Array<ArrayBuffer>[];
}

/** Seeded samplers take this. */
export interface SeedOptions {
  /** Of the order, a whole number; each epoch has an order of its own. Default 0. */
  seed?: number;
}

/** Counted down from the last stream: the device's generator, which may have the same seed, counts up from the first. */
const streamOf = (epoch: number): number => 2 ** 32 - 1 - epoch;

/** The numbers 0 to n - 1 in the random order of an epoch. */
export const shuffledOrder = (n: number, seed: number, epoch: number): Int32Array<ArrayBuffer> =>
  shuffled(n, seedOf(seed), streamOf(epoch));

/** The numbers 0 to n - 1. */
export const inOrder = (n: number): Int32Array<ArrayBuffer> => Int32Array.from({ length: n }, (_, i) => i);

/** Throws unless it is an epoch's number. */
export const checkEpoch = (name: string, epoch: number): void => checkWhole(name, "the epoch", epoch, 0, 2 ** 32 - 1);

function sizeOfSource(name: string, source: { readonly length: number }): number {
  const length = typeof source === "object" && source !== null ? source.length : undefined;
  check(
    Number.isSafeInteger(length) && Number(length) >= 0,
    () => `[${name}] takes a data set, or anything with a length, got ${told(source)}`,
    ValueError,
  );
  return Number(length);
}

/** The data set's own order. @see https://pytorch.org/docs/stable/data.html#torch.utils.data.SequentialSampler */
export class SequentialSampler implements Sampler {
  /** How many positions an epoch has. */
  readonly length: number;

  constructor(dataSource: { readonly length: number }) {
    this.length = sizeOfSource("SequentialSampler", dataSource);
  }

  /** 0 to length - 1, in each epoch. */
  order(epoch = 0): Int32Array<ArrayBuffer> {
    checkEpoch("SequentialSampler", epoch);
    return inOrder(this.length);
  }
}

/**
 * A new order in each epoch: a permutation, or with `replacement` each position drawn from all.
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.RandomSampler
 */
export class RandomSampler implements Sampler {
  /** How many positions an epoch has. */
  readonly length: number;
  readonly #items: number;
  readonly #options: { readonly seed: number; readonly replacement: boolean };

  /** @throws ValueError for options out of range */
  constructor(
    dataSource: { readonly length: number },
    options: SeedOptions & {
      /** Draw each position from all, so that some come twice. Default false. */
      replacement?: boolean;
      /** Positions an epoch; more than there are items go through them again. Default: as many as there are items. */
      numSamples?: number;
    } = {},
  ) {
    this.#items = sizeOfSource("RandomSampler", dataSource);
    checkOptions("RandomSampler", options, ["seed", "replacement", "numSamples"]);
    const { seed = 0, replacement = false, numSamples = this.#items } = options;
    checkWhole("RandomSampler", "seed", seed, 0);
    checkWhole("RandomSampler", "numSamples", numSamples, 0, 2 ** 31);
    checkFlag("RandomSampler", "replacement", replacement);
    check(
      numSamples === 0 || this.#items > 0,
      () => `[RandomSampler] ${numSamples} samples were asked for of a data set without items`,
      ValueError,
    );
    this.length = numSamples;
    this.#options = { seed, replacement };
  }

  /** The positions of an epoch. */
  order(epoch = 0): Int32Array<ArrayBuffer> {
    checkEpoch("RandomSampler", epoch);
    const { seed, replacement } = this.#options;
    const n = this.#items;
    if (replacement) {
      const words = seedOf(seed);
      return Int32Array.from({ length: this.length }, (_, i) => Math.floor(uniformAt(i, words, streamOf(epoch)) * n));
    }
    const order = new Int32Array(this.length);
    for (let round = 0; round * n < order.length; round++) {
      // Each round through the items has an order of its own: the upper word of the seed tells them apart.
      const permuted = shuffledOrder(n, seed + round * 2 ** 32, epoch);
      order.set(permuted.subarray(0, order.length - round * n), round * n);
    }
    return order;
  }
}

/** Given positions, in a new order each epoch. @see https://pytorch.org/docs/stable/data.html#torch.utils.data.SubsetRandomSampler */
export class SubsetRandomSampler implements Sampler {
  readonly #indices: Int32Array<ArrayBuffer>;
  readonly #seed: number;

  /** @throws ValueError for a position that is no whole number from 0 on */
  constructor(indices: Iterable<number>, options: SeedOptions = {}) {
    checkOptions("SubsetRandomSampler", options, ["seed"]);
    const { seed = 0 } = options;
    checkWhole("SubsetRandomSampler", "seed", seed, 0);
    const list = numbers("SubsetRandomSampler", "positions", indices);
    for (const index of list) checkWhole("SubsetRandomSampler", "each position", index, 0, 2 ** 31 - 1);
    this.#indices = Int32Array.from(list);
    this.#seed = seed;
  }

  /** How many positions an epoch has. */
  get length(): number {
    return this.#indices.length;
  }

  /** The positions in the order of an epoch. */
  order(epoch = 0): Int32Array<ArrayBuffer> {
    checkEpoch("SubsetRandomSampler", epoch);
    return shuffledOrder(this.length, this.#seed, epoch).map((i) => this.#indices[i] ?? 0);
  }
}

/**
 * Positions drawn by weight, which need not add up to 1: for classes of unequal sizes, 1 / (size of its class) an item. Without
 * replacement a position comes at most once, as if drawn one after the other (Efraimidis and Spirakis, Weighted random
 * sampling with a reservoir, 2006).
 *
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.WeightedRandomSampler
 */
export class WeightedRandomSampler implements Sampler {
  /** How many positions an epoch has. */
  readonly length: number;
  readonly #weights: Float64Array;
  readonly #options: { readonly seed: number; readonly replacement: boolean };

  /** @throws ValueError for weights below 0, all 0, or fewer above 0 than are drawn without replacement */
  constructor(
    weights: Iterable<number>,
    numSamples: number,
    options: SeedOptions & {
      /** Draw each position from all, so that some come twice. Default true. */
      replacement?: boolean;
    } = {},
  ) {
    checkOptions("WeightedRandomSampler", options, ["seed", "replacement"]);
    const { seed = 0, replacement = true } = options;
    checkWhole("WeightedRandomSampler", "seed", seed, 0);
    checkWhole("WeightedRandomSampler", "numSamples", numSamples, 1, 2 ** 31);
    checkFlag("WeightedRandomSampler", "replacement", replacement);
    const list = numbers("WeightedRandomSampler", "weights", weights);
    for (const weight of list) checkNumber("WeightedRandomSampler", "each weight", weight, 0, Number.MAX_VALUE);
    const positive = list.filter((weight) => weight > 0).length;
    const needed = replacement ? 1 : numSamples;
    check(
      positive >= needed,
      () => `[WeightedRandomSampler] ${positive} weights are above 0, but at least ${needed} must be`,
      ValueError,
    );
    this.length = numSamples;
    this.#weights = Float64Array.from(list);
    this.#options = { seed, replacement };
  }

  /** The positions of an epoch. */
  order(epoch = 0): Int32Array<ArrayBuffer> {
    checkEpoch("WeightedRandomSampler", epoch);
    const { seed, replacement } = this.#options;
    const words = seedOf(seed);
    const draw = (i: number) => uniformAt(i, words, streamOf(epoch));
    return replacement ? this.#withReplacement(draw) : this.#withoutReplacement(draw);
  }

  #withReplacement(draw: (i: number) => number): Int32Array<ArrayBuffer> {
    let sum = 0;
    const ends = this.#weights.map((weight) => {
      sum += weight;
      return sum;
    });
    return Int32Array.from({ length: this.length }, (_, i) => {
      const at = draw(i) * sum;
      // The first position whose end is above: one of weight 0 has the end of the one before.
      let [low, high] = [0, ends.length - 1];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((ends[middle] ?? 0) > at) high = middle;
        else low = middle + 1;
      }
      return low;
    });
  }

  #withoutReplacement(draw: (i: number) => number): Int32Array<ArrayBuffer> {
    const keys = this.#weights.map((weight, i) =>
      weight > 0 ? -Math.log(1 - draw(i)) / weight : Number.POSITIVE_INFINITY,
    );
    const order = inOrder(keys.length).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0));
    return order.slice(0, this.length);
  }
}

/** A sampler's positions in batches. @see https://pytorch.org/docs/stable/data.html#torch.utils.data.BatchSampler */
export class BatchSampler implements BatchOrder {
  readonly #sampler: Sampler;
  readonly #batchSize: number;
  readonly #dropLast: boolean;

  /** @throws ValueError for what is no sampler, or a batch size below 1 */
  constructor(sampler: Sampler, batchSize: number, dropLast = false) {
    checkSampler("BatchSampler", sampler, "order");
    checkWhole("BatchSampler", "batchSize", batchSize, 1);
    checkFlag("BatchSampler", "dropLast", dropLast);
    this.#sampler = sampler;
    this.#batchSize = batchSize;
    this.#dropLast = dropLast;
  }

  /** How many batches an epoch has. */
  get length(): number {
    return batchCount(this.#sampler.length, this.#batchSize, this.#dropLast);
  }

  /** The batches of an epoch. */
  batches(epoch = 0): Int32Array<ArrayBuffer>[] {
    checkEpoch("BatchSampler", epoch);
    return inBatches(this.#sampler.order(epoch), this.#batchSize, this.#dropLast);
  }
}

/** How many batches n items make. */
export const batchCount = (n: number, batchSize: number, dropLast: boolean): number =>
  dropLast ? Math.floor(n / batchSize) : Math.ceil(n / batchSize);

/** Positions in batches. */
export const inBatches = (
  order: Int32Array<ArrayBuffer>,
  batchSize: number,
  dropLast: boolean,
): Int32Array<ArrayBuffer>[] =>
  Array.from({ length: batchCount(order.length, batchSize, dropLast) }, (_, i) =>
    order.slice(i * batchSize, (i + 1) * batchSize),
  );

/** Throws unless it has a length and the method. */
export function checkSampler(name: string, sampler: unknown, method: "order" | "batches"): void {
  check(
    typeof sampler === "object" &&
      sampler !== null &&
      Number.isSafeInteger(Reflect.get(sampler, "length")) &&
      typeof Reflect.get(sampler, method) === "function",
    () => `[${name}] takes a sampler, an object with a length and a method ${method}(epoch), got ${told(sampler)}`,
    ValueError,
  );
}

/** Throws unless it is true or false. */
export function checkFlag(name: string, what: string, value: unknown): void {
  check(typeof value === "boolean", () => `[${name}] ${what} must be true or false, got ${told(value)}`, ValueError);
}

function numbers(name: string, what: string, given: Iterable<number>): number[] {
  check(
    typeof given === "object" && given !== null && Symbol.iterator in given,
    () => `[${name}] takes an array of ${what}, got ${told(given)}`,
    ValueError,
  );
  return [...given];
}
