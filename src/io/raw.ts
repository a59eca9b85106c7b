// The neutral form of a tensor read from a file: host values in a dtype that the device knows, and a shape.
import { brief, FormatError } from "../errors.ts";
import { halfToFloat } from "../tensor/half.ts";

/** Element types found in weight files. */
export type FileDtype =
  | "f64"
  | "f32"
  | "f16"
  | "bf16"
  | "f8_e4m3"
  | "f8_e5m2"
  | "f8_e8m0"
  | "i64"
  | "i32"
  | "i16"
  | "i8"
  | "u64"
  | "u32"
  | "u16"
  | "u8"
  | "bool";

/**
 * Host values and shape, row-major, as parsing yields them. `data` may share memory with the file's bytes and with other
 * tensors of the file: read it, do not write to it.
 */
export type RawTensor = { readonly shape: readonly number[] } & (
  | { readonly dtype: "f32"; readonly data: Float32Array }
  | { readonly dtype: "i32"; readonly data: Int32Array }
  | { readonly dtype: "u32"; readonly data: Uint32Array }
);

/** Half-precision bits, for writing only. */
export interface HalfTensor {
  readonly dtype: "f16";
  readonly shape: readonly number[];
  readonly data: Uint16Array;
}

const SIZES: Readonly<Record<FileDtype, number>> = {
  f64: 8,
  i64: 8,
  u64: 8,
  f32: 4,
  i32: 4,
  u32: 4,
  f16: 2,
  bf16: 2,
  i16: 2,
  u16: 2,
  i8: 1,
  u8: 1,
  bool: 1,
  f8_e4m3: 1,
  f8_e5m2: 1,
  f8_e8m0: 1,
};

/** Bytes of one element. */
export const sizeOfFileDtype = (dtype: FileDtype): number => SIZES[dtype];

/** The number of elements of `shape`, or NaN where a size is not a count or the product is not exact. */
export function countOf(shape: readonly number[]): number {
  if (!shape.every((d) => Number.isSafeInteger(d) && d >= 0)) return Number.NaN;
  if (shape.includes(0)) return 0;
  const n = shape.reduce((a, b) => a * b, 1);
  return Number.isSafeInteger(n) ? n : Number.NaN;
}

/** Whether turning these bytes into a RawTensor needs no new memory. */
export const isView = (dtype: FileDtype, bytes: Uint8Array): boolean =>
  (dtype === "f32" || dtype === "i32" || dtype === "u32") && bytes.byteOffset % 4 === 0;

/**
 * Little-endian file bytes as a RawTensor: f64, f16, bf16 and the 8-bit floats become f32, u32 stays, every other whole number and bool
 * becomes i32. `name` is what errors call the tensor. Throws FormatError for a 64-bit value beyond 32 bits.
 */
export function rawFromBytes(name: string, dtype: FileDtype, shape: readonly number[], source: Uint8Array): RawTensor {
  // Typed arrays need aligned memory; host and WebGPU are little-endian, like the files.
  const bytes = source.byteOffset % SIZES[dtype] === 0 ? source : source.slice();
  const { buffer, byteOffset } = bytes;
  const n = bytes.byteLength / SIZES[dtype];
  const f32 = (data: Float32Array): RawTensor => ({ dtype: "f32", shape, data });
  const i32 = (data: Int32Array): RawTensor => ({ dtype: "i32", shape, data });
  switch (dtype) {
    case "f32":
      return f32(new Float32Array(buffer, byteOffset, n));
    case "f64":
      return f32(new Float32Array(new Float64Array(buffer, byteOffset, n)));
    case "f16":
      return f32(halfToFloat(new Uint16Array(buffer, byteOffset, n)));
    case "bf16":
      return f32(bfloatToFloat(new Uint16Array(buffer, byteOffset, n)));
    case "f8_e4m3":
    case "f8_e5m2":
    case "f8_e8m0": {
      const values = float8Values(dtype);
      return f32(Float32Array.from(bytes, (b) => values[b] ?? 0));
    }
    case "i64":
    case "u64":
      return i32(narrow(name, dtype, new Int32Array(buffer, byteOffset, 2 * n)));
    case "i32":
      return i32(new Int32Array(buffer, byteOffset, n));
    case "u32":
      return { dtype: "u32", shape, data: new Uint32Array(buffer, byteOffset, n) };
    case "i16":
      return i32(new Int32Array(new Int16Array(buffer, byteOffset, n)));
    case "u16":
      return i32(new Int32Array(new Uint16Array(buffer, byteOffset, n)));
    case "i8":
      return i32(new Int32Array(new Int8Array(buffer, byteOffset, n)));
    case "u8":
      return i32(new Int32Array(bytes));
    case "bool":
      return i32(Int32Array.from(bytes, (b) => (b === 0 ? 0 : 1)));
  }
}

/** f32 values as half-precision bits, rounded to nearest, ties to even. */
export function floatToHalf(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  const all = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const one = new Float32Array(1);
  const bits = new Uint32Array(one.buffer);
  for (let i = 0; i < all.length; i++) {
    const word = all[i] ?? 0;
    const sign = (word >>> 16) & 0x8000;
    const magnitude = word & 0x7fffffff;
    if (magnitude >= 0x7f800000) out[i] = sign | 0x7c00 | (magnitude > 0x7f800000 ? 0x200 : 0);
    else if (magnitude >= 0x477ff000)
      out[i] = sign | 0x7c00; // 65520 and above round to infinity
    else if (magnitude < 0x38800000) {
      // Below 2^-14 the result is subnormal: adding 0.5 makes the f32 addition itself round at 2^-24.
      bits[0] = magnitude;
      one[0] = (one[0] ?? 0) + 0.5;
      out[i] = sign | ((bits[0] ?? 0) - 0x3f000000);
    } else out[i] = sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  return out;
}

function bfloatToFloat(brain: Uint16Array): Float32Array {
  const bits = new Uint32Array(brain.length);
  for (let i = 0; i < brain.length; i++) bits[i] = (brain[i] ?? 0) << 16;
  return new Float32Array(bits.buffer);
}

/**
 * What each byte of an 8-bit float is worth. E4M3 has no infinity and one NaN a sign; E5M2 is the upper half of an f16
 * (https://arxiv.org/abs/2209.05433); E8M0 is a power of two, a scale
 * (https://www.opencompute.org/documents/ocp-microscaling-formats-mx-v1-0-spec-final-pdf).
 */
function float8Values(dtype: "f8_e4m3" | "f8_e5m2" | "f8_e8m0"): Float32Array {
  if (dtype === "f8_e5m2") return halfToFloat(Uint16Array.from({ length: 256 }, (_, b) => b << 8));
  return Float32Array.from({ length: 256 }, (_, b) => {
    if (dtype === "f8_e8m0") return b === 255 ? Number.NaN : 2 ** (b - 127);
    const exponent = (b >> 3) & 15;
    const mantissa = b & 7;
    if (exponent === 15 && mantissa === 7) return Number.NaN;
    const magnitude = exponent === 0 ? mantissa * 2 ** -9 : (8 + mantissa) * 2 ** (exponent - 10);
    return b & 0x80 ? -magnitude : magnitude;
  });
}

/** 64-bit integers, given as pairs of low and high words, as i32. */
function narrow(name: string, dtype: "i64" | "u64", words: Int32Array): Int32Array {
  const out = new Int32Array(words.length / 2);
  for (let i = 0; i < out.length; i++) {
    const low = words[2 * i] ?? 0;
    const high = words[2 * i + 1] ?? 0;
    if (high !== low >> 31 || (dtype === "u64" && high < 0)) {
      const big = (BigInt(high) << 32n) | BigInt(low >>> 0);
      const value = dtype === "u64" ? BigInt.asUintN(64, big) : big;
      throw new FormatError(
        `[${brief(name)}] element ${i} is ${value} (${dtype}), which does not fit i32, the widest integer on the device: ` +
          "remove this entry from the file or store it as a float",
      );
    }
    out[i] = low;
  }
  return out;
}
