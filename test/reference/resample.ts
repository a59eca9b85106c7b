// Resizing in f64 as Pillow and PyTorch do, with and without antialiasing, in floats or in whole levels.
import type { Interpolation } from "../../src/vision/transform-steps.ts";
import { type HostArray, host } from "../support/host.ts";

export interface ResampleArgs {
  readonly interpolation: Interpolation;
  readonly antialias: boolean;
  /** Round to 256 levels after each axis. */
  readonly levels?: boolean;
}

const cubic = (x: number, a: number): number => {
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
};

/** Of output position o of `to`: the input positions of `from` that it is made of, and their weights. */
function taps(o: number, from: number, to: number, { interpolation, antialias }: ResampleArgs): [number, number][] {
  if (interpolation === "nearest") return [[Math.floor((o * from) / to), 1]];
  if (interpolation === "nearest-exact") return [[Math.floor(((2 * o + 1) * from) / (2 * to)), 1]];
  const centre = ((o + 0.5) * from) / to;
  if (!antialias) {
    const s = interpolation === "bicubic" ? centre - 0.5 : Math.max(centre - 0.5, 0);
    const low = Math.floor(s);
    const inside = (i: number) => Math.min(Math.max(i, 0), from - 1);
    if (interpolation === "bilinear")
      return [
        [low, 1 - (s - low)],
        [inside(low + 1), s - low],
      ];
    return [-1, 0, 1, 2].map((k) => [inside(low + k), cubic(s - low - k, -0.75)]);
  }
  const stretch = Math.max(from / to, 1);
  const support = stretch * (interpolation === "bicubic" ? 2 : 1);
  const first = Math.max(Math.trunc(centre - support + 0.5), 0);
  const end = Math.min(Math.trunc(centre + support + 0.5), from);
  const weights = Array.from({ length: end - first }, (_, k) => {
    const x = (first + k - centre + 0.5) / stretch;
    return interpolation === "bicubic" ? cubic(x, -0.5) : Math.max(1 - Math.abs(x), 0);
  });
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w, k) => [first + k, w / sum]);
}

/** One axis of [outer, from, inner]. */
function along(
  x: Float64Array,
  outer: number,
  from: number,
  inner: number,
  to: number,
  args: ResampleArgs,
): Float64Array {
  if (from === to) return x;
  const y = new Float64Array(outer * to * inner);
  for (let o = 0; o < to; o++) {
    const mix = taps(o, from, to, args);
    for (let n = 0; n < outer; n++)
      for (let i = 0; i < inner; i++) {
        let v = 0;
        for (const [at, weight] of mix) v += weight * x[(n * from + at) * inner + i]!;
        if (args.levels) v = Math.floor(Math.min(Math.max(v, 0), 1) * 255 + 0.5) / 255;
        y[(n * to + o) * inner + i] = v;
      }
  }
  return y;
}

/** torchvision's size of a picture whose shorter side becomes `size`. */
export function sizeFor(size: number, maxSize: number | null, height: number, width: number): [number, number] {
  const [short, long] = [Math.min(height, width), Math.max(height, width)];
  let [a, b] = [size, Math.trunc((size * long) / short)];
  if (maxSize !== null && b > maxSize) [a, b] = [Math.trunc((maxSize * a) / b), maxSize];
  return height <= width ? [a, b] : [b, a];
}

/** image: [C, H, W] */
export function resample(image: HostArray, [h, w]: readonly [number, number], args: ResampleArgs): HostArray {
  const [channels, height, width] = image.shape as [number, number, number];
  const columns = along(image.data, channels * height, width, 1, w, args);
  return host([channels, h, w], along(columns, channels, height, w, h, args));
}
