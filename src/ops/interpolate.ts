// Interpolation to other sizes, as tables of the positions that each result is made of.

import { checkTensor } from "../autograd/run.ts";
import { check, checkNumber, checkOptions, told, ValueError } from "../errors.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type SizeN, spread } from "./spatial.ts";
import { checkAxis, makeTaps, type Taps, throughTaps } from "./taps.ts";

/** How values between the given ones are found. */
export type InterpolationMode = "nearest" | "nearest-exact" | "linear" | "bilinear" | "trilinear" | "bicubic" | "area";

/** What `interpolate` takes. */
export interface InterpolateOptions {
  /** Sizes of the result, one number for all. Either this or `scaleFactor`. */
  size?: SizeN | null;
  /** The result's sizes as multiples of the input's, rounded down; one number for all. */
  scaleFactor?: number | readonly number[] | null;
  /**
   * "nearest", rounding down; "nearest-exact", the nearest centre; "linear" for one dimension, "bilinear" for two, "trilinear" for
   * three; "bicubic"; "area", the mean of what lies in a result's share. Default "nearest".
   */
  mode?: InterpolationMode;
  /**
   * Whether the first and last centres of input and result are at the same place, rather than the edges. Of "linear",
   * "bilinear", "trilinear" and "bicubic". Default false.
   */
  alignCorners?: boolean | null;
  /** Whether positions follow from the sizes also where `scaleFactor` is given. Default false: from the factors themselves. */
  recomputeScaleFactor?: boolean | null;
  /** Whether a smaller result is computed from everything that it covers. Of "bilinear" and "bicubic". Default false. */
  antialias?: boolean;
}

/** Their names. */
export const INTERPOLATE_OPTIONS = ["size", "scaleFactor", "mode", "alignCorners", "recomputeScaleFactor", "antialias"];

/** For how many spatial dimensions each mode is; 0: any. */
const MODES: Readonly<Record<InterpolationMode, number>> = {
  nearest: 0,
  "nearest-exact": 0,
  area: 0,
  linear: 1,
  bilinear: 2,
  trilinear: 3,
  bicubic: 2,
};

/** An axis: its sizes, and what a step of the result is in the input. */
interface Axis {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  readonly alignCorners: boolean;
}

/** PyTorch finds nearest positions in f32, which decides about ties. */
function nearest({ from, to, scale }: Axis, offset: number): Taps | null {
  const step = Math.fround(scale);
  return makeTaps(from, to, 1, (o, put) => put(Math.min(Math.floor(Math.fround((o + offset) * step)), from - 1), 1));
}

/** Where the centre of o is, counted from the centre of the first. */
const centre = ({ scale, alignCorners }: Axis, o: number): number =>
  alignCorners ? o * scale : (o + 0.5) * scale - 0.5;

function linear(axis: Axis): Taps | null {
  const last = axis.from - 1;
  return makeTaps(axis.from, axis.to, 2, (o, put) => {
    const at = Math.max(0, centre(axis, o));
    const first = Math.min(Math.floor(at), last);
    const share = Math.min(at - first, 1);
    put(first, 1 - share);
    put(Math.min(first + 1, last), share);
  });
}

/** Keys' cubic kernel. */
function keys(x: number, a: number): number {
  const t = Math.abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0;
}

function cubic(axis: Axis): Taps | null {
  const last = axis.from - 1;
  return makeTaps(axis.from, axis.to, 4, (o, put) => {
    const at = centre(axis, o);
    const first = Math.floor(at);
    for (let k = -1; k <= 2; k++) put(Math.max(0, Math.min(first + k, last)), keys(at - first - k, -0.75));
  });
}

/** A filter as wide as a step of the result, at least `radius` positions to each side. */
function filtered({ from, to, scale }: Axis, radius: number, filter: (x: number) => number): Taps | null {
  const stretch = Math.max(scale, 1);
  const support = radius * stretch;
  return makeTaps(from, to, 2 * Math.ceil(support) + 1, (o, put) => {
    const middle = scale * (o + 0.5);
    const first = Math.max(Math.trunc(middle - support + 0.5), 0);
    const end = Math.min(Math.trunc(middle + support + 0.5), from);
    let total = 0;
    const weight = (i: number) => filter((i - middle + 0.5) / stretch);
    for (let i = first; i < end; i++) total += weight(i);
    for (let i = first; i < end; i++) put(i, weight(i) / (total || 1));
  });
}

/** The mean of the share [floor(o from / to), ceil((o + 1) from / to)) of each result. */
export function shares(from: number, to: number): Taps | null {
  return makeTaps(from, to, Math.ceil(from / to) + 1, (o, put) => {
    const [first, end] = [Math.floor((o * from) / to), Math.ceil(((o + 1) * from) / to)];
    for (let i = first; i < end; i++) put(i, 1 / (end - first));
  });
}

function tapsOf(mode: InterpolationMode, axis: Axis, antialias: boolean): Taps | null {
  switch (mode) {
    case "nearest":
      return nearest(axis, 0);
    case "nearest-exact":
      return nearest(axis, 0.5);
    case "area":
      return shares(axis.from, axis.to);
    case "bicubic":
      return antialias ? filtered(axis, 2, (x) => keys(x, -0.5)) : cubic(axis);
    default:
      return antialias ? filtered(axis, 1, (x) => Math.max(0, 1 - Math.abs(x))) : linear(axis);
  }
}

/** Checks options as far as it can be done without an input. */
export function checkInterpolate(name: string, options: InterpolateOptions): void {
  checkOptions(name, options, INTERPOLATE_OPTIONS);
  const { size = null, scaleFactor = null, mode = "nearest", alignCorners = null, antialias = false } = options;
  check(
    typeof mode === "string" && Object.hasOwn(MODES, mode),
    () => `[${name}] mode must be one of ${Object.keys(MODES).join(", ")}; got ${told(mode)}`,
    ValueError,
  );
  check(
    (size === null) !== (scaleFactor === null),
    () => `[${name}] takes either size or scaleFactor, got ${told(size)} and ${told(scaleFactor)}`,
    ValueError,
  );
  check(
    alignCorners === null || MODES[mode] > 0,
    () => `[${name}] alignCorners is an option of linear, bilinear, trilinear and bicubic, not of ${mode}`,
    ValueError,
  );
  check(
    !antialias || mode === "bilinear" || mode === "bicubic",
    () => `[${name}] antialias is an option of bilinear and bicubic, not of ${mode}`,
    ValueError,
  );
  check(
    size === null || options.recomputeScaleFactor !== true,
    () => `[${name}] recomputeScaleFactor is an option of scaleFactor, not of size`,
    ValueError,
  );
}

/**
 * x: [N, C, L], [N, C, H, W] or [N, C, D, H, W] at another size.
 * @throws ValueError for options out of range or that do not go together, ShapeError for an input without elements to interpolate.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  const name = "interpolate";
  checkTensor(name, "input", x);
  checkInterpolate(name, options);
  const { size = null, scaleFactor = null, mode = "nearest", alignCorners, antialias = false } = options;
  const sizes = x.shape.slice(2);
  const count = sizes.length;
  check(
    count >= 1 && count <= 3 && (MODES[mode] === 0 || MODES[mode] === count),
    () =>
      `[${name}] input has shape ${show(x.shape)}, but mode ${mode} takes ${MODES[mode] ? `${MODES[mode] + 2}` : "3 to 5"} dimensions`,
  );
  check(
    sizes.every((n) => n > 0) && (x.shape[1] ?? 0) > 0,
    () => `[${name}] input ${show(x.shape)} has no elements: only the batch may be empty`,
  );
  const factors = scaleFactor === null ? null : factorsOf(name, scaleFactor, count);
  const out = factors
    ? sizes.map((n, i) => Math.floor(n * (factors[i] ?? 1)))
    : spread(name, "size", size as SizeN, count, 1);
  check(
    out.every((n) => n > 0),
    () => `[${name}] input ${show(x.shape)} scaled by ${show(factors ?? [])} has no elements left`,
    ValueError,
  );
  const axes = sizes.map((from, i) => {
    const to = out[i] ?? 1;
    checkAxis(name, Math.max(from, to));
    const align = alignCorners === true;
    const factor = options.recomputeScaleFactor === true ? null : (factors?.[i] ?? null);
    const scale = align ? (to > 1 ? (from - 1) / (to - 1) : 0) : factor === null ? from / to : 1 / factor;
    return tapsOf(mode, { from, to, scale, alignCorners: align }, antialias);
  });
  return throughTaps(name, x, axes);
}

function factorsOf(name: string, given: number | readonly number[], count: number): number[] {
  const list: readonly number[] = Array.isArray(given) ? Array.from(given) : new Array(count).fill(given);
  check(list.length === count, () => `[${name}] takes ${count} factors, got ${told(given)}`, ValueError);
  for (const factor of list) checkNumber(name, "each factor", factor, 2 ** -24, 2 ** 24);
  return [...list];
}
