// The one place for tolerances: |got - ref| <= c * eps(dtype) * sqrt(K) * scale, K the length of the longest reduction.
import type { HostArray } from "./host.ts";

export const EPS = { f32: 2 ** -23, f16: 2 ** -10 } as const;
/** Rounding errors of a few operations an element, with room for an adapter's approximate exp, sqrt and division. */
export const C = 16;

export interface ToleranceOptions {
  readonly c?: number;
  /**
   * Size of the terms that the results are sums of, where these may cancel to less: of all elements, or of each one, which then
   * is not excused by a larger one elsewhere. Default: that of the largest result.
   */
  readonly scale?: number | ((index: number) => number) | undefined;
}

/** Throws with the first element where `got` differs from `ref` by more than the tolerance allows. */
export function expectClose(
  got: ArrayLike<number>,
  ref: HostArray,
  K: number,
  what: string,
  options: ToleranceOptions = {},
): void {
  const { c = C, scale: least = 1e-6 } = options;
  if (got.length !== ref.data.length) throw new Error(`${what}: ${got.length} elements, expected ${ref.data.length}`);
  let scale = typeof least === "number" ? least : 0;
  if (typeof least === "number") {
    for (const x of ref.data) if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x));
  }
  const exact = ref.dtype === "i32" || ref.dtype === "u32";
  const unit = exact ? 0 : c * EPS.f32 * Math.sqrt(Math.max(K, 1));
  for (let i = 0; i < got.length; i++) {
    // NaN and infinities are themselves.
    if (Object.is(got[i], ref.data[i])) continue;
    const error = Math.abs(got[i]! - ref.data[i]!);
    const bound = unit * (typeof least === "number" ? scale : Math.max(least(i), Math.abs(ref.data[i]!)));
    if (!(error <= bound) || !Number.isFinite(ref.data[i]!)) {
      throw new Error(
        `${what}: element ${i} of [${ref.shape}] is ${got[i]}, reference ${ref.data[i]} (error ${error.toExponential(2)}, bound ${bound.toExponential(2)}, K ${K})`,
      );
    }
  }
}
