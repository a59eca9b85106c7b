// Transforms that resize: resize, randomResizedCrop.
import type { Run } from "../autograd/run.ts";
import { check, checkOptions, ShapeError, told, ValueError } from "../errors.ts";
import type { DeviceInfo } from "../gpu/device.ts";
import type { Binding } from "../gpu/queue.ts";
import { ALIGN, bindingElements, partOf } from "../kernels/binding-parts.ts";
import { Kernel } from "../kernels/kernel.ts";
import resampleWgsl from "../kernels/wgsl/resample.wgsl";
import weightsWgsl, { BICUBIC, BILINEAR, NEAREST, NEAREST_EXACT, WG } from "../kernels/wgsl/resample-weights.wgsl";
import type { Dtype } from "../tensor/dtype.ts";
import { pair, type Shape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { makeRunner, pixelWalk, sizes, span, statistics } from "./transform-ops.ts";
import { checkInterpolation, flag, range, square, wholeNumber } from "./transform-options.ts";
import type { Interpolation, Range, ResizedCropStep, ResizeStep, Size } from "./transform-steps.ts";
import { Transform } from "./transforms.ts";

const weightsKernel = new Kernel(weightsWgsl);
const resampleKernel = new Kernel(resampleWgsl);

const MODES: Readonly<Record<Interpolation, number>> = {
  nearest: NEAREST,
  "nearest-exact": NEAREST_EXACT,
  bilinear: BILINEAR,
  bicubic: BICUBIC,
};

/** The size that a step makes of `size`. */
function sizeAfter(step: ResizeStep | ResizedCropStep, [height, width]: Size): Size {
  if (typeof step.size !== "number") return step.size;
  // torchvision: the shorter side becomes `size`, the longer one keeps the proportions, rounded down.
  const [short, long] = [Math.min(height, width), Math.max(height, width)];
  let [newShort, newLong] = [step.size, Math.floor((step.size * long) / short)];
  const maxSize = step.kind === "resize" ? step.maxSize : null;
  if (maxSize !== null && newLong > maxSize) {
    newShort = Math.max(1, Math.floor((maxSize * newShort) / newLong));
    newLong = maxSize;
  }
  return height <= width ? [newShort, newLong] : [newLong, newShort];
}

/** Numbers of an output position's weights: their place, their count, and as many as the filter reaches. */
function slotsOf({ interpolation, antialias }: ResizeStep | ResizedCropStep, from: number, to: number): number {
  if (interpolation === "nearest" || interpolation === "nearest-exact") return 3;
  const support = (interpolation === "bicubic" ? 2 : 1) * (antialias ? Math.max(from / to, 1) : 1);
  return 2 + 2 * Math.ceil(support) + 1;
}

interface Table {
  readonly table: Tensor;
  readonly slots: number;
  /** Numbers of an image's own table; 0 where all share one. */
  readonly own: number;
}

/** The weights along an axis (0: rows). */
function weights(
  run: Run,
  step: ResizeStep | ResizedCropStep,
  axis: 0 | 1,
  { n, size, out }: { n: number; size: Size; out: Size },
  random: { u: Tensor; column: number } | null,
): Table {
  const slots = slotsOf(step, size[axis], out[axis]);
  const table = run.scratch([random ? n : 1, out[axis], slots]);
  const from = { axis, out_size: out[axis], slots, mode: MODES[step.interpolation], antialias: Number(step.antialias) };
  const crop = { columns: random?.u.shape[1] ?? 0, column: random?.column ?? 0, size };
  const window =
    step.kind === "resizedCrop"
      ? { area: span(step.scale), ratio: span([Math.log(step.ratio[0]), Math.log(step.ratio[1])]) }
      : { area: [0, 0] as const, ratio: [0, 0] as const };
  const grid = [Math.ceil(out[axis] / WG), random ? n : 1] as const;
  weightsKernel.launch(run, { u: random?.u ?? null, table }, { ...from, ...crop, ...window }, grid);
  return { table, slots, own: random ? out[axis] * slots : 0 };
}

const runner = makeRunner<ResizeStep | ResizedCropStep>({
  name: "resize",
  takesIntegers: true,
  shapeAfter(step, shape): Shape {
    const [n = 0, channels = 0, height = 0, width = 0] = shape;
    check(height > 0 && width > 0, () => `[resize] images have no pixels: ${show(shape)}`, ValueError);
    const size = sizeAfter(step, [height, width]);
    check(
      Math.max(height, width) * Math.max(...size) < 2 ** 30,
      () => `[resize] ${show(shape)} to ${size[0]} x ${size[1]} is too large`,
      ShapeError,
    );
    return [n, channels, ...size];
  },
  launch(run, [x, draws], y, { placed, normalize, levels }) {
    const { n, channels, height, width } = sizes(x);
    const size: Size = [height, width];
    const out: Size = [y.shape[2] ?? 0, y.shape[3] ?? 0];
    const [wide, planes] = [height * out[1] * channels, { x: x.numel / n, y: y.numel / n }];
    const group = channels % 3 === 0 ? 3 : 1;
    const kernel = (dtype: Dtype) => resampleKernel.variant({ T: dtype, IS_INTEGER: dtype !== "f32", GROUP: group });
    for (const { step, column } of placed) {
      const random = step.kind === "resizedCrop" && draws ? { u: draws, column } : null;
      const of = { n, size, out };
      // Pillow's order: columns first, each axis only where it changes.
      const rows = weights(run, step, 0, of, random);
      const columns = random || width !== out[1] ? weights(run, step, 1, of, random) : null;
      const both = columns !== null && (random !== null || height !== out[0]);
      const parts = imageParts(run.device.info, n, [planes.x, planes.y, ...(both ? [wide] : [])]);
      const between = both ? run.scratch([parts[0]?.count ?? n, channels, height, out[1]]) : null;
      for (const { first, count } of parts) {
        const source = partOf(x.storage, first * planes.x, count * planes.x);
        const target = partOf(y.storage, first * planes.y, count * planes.y);
        const pass = (from: Binding, [in_height, in_width]: Size, to: Binding, goal: Size, across: boolean) => {
          const { params, grid } = pixelWalk(run, count, ...goal);
          const along = across && columns ? columns : rows;
          kernel(from === source ? x.dtype : "f32").launch(
            run,
            { x: from, table: along.table, rows: across ? rows.table : null, y: to },
            {
              ...params,
              ...{ first, channels, in_height, in_width },
              ...{ slots: along.slots, own: along.own, levels: Number(levels) },
              ...{ row_slots: rows.slots, row_own: rows.own, last_row: out[0] - 1 },
              ...statistics(to === target ? normalize : null),
            },
            grid,
          );
        };
        if (between) {
          const middle = partOf(between.storage, 0, count * wide);
          pass(source, size, middle, [height, out[1]], true);
          pass(middle, [height, out[1]], target, out, false);
        } else pass(source, size, target, out, columns !== null);
      }
    }
  },
});

/** A batch in as few parts as bindings hold, mostly one. elements: of an image, in each tensor that is bound. */
function imageParts(info: DeviceInfo, n: number, elements: readonly number[]): { first: number; count: number }[] {
  const fit = Math.floor(bindingElements(info) / Math.max(...elements));
  // So many images begin where a binding may. Where those do not fit, the launch says so.
  const unit = Math.max(...elements.map((count) => ALIGN / commonDivisor(count, ALIGN)));
  const most = fit >= n || fit < unit ? n : Math.floor(fit / unit) * unit;
  return Array.from({ length: Math.ceil(n / most) }, (_, i) => ({
    first: i * most,
    count: Math.min(most, n - i * most),
  }));
}

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));

/** What `resize` and `randomResizedCrop` take. */
export interface InterpolationOptions {
  /**
   * "bilinear"; "bicubic"; "nearest", rounding down as torchvision's tensors do; "nearest-exact", the middle as Pillow's
   * images do. Default "bilinear".
   */
  interpolation?: Interpolation;
  /**
   * Whether a smaller image is computed from all pixels of the larger one: the filter grows with the ratio. Otherwise only from
   * the two or four nearest along each axis. Default true, which is what Pillow does, and what pretrained weights saw.
   */
  antialias?: boolean;
}

/** What `resize` takes. */
export interface ResizeOptions extends InterpolationOptions {
  /** The longer side's greatest length, where `size` is a number. Default null: any. */
  maxSize?: number | null;
}

const INTERPOLATION = ["interpolation", "antialias"];

function interpolated(name: string, options: InterpolationOptions) {
  const { interpolation = "bilinear", antialias = true } = options;
  return { interpolation: checkInterpolation(name, interpolation), antialias: flag(name, "antialias", antialias) };
}

/**
 * Resizes images [N, C, H, W] to [height, width], or the shorter side to `size` and the longer one in proportion. Filters are
 * Pillow's (triangle, and cubic with a = -0.5); 8-bit images are rounded after each axis as Pillow's are.
 * @throws ValueError for sizes or options out of range.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.Resize.html
 */
export function resize(
  size: number | readonly [height: number, width: number],
  options: ResizeOptions = {},
): Transform {
  checkOptions("resize", options, [...INTERPOLATION, "maxSize"]);
  const { maxSize = null } = options;
  const sides = pair("resize", "size", size, 1);
  if (maxSize !== null) {
    wholeNumber("resize", "maxSize", maxSize, 1);
    check(
      typeof size === "number" && maxSize > size,
      () => `[resize] maxSize takes a number for size, smaller than it; got size ${told(size)}, maxSize ${maxSize}`,
      ValueError,
    );
  }
  const goal = typeof size === "number" ? size : sides;
  return new Transform([{ step: { kind: "resize", size: goal, maxSize, ...interpolated("resize", options) }, runner }]);
}

/** What `randomResizedCrop` takes. */
export interface RandomResizedCropOptions extends InterpolationOptions {
  /** The window's area as a share of the image's, [low, high], from 0 to 1. Default [0.08, 1]. */
  scale?: Range;
  /** The window's width by its height, [low, high]; its logarithm is uniform. Default [3 / 4, 4 / 3]. */
  ratio?: Range;
}

/**
 * A window of random area and proportions at a random place of each image, resized to `size` (a number: a square): [N, C,
 * height, width]. Where ten attempts do not fit, the largest window in the middle with such proportions.
 * @throws ValueError for options out of range.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomResizedCrop.html
 */
export function randomResizedCrop(
  size: number | readonly [height: number, width: number],
  options: RandomResizedCropOptions = {},
): Transform {
  const name = "randomResizedCrop";
  checkOptions(name, options, [...INTERPOLATION, "scale", "ratio"]);
  const { scale = [0.08, 1], ratio = [3 / 4, 4 / 3] } = options;
  const step = {
    kind: "resizedCrop",
    size: square(name, size),
    scale: range(name, "scale", scale, 0, 1),
    ratio: range(name, "ratio", ratio, Number.MIN_VALUE),
    ...interpolated(name, options),
  } as const;
  return new Transform([{ step, runner }]);
}
