// What both containers of torch.save yield: the unpickled tree, and the bytes of the storages that it refers to.
import { FormatError } from "../errors.ts";
import { describe, expectPickle, PickleOpaque } from "./pickle.ts";
import { isCount, StorageRef, StorageType } from "./torch-globals.ts";

export interface TorchFile {
  /** Maps, arrays, sets and plain values, with a TensorRef for each tensor. */
  readonly tree: unknown;
  readonly bigEndian: boolean;
  /** The bytes of a storage, or of the view of one that `ref` names. */
  bytesOf(ref: StorageRef): Uint8Array;
}

/** What errors of PyTorch files begin with. */
export const SOURCE = "loadTorch";

export function fail(message: string): never {
  throw new FormatError(`[${SOURCE}] ${message}`);
}

/** Bytes of an element of storages that no tensor here can hold. */
const OTHER_SIZES: ReadonlyMap<string, number> = new Map([
  ["ComplexDoubleStorage", 16],
  ["ComplexFloatStorage", 8],
  ["QInt32Storage", 4],
  ["QInt8Storage", 1],
  ["QUInt8Storage", 1],
  ["QUInt4x2Storage", 1],
]);

/** A storage that no tensor here can hold, such as a complex one. It may lie beside the weights. */
export class OpaqueStorage extends PickleOpaque {
  readonly key: string;
  /** Bytes of an element, undefined where the type is not known. */
  readonly size: number | undefined;
  constructor(path: string, key: string) {
    super(path);
    this.key = key;
    this.size = OTHER_SIZES.get(path.slice(path.lastIndexOf(".") + 1));
  }
}

/**
 * Reads a persistent id: ("storage", type, key, location, count), and in the legacy format a view as the sixth item:
 * (view key, first element, count). A storage of an unknown type is opaque.
 */
export function storageRef(id: unknown): StorageRef | OpaqueStorage {
  expectPickle(Array.isArray(id), SOURCE, () => `a persistent id is ${describe(id)}, but a tuple was expected`);
  const [tag, type, key, , count, view]: readonly unknown[] = id;
  if (type instanceof PickleOpaque && typeof key === "string") return new OpaqueStorage(type.path, key);
  expectPickle(
    tag === "storage" && type instanceof StorageType && typeof key === "string" && isCount(count),
    SOURCE,
    () =>
      `a persistent id names ${describe(tag)} ${describe(key)} of ${describe(count)} elements, but a storage was expected`,
  );
  if (view === undefined || view === null) return new StorageRef(key, type.dtype, count);
  expectPickle(
    Array.isArray(view) && isCount(view[1]) && isCount(view[2]) && view[1] + view[2] <= count,
    SOURCE,
    () => `storage "${key.slice(0, 80)}" has a view that does not lie within its ${count} elements`,
  );
  return new StorageRef(key, type.dtype, view[2], view[1]);
}
