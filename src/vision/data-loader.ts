// DataLoader: the batches of a data set on the device, in order or shuffled, with a bounded number of steps in flight.
import { EpochLoader, type LoaderState } from "../data/epoch-loader.ts";
import { batchCount, inOrder, shuffledOrder } from "../data/sampler.ts";
import { check, checkOptions, checkWhole, told, ValueError } from "../errors.ts";
import { fromHost } from "../tensor/create.ts";
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

/** What a `DataLoader` of pictures needs to go on where it was. JSON. */
export type DataLoaderState = LoaderState<
  Readonly<Record<"images" | "batchSize" | "shuffle" | "seed" | "dropLast", number | boolean>>
>;

/**
 * The batches of a data set: `for await (const { images, labels } of loader) ...`. It waits before each batch until the
 * device has nearly caught up, so that a loop without readback neither stalls nor runs ahead without bound.
 *
 * A batch's tensors are freed when the loop goes on or ends; a handle made with `detach()` lives longer.
 *
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader
 */
export class DataLoader extends EpochLoader<DataLoaderState["order"]> implements AsyncIterable<LoadedBatch> {
  /** Whose images it loads. */
  readonly dataset: GpuDataset;
  /** Images a batch, the last one apart. */
  readonly batchSize: number;
  readonly #options: DataLoaderOptions;

  /** @throws ValueError for a batch size or seed out of range, or where no batch would be left */
  constructor(dataset: GpuDataset, options: DataLoaderOptions = {}) {
    super("DataLoader");
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
    return batchCount(this.dataset.length, this.batchSize, this.#options.dropLast ?? false);
  }

  protected override batchCount(): number {
    return this.length;
  }

  protected override facts(): DataLoaderState["order"] {
    const { shuffle = false, seed = 0, dropLast = false } = this.#options;
    return { images: this.dataset.length, batchSize: this.batchSize, shuffle, seed, dropLast };
  }

  /** The positions of all images in the order of `epoch`. */
  order(epoch: number = this.epoch): Int32Array<ArrayBuffer> {
    checkWhole("DataLoader", "the epoch", epoch, 0);
    const { shuffle = false, seed = 0 } = this.#options;
    return shuffle ? shuffledOrder(this.dataset.length, seed, epoch) : inOrder(this.dataset.length);
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
    const { batchSize, length } = this;
    const { device } = this.dataset;
    const { epoch, first } = this.begin();
    const order = this.order(epoch);
    for (let i = first; i < length; i++) {
      this.give(i + 1);
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
    this.finish();
  }
}
