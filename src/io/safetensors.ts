// The safetensors format: a JSON header, then the tensors' bytes back to back.
import { brief, check, FormatError, told, ValueError } from "../errors.ts";
import { ObjectBudget } from "./object-budget.ts";
import { countOf, type FileDtype, type HalfTensor, type RawTensor, rawFromBytes, sizeOfFileDtype } from "./raw.ts";

/** The header limit of the reference implementation. */
const MAX_HEADER = 100_000_000;

/** No tensor has more dimensions: PyTorch's own limit. */
const MAX_RANK = 64;

const FILE_DTYPES: ReadonlyMap<string, FileDtype> = new Map([
  ["F64", "f64"],
  ["F32", "f32"],
  ["F16", "f16"],
  ["BF16", "bf16"],
  ["I64", "i64"],
  ["I32", "i32"],
  ["I16", "i16"],
  ["I8", "i8"],
  ["U64", "u64"],
  ["U32", "u32"],
  ["U16", "u16"],
  ["U8", "u8"],
  ["BOOL", "bool"],
  ["F8_E4M3", "f8_e4m3"],
  ["F8_E5M2", "f8_e5m2"],
  ["F8_E8M0", "f8_e8m0"],
]);

const TENSOR_DTYPES = { f32: "F32", f16: "F16", i32: "I32", u32: "U32" } as const;

/** What a safetensors file holds. */
export interface SafetensorsFile {
  /** In the header's order. */
  readonly tensors: Map<string, RawTensor>;
  /** The header's `__metadata__`. */
  readonly metadata: Map<string, string>;
}

interface HeaderEntry {
  name: string;
  dtype: FileDtype;
  shape: number[];
  begin: number;
  end: number;
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((d) => Number.isSafeInteger(d) && d >= 0);

function fail(message: string): never {
  throw new FormatError(`[safetensors] ${message}`);
}

/**
 * Reads a safetensors file (https://github.com/huggingface/safetensors#format). f64, f16, bf16 and 8-bit floats become f32; 64, 16 and
 * 8 bit integers and bool become i32. Tensors may share memory with `bytes`.
 *
 * @throws FormatError if the header, a dtype, a shape or an offset is not as the format says, or if the file is cut off.
 */
export function parseSafetensors(bytes: Uint8Array): SafetensorsFile {
  const { header, dataStart } = readHeader(bytes);
  const metadata = new Map<string, string>();
  const entries: HeaderEntry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") {
      if (!isObject(value)) fail("__metadata__ must be an object of strings");
      for (const [key, text] of Object.entries(value)) {
        if (typeof text !== "string")
          fail(`__metadata__ entry "${brief(key)}" is a ${typeof text} but must be a string`);
        metadata.set(key, text);
      }
    } else entries.push(readEntry(name, value));
  }

  // Sorted by place, each tensor must begin where the one before it ended: no gap, no overlap, nothing left over.
  const size = bytes.length - dataStart;
  let expected = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== expected) {
      fail(
        `tensor "${brief(name)}" begins at byte ${begin} but ${expected} was expected: tensors must not overlap or leave gaps`,
      );
    }
    if (end > size) {
      fail(
        `tensor "${brief(name)}" ends at byte ${end} but the file holds ${size} bytes of data: it is cut off, fetch it again`,
      );
    }
    expected = end;
  }
  if (expected !== size) fail(`the header describes ${expected} bytes of data but the file holds ${size}`);

  const tensors = new Map<string, RawTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    tensors.set(name, rawFromBytes(name, dtype, shape, bytes.subarray(dataStart + begin, dataStart + end)));
  }
  return { tensors, metadata };
}

function readHeader(bytes: Uint8Array): { header: object; dataStart: number } {
  if (bytes.length < 8) fail(`a file of ${bytes.length} bytes is too short: the first 8 hold the header's length`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER)) {
    fail(`the header's length is ${length}, above the limit of ${MAX_HEADER}: this is not a safetensors file`);
  }
  const dataStart = 8 + Number(length);
  if (dataStart > bytes.length) {
    fail(`the header needs ${length} bytes but ${bytes.length - 8} follow: the file is cut off or not safetensors`);
  }
  chargeHeader(bytes, dataStart);
  let header: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, dataStart));
    header = JSON.parse(text);
  } catch (cause) {
    throw new FormatError("[safetensors] the header is not JSON in UTF-8: the file is damaged or not safetensors", {
      cause,
    });
  }
  if (!isObject(header)) fail("the header must be a JSON object");
  refuseDuplicates(text);
  return { header, dataStart };
}

/** What a value of a header takes when it is parsed, about. */
const VALUE_COST = 64;
/** The header's own nesting: the object, a tensor's object, its shape. */
const MAX_NESTING = 3;

/** Bounds what parsing the header takes: a few of its bytes can ask for an object. */
function chargeHeader(bytes: Uint8Array, end: number): void {
  const budget = new ObjectBudget(bytes.length, () => {
    fail("the header's values take more than twice the file and 16 MB: this is not a file of weights");
  });
  budget.charge(3 * (end - 8)); // its text, and the names in it
  let inText = false;
  let depth = 0;
  for (let i = 8; i < end; i++) {
    const byte = bytes[i];
    if (inText && byte === 0x5c)
      i++; // a backslash and what it escapes
    else if (byte === 0x22) inText = !inText;
    else if (!inText) {
      if (byte === 0x7b || byte === 0x5b) {
        depth++;
        if (depth > MAX_NESTING) fail("the header nests deeper than one of a safetensors file");
      } else if (byte === 0x7d || byte === 0x5d) depth--;
      else if (byte !== 0x2c && byte !== 0x3a) continue;
      budget.charge(VALUE_COST);
    }
  }
}

/** JSON.parse keeps the last of two equal keys without a word. `json` is valid. */
function refuseDuplicates(json: string): void {
  /** The keys of the objects around the place, null for a list. */
  const open: (Set<string> | null)[] = [];
  for (const [token, name, colon] of json.matchAll(/("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[[\]{}]/g)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(null);
    else if (token === "}" || token === "]") open.pop();
    else if (name !== undefined && colon !== undefined) {
      const key: string = JSON.parse(name);
      const keys = open.at(-1);
      if (keys?.has(key)) fail(`the header has "${key.slice(0, 80)}" twice: the file is damaged or was tampered with`);
      keys?.add(key);
    }
  }
}

function readEntry(name: string, value: unknown): HeaderEntry {
  if (!isObject(value) || !("dtype" in value && "shape" in value && "data_offsets" in value)) {
    fail(`tensor "${brief(name)}" must have dtype, shape and data_offsets`);
  }
  const { dtype: dtypeName, shape, data_offsets: offsets } = value;
  const dtype = typeof dtypeName === "string" ? FILE_DTYPES.get(dtypeName) : undefined;
  if (dtype === undefined) {
    const got = typeof dtypeName === "string" ? `"${dtypeName.slice(0, 40)}"` : `of type ${typeof dtypeName}`;
    fail(`tensor "${brief(name)}" has a dtype ${got}; known are ${[...FILE_DTYPES.keys()].join(", ")}`);
  }
  if (!isCounts(shape)) fail(`tensor "${brief(name)}" has a shape that is not a list of whole numbers of at least 0`);
  if (shape.length > MAX_RANK)
    fail(`tensor "${brief(name)}" has ${shape.length} dimensions, at most ${MAX_RANK} are read`);
  const [begin, end] = isCounts(offsets) && offsets.length === 2 ? offsets : [];
  if (begin === undefined || end === undefined || begin > end) {
    fail(`tensor "${brief(name)}" has data_offsets that are not [begin, end] with begin <= end`);
  }
  const bytes = countOf(shape) * sizeOfFileDtype(dtype);
  if (end - begin !== bytes) {
    fail(
      `tensor "${brief(name)}" takes ${end - begin} bytes but ${dtypeName} of shape [${shape.join(", ")}] takes ${bytes}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

/**
 * Writes tensors as a safetensors file. Like the reference implementation it places wider dtypes first, so that every
 * tensor is aligned, then orders by name; the same content thus always gives the same bytes.
 *
 * @throws ValueError for the reserved name `__metadata__`, for metadata that is not text, or where data and shape differ.
 */
export function serializeSafetensors(
  entries: Iterable<readonly [string, RawTensor | HalfTensor]>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const sorted = [...entries].sort(
    ([a, x], [b, y]) => y.data.BYTES_PER_ELEMENT - x.data.BYTES_PER_ELEMENT || (a < b ? -1 : a > b ? 1 : 0),
  );
  const header: [string, unknown][] = [];
  if (metadata !== undefined) {
    check(
      typeof metadata === "object" && metadata !== null && !Array.isArray(metadata),
      () => `[saveSafetensors] metadata is an object of texts by name, got ${told(metadata)}`,
      ValueError,
    );
    for (const [key, text] of Object.entries(metadata)) {
      if (typeof text !== "string") {
        throw new ValueError(`[saveSafetensors] metadata "${brief(key)}" is a ${typeof text} but must be a string`);
      }
    }
    header.push(["__metadata__", metadata]);
  }
  let size = 0;
  const names = new Set<string>();
  for (const [name, { dtype, shape, data }] of sorted) {
    if (name === "__metadata__") {
      throw new ValueError(
        "[saveSafetensors] __metadata__ cannot name a tensor: it is reserved for the file's metadata",
      );
    }
    if (names.has(name)) throw new ValueError(`[saveSafetensors] "${brief(name)}" is given twice: names must differ`);
    names.add(name);
    if (countOf(shape) !== data.length) {
      throw new ValueError(
        `[saveSafetensors] "${brief(name)}" has ${data.length} values but shape [${shape.join(", ")}]`,
      );
    }
    const end = size + data.byteLength;
    header.push([name, { dtype: TENSOR_DTYPES[dtype], shape, data_offsets: [size, end] }]);
    size = end;
  }
  // Object.fromEntries defines own properties, so that even `__proto__` is only a name.
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const headerLength = Math.ceil(json.length / 8) * 8;
  if (headerLength > MAX_HEADER) {
    throw new ValueError(`[saveSafetensors] the header takes ${headerLength} bytes, above the limit of ${MAX_HEADER}`);
  }
  const out = new Uint8Array(8 + headerLength + size);
  new DataView(out.buffer).setBigUint64(0, BigInt(headerLength), true);
  out.set(json, 8);
  out.fill(0x20, 8 + json.length, 8 + headerLength);
  let at = 8 + headerLength;
  for (const [, { data }] of sorted) {
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return out;
}
