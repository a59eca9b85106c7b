// DataLoader: the batches of a data set on the device, in order or shuffled, with a bounded number of steps in flight.
import { check, checkOptions, checkWhole, StateDictError, told, ValueError } from "../errors.ts";
import { fromHost } from "../tensor/create.ts";
import { shuffled } from "../tensor/philox.ts";
import { keep } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { GpuDataset, type ImageBatch } from "./gpu-dataset.ts";
import { checkTransform, type Transform } from "./transforms.ts";

/** What `DataLoader` takes beside the data set. */
export interface DataLoaderOptions {
  /** Images a batch. Default 1. */
  batchSize?: number;
  /** A new order each epoch. Default false: the data set's own order. */
  shuffle?: boolean;
  /** Of the order, a whole number; augmentation follows `manualSeed`. Default 0. */
  seed?: number;
  /** Leave out the last batch where it is smaller. Default false. */
  dropLast?: boolean;
  /** Augmentation and normalisation of each batch, on the device. Default: none. */
  transform?: Transform;
  /** Submissions of commands that may be unfinished while the loop goes on (a replayed step takes about three). Default 6. */
  inFlight?: number;
}

const OPTIONS = ["batchSize", "shuffle", "seed", "dropLast", "transform", "inFlight"];

/** A batch as positions in the data set. */
export interface IndexBatch {
  /** i32 [N]: positions in the data set. */
  readonly indices: Tensor;
  /** How many of them are images; less than N where a last batch was padded. */
  readonly size: number;
}

/** A batch with its images, labels and positions. */
export interface LoadedBatch extends ImageBatch, IndexBatch {}

/** What a `DataLoader` needs to go on where it was. JSON. */
export interface DataLoaderState {
  /** The epoch that the next batch belongs to. */
  readonly epoch: number;
  /** How many batches of it were given out. */
  readonly batch: number;
  /** What the order depends on: it must be that of the loader that goes on. */
  readonly order: Readonly<Record<"images" | "batchSize" | "shuffle" | "seed" | "dropLast", number | boolean>>;
}

/**
 * The batches of a data set: `for await (const { images, labels } of loader) ...`. It waits before each batch until the
 * device has nearly caught up, so that a loop without readback neither stalls nor runs ahead without bound.
 *
 * A batch's tensors are freed when the loop goes on or ends; a handle made with `detach()` lives longer.
 *
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader
 */
export class DataLoader implements AsyncIterable<LoadedBatch> {
  /** Whose images it loads. */
  readonly dataset: GpuDataset;
  /** Images a batch, the last one apart. */
  readonly batchSize: number;
  readonly #options: DataLoaderOptions;
  #epoch = 0;
  /** Of the epoch before, while a loop goes on: how many batches it was given. */
  #given = 0;
  /** The first batch of the next loop: above 0 where a state was loaded that was saved in the middle of an epoch. */
  #first = 0;

  /** @throws ValueError for a batch size or seed out of range, or where no batch would be left */
  constructor(dataset: GpuDataset, options: DataLoaderOptions = {}) {
    check(
      dataset instanceof GpuDataset,
      () => `[DataLoader] got ${told(dataset)} in the place of a GpuDataset: upload yours with new GpuDataset(dataset)`,
      ValueError,
    );
    checkOptions("DataLoader", options, OPTIONS);
    const { batchSize = 1, seed = 0, inFlight = 6, dropLast = false, transform } = options;
    checkWhole("DataLoader", "batchSize", batchSize, 1);
    checkWhole("DataLoader", "seed", seed, 0);
    checkWhole("DataLoader", "inFlight", inFlight, 0);
    if (transform !== undefined) checkTransform("DataLoader", transform);
    check(
      !dropLast || batchSize <= dataset.length,
      () =>
        `[DataLoader] dropLast leaves no batch of ${batchSize} out of ${dataset.length} images: use a smaller batchSize`,
      ValueError,
    );
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.#options = options;
  }

  /** Batches an epoch. */
  get length(): number {
    const batches = this.dataset.length / this.batchSize;
    return this.#options.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** The epoch that the next loop will be: counts up from 0 with each one. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Sets the epoch of the next loop: a resumed run sees the same order as an uninterrupted one. */
  setEpoch(epoch: number): void {
    checkWhole("DataLoader", "the epoch", epoch, 0);
    this.#epoch = epoch;
    this.#first = 0;
    this.#given = 0;
  }

  /**
   * Where the loader stands, also in the middle of a loop or after one that was left by `break`: the batch that the loop has,
   * or had last, counts as given out.
   */
  stateDict(): DataLoaderState {
    const { shuffle = false, seed = 0, dropLast = false } = this.#options;
    const order = { images: this.dataset.length, batchSize: this.batchSize, shuffle, seed, dropLast };
    // An epoch whose last batch was given out is over.
    const inEpoch = this.#given > 0 && this.#given < this.length;
    return inEpoch
      ? { epoch: this.#epoch - 1, batch: this.#given, order }
      : { epoch: this.#epoch, batch: this.#first, order };
  }

  /**
   * The next loop goes on from a state: with the batches of its epoch that were not given out yet. Nothing changes when an
   * error is found.
   * @throws StateDictError for what is no state, or the state of a loader of other images, options or seed.
   */
  loadStateDict(state: DataLoaderState): void {
    const expectFit = (condition: boolean, message: () => string) =>
      check(condition, () => `[loadStateDict] ${message()}`, StateDictError);
    const isCount = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0;
    const { order: own } = this.stateDict();
    const { epoch, batch, order } = state ?? {};
    expectFit(
      isCount(epoch) && isCount(batch) && typeof order === "object" && order !== null,
      () => `got ${told(state)} in the place of a DataLoader's state: pass what its stateDict() gave`,
    );
    const other = (Object.keys(own) as (keyof typeof own)[]).filter((key) => order[key] !== own[key]);
    expectFit(
      other.length === 0,
      () =>
        `the loader has another order: ${other.map((key) => `${key} was ${order[key]}, is ${own[key]}`).join(", ")}`,
    );
    expectFit(batch < this.length, () => `the state is of batch ${batch}, but an epoch has ${this.length}`);
    this.setEpoch(epoch);
    this.#first = batch;
  }

  /** The positions of all images in the order of `epoch`. */
  order(epoch = this.#epoch): Int32Array<ArrayBuffer> {
    checkWhole("DataLoader", "the epoch", epoch, 0);
    const { shuffle = false, seed = 0 } = this.#options;
    if (!shuffle) return Int32Array.from({ length: this.dataset.length }, (_, i) => i);
    // Counted down from the last stream: the device's generator, which may have the same seed, counts up from the first.
    return shuffled(this.dataset.length, [seed >>> 0, Math.floor(seed / 2 ** 32)], 2 ** 32 - 1 - epoch);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<LoadedBatch, void, undefined> {
    for await (const { indices, size } of this.indexBatches()) {
      const { images, labels } = this.dataset.batch(indices, this.#options.transform);
      try {
        yield { images: keep(images), labels: keep(labels), indices, size };
      } finally {
        images.dispose();
        labels.dispose();
      }
    }
  }

  /**
   * The same batches as indices alone, for a captured step that calls `dataset.batch` itself. With `pad`, a smaller last
   * batch is filled up with -1, so that every batch has the same shape: `dataset.batch` makes black images with label -100
   * of them. That suits evaluation; in training they would enter batch norm's statistics.
   */
  async *indexBatches(
    options: {
      /** Fill a smaller last batch up with -1. Default false. */
      pad?: boolean;
    } = {},
  ): AsyncGenerator<IndexBatch, void, undefined> {
    checkOptions("DataLoader.indexBatches", options, ["pad"]);
    const { pad = false } = options;
    const order = this.order();
    this.#epoch++;
    const { batchSize, length } = this;
    const { device } = this.dataset;
    const first = this.#first;
    this.#first = 0;
    this.#given = 0;
    for (let i = first; i < length; i++) {
      this.#given = i + 1;
      const part = order.slice(i * batchSize, (i + 1) * batchSize);
      const values = pad ? new Int32Array(batchSize).fill(-1) : part;
      values.set(part);
      const indices = keep(fromHost(values, [values.length], "i32", { device }));
      try {
        yield { indices, size: part.length };
      } finally {
        indices.dispose();
      }
      await device.queue.idle(this.#options.inFlight ?? 6);
    }
  }
}
