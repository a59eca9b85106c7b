// What both containers of torch.save yield: the unpickled tree, and the bytes of the storages that it refers to.
import { FormatError } from "../errors.ts";
import { describe, expectPickle, PickleOpaque } from "./pickle.ts";
import { isCount, StorageRef, StorageType, storageTypes } from "./torch-globals.ts";

export interface TorchFile {
  /** Maps, arrays, sets and plain values, with a TensorRef for each tensor. */
  readonly tree: unknown;
  readonly bigEndian: boolean;
  /** Makes these storages ready, and tells the bytes of one of them, or of the view of one that a reference names. */
  open(refs: readonly StorageRef[]): (ref: StorageRef) => Uint8Array;
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
  ["QUInt4x2Storage", 1],
]);

/** A storage that no tensor here can hold, such as a complex one. It may lie beside the weights. */
export class OpaqueStorage extends PickleOpaque {
  readonly key: string;
  /** Bytes of an element, undefined where the type is not known. */
  readonly size: number | undefined;
  constructor(path: string, key: string) {
    super(path, path.includes("Complex") ? "a complex tensor: save torch.view_as_real of it" : undefined);
    this.key = key;
    this.size = OTHER_SIZES.get(path.slice(path.lastIndexOf(".") + 1));
  }
}

/** Protocol 0 writes a persistent id as its text. */
const ID_TEXT =
  /^\('storage', <class '([\w.]+)'>, '([^'\\]*)', '[^'\\]*', (\d{1,15})(?:, (?:None|\('[^'\\]*', (\d{1,15}), (\d{1,15})\)))?\)$/;

function idFromText(text: string): unknown {
  const [, path = "", key, count, first, length] = ID_TEXT.exec(text) ?? [];
  if (key === undefined) return text;
  const view = first === undefined ? null : [null, Number(first), Number(length)];
  return ["storage", storageTypes().get(path) ?? new PickleOpaque(path), key, null, Number(count), view];
}

/**
 * Reads a persistent id: ("storage", type, key, location, count), and in the legacy format a view as the sixth item:
 * (view key, first element, count). A storage of an unknown type is opaque, and a class stays what it is.
 */
export function storageRef(given: unknown): StorageRef | PickleOpaque {
  const id = typeof given === "string" ? idFromText(given) : given;
  expectPickle(Array.isArray(id), SOURCE, () => `a persistent id is ${describe(id)}, but a tuple was expected`);
  const [tag, type, key, , count, view]: readonly unknown[] = id;
  // The legacy format notes the source text of a model's classes: ("module", class, file, text).
  if (tag === "module" && type instanceof PickleOpaque) return type;
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
