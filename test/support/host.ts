// HostArray: f64 arrays on the host, in which the reference implementations are written.
import fc from "fast-check";
import { type Dtype, type Tensor, tensor } from "wgrad";

export interface HostArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
  readonly dtype: Dtype;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export function host(shape: readonly number[], data?: ArrayLike<number>, dtype: Dtype = "f32"): HostArray {
  return {
    shape,
    data: data ? Float64Array.from(data) : new Float64Array(sizeOf(shape)),
    dtype,
    // A counterexample is its shapes and seed; thousands of numbers would bury them.
    ...{ [fc.toStringMethod]: () => `${dtype} [${shape}]` },
  };
}

/** A small seeded generator (mulberry32): the same case data for the same fast-check seed. */
export function rng(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Uniform values in [lo, hi), rounded to f32 so that device and reference start from the same numbers. */
export function uniform(shape: readonly number[], seed: number, lo = -1, hi = 1): HostArray {
  const next = rng(seed);
  return host(
    shape,
    Float64Array.from({ length: sizeOf(shape) }, () => Math.fround(lo + (hi - lo) * next())),
  );
}

/** Whole numbers in [lo, hi). */
export function integers(shape: readonly number[], seed: number, lo: number, hi: number): HostArray {
  const next = rng(seed);
  return host(
    shape,
    Float64Array.from({ length: sizeOf(shape) }, () => Math.floor(lo + (hi - lo) * next())),
    "i32",
  );
}

/** Uploads a host array. */
export function upload(a: HostArray, requiresGrad = false): Tensor {
  const data =
    a.dtype === "i32"
      ? Int32Array.from(a.data)
      : a.dtype === "u32"
        ? Uint32Array.from(a.data)
        : Float32Array.from(a.data);
  return tensor(data, { shape: a.shape, requiresGrad });
}
