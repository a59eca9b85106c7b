// The container of torch.save before PyTorch 1.6: pickles one after another, then the raw storages.
import { describe, expectPickle, type PickleOptions, pickleBudget, unpickle, unsafe } from "./pickle.ts";
import { sizeOfFileDtype } from "./raw.ts";
import { fail, OpaqueStorage, SOURCE, storageRef, type TorchFile } from "./torch-file.ts";
import { StorageRef, torchGlobals } from "./torch-globals.ts";

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

/**
 * Reads the legacy container: magic number, protocol version, system information, the object, the storage keys (five
 * pickles), then for each key an int64 element count and the elements, always little-endian
 * (`_legacy_load` in https://github.com/pytorch/pytorch/blob/main/torch/serialization.py).
 */
export function readTorchLegacy(bytes: Uint8Array): TorchFile {
  let position = 0;
  const budget = pickleBudget(bytes.length, SOURCE);
  const next = (options: Partial<PickleOptions> = {}) => {
    const { value, end } = unpickle(bytes, position, { source: SOURCE, globals: new Map(), budget, ...options });
    position = end;
    return value;
  };

  // A plain pickle's first value is its whole content, so globals get resolved (and refused) in it too.
  const magic = next({ globals: torchGlobals(SOURCE) });
  if (magic !== MAGIC) {
    fail(
      `the file is a pickle of ${describe(magic)}, but not from torch.save: save it with torch.save(state_dict, path)`,
    );
  }
  const protocol = next();
  if (protocol !== PROTOCOL) fail(`protocol version ${describe(protocol)} but ${PROTOCOL} was expected`);
  next(); // system information: PyTorch does not use it either

  /** For each storage key its dtype and element count, as every reference must state them. */
  const storages = new Map<string, StorageRef | OpaqueStorage>();
  const tree = next({
    globals: torchGlobals(SOURCE),
    opaque: true,
    persistent(id) {
      const ref = storageRef(id);
      if (!(ref instanceof StorageRef || ref instanceof OpaqueStorage)) return ref;
      const known = storages.get(ref.key);
      if (known === undefined) storages.set(ref.key, ref);
      else {
        expectPickle(typeOf(known) === typeOf(ref), SOURCE, () => `storage "${ref.key.slice(0, 80)}" is of two dtypes`);
      }
      return ref;
    },
  });
  const keys = next();
  expectPickle(Array.isArray(keys), SOURCE, () => `the storage keys are ${describe(keys)}, but a list was expected`);

  const places = new Map<string, Uint8Array>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const key of keys) {
    const ref = typeof key === "string" ? storages.get(key) : undefined;
    if (ref === undefined) fail(`storage key ${describe(key)} is listed but no tensor refers to it`);
    const left = bytes.length - position - 8;
    if (left < 0) fail(`the file ends before storage "${ref.key.slice(0, 80)}": it is cut off, fetch it again`);
    const count = view.getBigInt64(position, true);
    const size = sizeOf(ref);
    if (count < 0n || count * BigInt(size) > BigInt(left)) {
      fail(
        `storage "${ref.key.slice(0, 80)}" has ${count} elements of ${size} bytes but ${left} bytes are left: it is cut off, fetch it again`,
      );
    }
    const start = position + 8;
    position = start + Number(count) * size;
    places.set(ref.key, bytes.subarray(start, position));
  }

  return {
    tree,
    bigEndian: false,
    open:
      () =>
      ({ key, dtype, count, first }) => {
        const place = places.get(key);
        if (place === undefined) fail(`storage "${key.slice(0, 80)}" is missing from the file: it is damaged`);
        const size = dtype === "untyped" ? 1 : sizeOfFileDtype(dtype);
        const end = (first + count) * size;
        if (end > place.length)
          fail(`storage "${key.slice(0, 80)}" has ${place.length} bytes but ${end} are needed: it is damaged`);
        return place.subarray(first * size, end);
      },
  };
}

const typeOf = (ref: StorageRef | OpaqueStorage): string => (ref instanceof OpaqueStorage ? ref.path : ref.dtype);

/** Bytes of a storage's element: those of every storage are needed to find the next one. */
function sizeOf(ref: StorageRef | OpaqueStorage): number {
  if (!(ref instanceof OpaqueStorage)) return ref.dtype === "untyped" ? 1 : sizeOfFileDtype(ref.dtype);
  if (ref.size === undefined) throw unsafe(SOURCE, ref.path);
  return ref.size;
}
