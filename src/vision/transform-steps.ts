// The steps that transforms consist of, and their plan: neighbouring steps that one kernel can do become one stage.
import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

export type Size = readonly [height: number, width: number];
export type Range = readonly [low: number, high: number];
/** Pixels left, above, right and below. */
export type Margins = readonly [left: number, top: number, right: number, bottom: number];
/** What is outside of a picture: zeros or `fill`, its outermost pixels, or its mirror image without or with those. */
export type PaddingMode = "constant" | "edge" | "reflect" | "symmetric";
/** A value for all channels, or one for each, in the images' range [0, 1]. */
export type Fill = number | readonly number[];
/**
 * How pixels are computed between others. "nearest" rounds down as torchvision does for tensors, "nearest-exact" takes the
 * middle as Pillow does.
 */
export type Interpolation = "nearest" | "nearest-exact" | "bilinear" | "bicubic";

interface Padded {
  readonly fill: Fill;
  readonly mode: PaddingMode;
}

/** Steps that move pixels: an output pixel comes from one input pixel, or from outside. */
export type WarpStep =
  | (Padded & { readonly kind: "crop"; readonly size: Size; readonly margins: Margins; readonly padIfNeeded: boolean })
  | (Padded & { readonly kind: "pad"; readonly margins: Margins })
  | { readonly kind: "centerCrop"; readonly size: Size }
  | { readonly kind: "flip"; readonly p: number; readonly rows: boolean }
  | { readonly kind: "rotate"; readonly degrees: Range; readonly fill: Fill };

/** Ranges of brightness, contrast, saturation and hue; null leaves one out. */
export interface JitterStep {
  readonly kind: "jitter";
  readonly ranges: readonly [Range | null, Range | null, Range | null, Range | null];
}

/** To `size`, or the shorter side to it and the longer one to `maxSize` at most. */
export interface ResizeStep {
  readonly kind: "resize";
  readonly size: Size | number;
  readonly maxSize: number | null;
  readonly interpolation: Interpolation;
  readonly antialias: boolean;
}

/** A window of random area (`scale`, in shares) and proportions (`ratio`, width by height), resized. */
export interface ResizedCropStep {
  readonly kind: "resizedCrop";
  readonly size: Size;
  readonly scale: Range;
  readonly ratio: Range;
  readonly interpolation: Interpolation;
  readonly antialias: boolean;
}

/** Ranges in degrees, clockwise; translate: shares of width and height; center: [x, y] in pixels. */
export interface AffineStep {
  readonly kind: "affine";
  readonly degrees: Range;
  readonly translate: Range;
  readonly scale: Range;
  readonly shear: readonly [x: Range, y: Range];
  readonly center: readonly [x: number, y: number] | null;
  readonly bilinear: boolean;
  readonly fill: Fill;
}

/** Gray with probability `p`, in so many channels. */
export interface GrayStep {
  readonly kind: "gray";
  readonly channels: 1 | 3;
  readonly p: number | null;
}

export interface BlurStep {
  readonly kind: "blur";
  readonly size: Size;
  readonly sigma: Range;
}

export interface EraseStep {
  readonly kind: "erase";
  readonly p: number;
  readonly scale: Range;
  readonly ratio: Range;
  readonly value: Fill | "random";
}

/** One operation of RandAugment's or TrivialAugment's. What the last bin stands for: see augment-images.wgsl. */
export interface AugmentStep {
  readonly kind: "augment";
  readonly wide: boolean;
  readonly bins: number;
  /** null: by chance. */
  readonly bin: number | null;
  readonly bilinear: boolean;
  readonly fill: Fill | null;
}

/** (x - mean[c]) / std[c]: one number a channel, or one for all. */
export interface NormalizeStep {
  readonly kind: "normalize";
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** From here on values are no longer 8-bit levels. */
export interface ToTensorStep {
  readonly kind: "toTensor";
}

export type Step =
  | WarpStep
  | JitterStep
  | ResizeStep
  | ResizedCropStep
  | AffineStep
  | GrayStep
  | BlurStep
  | EraseStep
  | AugmentStep
  | NormalizeStep
  | ToTensorStep;

/** Random numbers that a step takes for an image, by its kind. */
const DRAWS: Partial<Record<Step["kind"], number>> = {
  crop: 2,
  flip: 1,
  rotate: 1,
  jitter: 5,
  resizedCrop: 22,
  affine: 6,
  blur: 1,
  erase: 23,
  augment: 3,
};

/** Random numbers that a step takes for an image. */
export const drawsOf = (step: Step): number =>
  step.kind === "gray" ? Number(step.p !== null) : (DRAWS[step.kind] ?? 0);

/** A step, and the column of its first random number. */
export interface Placed<S extends Step = Step> {
  readonly step: S;
  readonly column: number;
}

/** What a stage does. */
export interface StageAttrs<S extends Step = Step> {
  /** In order of application. */
  readonly placed: readonly Placed<S>[];
  /** What happens to the stage's result before it is stored. */
  readonly normalize: NormalizeStep | null;
  /** Images that came as 8 bits are still such. */
  readonly levels: boolean;
}

/** Runs steps of some kinds. A step brings its own, so that a program has the kernels of the transforms that it uses. */
export interface Runner<S extends Step = Step> {
  /** How many steps in a row it does at once. */
  readonly most: number;
  /** Whether it takes integer images as they are. */
  readonly takesIntegers: boolean;
  /** The shape [N, C, H', W'] that a step makes of images of another. Throws `ShapeError` where they do not suit it. */
  shapeAfter(step: S, shape: Shape): Shape;
  run(x: Tensor, draws: Tensor | null, attrs: StageAttrs<S>): Tensor;
}

/** A step with what runs it. */
export interface Part<S extends Step = Step> {
  readonly step: S;
  readonly runner: Runner<S>;
}

/** What one runner does at once. Without steps it only normalizes. */
export interface Stage extends StageAttrs {
  readonly runner: Runner;
}

export interface Plan {
  readonly stages: readonly Stage[];
  /** Random numbers that an image takes altogether. */
  readonly draws: number;
}

/** Groups steps into stages, keeping their order: moves of pixels in a row, and a normalization with what precedes it. */
export function planSteps(parts: readonly Part[]): Plan {
  const stages: Stage[] = [];
  let column = 0;
  let levels = true;
  for (const { step, runner } of parts) {
    const last = stages.at(-1);
    if (step.kind === "toTensor") levels = false;
    else if (step.kind === "normalize") {
      levels = false;
      if (last && !last.normalize) stages[stages.length - 1] = { ...last, normalize: step };
      else stages.push({ runner, placed: [], normalize: step, levels });
    } else if (last?.runner === runner && !last.normalize && last.placed.length < runner.most) {
      stages[stages.length - 1] = { ...last, placed: [...last.placed, { step, column }] };
    } else stages.push({ runner, placed: [{ step, column }], normalize: null, levels });
    column += drawsOf(step);
  }
  return { stages, draws: column };
}
