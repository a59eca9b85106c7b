// Weight files to and from tensors on the device: safetensors, and what torch.save wrote.

import { check, checkOptions, told, ValueError } from "../errors.ts";
import { entriesOf } from "../nn/load-state-dict.ts";
import { tensor } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { floatToHalf, type HalfTensor, type RawTensor } from "./raw.ts";
import { parseSafetensors, serializeSafetensors } from "./safetensors.ts";
import { parseTorchStateDict } from "./torch.ts";

/**
 * Reads a safetensors file (https://github.com/huggingface/safetensors#format) into tensors by name. f64, f16, bf16
 * and 8-bit floats become f32; 64, 16 and 8 bit integers and bool become i32. The tensors are the caller's to dispose.
 *
 * ```ts
 * await model.loadStateDict(await loadSafetensors(await (await fetch(url)).arrayBuffer()));
 * ```
 *
 * @throws FormatError if the file is cut off, damaged or of another format, or has an integer beyond 32 bits.
 */
export async function loadSafetensors(bytes: ArrayBuffer | Uint8Array): Promise<Record<string, Tensor>> {
  return upload(parseSafetensors(asBytes("loadSafetensors", bytes)).tensors);
}

/** The metadata of a safetensors file: text by key, empty where it has none. @throws FormatError as `loadSafetensors`. */
export function safetensorsMetadata(bytes: ArrayBuffer | Uint8Array): Record<string, string> {
  return Object.fromEntries(parseSafetensors(asBytes("safetensorsMetadata", bytes)).metadata);
}

/**
 * Writes tensors as a safetensors file, each in its own dtype, with optional metadata (`{ format: "pt" }` is what
 * Python's tools write). All are copied at the time of the call: training may go on meanwhile.
 *
 * @throws ValueError for the reserved name `__metadata__`, or metadata that is not text.
 */
export async function saveSafetensors(
  dict: Readonly<Record<string, Tensor>>,
  metadata?: Readonly<Record<string, string>>,
): Promise<Uint8Array<ArrayBuffer>> {
  const given = entriesOf("saveSafetensors", dict);
  // Reads are recorded before the first await, so that they see one state of the model.
  const entries = Array.from(given, async ([name, t]) => [name, await download(t)] as const);
  return serializeSafetensors(await Promise.all(entries), metadata);
}

/** What `loadTorch` takes. */
export interface LoadTorchOptions {
  /**
   * The path of the weights in the file, such as `model_ema` or `nets.teacher`; "" is the whole file. Default: what
   * looks like the weights.
   */
  key?: string;
}

/**
 * Reads the weights of a file that torch.save wrote (.pth, .pt, .th, .bin), in the zip format of PyTorch 1.6 and later
 * or in the older ones, into tensors by name. The file may hold a state dict, a dict with one under `state_dict`,
 * `model_state_dict` or `model`, or under any key if it is the only dict of tensors; `key` names one of several. A file
 * of one tensor gives `{ tensor }`, one of a list its indices. A whole model (`torch.save(model)`) and a TorchScript
 * archive give their parameters and buffers, quantised tensors their values as f32. A `module.` (DataParallel,
 * AveragedModel, whose `n_averaged` is left out) before every name is dropped.
 * No code of the file is run: objects of Python beside the weights are left alone. Dtypes convert as in loadSafetensors.
 * The tensors are the caller's to dispose.
 *
 * @throws UnsafePickleError if anything but tensors and plain containers is in the weights' place, naming it;
 * FormatError if the file is cut off, damaged or of another format, has no named tensors or several dicts of them
 * (naming these), has a sparse or complex tensor or an integer beyond 32 bits among
 * the weights, or expands to many times its size.
 */
export async function loadTorch(
  bytes: ArrayBuffer | Uint8Array,
  options: LoadTorchOptions = {},
): Promise<Record<string, Tensor>> {
  checkOptions("loadTorch", options, ["key"]);
  const { key } = options;
  check(
    key === undefined || typeof key === "string",
    () => `[loadTorch] key must be text, got ${told(key)}`,
    ValueError,
  );
  return upload(await parseTorchStateDict(asBytes("loadTorch", bytes), key));
}

/** Always a plain Uint8Array: Node's Buffer, which readFile gives, is one whose slice() does not copy. */
export function asBytes(name: string, bytes: ArrayBuffer | Uint8Array): Uint8Array {
  check(
    bytes instanceof Uint8Array || bytes instanceof ArrayBuffer,
    () => `[${name}] takes the bytes of a file, as an ArrayBuffer or a Uint8Array, got ${told(bytes)}`,
    ValueError,
  );
  return bytes instanceof Uint8Array
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}

/** Puts all on the device, or none where one fails. Object.fromEntries makes even `__proto__` a plain key. */
function upload(raw: ReadonlyMap<string, RawTensor>): Record<string, Tensor> {
  const made: [string, Tensor][] = [];
  try {
    for (const [name, { data, shape, dtype }] of raw) made.push([name, tensor(data, { shape, dtype })]);
  } catch (error) {
    for (const [, t] of made) t.dispose();
    throw error;
  }
  return Object.fromEntries(made);
}

async function download(t: Tensor): Promise<RawTensor | HalfTensor> {
  const { shape, dtype } = t;
  const data = await t.data();
  if (data instanceof Int32Array) return { dtype: "i32", shape, data };
  if (data instanceof Uint32Array) return { dtype: "u32", shape, data };
  return dtype === "f16" ? { dtype, shape, data: floatToHalf(data) } : { dtype: "f32", shape, data };
}
