// The container of torch.save before PyTorch 0.2: a tar of four files, of which three matter.
import { describe, expectPickle, PickleOpaque, type PickleOptions, pickleBudget, unpickle } from "./pickle.ts";
import { sizeOfFileDtype } from "./raw.ts";
import { readTar } from "./tar.ts";
import { fail, SOURCE, type TorchFile } from "./torch-file.ts";
import { isCount, StorageRef, StorageType, TensorRef, torchGlobals } from "./torch-globals.ts";

/** What a tensor and its place in the lists take. */
const TENSOR_COST = 512;
/** No tensor has more dimensions: PyTorch's own limit. */
const MAX_RANK = 64;

/**
 * Reads the container: `storages` (a count, then for each its key, place and type, an int64 element count and the
 * elements; then views of them), `tensors` (a count, then for each its key, storage and type, and its geometry in
 * binary) and `pickle`, whose persistent ids are keys of tensors (`legacy_load` in
 * https://github.com/pytorch/pytorch/blob/main/torch/serialization.py).
 */
export function readTorchTar(bytes: Uint8Array): TorchFile {
  const files = readTar(bytes, "the file");
  const budget = pickleBudget(bytes.length, SOURCE);
  const globals = torchGlobals(SOURCE);
  const part = (name: string): Part => {
    const content = files.get(name) ?? fail(`the tar archive has no file ${name}: it is not from torch.save`);
    return new Part(name, content, { source: SOURCE, globals, budget, opaque: true });
  };

  const places = new Map<string, Uint8Array>();
  const known = new Map<string, StorageRef | TensorRef>();
  const storages = part("storages");
  for (let left = storages.count("storages"); left > 0; left--) {
    const [id, , type] = storages.tuple(3);
    const key = keyOf(id);
    expectPickle(type instanceof StorageType, SOURCE, () => `storage "${key}" is of type ${describe(type)}`);
    const size = type.dtype === "untyped" ? 1 : sizeOfFileDtype(type.dtype);
    const count = storages.count64();
    places.set(key, storages.bytes(count * size));
    known.set(key, new StorageRef(key, type.dtype, count));
  }
  const views = storages.value();
  expectPickle(Array.isArray(views), SOURCE, () => `the views of storages are ${describe(views)}`);
  for (const view of views) {
    expectPickle(Array.isArray(view) && view.length === 4, SOURCE, () => `a view of a storage is ${describe(view)}`);
    const [id, rootId, first, count]: readonly unknown[] = view;
    const root = known.get(keyOf(rootId));
    expectPickle(
      root instanceof StorageRef && isCount(first) && isCount(count) && first + count <= root.count,
      SOURCE,
      () => `a view of storage "${keyOf(rootId)}" does not lie within it`,
    );
    known.set(keyOf(id), new StorageRef(root.key, root.dtype, count, root.first + first));
  }

  const tensors = part("tensors");
  for (let left = tensors.count("tensors"); left > 0; left--) {
    const [id, storageId] = tensors.tuple(3);
    const storage = known.get(keyOf(storageId));
    if (!(storage instanceof StorageRef)) fail(`tensor "${keyOf(id)}" has no storage: the file is damaged`);
    if (storage.dtype === "untyped") fail(`tensor "${keyOf(id)}" has no dtype: the file is damaged`);
    const rank = tensors.int32();
    tensors.bytes(4); // mean nothing
    if (rank < 0 || rank > MAX_RANK) fail(`tensor "${keyOf(id)}" has ${rank} dimensions: the file is damaged`);
    const shape = Array.from({ length: rank }, () => tensors.count64());
    const strides = Array.from({ length: rank }, () => tensors.count64());
    budget.charge(TENSOR_COST + 32 * rank);
    known.set(keyOf(id), new TensorRef(storage, storage.dtype, tensors.count64(), shape, strides));
  }

  const tree = part("pickle").value({
    persistent(id) {
      // The source text of a model's classes is noted with them: (class, file, text).
      if (Array.isArray(id) && id[0] instanceof PickleOpaque) return id[0];
      return known.get(keyOf(id)) ?? fail(`the pickle refers to "${keyOf(id)}", which is not in the file`);
    },
  });
  return {
    tree,
    bigEndian: false,
    open: () => (ref) => {
      const size = ref.dtype === "untyped" ? 1 : sizeOfFileDtype(ref.dtype);
      const place = places.get(ref.key) ?? fail(`storage "${ref.key}" is missing from the file: it is damaged`);
      return place.subarray(ref.first * size, (ref.first + ref.count) * size);
    },
  };
}

/** Keys are addresses: numbers, or their text in persistent ids. */
function keyOf(id: unknown): string {
  expectPickle(
    (typeof id === "string" && id.length <= 40) || typeof id === "number" || typeof id === "bigint",
    SOURCE,
    () => `a key is ${describe(id)}`,
  );
  return String(id);
}

/** One file of the archive: pickles and binary fields one after another. */
class Part {
  #at = 0;
  readonly #name: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #options: PickleOptions;
  constructor(name: string, bytes: Uint8Array, options: PickleOptions) {
    this.#name = name;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#options = options;
  }

  value(options: Partial<PickleOptions> = {}): unknown {
    const { value, end } = unpickle(this.#bytes, this.#at, { ...this.#options, ...options });
    this.#at = end;
    return value;
  }

  count(what: string): number {
    const value = this.value();
    expectPickle(isCount(value), SOURCE, () => `the number of ${what} is ${describe(value)}`);
    return value;
  }

  tuple(length: number): readonly unknown[] {
    const value = this.value();
    expectPickle(Array.isArray(value) && value.length === length, SOURCE, () => `${this.#name} has ${describe(value)}`);
    return value;
  }

  int32(): number {
    const at = this.#take(4);
    return this.#view.getInt32(at, true);
  }

  count64(): number {
    const at = this.#take(8);
    const value = Number(this.#view.getBigInt64(at, true));
    return isCount(value) ? value : fail(`${this.#name} has ${value} where a size was expected: the file is damaged`);
  }

  bytes(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  #take(count: number): number {
    const at = this.#at;
    const left = this.#bytes.length - at;
    if (!(count >= 0 && count <= left))
      fail(`${this.#name} ends early (${count} bytes of ${left}): the file is cut off`);
    this.#at = at + count;
    return at;
  }
}
