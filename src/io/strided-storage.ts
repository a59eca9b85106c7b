// From a storage's bytes to one tensor's values: bounds, strides, byte order, and a limit on the memory it may take.
import { brief, FormatError } from "../errors.ts";
import { countOf, isView, type RawTensor, rawFromBytes, sizeOfFileDtype } from "./raw.ts";
import type { TensorRef } from "./torch-globals.ts";

/** Memory that reading may take beyond the file itself, so that a small file cannot exhaust it (strides of 0 can). */
export class CopyBudget {
  #left: number;
  readonly #total: number;
  constructor(fileBytes: number) {
    this.#total = 16 * fileBytes + 2 ** 24;
    this.#left = this.#total;
  }
  charge(name: string, bytes: number): void {
    this.#left -= bytes;
    if (this.#left >= 0) return;
    throw new FormatError(
      `[${brief(name)}] the file's tensors expand to more than ${this.#total} bytes, many times the file's size: ` +
        "if they are broadcast views (expand), call .contiguous() on them before torch.save",
    );
  }
}

/**
 * The bytes of `ref`'s values, contiguous and little-endian. `storage` holds the storage's bytes, in big-endian order if `bigEndian`.
 *
 * @param later bytes that the caller will take for each value
 * @throws FormatError where the tensor reaches beyond its storage, or takes more memory than `budget` allows.
 */
export function contiguousBytes(
  name: string,
  ref: TensorRef,
  storage: Uint8Array,
  bigEndian: boolean,
  budget: CopyBudget,
  later = 0,
): Uint8Array {
  const { dtype, offset, shape, strides } = ref;
  const size = sizeOfFileDtype(dtype);
  const count = countOf(shape);
  const last = count === 0 ? -1 : shape.reduce((at, d, i) => at + (d - 1) * (strides[i] ?? 0), offset);
  if (Number.isNaN(count) || !Number.isSafeInteger(last) || (last + 1) * size > storage.length) {
    throw new FormatError(
      `[${brief(name)}] ${dtype} tensor of shape [${shape.join(", ")}], strides [${strides.join(", ")}] and offset ${offset} ` +
        `reaches beyond its storage of ${storage.length} bytes: the file is damaged`,
    );
  }
  budget.charge(name, count * later);
  let bytes: Uint8Array;
  if (count === 0) bytes = new Uint8Array(0);
  else if (isContiguous(shape, strides)) bytes = storage.subarray(offset * size, (offset + count) * size);
  else {
    budget.charge(name, count * size);
    bytes = gather(storage, size, offset, shape, strides, count);
  }
  if (bigEndian && size > 1) {
    budget.charge(name, bytes.length);
    bytes = swapped(bytes, size);
  }
  return bytes;
}

/** The values of `ref` in a dtype of the device. Arguments and errors as for `contiguousBytes`. */
export function materialize(
  name: string,
  ref: TensorRef,
  storage: Uint8Array,
  bigEndian: boolean,
  budget: CopyBudget,
): RawTensor {
  const { dtype, shape } = ref;
  const size = sizeOfFileDtype(dtype);
  // What the conversion takes is known before anything is gathered.
  const converts = !isView(dtype, new Uint8Array(0));
  const bytes = contiguousBytes(name, ref, storage, bigEndian, budget, converts ? 4 : 0);
  if (bytes.byteOffset % size !== 0) budget.charge(name, bytes.length);
  return rawFromBytes(name, dtype, shape, bytes);
}

/** Whether elements lie in row-major order without gaps; the stride of a dimension of size 1 says nothing. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    const size = shape[i] ?? 1;
    if (size !== 1 && strides[i] !== step) return false;
    step *= size;
  }
  return true;
}

function gather(
  storage: Uint8Array,
  size: number,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
  count: number,
): Uint8Array {
  const out = new Uint8Array(count * size);
  // An odometer: of each dimension, the last one first, its place, size and stride.
  const wheels = shape.map((length, d) => ({ at: 0, length, stride: strides[d] ?? 0 })).reverse();
  let from = offset;
  for (let i = 0; i < count; i++) {
    for (let b = 0; b < size; b++) out[i * size + b] = storage[from * size + b] ?? 0;
    for (const wheel of wheels) {
      from += wheel.stride;
      wheel.at++;
      if (wheel.at < wheel.length) break;
      from -= wheel.length * wheel.stride;
      wheel.at = 0;
    }
  }
  return out;
}

function swapped(bytes: Uint8Array, size: number): Uint8Array {
  const out = bytes.slice();
  for (let i = 0; i < out.length; i += size) out.subarray(i, i + size).reverse();
  return out;
}
