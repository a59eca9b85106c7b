// Pooling of signals and volumes by way of images, and adaptive maxima: windows of differing lengths are laid out as ones of one length.
import { checkTensor } from "../autograd/run.ts";
import { check, checkOptions, ShapeError, told, ValueError } from "../errors.ts";
import { constantFrom } from "../tensor/create.ts";
import { scope } from "../tensor/scope.ts";
import { show, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./arithmetic.ts";
import { gather, indexSelect } from "./gather.ts";
import { shares } from "./interpolate.ts";
import {
  AVG_POOL_OPTIONS,
  adaptiveAvgPool2d,
  avgPool2d,
  type IndicesOption,
  MAX_POOL_OPTIONS,
  maxPool2d,
  type Pooled,
} from "./pool.ts";
import { type Size1, type Size3, type SizeN, spread } from "./spatial.ts";
import { checkAxis, makeTaps, throughTaps } from "./taps.ts";
import { view } from "./view.ts";

/** How windows move over signals or volumes. */
export interface PoolNdOptions<S extends SizeN> {
  /** Default: the kernel's size. */
  stride?: S;
  /** On both sides; at most half the kernel. Default 0. */
  padding?: S;
  /** Round output sizes up: windows may reach over the edge, but start inside. Default false. */
  ceilMode?: boolean;
}
/** What maxima take beside the size of the window. */
export interface MaxPoolNdOptions<S extends SizeN> extends PoolNdOptions<S> {
  /** Distance between the elements of a window. Default 1. */
  dilation?: S;
}
/** What means take beside the size of the window. */
export interface AvgPoolNdOptions<S extends SizeN> extends PoolNdOptions<S> {
  /** Padding counts in the divisor. Default true. */
  countIncludePad?: boolean;
}

/** A size, or null for the input's own. */
export type AdaptiveSize1 = number | null | readonly [number | null];
/** A size for rows and columns, or for both; null for the input's own. */
export type AdaptiveSize2 = number | null | readonly [number | null, number | null];
/** A size for depth, rows and columns, or for all; null for the input's own. */
export type AdaptiveSize3 = number | null | readonly [number | null, number | null, number | null];

const FORMS = ["[N, C, L] or [C, L]", "[N, C, H, W] or [C, H, W]", "[N, C, D, H, W] or [C, D, H, W]"];

/** Throws unless x is of `count` dimensions with channels, and perhaps a batch. */
export function checkPooled(op: string, x: Tensor, count: number): void {
  checkTensor(op, "input", x);
  check(
    x.ndim === count + 1 || x.ndim === count + 2,
    () => `[${op}] input has shape ${show(x.shape)} but must be ${FORMS[count - 1]}`,
    ShapeError,
  );
}

type Options = MaxPoolNdOptions<SizeN> & AvgPoolNdOptions<SizeN>;
type Pool2d = (x: Tensor, kernelSize: [number, number], options: object) => Tensor;

/** The options of pooling along these two of the dimensions; -1 is one where nothing moves. */
function along(op: string, kernelSize: SizeN, o: Options, count: number, dims: readonly [number, number]) {
  const kernel = spread(op, "kernelSize", kernelSize, count, 1);
  const of = (list: readonly number[], filler: number): [number, number] => [
    list[dims[0]] ?? filler,
    list[dims[1]] ?? filler,
  ];
  const { ceilMode, countIncludePad } = o;
  const options = {
    stride: of(spread(op, "stride", o.stride ?? kernel, count, 1), 1),
    padding: of(spread(op, "padding", o.padding ?? 0, count), 0),
    ...(o.dilation === undefined ? {} : { dilation: of(spread(op, "dilation", o.dilation, count, 1), 1) }),
    ...(ceilMode === undefined ? {} : { ceilMode }),
    ...(countIncludePad === undefined ? {} : { countIncludePad }),
  };
  return { kernel: of(kernel, 1), options };
}

/** Signals as images of one row. */
function ofSignals(op: string, x: Tensor, pool: (x: Tensor) => Tensor): Tensor {
  checkPooled(op, x, 1);
  return scope(() => {
    const y = pool(view(op, x, [...x.shape.slice(0, -1), 1, x.shape.at(-1) ?? 0]));
    return view(op, y, [...y.shape.slice(0, -2), y.shape.at(-1) ?? 0]);
  });
}

function pool1d(op: string, pool: Pool2d, x: Tensor, kernelSize: Size1, options: Options, known: readonly string[]) {
  checkOptions(op, options, known);
  const { kernel, options: across } = along(op, kernelSize, options, 1, [-1, 0]);
  return ofSignals(op, x, (image) => pool(image, kernel, across));
}

/** Within slices, and then across them: maxima of maxima, means of means of as many. */
function pool3d(op: string, pool: Pool2d, x: Tensor, kernelSize: Size3, options: Options, known: readonly string[]) {
  checkOptions(op, options, known);
  const inside = along(op, kernelSize, options, 3, [1, 2]);
  const across = along(op, kernelSize, options, 3, [0, -1]);
  checkPooled(op, x, 3);
  const [depth = 0, ...size] = x.shape.slice(-3);
  const outer = x.shape.slice(0, -3);
  const volumes = sizeOf(outer);
  return scope(() => {
    const slices = pool(view(op, x, [volumes, depth, ...size]), inside.kernel, inside.options);
    const image = slices.shape.slice(2);
    const y = pool(view(op, slices, [volumes, depth, sizeOf(image)]), across.kernel, across.options);
    return view(op, y, [...outer, y.shape[1] ?? 0, ...image]);
  });
}

/** The same of maxima with their positions. */
function maxPool1dIndices(x: Tensor, kernelSize: Size1, options: Options): [Tensor, Tensor] {
  const op = "maxPool1d";
  const { kernel, options: across } = along(op, kernelSize, options, 1, [-1, 0]);
  checkPooled(op, x, 1);
  return scope(() => {
    const image = view(op, x, [...x.shape.slice(0, -1), 1, x.shape.at(-1) ?? 0]);
    const [y, at] = maxPool2d(image, kernel, { ...across, returnIndices: true });
    const shape = [...y.shape.slice(0, -2), y.shape.at(-1) ?? 0];
    return [view(op, y, shape), view(op, at, shape)];
  });
}

/** Maxima of maxima; the second ones' positions tell which of the first ones' count. */
function maxPool3dIndices(x: Tensor, kernelSize: Size3, options: Options): [Tensor, Tensor] {
  const op = "maxPool3d";
  const inside = along(op, kernelSize, options, 3, [1, 2]);
  const across = along(op, kernelSize, options, 3, [0, -1]);
  checkPooled(op, x, 3);
  const [depth = 0, ...size] = x.shape.slice(-3);
  const outer = x.shape.slice(0, -3);
  const volumes = sizeOf(outer);
  return scope(() => {
    const planes = view(op, x, [volumes, depth, ...size]);
    const [slices, inSlice] = maxPool2d(planes, inside.kernel, { ...inside.options, returnIndices: true });
    const image = slices.shape.slice(2);
    const area = sizeOf(image);
    const firsts = Int32Array.from({ length: depth }, (_, d) => d * sizeOf(size));
    const inVolume = add(inSlice, constantFrom(firsts, [depth, 1, 1], "i32", { device: x.device }));
    const [y, at] = maxPool2d(view(op, slices, [volumes, depth, area]), across.kernel, {
      ...across.options,
      returnIndices: true,
    });
    const rows = y.shape[1] ?? 0;
    const found = gather(view(op, inVolume, [volumes, depth * area]), 1, view(op, at, [volumes, rows * area]));
    const shape = [...outer, rows, ...image];
    return [view(op, y, shape), view(op, found, shape)];
  });
}

/**
 * The largest element of each window of x: [N, C, L] or [C, L].
 * @throws ValueError for padding beyond half the kernel, ShapeError where no window fits.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.max_pool1d.html
 */
export function maxPool1d<R extends boolean = false>(
  x: Tensor,
  kernelSize: Size1,
  options: MaxPoolNdOptions<Size1> & IndicesOption<R> = {},
): Pooled<R> {
  checkOptions("maxPool1d", options, MAX_POOL_OPTIONS);
  return (
    options.returnIndices === true
      ? maxPool1dIndices(x, kernelSize, options)
      : pool1d("maxPool1d", maxPool2d, x, kernelSize, options, MAX_POOL_OPTIONS)
  ) as Pooled<R>;
}

/**
 * The mean of each window of x: [N, C, L] or [C, L].
 * @throws ValueError for padding beyond half the kernel, ShapeError where no window fits.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool1d.html
 */
export const avgPool1d = (x: Tensor, kernelSize: Size1, options: AvgPoolNdOptions<Size1> = {}): Tensor =>
  pool1d("avgPool1d", avgPool2d, x, kernelSize, options, AVG_POOL_OPTIONS);

/**
 * The largest element of each window of x: [N, C, D, H, W] or [C, D, H, W].
 * @throws ValueError for padding beyond half the kernel, ShapeError where no window fits.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.max_pool3d.html
 */
export function maxPool3d<R extends boolean = false>(
  x: Tensor,
  kernelSize: Size3,
  options: MaxPoolNdOptions<Size3> & IndicesOption<R> = {},
): Pooled<R> {
  checkOptions("maxPool3d", options, MAX_POOL_OPTIONS);
  return (
    options.returnIndices === true
      ? maxPool3dIndices(x, kernelSize, options)
      : pool3d("maxPool3d", maxPool2d, x, kernelSize, options, MAX_POOL_OPTIONS)
  ) as Pooled<R>;
}

/**
 * The mean of each window of x: [N, C, D, H, W] or [C, D, H, W].
 * @throws ValueError for padding beyond half the kernel, ShapeError where no window fits.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool3d.html
 */
export const avgPool3d = (x: Tensor, kernelSize: Size3, options: AvgPoolNdOptions<Size3> = {}): Tensor =>
  pool3d("avgPool3d", avgPool2d, x, kernelSize, options, AVG_POOL_OPTIONS);

/** Throws unless it is a size, or `count` of them, with null for the input's. */
export function checkAdaptive(op: string, outputSize: AdaptiveSize3 | readonly (number | null)[], count: number): void {
  const list: readonly unknown[] = Array.isArray(outputSize)
    ? Array.from(outputSize)
    : new Array(count).fill(outputSize);
  check(
    list.length === count && list.every((n) => n === null || (Number.isSafeInteger(n) && (n as number) >= 1)),
    () =>
      `[${op}] outputSize must be a whole number of at least 1 or null${count > 1 ? `, or ${count} of them` : ""}; got ${told(outputSize)}`,
    ValueError,
  );
}

/** The input's sizes, all of them with elements, and those of the result. */
function adaptive(op: string, x: Tensor, outputSize: AdaptiveSize1 | AdaptiveSize2 | AdaptiveSize3, count: number) {
  checkPooled(op, x, count);
  checkAdaptive(op, outputSize, count);
  check(
    sizeOf(x.shape.slice(1)) > 0,
    () => `[${op}] input ${show(x.shape)} has no elements to pool: only the batch may be empty`,
  );
  const list: readonly (number | null)[] = Array.isArray(outputSize) ? outputSize : new Array(count).fill(outputSize);
  return x.shape.slice(-count).map((from, i) => {
    const to = list[i] ?? from;
    checkAxis(op, Math.max(from, to));
    return { from, to };
  });
}

/**
 * Averages x: [N, C, L] or [C, L] to `outputSize` positions; null keeps the size.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool1d.html
 */
export function adaptiveAvgPool1d(x: Tensor, outputSize: AdaptiveSize1): Tensor {
  const [{ to } = { to: 1 }] = adaptive("adaptiveAvgPool1d", x, outputSize, 1);
  return ofSignals("adaptiveAvgPool1d", x, (image) => adaptiveAvgPool2d(image, [1, to]));
}

/**
 * Averages x: [N, C, D, H, W] or [C, D, H, W] to `outputSize` (depth, rows and columns, or one number for all); null keeps a size.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool3d.html
 */
export function adaptiveAvgPool3d(x: Tensor, outputSize: AdaptiveSize3): Tensor {
  const name = "adaptiveAvgPool3d";
  const axes = adaptive(name, x, outputSize, 3).map(({ from, to }) => shares(from, to));
  return throughTaps(name, x, axes);
}

/** Windows one behind the other, each as long as the longest: what is missing repeats its last element. `at`: where i comes from. */
function laidOut({ from, to }: { from: number; to: number }) {
  const [first, end] = [(o: number) => Math.floor((o * from) / to), (o: number) => Math.ceil(((o + 1) * from) / to)];
  let length = 1;
  for (let o = 0; o < to; o++) length = Math.max(length, end(o) - first(o));
  const at = (i: number) => {
    const o = Math.floor(i / length);
    return Math.min(first(o) + (i % length), end(o) - 1);
  };
  return { length, at, size: to * length, taps: makeTaps(from, to * length, 1, (i, put) => put(at(i), 1)) };
}

/**
 * The largest elements of x: [N, C, H, W] or [C, H, W] in `outputSize` rows and columns of windows; null keeps a size. Among equal
 * elements the first gets the gradient.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool2d.html
 */
export function adaptiveMaxPool2d<R extends boolean = false>(
  x: Tensor,
  outputSize: AdaptiveSize2,
  options: IndicesOption<R> = {},
): Pooled<R> {
  const name = "adaptiveMaxPool2d";
  checkOptions(name, options, ["returnIndices"]);
  const [down, across] = adaptive(name, x, outputSize, 2).map(laidOut);
  return scope((): Tensor | [Tensor, Tensor] => {
    const whole = throughTaps(name, x, [down?.taps ?? null, across?.taps ?? null]);
    const kernel: [number, number] = [down?.length ?? 1, across?.length ?? 1];
    if (options.returnIndices !== true) return maxPool2d(whole, kernel);
    const [y, found] = maxPool2d(whole, kernel, { returnIndices: true });
    const [columns, width] = [across?.size ?? 1, x.shape.at(-1) ?? 1];
    const places = Int32Array.from({ length: (down?.size ?? 1) * columns }, (_, i) => {
      const row = Math.floor(i / columns);
      return (down?.at(row) ?? 0) * width + (across?.at(i - row * columns) ?? 0);
    });
    const table = constantFrom(places, [places.length], "i32", { device: x.device });
    return [y, view(name, indexSelect(table, 0, view(name, found, [found.numel])), found.shape)];
  }) as Pooled<R>;
}

/**
 * The largest elements of x: [N, C, L] or [C, L] in `outputSize` windows; null keeps the size.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool1d.html
 */
export function adaptiveMaxPool1d<R extends boolean = false>(
  x: Tensor,
  outputSize: AdaptiveSize1,
  options: IndicesOption<R> = {},
): Pooled<R> {
  const name = "adaptiveMaxPool1d";
  checkOptions(name, options, ["returnIndices"]);
  const [{ to } = { to: 1 }] = adaptive(name, x, outputSize, 1);
  return scope((): Tensor | [Tensor, Tensor] => {
    const image = view(name, x, [...x.shape.slice(0, -1), 1, x.shape.at(-1) ?? 0]);
    const signal = (y: Tensor) => view(name, y, [...x.shape.slice(0, -1), to]);
    if (options.returnIndices !== true) return signal(adaptiveMaxPool2d(image, [1, to]));
    const [y, at] = adaptiveMaxPool2d(image, [1, to], { returnIndices: true });
    return [signal(y), signal(at)];
  }) as Pooled<R>;
}
