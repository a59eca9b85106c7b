// DataLoader: the batches of any data set, in an order that is a function of the epoch, with items fetched ahead.
//
// Fetching is the host's part and may run early and in any order; collation is the device's part and runs when its batch is
// given out. So random numbers that transforms draw depend on the order of batches alone, and a run that is resumed in the
// middle of an epoch sees the same pictures.
import { context } from "../context.ts";
import { check, checkFunction, checkOptions, checkWhole, DataError, StateError, told, ValueError } from "../errors.ts";
import { type Disposable, scope } from "../tensor/scope.ts";
import { type Collated, defaultCollate } from "./collate.ts";
import { type BatchDataset, type Dataset, hasMethod } from "./dataset.ts";
import { EpochLoader, type OrderFacts } from "./epoch-loader.ts";
import {
  type BatchOrder,
  batchCount,
  checkEpoch,
  checkFlag,
  checkSampler,
  inBatches,
  inOrder,
  type Sampler,
  shuffledOrder,
} from "./sampler.ts";

/** Makes a batch of items; `positions` are theirs in the data set. Synchronous: the batch frees the tensors that it makes. */
export type Collate<Item, Batch> = (items: Item[], positions: Int32Array<ArrayBuffer>) => Batch;

/** What `DataLoader` takes beside the data set. */
export interface DataLoaderOptions {
  /** Items a batch. Default 1. */
  batchSize?: number;
  /** A new order each epoch. Default false: the data set's own order. */
  shuffle?: boolean;
  /** Of the order, a whole number. Default 0. */
  seed?: number;
  /** Leave out the last batch where it is smaller. Default false. */
  dropLast?: boolean;
  /** The order, in the place of `shuffle` and `seed`. Default: these. */
  sampler?: Sampler;
  /** The batches, in the place of `batchSize`, `shuffle`, `dropLast` and `sampler`. Default: these. */
  batchSampler?: BatchOrder;
  /**
   * Batches whose items are fetched ahead, where the data set's `get` gives promises or its items come asynchronously.
   * Default 2.
   */
  prefetch?: number;
  /** Submissions of commands that may be unfinished while the loop goes on. Default 6. */
  inFlight?: number;
}

/** Items without a `get`: an array, or any iterable, such as what reads a stream; it is iterated over anew for each epoch. */
export type IterableItems<Item> = Iterable<Item> | AsyncIterable<Item>;

const OPTIONS = [
  "batchSize",
  "shuffle",
  "seed",
  "dropLast",
  "sampler",
  "batchSampler",
  "prefetch",
  "inFlight",
  "collate",
];

/** Items of one batch, on their way. */
interface Fetched {
  /** Whether the host waits for them: only then it is of use to fetch more meanwhile. */
  readonly waits: boolean;
  readonly result: Promise<Items | null>;
}

interface Items {
  readonly items: unknown[];
  readonly positions: Int32Array<ArrayBuffer>;
  /** Tensors that were made for them. */
  readonly made: ReadonlySet<Disposable>;
}

/** In the place of an item that cannot be had. */
class Failure {
  readonly error: DataError;

  constructor(what: string, cause: unknown) {
    const message = cause instanceof Error ? cause.message : told(cause);
    this.error = new DataError(`[DataLoader] ${what} cannot be had: ${message}`, { cause });
  }
}

/** The class behind `DataLoader`, whose declaration says which batches come of which data set. */
class Loader<Batch> extends EpochLoader implements AsyncIterable<Batch> {
  /** Whose items it loads. */
  readonly dataset: Dataset<unknown> | BatchDataset<unknown> | IterableItems<unknown>;
  readonly #options: DataLoaderOptions & { readonly collate?: Collate<unknown, unknown> };
  readonly #batchSize: number;
  /** What of it there is: positions, and whole batches by position. */
  readonly #get: Dataset<unknown> | null;
  readonly #getBatch: BatchDataset<unknown> | null;

  constructor(
    dataset: Dataset<unknown> | BatchDataset<unknown> | IterableItems<unknown>,
    options: DataLoaderOptions & { readonly collate?: Collate<unknown, unknown> } = {},
  ) {
    super("DataLoader");
    const isList = Array.isArray(dataset);
    const byPosition = isList || hasMethod(dataset, "get") || hasMethod(dataset, "getBatch");
    check(
      byPosition || isIterable(dataset),
      () =>
        `[DataLoader] takes a data set, an object with a length and a method get(index), or an iterable of items; got ${told(dataset)} (pictures on the device, a GpuDataset, are for vision.DataLoader)`,
      ValueError,
    );
    checkOptions("DataLoader", options, OPTIONS);
    const { batchSize = 1, shuffle = false, seed = 0, dropLast = false, prefetch = 2, inFlight = 6 } = options;
    const { sampler, batchSampler, collate } = options;
    checkWhole("DataLoader", "batchSize", batchSize, 1);
    checkWhole("DataLoader", "seed", seed, 0);
    checkWhole("DataLoader", "prefetch", prefetch, 0);
    checkWhole("DataLoader", "inFlight", inFlight, 0);
    checkFlag("DataLoader", "shuffle", shuffle);
    checkFlag("DataLoader", "dropLast", dropLast);
    if (collate !== undefined) checkFunction("DataLoader", "collate", collate);
    if (sampler !== undefined) checkSampler("DataLoader", sampler, "order");
    if (batchSampler !== undefined) checkSampler("DataLoader", batchSampler, "batches");
    const orders = { shuffle, seed: seed !== 0 };
    const sizes = { batchSize: batchSize !== 1, dropLast, sampler: sampler !== undefined };
    const taken = { ...((sampler ?? batchSampler) && orders), ...(batchSampler && sizes) };
    const [twice] = Object.entries(taken).find(([, isGiven]) => isGiven) ?? [];
    check(
      twice === undefined,
      () => `[DataLoader] a ${batchSampler ? "batchSampler" : "sampler"} gives the order: leave out ${twice}`,
      ValueError,
    );
    const bare = byPosition || !(shuffle || sampler || batchSampler);
    check(bare, () => "[DataLoader] an iterable has no positions: leave out shuffle and samplers", ValueError);
    this.dataset = dataset;
    this.#options = options;
    this.#batchSize = batchSize;
    this.#get = isList ? byIndex(dataset) : hasMethod(dataset, "get") ? (dataset as Dataset<unknown>) : null;
    const makesBatches = collate === undefined && hasMethod(dataset, "getBatch");
    this.#getBatch = makesBatches ? (dataset as BatchDataset<unknown>) : null;
    check(
      !byPosition || this.#get !== null || this.#getBatch !== null,
      () => "[DataLoader] a collate needs items: the data set has no method get(index)",
      ValueError,
    );
    check(
      !byPosition || !dropLast || this.batchCount() > 0,
      () =>
        `[DataLoader] dropLast leaves no batch of ${batchSize} out of ${this.#count()} items: use a smaller batchSize`,
      ValueError,
    );
  }

  /** Batches an epoch. Throws `StateError` where the data set is an iterable: nobody knows before its end. */
  get length(): number {
    const count = this.batchCount();
    check(
      Number.isFinite(count),
      () => "[DataLoader] how many batches an iterable has is not known before its end",
      StateError,
    );
    return count;
  }

  /** The positions of all items in the order of `epoch`. Throws `StateError` where the data set is an iterable. */
  order(epoch: number = this.epoch): Int32Array<ArrayBuffer> {
    checkEpoch("DataLoader", epoch);
    const { shuffle = false, seed = 0, sampler, batchSampler } = this.#options;
    const items = this.#items();
    check(Number.isFinite(items), () => "[DataLoader] an iterable has no positions", StateError);
    if (batchSampler) return Int32Array.from(this.#batches(epoch).flatMap((batch) => [...batch]));
    if (sampler) return this.#checked(sampler.order(epoch));
    return shuffle ? shuffledOrder(items, seed, epoch) : inOrder(items);
  }

  protected override batchCount(): number {
    const { batchSampler, dropLast = false } = this.#options;
    return batchSampler?.length ?? batchCount(this.#count(), this.#batchSize, dropLast);
  }

  protected override facts(epoch: number): OrderFacts {
    const { shuffle = false, seed = 0, dropLast = false, sampler, batchSampler } = this.#options;
    const items = this.#items();
    const facts = { batchSize: this.#batchSize, shuffle, seed, dropLast };
    if (!Number.isFinite(items)) return facts;
    // A sampler is known by what it does.
    return { items, ...facts, ...((sampler || batchSampler) && { checksum: checksum(this.#batches(epoch)) }) };
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    const { epoch, first } = this.begin();
    const { prefetch = 2, inFlight = 6 } = this.#options;
    const source = Number.isFinite(this.#items()) ? this.#byPosition(epoch, first) : this.#inTurn(first);
    const ahead: Fetched[] = [];
    try {
      for (let i = first; ; i++) {
        const fetched = ahead.shift() ?? source.fetch();
        if (fetched === null) break;
        for (let waits = fetched.waits; waits && ahead.length < prefetch; ) {
          const next = source.fetch();
          if (next) ahead.push(next);
          waits = next !== null;
        }
        const got = await fetched.result;
        if (got === null) break;
        this.give(i + 1);
        if (!this.#getBatch && got.items.length === 0) continue; // all were left out
        const { batch, made } = this.#batchOf(got);
        try {
          yield batch;
        } finally {
          for (const tensor of [...made, ...got.made]) tensor.dispose();
        }
        // A collate of the host's alone needs no device.
        await context.device?.queue.idle(inFlight);
      }
      this.finish();
    } finally {
      source.close();
      for (const { result } of ahead) result.then((rest) => rest?.made.forEach((t) => void t.dispose()), nothing);
    }
  }

  /** Items by position, several at once. */
  #byPosition(epoch: number, first: number): Source {
    const batches = this.#batches(epoch);
    let next = first;
    return {
      fetch: () => {
        const positions = batches[next++];
        if (!positions) return null;
        if (this.#getBatch) return { waits: false, result: Promise.resolve({ items: [], positions, made: new Set() }) };
        const { result: items, made } = tracking(() => Array.from(positions, (i) => this.#item(i)));
        const result = Promise.all(items).then((all) => ({ ...present(whole(all, made), positions), made }));
        result.catch(nothing); // told when it is the batch's turn
        return { waits: items.some((item) => item instanceof Promise), result };
      },
      close: nothing,
    };
  }

  /** An item, a promise of it, or what went wrong. */
  #item(index: number): unknown {
    const failed = (cause: unknown) => new Failure(`item ${index} of the data set`, cause);
    try {
      const item = this.#get?.get(index);
      return isThenable(item) ? Promise.resolve(item).catch(failed) : item;
    } catch (cause) {
      return failed(cause);
    }
  }

  /** Items of an iterable, one after the other. */
  #inTurn(first: number): Source {
    const { dropLast = false } = this.#options;
    const size = this.#batchSize;
    const iterator = iteratorOf(this.dataset);
    const waits = Symbol.asyncIterator in this.dataset;
    let at = 0;
    let ended = false;
    const pull = async (): Promise<Items | null> => {
      const items: unknown[] = [];
      // A resumed run goes through what it has seen.
      for (; !ended && items.length < size; at++) {
        try {
          const { done, value } = await iterator.next();
          if (done) ended = true;
          else if (at >= first * size) items.push(await value);
        } catch (cause) {
          ended = true;
          throw new Failure(`item ${at} of the iterable`, cause).error;
        }
      }
      if (items.length === 0 || (dropLast && items.length < size)) return null;
      const positions = Int32Array.from(items, (_, i) => at - items.length + i - (ended ? 1 : 0));
      return { ...present(items, positions), made: new Set() };
    };
    let last: Promise<unknown> = Promise.resolve();
    return {
      fetch() {
        const result = last.then(pull);
        result.catch(nothing);
        last = result;
        return { waits, result };
      },
      close: () => {
        if (!ended) Promise.resolve(iterator.return?.()).catch(nothing);
      },
    };
  }

  #batchOf(got: Items): { batch: Batch; made: ReadonlySet<Disposable> } {
    const { collate = defaultCollate } = this.#options;
    const { items, positions } = got;
    const make = () => (this.#getBatch ? this.#getBatch.getBatch(positions) : collate(items, positions));
    try {
      const { result, made } = tracking(() => scope<unknown>(make));
      return { batch: result as Batch, made };
    } catch (error) {
      for (const tensor of got.made) tensor.dispose();
      throw error;
    }
  }

  /** How many items the data set has. */
  #items(): number {
    return (this.#get ?? this.#getBatch)?.length ?? Number.POSITIVE_INFINITY;
  }

  /** How many an epoch has. */
  #count(): number {
    return this.#options.sampler?.length ?? this.#items();
  }

  #batches(epoch: number): readonly Int32Array<ArrayBuffer>[] {
    const { batchSampler, dropLast = false } = this.#options;
    if (!batchSampler) return inBatches(this.order(epoch), this.#batchSize, dropLast);
    const batches = batchSampler.batches(epoch);
    check(
      Array.isArray(batches) && batches.length === batchSampler.length,
      () =>
        `[DataLoader] the batchSampler's batches(${epoch}) gave ${told(batches)}; expected ${batchSampler.length} batches`,
      ValueError,
    );
    return batches.map((batch) => this.#checked(batch));
  }

  #checked(order: unknown): Int32Array<ArrayBuffer> {
    const items = this.#items();
    const length = typeof order === "object" && order !== null ? Reflect.get(order, "length") : undefined;
    check(
      Number.isSafeInteger(length),
      () => `[DataLoader] a sampler gave ${told(order)}; expected positions`,
      ValueError,
    );
    return Int32Array.from(order as ArrayLike<number>, (i) => {
      check(
        Number.isInteger(i) && i >= 0 && i < items,
        () => `[DataLoader] a sampler gave position ${told(i)}; the data set has 0..${items - 1}`,
        ValueError,
      );
      return i;
    });
  }
}

interface Source {
  /** The next batch's items; null where there is none. */
  fetch(): Fetched | null;
  close(): void;
}

const nothing = (): void => {};

/** An array as a data set: a list of items has positions. */
const byIndex = (items: readonly unknown[]): Dataset<unknown> => ({ length: items.length, get: (i) => items[i] });

/** The items, unless one of them cannot be had. */
function whole(items: unknown[], made: ReadonlySet<Disposable>): unknown[] {
  const failure = items.find((item) => item instanceof Failure);
  if (!failure) return items;
  for (const tensor of made) tensor.dispose();
  throw failure.error;
}

/** Without the items that are null: those are left out of their batch. */
function present(items: unknown[], positions: Int32Array<ArrayBuffer>): Pick<Items, "items" | "positions"> {
  if (!items.includes(null)) return { items, positions };
  return {
    items: items.filter((item) => item !== null),
    positions: positions.filter((_, i) => items[i] !== null),
  };
}

/** What `fn` gives and which tensors it made that no scope inside it freed: they are the caller's, whatever scope is open. */
function tracking<T>(fn: () => T): { result: T; made: ReadonlySet<Disposable> } {
  const made = new Set<Disposable>();
  context.scopes.push(made);
  try {
    return { result: fn(), made };
  } catch (error) {
    for (const tensor of made) tensor.dispose();
    throw error;
  } finally {
    context.scopes.pop();
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && typeof Reflect.get(value, "then") === "function";

const isIterable = (value: unknown): value is IterableItems<unknown> =>
  typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);

function iteratorOf(value: unknown): Iterator<unknown> | AsyncIterator<unknown> {
  check(isIterable(value), () => `[DataLoader] got ${told(value)} in the place of an iterable`, ValueError);
  return Symbol.asyncIterator in value ? value[Symbol.asyncIterator]() : value[Symbol.iterator]();
}

/** FNV-1a of the batches' positions: tells orders apart. */
function checksum(batches: readonly Int32Array[]): number {
  let hash = 0x811c9dc5;
  const add = (value: number) => {
    hash = Math.imul(hash ^ value, 0x01000193) >>> 0;
  };
  for (const batch of batches) {
    add(batch.length);
    batch.forEach(add);
  }
  return hash;
}

/**
 * The batches of a data set: `for await (const batch of loader) ...`. What a batch is follows from the data set: one with
 * `getBatch` makes it, else `collate` of the items, by default `defaultCollate`, which stacks them.
 *
 * Items whose `get` gives promises are fetched several at once, and `prefetch` batches ahead; one that cannot be had is a
 * `DataError` with its position when its batch's turn comes, and one that is null is left out of its batch. Batches are made
 * in order, on the current device, and the loop waits until the device has nearly caught up.
 *
 * A batch's tensors are freed when the loop goes on or ends; a handle made with `detach()` lives longer. Tensors that a `get`
 * makes before its first `await` belong to the batch, later ones to whoever made them: hand out `HostTensor`s there.
 *
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader
 */
export type DataLoader<Batch> = Loader<Batch>;

/** How a `DataLoader` is made. */
export interface DataLoaderConstructor {
  /** Of a data set, whose items `collate` makes a batch of. Throws `ValueError` for options out of range. */
  new <Item, Batch>(
    dataset: Dataset<Item> | IterableItems<Item>,
    options: DataLoaderOptions & {
      /** Makes a batch of items. */
      collate: Collate<Exclude<Item, null>, Batch>;
    },
  ): DataLoader<Batch>;
  /** Of a data set that makes whole batches. Throws `ValueError` for options out of range. */
  new <Batch>(dataset: BatchDataset<Batch>, options?: DataLoaderOptions): DataLoader<Batch>;
  /** Of any data set, with `defaultCollate`. Throws `ValueError` for options out of range. */
  new <Item>(
    dataset: Dataset<Item> | IterableItems<Item>,
    options?: DataLoaderOptions,
  ): DataLoader<Collated<Exclude<Item, null>>>;
}

/** The batches of a data set, see the type of this name. */
export const DataLoader = Loader as DataLoaderConstructor;
