// PyTorch weight files: tells the containers apart and turns tensor references into values.

import { PickleOpaque, refusal } from "./pickle.ts";
import { dequantize } from "./quantized.ts";
import type { RawTensor } from "./raw.ts";
import { selectStateDict, stateDictOf } from "./state-dict.ts";
import { CopyBudget, contiguousBytes, materialize } from "./strided-storage.ts";
import { fail, SOURCE, type TorchFile } from "./torch-file.ts";
import { type StorageRef, TensorRef } from "./torch-globals.ts";
import { readTorchLegacy } from "./torch-legacy.ts";
import { readTorchTar } from "./torch-tar.ts";
import { readTorchZip } from "./torch-zip.ts";

export { stateDictOf };

/** How a legacy file in pickle protocol 0 or 1 begins: the magic number in decimal. */
const TEXT_MAGIC = "L119547037146038801333356L";
/** Deeper trees than this are not checkpoints. */
const MAX_DEPTH = 200;

/**
 * Reads a file that torch.save wrote, in the zip format (PyTorch 1.6 and later) or the legacy one, without running any
 * code of it. The result is the saved object: dict and OrderedDict as Map, list and tuple as Array, numbers, text,
 * null, and a RawTensor for each tensor. Views, shared storages and any strides are resolved; f64, f16 and bf16 become
 * f32; 64, 16 and 8 bit integers and bool become i32.
 *
 * @throws UnsafePickleError if the pickle asks for anything but tensors and plain containers; FormatError if the file
 * is of another format, cut off or damaged, or has an integer beyond 32 bits.
 */
export async function parseTorch(bytes: Uint8Array): Promise<unknown> {
  const file = readTorch(bytes);
  const refs: TensorRef[] = [];
  resolve(file.tree, (_, ref) => refs.push(ref));
  return resolve(file.tree, valuesOf(file, bytes.length, refs));
}

/**
 * The named weights of a file that torch.save wrote: stateDictOf(parseTorch(bytes)), but without the values of
 * anything else in it, such as an optimizer's state, and with errors that say the weight's name. Objects of Python
 * beside the weights are left alone.
 */
export async function parseTorchStateDict(bytes: Uint8Array, key?: string): Promise<Map<string, RawTensor>> {
  const file = readTorch(bytes);
  const refs = selectStateDict(file.tree, (value): value is TensorRef => value instanceof TensorRef, key);
  const values = valuesOf(file, bytes.length, [...refs.values()]);
  return new Map([...refs].map(([name, ref]) => [name, values(name, ref)]));
}

function readTorch(bytes: Uint8Array): TorchFile {
  const startsWith = (text: string, at = 0) => [...text].every((c, i) => bytes[at + i] === c.charCodeAt(0));
  if (startsWith("PK\x03\x04")) return readTorchZip(bytes);
  if (bytes[0] === 0x80 || startsWith(TEXT_MAGIC)) return readTorchLegacy(bytes);
  if (startsWith("ustar", 257)) return readTorchTar(bytes);
  if (bytes.length === 0) fail("the file is empty: fetch it again");
  if (bytes[8] === 0x7b) fail("the file looks like safetensors: read it with loadSafetensors");
  if (startsWith("version https://git-lfs")) fail("the file is a Git LFS pointer, not the weights: run git lfs pull");
  if (startsWith("<")) fail("the file looks like a web page, not weights: check the address that it came from");
  const first = Array.from(bytes.subarray(0, 8), (b) => b.toString(16).padStart(2, "0")).join(" ");
  fail(
    `the file begins with ${first}, but a zip archive (50 4b 03 04) or a pickle (80) was expected: is it from torch.save?`,
  );
}

/** Reads tensors of `file` that are among `refs`; one that several places refer to is read once. */
function valuesOf(
  file: TorchFile,
  fileBytes: number,
  refs: readonly TensorRef[],
): (name: string, ref: TensorRef) => RawTensor {
  const budget = new CopyBudget(fileBytes);
  const known = new Map<TensorRef, RawTensor>();
  const bytesOf = file.open(refs.flatMap(storagesOf));
  const values = (name: string, ref: TensorRef): RawTensor => {
    let value = known.get(ref);
    if (value === undefined) {
      value = materialize(name, ref, bytesOf(ref.storage), file.bigEndian, budget);
      const { quantization } = ref;
      if (quantization !== undefined) {
        const numbers = (list: TensorRef | readonly number[]) => {
          if (!(list instanceof TensorRef)) return list;
          if (list.dtype !== "f64") return values(name, list).data;
          // PyTorch multiplies by scales of f64, and rounds the product.
          const bytes = contiguousBytes(name, list, bytesOf(list.storage), file.bigEndian, budget);
          return new Float64Array(bytes.slice().buffer);
        };
        const { axis, scales, zeroPoints } = quantization;
        budget.charge(name, 4 * value.data.length);
        value = dequantize(name, value, { axis, scales: numbers(scales), zeroPoints: numbers(zeroPoints) });
      }
      known.set(ref, value);
    }
    return value;
  };
  return values;
}

/** The storages that a tensor's values lie in. Scales are plain tensors: those of others would nest without end. */
function storagesOf({ storage, quantization }: TensorRef): StorageRef[] {
  const { scales, zeroPoints } = quantization ?? {};
  const lists = [scales, zeroPoints].filter((list) => list instanceof TensorRef);
  return [storage, ...lists.map((list) => list.storage)];
}

/** A copy of the tree with values in place of references. What is shared, or contains itself, stays so. */
function resolve(tree: unknown, values: (name: string, ref: TensorRef) => unknown): unknown {
  const copies = new Map<unknown, unknown>();
  const visit = (node: unknown, name: string, depth: number): unknown => {
    if (node instanceof TensorRef) return values(name || "tensor", node);
    if (node instanceof PickleOpaque) throw refusal(SOURCE, node);
    if (!(Array.isArray(node) || node instanceof Map)) return node;
    const known = copies.get(node);
    if (known !== undefined) return known;
    if (depth > MAX_DEPTH) fail(`containers are nested more than ${MAX_DEPTH} deep: this is not a checkpoint`);
    if (Array.isArray(node)) {
      const copy: unknown[] = [];
      copies.set(node, copy);
      for (const [i, item] of node.entries()) copy.push(visit(item, `${name}[${i}]`, depth + 1));
      return copy;
    }
    const copy = new Map<unknown, unknown>();
    copies.set(node, copy);
    for (const [key, value] of node) {
      const label = typeof key === "string" || typeof key === "number" ? String(key) : "?";
      copy.set(key, visit(value, name === "" ? label : `${name}.${label}`, depth + 1));
    }
    return copy;
  };
  return visit(tree, "", 0);
}
