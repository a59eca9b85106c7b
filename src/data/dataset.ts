// Data sets: what a loader asks of one, and those that are made of tensors or of other data sets.

import { checkTensor } from "../autograd/run.ts";
import { check, checkNumber, checkOptions, checkWhole, told, ValueError } from "../errors.ts";
import { indexSelect } from "../ops/gather.ts";
import { select } from "../ops/movement.ts";
import { fromHost } from "../tensor/create.ts";
import { seedOf, shuffled } from "../tensor/philox.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * A data set by position, as PyTorch's map-style ones: anything with `length` and `get`. An item is a number, a typed array, a
 * `HostTensor`, a tensor, a text, or tuples, objects and maps of them.
 *
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.Dataset
 */
export interface Dataset<Item> {
  /** How many items there are. */
  readonly length: number;
  /** The item at a position from 0 on, or a promise of it: then loaders fetch several at once, and ahead. */
  get(index: number): Item | PromiseLike<Item>;
}

/** A data set that makes a whole batch faster than one item after the other. */
export interface BatchDataset<Batch> {
  /** How many items there are. */
  readonly length: number;
  /** The batch of the items at `indices`. Its tensors belong to whoever asks; synchronous. */
  getBatch(indices: Int32Array<ArrayBuffer>): Batch;
}

/** Whether it has a length and a method of this name. */
export const hasMethod = (value: unknown, method: "get" | "getBatch"): boolean =>
  typeof value === "object" &&
  value !== null &&
  Number.isSafeInteger(Reflect.get(value, "length")) &&
  Reflect.get(value, "length") >= 0 &&
  typeof Reflect.get(value, method) === "function";

/** Throws unless it is a data set by position. */
export function checkDataset(name: string, dataset: unknown): void {
  check(
    hasMethod(dataset, "get"),
    () => `[${name}] takes a data set, an object with a length and a method get(index), got ${told(dataset)}`,
    ValueError,
  );
}

/** Throws unless there is such an item. */
function checkPosition(name: string, index: number, length: number): void {
  check(
    Number.isInteger(index) && index >= 0 && index < length,
    () => `[${name}] there is no item ${told(index)}; expected 0..${length - 1}`,
    ValueError,
  );
}

/**
 * Tensors that go together, such as inputs [N, ...] and targets [N]: item i is the tuple of their slices i. A loader gathers a
 * batch [B, ...] of each on the device, in one launch a tensor. The tensors stay the caller's.
 *
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.TensorDataset
 */
export class TensorDataset<const T extends readonly Tensor[] = readonly Tensor[]>
  implements Dataset<{ [K in keyof T]: Tensor }>, BatchDataset<{ [K in keyof T]: Tensor }>
{
  /** The tensors. */
  readonly tensors: T;
  /** How many items there are: the first size of each tensor. */
  readonly length: number;

  /** @throws ShapeError unless all tensors have the same first size; ValueError without a tensor */
  constructor(...tensors: T) {
    for (const [i, t] of tensors.entries()) checkTensor("TensorDataset", i, t);
    const [length] = tensors[0]?.shape ?? [];
    check(
      length !== undefined,
      () => "[TensorDataset] takes tensors of at least one dimension: the first one counts the items",
      ValueError,
    );
    for (const [i, { shape, device }] of tensors.entries()) {
      check(
        shape[0] === length,
        () =>
          `[TensorDataset] tensor ${i} has ${shape[0] ?? "no"} items, tensor 0 has ${length}: all must have as many`,
      );
      check(
        device === tensors[0]?.device,
        () => `[TensorDataset] tensor ${i} lives on another device than tensor 0`,
        ValueError,
      );
    }
    this.tensors = tensors;
    this.length = length;
  }

  /** Slice `index` of each tensor. Throws `ValueError` where there is no such item. */
  get(index: number): { [K in keyof T]: Tensor } {
    checkPosition("TensorDataset", index, this.length);
    return this.tensors.map((t) => select(t, 0, index)) as { [K in keyof T]: Tensor };
  }

  /** The rows `indices` of each tensor: [B, ...]. Throws `ValueError` where there is no such item. */
  getBatch(indices: Int32Array<ArrayBuffer>): { [K in keyof T]: Tensor } {
    check(
      indices instanceof Int32Array,
      () => `[TensorDataset] indices must be an Int32Array, got ${told(indices)}`,
      ValueError,
    );
    for (const index of indices) checkPosition("TensorDataset", index, this.length);
    const device = this.tensors[0]?.device;
    const rows = fromHost(indices.slice(), [indices.length], "i32", device && { device });
    const batch = this.tensors.map((t) => indexSelect(t, 0, rows));
    rows.dispose();
    return batch as { [K in keyof T]: Tensor };
  }
}

/**
 * Some items of a data set, in the order of `indices`.
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.Subset
 */
export class Subset<Item> implements Dataset<Item> {
  /** The whole. */
  readonly dataset: Dataset<Item>;
  /** Positions in the whole. */
  readonly indices: Int32Array<ArrayBuffer>;
  /** A batch of the whole by positions in the subset, where the whole has one. */
  declare readonly getBatch?: (indices: Int32Array<ArrayBuffer>) => Item;

  /** @throws ValueError for a position that the whole does not have */
  constructor(dataset: Dataset<Item>, indices: Iterable<number>) {
    checkDataset("Subset", dataset);
    const positions = positionsOf("Subset", indices, dataset.length);
    this.dataset = dataset;
    this.indices = positions;
    if (hasMethod(dataset, "getBatch")) {
      const whole = dataset as Dataset<Item> & BatchDataset<Item>;
      this.getBatch = (chosen) => whole.getBatch(chosen.map((i) => this.#at(i)));
    }
  }

  /** How many items there are. */
  get length(): number {
    return this.indices.length;
  }

  /** The item at a position in the subset. Throws `ValueError` where there is none. */
  get(index: number): Item | PromiseLike<Item> {
    return this.dataset.get(this.#at(index));
  }

  #at(index: number): number {
    checkPosition("Subset", index, this.length);
    return this.indices[index] ?? 0;
  }
}

/** Positions, each checked to be one of `length`. */
export function positionsOf(name: string, indices: Iterable<number>, length: number): Int32Array<ArrayBuffer> {
  check(
    typeof indices === "object" && indices !== null && Symbol.iterator in indices,
    () => `[${name}] takes an array of positions, got ${told(indices)}`,
    ValueError,
  );
  const list = [...indices];
  for (const index of list) checkPosition(name, index, length);
  return Int32Array.from(list);
}

/**
 * Data sets one after the other.
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.ConcatDataset
 */
export class ConcatDataset<Item> implements Dataset<Item> {
  /** The parts. */
  readonly datasets: readonly Dataset<Item>[];
  /** Where each part ends. */
  readonly cumulativeSizes: readonly number[];

  /** @throws ValueError without a data set */
  constructor(datasets: readonly Dataset<Item>[]) {
    check(
      Array.isArray(datasets) && datasets.length > 0,
      () => `[ConcatDataset] takes an array of data sets, got ${told(datasets)}`,
      ValueError,
    );
    let end = 0;
    this.cumulativeSizes = Array.from(datasets, (dataset) => {
      checkDataset("ConcatDataset", dataset);
      end += dataset.length;
      return end;
    });
    this.datasets = [...datasets];
  }

  /** How many items there are. */
  get length(): number {
    return this.cumulativeSizes.at(-1) ?? 0;
  }

  /** The item at a position in the whole. Throws `ValueError` where there is none. */
  get(index: number): Item | PromiseLike<Item> {
    checkPosition("ConcatDataset", index, this.length);
    const part = this.cumulativeSizes.findIndex((end) => index < end);
    const dataset = this.datasets[part];
    check(dataset !== undefined, () => `[ConcatDataset] there is no item ${index}`, ValueError);
    return dataset.get(index - (this.cumulativeSizes[part - 1] ?? 0));
  }
}

/**
 * Divides a data set at random into parts that do not overlap: of these lengths, or of these fractions of the whole, which add
 * up to 1 (what rounding leaves over goes to the first parts).
 *
 * @throws ValueError where the lengths do not add up
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.random_split
 */
export function randomSplit<Item, const Lengths extends readonly number[]>(
  dataset: Dataset<Item>,
  lengths: Lengths,
  options: {
    /** Of the order, a whole number. Default 0. */
    seed?: number;
  } = {},
): { -readonly [K in keyof Lengths]: Subset<Item> } {
  checkDataset("randomSplit", dataset);
  checkOptions("randomSplit", options, ["seed"]);
  const { seed = 0 } = options;
  checkWhole("randomSplit", "seed", seed, 0);
  check(Array.isArray(lengths), () => `[randomSplit] takes an array of lengths, got ${told(lengths)}`, ValueError);
  for (const part of Array.from(lengths)) checkNumber("randomSplit", "each length", part, 0);
  const { length } = dataset;
  const sum = lengths.reduce((a, b) => a + b, 0);
  const sizes = Math.abs(sum - 1) < 1e-6 ? fractionsOf(lengths, length) : [...lengths];
  check(
    sizes.every(Number.isInteger) && sizes.reduce((a, b) => a + b, 0) === length,
    () =>
      `[randomSplit] lengths ${told(lengths)} add up to ${sum}; expected ${length}, the data set's, or fractions of 1`,
    ValueError,
  );
  const order = shuffled(length, seedOf(seed), 0);
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return new Subset(dataset, order.subarray(start - size, start));
  }) as { -readonly [K in keyof Lengths]: Subset<Item> };
}

function fractionsOf(fractions: readonly number[], length: number): number[] {
  const sizes = fractions.map((fraction) => Math.floor(fraction * length));
  const left = length - sizes.reduce((a, b) => a + b, 0);
  return sizes.map((size, i) => size + Math.floor(left / sizes.length) + (i < left % sizes.length ? 1 : 0));
}
