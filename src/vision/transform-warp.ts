// Transforms that move whole pixels, several in a row by one kernel: crops, padding, flips, rotations; and normalization.
import { check, checkOptions, ShapeError, told, ValueError } from "../errors.ts";
import { Kernel } from "../kernels/kernel.ts";
import warpWgsl, {
  CONSTANT,
  CROP,
  EDGE,
  FIXED,
  FLIP,
  FLIP_ROWS,
  KINDS,
  MAX_STEPS,
  REFLECT,
  ROTATE,
  SYMMETRIC,
} from "../kernels/wgsl/warp-images.wgsl";
import { type Shape, show } from "../tensor/shape.ts";
import { rotation } from "./transform-affine.ts";
import { checkFill, fourOf, makeRunner, pixelWalk, sizes, statistics } from "./transform-ops.ts";
import {
  checkFillOption,
  checkPaddingMode,
  checkProbability,
  flag,
  isBilinear,
  margins,
  square,
  symmetric,
} from "./transform-options.ts";
import type { Fill, Margins, PaddingMode, Range, Size, Step, WarpStep } from "./transform-steps.ts";
import { Transform } from "./transforms.ts";

const kernel = new Kernel(warpWgsl);
const MODES: Readonly<Record<PaddingMode, number>> = {
  constant: CONSTANT,
  edge: EDGE,
  reflect: REFLECT,
  symmetric: SYMMETRIC,
};

/** Padding of a crop of images of this size. */
function marginsOf(step: WarpStep & { kind: "crop" }, [height, width]: Size): Margins {
  const [left, top, right, bottom] = step.margins;
  // torchvision pads on both sides by what one lacks.
  const lacks = (has: number, size: number) => (step.padIfNeeded ? Math.max(0, size - has) : 0);
  const more = [lacks(height + top + bottom, step.size[0]), lacks(width + left + right, step.size[1])] as const;
  return [left + more[1], top + more[0], right + more[1], bottom + more[0]];
}

/** Throws where a mirror image would have to be mirrored again. */
function checkMargins(name: string, [left, top, right, bottom]: Margins, mode: PaddingMode, size: Size): void {
  const least = mode === "reflect" ? 1 : 0;
  check(
    mode === "constant" || mode === "edge"
      ? mode === "constant" || Math.min(...size) > 0
      : Math.max(top, bottom) <= size[0] - least && Math.max(left, right) <= size[1] - least,
    () =>
      `[${name}] paddingMode "${mode}" takes padding${least ? " smaller than" : " up to"} the images, got ${show([left, top, right, bottom])} (left, top, right, bottom) of images of ${size[0]} x ${size[1]}`,
    ShapeError,
  );
}

/** The size that a step makes of `size`. */
function sizeAfter(step: WarpStep, size: Size): Size {
  const [height, width] = size;
  switch (step.kind) {
    case "crop": {
      const around = marginsOf(step, size);
      checkMargins("randomCrop", around, step.mode, size);
      const [left, top, right, bottom] = around;
      const [h, w] = step.size;
      check(
        h <= height + top + bottom && w <= width + left + right,
        () =>
          `[randomCrop] a crop of ${h} x ${w} was asked of images of ${height} x ${width}${around.some(Boolean) ? ` padded by ${show(around)} (left, top, right, bottom)` : ""}: it must not be larger`,
        ShapeError,
      );
      return step.size;
    }
    case "pad": {
      checkMargins("pad", step.margins, step.mode, size);
      const [left, top, right, bottom] = step.margins;
      return [height + top + bottom, width + left + right];
    }
    case "centerCrop":
      return step.size;
    default:
      return size;
  }
}

/** Where a window in the middle begins; padding, where it is larger, has its odd pixel at the end. */
function middle(whole: number, part: number): number {
  if (part > whole) return -Math.floor((part - whole) / 2);
  // Python's round: a half goes to the even neighbour.
  const below = Math.floor((whole - part) / 2);
  return below + ((whole - part) % 2 === 1 ? below % 2 : 0);
}

/** What the kernel knows of one step: its kind and padding, its numbers and its fill. */
function blockOf(step: WarpStep, size: Size): { kind: number; amount: readonly number[]; fill: Fill } {
  switch (step.kind) {
    case "centerCrop":
      return { kind: FIXED, amount: [middle(size[0], step.size[0]), middle(size[1], step.size[1]), 0, 0], fill: 0 };
    case "pad":
      return {
        kind: FIXED + KINDS * MODES[step.mode],
        amount: [-step.margins[1], -step.margins[0], 0, 0],
        fill: step.fill,
      };
    case "crop": {
      const [left, top, right, bottom] = marginsOf(step, size);
      const room = [size[0] + top + bottom - step.size[0] + 1, size[1] + left + right - step.size[1] + 1];
      return { kind: CROP + KINDS * MODES[step.mode], amount: [...room, -top, -left], fill: step.fill };
    }
    case "flip":
      return { kind: step.rows ? FLIP_ROWS : FLIP, amount: [step.p, 0, 0, 0], fill: 0 };
    case "rotate": {
      const [low, high] = step.degrees.map((d) => (d * Math.PI) / 180) as [number, number];
      return { kind: ROTATE, amount: [low, high - low, 0, 0], fill: step.fill };
    }
  }
}

const runner = makeRunner<WarpStep>({
  name: "warpImages",
  most: MAX_STEPS,
  shapeAfter(step, shape): Shape {
    const [n = 0, channels = 0, height = 0, width = 0] = shape;
    if ("fill" in step) checkFill(step.kind, step.fill, channels);
    return [n, channels, ...sizeAfter(step, [height, width])];
  },
  launch(run, [x, draws], y, { placed, normalize }) {
    const { n, channels, height, width } = sizes(y);
    const { params, grid } = pixelWalk(run, n, height, width);
    let size: Size = [x.shape[2] ?? 0, x.shape[3] ?? 0];
    const place: number[] = [];
    const amount: number[] = [];
    const fill: number[] = [];
    // The kernel takes them from the last to the first.
    for (const { step, column } of placed) {
      const block = blockOf(step, size);
      place.unshift(block.kind, column, ...size);
      amount.unshift(...block.amount);
      fill.unshift(...fourOf(block.fill));
      size = sizeAfter(step, size);
    }
    const maps = { steps: placed.length, columns: draws?.shape[1] ?? 0, place, amount, fill };
    kernel.launch(run, { x, u: draws, y }, { ...params, channels, ...statistics(normalize), ...maps }, grid);
  },
});

const warp = (step: WarpStep) => new Transform([{ step, runner }]);
/** Steps that no kernel is launched for. */
const plain = (step: Step) => new Transform([{ step, runner }]);

/** What `pad` and `randomCrop` take. */
export interface PadOptions {
  /** What is outside of the image, with `paddingMode` "constant": one value, or one a channel, in [0, 1]. Default 0. */
  fill?: Fill;
  /**
   * "constant": `fill`; "edge": the outermost pixel again; "reflect": the mirror image without the outermost pixel,
   * "symmetric": with it. Default "constant".
   */
  paddingMode?: PaddingMode;
}

/**
 * Adds pixels around each image: `padding` on each side, or [left and right, above and below], or [left, top, right, bottom].
 * [N, C, H, W] becomes [N, C, top + H + bottom, left + W + right].
 * @throws ValueError for options out of range; ShapeError where a mirror image is larger than the image.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.Pad.html
 */
export function pad(padding: number | readonly number[], options: PadOptions = {}): Transform {
  checkOptions("pad", options, ["fill", "paddingMode"]);
  const { fill = 0, paddingMode = "constant" } = options;
  checkFillOption("pad", "fill", fill);
  return warp({ kind: "pad", margins: margins("pad", padding), fill, mode: checkPaddingMode("pad", paddingMode) });
}

/** What `randomCrop` takes. */
export interface RandomCropOptions extends PadOptions {
  /** Pixels added before the window is chosen, as `pad` takes them. Default 0. */
  padding?: number | readonly number[];
  /** Pad images that are smaller than the window by what they lack, on both sides. Default false: they are an error. */
  padIfNeeded?: boolean;
}

/**
 * A window of `size` (a number: a square) at a random place of each image: [N, C, height, width].
 * @throws ValueError for options out of range; ShapeError where the window is larger than the padded images.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomCrop.html
 */
export function randomCrop(
  size: number | readonly [height: number, width: number],
  options: RandomCropOptions = {},
): Transform {
  checkOptions("randomCrop", options, ["padding", "padIfNeeded", "fill", "paddingMode"]);
  const { padding = 0, padIfNeeded = false, fill = 0, paddingMode = "constant" } = options;
  return warp({
    kind: "crop",
    size: square("randomCrop", size),
    margins: margins("randomCrop", padding),
    padIfNeeded: flag("randomCrop", "padIfNeeded", padIfNeeded),
    fill: checkFillOption("randomCrop", "fill", fill),
    mode: checkPaddingMode("randomCrop", paddingMode),
  });
}

/**
 * The window of `size` (a number: a square) in the middle, [N, C, height, width]; where it is larger than the image, zeros are
 * around that. @see https://pytorch.org/vision/stable/generated/torchvision.transforms.CenterCrop.html
 */
export const centerCrop = (size: number | readonly [height: number, width: number]): Transform =>
  warp({ kind: "centerCrop", size: square("centerCrop", size) });

/**
 * Mirrors each image left to right with probability `p`.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomHorizontalFlip.html
 */
export const randomHorizontalFlip = (p = 0.5): Transform =>
  warp({ kind: "flip", p: checkProbability("randomHorizontalFlip", p), rows: false });

/**
 * Turns each image upside down with probability `p`: its rows in reverse order.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomVerticalFlip.html
 */
export const randomVerticalFlip = (p = 0.5): Transform =>
  warp({ kind: "flip", p: checkProbability("randomVerticalFlip", p), rows: true });

/** What `randomRotation` takes. */
export interface RandomRotationOptions {
  /** "nearest" pixel or "bilinear" between four. Default "nearest". */
  interpolation?: "nearest" | "bilinear";
  /** What the corners become: one value, or one a channel. Default 0. */
  fill?: Fill;
  /** What it turns around, [x, y] in pixels from the upper left corner. Default: the image's centre. */
  center?: readonly [x: number, y: number] | null;
}

/**
 * Turns each image by an angle from [-degrees, degrees] or [low, high], counter-clockwise; its size stays. (torchvision's
 * `expand`, which makes each image as large as its angle needs, would leave no batch.)
 * @throws ValueError for degrees or options out of range.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomRotation.html
 */
export function randomRotation(degrees: number | Range, options: RandomRotationOptions = {}): Transform {
  checkOptions("randomRotation", options, ["interpolation", "fill", "center"]);
  const { interpolation = "nearest", fill = 0, center = null } = options;
  const range = symmetric("randomRotation", "degrees", degrees);
  checkFillOption("randomRotation", "fill", fill);
  const bilinear = isBilinear("randomRotation", interpolation);
  return bilinear || center
    ? rotation(range, { bilinear, fill, center })
    : warp({ kind: "rotate", degrees: range, fill });
}

/**
 * Where 8-bit images stop being such: behind it `resize` rounds no more. Images come out as f32 in [0, 1] with or without it.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.ToTensor.html
 */
export const toTensor = (): Transform => plain({ kind: "toTensor" });

/**
 * (x - mean[c]) / std[c] for each channel c. One value serves all channels.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.Normalize.html
 */
export function normalize(mean: readonly number[], std: readonly number[]): Transform {
  check(
    Array.isArray(mean) &&
      Array.isArray(std) &&
      mean.length > 0 &&
      mean.length === std.length &&
      std.every((s) => s > 0) &&
      mean.every(Number.isFinite),
    () => `[normalize] mean and std need as many numbers as channels, std above 0; got ${told(mean)} and ${told(std)}`,
    ValueError,
  );
  return plain({ kind: "normalize", mean, std });
}
