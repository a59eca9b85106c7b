// PyTorch weight files: tells the containers apart and turns tensor references into values.

import { PickleOpaque, unsafe } from "./pickle.ts";
import type { RawTensor } from "./raw.ts";
import { selectStateDict, stateDictOf } from "./state-dict.ts";
import { CopyBudget, materialize } from "./strided-storage.ts";
import { fail, SOURCE, type TorchFile } from "./torch-file.ts";
import { TensorRef } from "./torch-globals.ts";
import { readTorchLegacy } from "./torch-legacy.ts";
import { readTorchZip } from "./torch-zip.ts";

export { stateDictOf };

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
  return resolve(file.tree, valuesOf(file, bytes.length));
}

/**
 * The named weights of a file that torch.save wrote: stateDictOf(parseTorch(bytes)), but without the values of
 * anything else in it, such as an optimizer's state, and with errors that say the weight's name. Objects of Python
 * beside the weights are left alone.
 */
export async function parseTorchStateDict(bytes: Uint8Array, key?: string): Promise<Map<string, RawTensor>> {
  const file = readTorch(bytes);
  const values = valuesOf(file, bytes.length);
  const refs = selectStateDict(file.tree, (value): value is TensorRef => value instanceof TensorRef, key);
  return new Map([...refs].map(([name, ref]) => [name, values(name, ref)]));
}

function readTorch(bytes: Uint8Array): TorchFile {
  const startsWith = (text: string, at = 0) => [...text].every((c, i) => bytes[at + i] === c.charCodeAt(0));
  if (startsWith("PK\x03\x04")) return readTorchZip(bytes);
  if (bytes[0] === 0x80) return readTorchLegacy(bytes);
  if (bytes.length === 0) fail("the file is empty: fetch it again");
  if (bytes[8] === 0x7b) fail("the file looks like safetensors: read it with loadSafetensors");
  if (startsWith("version https://git-lfs")) fail("the file is a Git LFS pointer, not the weights: run git lfs pull");
  if (startsWith("<")) fail("the file looks like a web page, not weights: check the address that it came from");
  if (startsWith("ustar", 257)) fail("the file is a tar archive of PyTorch 0.1: load it in PyTorch and save it anew");
  const first = Array.from(bytes.subarray(0, 8), (b) => b.toString(16).padStart(2, "0")).join(" ");
  fail(
    `the file begins with ${first}, but a zip archive (50 4b 03 04) or a pickle (80) was expected: is it from torch.save?`,
  );
}

/** Reads tensors of `file`; one that several places refer to is read once. */
function valuesOf(file: TorchFile, fileBytes: number): (name: string, ref: TensorRef) => RawTensor {
  const budget = new CopyBudget(fileBytes);
  const known = new Map<TensorRef, RawTensor>();
  return (name, ref) => {
    let value = known.get(ref);
    if (value === undefined) {
      value = materialize(name, ref, file.bytesOf(ref.storage), file.bigEndian, budget);
      known.set(ref, value);
    }
    return value;
  };
}

/** A copy of the tree with values in place of references. What is shared, or contains itself, stays so. */
function resolve(tree: unknown, values: (name: string, ref: TensorRef) => RawTensor): unknown {
  const copies = new Map<unknown, unknown>();
  const visit = (node: unknown, name: string, depth: number): unknown => {
    if (node instanceof TensorRef) return values(name || "tensor", node);
    if (node instanceof PickleOpaque) throw unsafe(SOURCE, node.path);
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
