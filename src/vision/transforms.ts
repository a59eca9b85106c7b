// Transforms of image batches on the device, with torchvision's names and semantics.
import { checkTensor } from "../autograd/run.ts";
import { check, checkNumber, checkOptions, checkWhole, listed, ShapeError, told, ValueError } from "../errors.ts";
import { rand } from "../ops/random.ts";
import { scope } from "../tensor/scope.ts";
import { checkShape, pair, type Shape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { runStage } from "./transform-ops.ts";
import { shapeAfter } from "./transform-shapes.ts";
import {
  DRAWS,
  type NormalizeStep,
  type Plan,
  planSteps,
  type Range,
  type Stage,
  type Step,
} from "./transform-steps.ts";

/** Mean of CIFAR-10's training images by channel, in [0, 1]. */
export const CIFAR10_MEAN: readonly number[] = [0.4914, 0.4822, 0.4465];
/** Standard deviation of CIFAR-10's training images by channel, in [0, 1]. */
export const CIFAR10_STD: readonly number[] = [0.247, 0.2435, 0.2616];
/** Mean of ImageNet by channel, in [0, 1]: what torchvision's pretrained models expect. */
export const IMAGENET_MEAN: readonly number[] = [0.485, 0.456, 0.406];
/** Standard deviation of ImageNet by channel, in [0, 1]. */
export const IMAGENET_STD: readonly number[] = [0.229, 0.224, 0.225];

/**
 * A transform, or several in order (`compose`), of images in [0, 1]. Each image of a batch has random numbers of its own,
 * from the device's generator (`manualSeed`): a captured step draws new ones at each replay.
 */
export class Transform {
  /** What it does, in order. */
  readonly steps: readonly Step[];
  readonly #plan: Plan;

  constructor(steps: readonly Step[]) {
    const known = (step: Step | null): boolean => Object.hasOwn(DRAWS, Object(step).kind);
    check(
      Array.isArray(steps) && Array.from(steps).every(known),
      () => `[Transform] is not made by \`new\`: use randomCrop(), compose() and the like; got ${told(steps)}`,
      ValueError,
    );
    this.steps = steps;
    this.#plan = planSteps(steps);
  }

  /** Random numbers that an image takes. */
  get draws(): number {
    return this.#plan.draws;
  }

  /** The shape [C, H, W] that it makes of images of another. Throws `ShapeError` where they do not suit it. */
  outputShape(shape: Shape): Shape {
    checkShape("transform", shape);
    return this.#plan.stages.reduce<Shape>((s, stage) => shapeAfter(stage, s), [1, ...shape]).slice(1);
  }

  /**
   * Transforms a batch. images: f32 [N, C, H, W] in [0, 1]; returns f32 [N, C, H', W'], outside the graph.
   *
   * @param draws f32 [N, this.draws] in [0, 1): the random numbers to use, in the order of the steps (crop: top, left;
   *   flip: 1; colour jitter: order, brightness, contrast, saturation, hue; rotation: 1). Drawn anew by default.
   * @throws ShapeError, DtypeError
   */
  forward(images: Tensor, draws?: Tensor): Tensor {
    return this.#run(this.#plan.stages, images, draws);
  }

  /**
   * The plan in two parts: a normalization that comes first, which whoever loads the images can do in passing, and the
   * rest. For data sets.
   */
  split(): { first: NormalizeStep | null; rest: (images: Tensor, draws?: Tensor) => Tensor } {
    const [first, ...others] = this.#plan.stages;
    const loads = first?.kind === "warp" && first.steps.length === 0;
    const stages = loads ? others : this.#plan.stages;
    return { first: loads ? first.normalize : null, rest: (images, draws) => this.#run(stages, images, draws) };
  }

  #run(stages: readonly Stage[], images: Tensor, given?: Tensor): Tensor {
    checkTensor("transform", "images", images);
    if (given !== undefined) checkTensor("transform", "draws", given);
    return scope(() => {
      const { device } = images;
      const draws = this.draws === 0 ? null : (given ?? rand([images.shape[0] ?? 0, this.draws], { device }));
      if (draws) {
        check(
          draws.shape[1] === this.draws,
          () => `[transform] ${this.draws} random numbers an image are needed, got ${show(draws.shape)}`,
          ShapeError,
        );
      }
      const out = stages.reduce((x, stage) => runStage(stage, x, draws), images);
      return out === images ? images.detach() : out;
    });
  }
}

/** Transforms one after the other. @see https://pytorch.org/vision/stable/generated/torchvision.transforms.Compose.html */
export const compose = (transforms: readonly Transform[]): Transform =>
  new Transform(
    listed("compose", "transforms: pass an array of them", transforms).flatMap((transform) => {
      checkTransform("compose", transform);
      return transform.steps;
    }),
  );

/** Throws unless it is a transform. */
export function checkTransform(name: string, transform: unknown): asserts transform is Transform {
  check(
    transform instanceof Transform,
    () => `[${name}] takes transforms, such as randomCrop(32, { padding: 4 }), got ${told(transform)}`,
    ValueError,
  );
}

/**
 * Here for the order in which torchvision's users write it: images on the device are f32 in [0, 1] from the start, so it
 * does nothing. @see https://pytorch.org/vision/stable/generated/torchvision.transforms.ToTensor.html
 */
export const toTensor = (): Transform => new Transform([]);

/**
 * A window of `size` at a random place of each image, which is first padded by `padding` zeros on each side.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomCrop.html
 */
export function randomCrop(
  size: number | readonly [height: number, width: number],
  options: {
    /** Pixels of zeros on each side, added before the window is chosen. Default 0. */
    padding?: number;
  } = {},
): Transform {
  checkOptions("randomCrop", options, ["padding"]);
  const { padding = 0 } = options;
  checkWhole("randomCrop", "padding", padding, 0);
  return new Transform([{ kind: "crop", size: pair("randomCrop", "size", size, 1), padding }]);
}

/**
 * The window of `size` in the middle, which must not be larger than the image.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.CenterCrop.html
 */
export const centerCrop = (size: number | readonly [height: number, width: number]): Transform =>
  new Transform([{ kind: "centerCrop", size: pair("centerCrop", "size", size, 1) }]);

/**
 * Mirrors each image left to right with probability `p`.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomHorizontalFlip.html
 */
export function randomHorizontalFlip(p = 0.5): Transform {
  checkNumber("randomHorizontalFlip", "p", p, 0, 1);
  return new Transform([{ kind: "flip", p }]);
}

/** [low, high]. */
const isRange = (value: unknown): value is Range =>
  Array.isArray(value) &&
  value.length === 2 &&
  typeof value[0] === "number" &&
  typeof value[1] === "number" &&
  value[0] <= value[1];

/**
 * Turns each image around its centre by an angle from [-degrees, degrees] or [low, high], counter-clockwise. Nearest
 * pixel; the corners become 0. @see https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomRotation.html
 */
export function randomRotation(degrees: number | Range): Transform {
  const range: Range = typeof degrees === "number" ? [-degrees, degrees] : degrees;
  check(
    isRange(range) && range.every(Number.isFinite),
    () => `[randomRotation] degrees must be a number that is not negative, or [low, high]; got ${told(degrees)}`,
    ValueError,
  );
  return new Transform([{ kind: "rotate", degrees: range }]);
}

/** What `colorJitter` takes. */
export interface ColorJitterOptions {
  /** Factors from [max(0, 1 - b), 1 + b], or [low, high]. Default 0: not changed. */
  brightness?: number | Range;
  /** As `brightness`, for the distance from the mean gray of the image. Default 0: not changed. */
  contrast?: number | Range;
  /** As `brightness`, for the distance from the gray of each pixel. Default 0: not changed. */
  saturation?: number | Range;
  /** Turns of the colour circle from [-h, h], h at most 0.5, or [low, high]. Default 0: not changed. */
  hue?: number | Range;
}

/**
 * Changes brightness, contrast, saturation and hue of each image by random factors, in random order; values stay in
 * [0, 1]. Images of one channel keep saturation and hue, as in torchvision.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.ColorJitter.html
 */
export function colorJitter(options: ColorJitterOptions): Transform {
  checkOptions("colorJitter", options, ["brightness", "contrast", "saturation", "hue"]);
  const { brightness = 0, contrast = 0, saturation = 0, hue = 0 } = options;
  const range = (name: string, value: number | Range, centre: number, low: number, high: number): Range | null => {
    const bad = () =>
      `[colorJitter] ${name} must be a number that is not negative, or a range within [${low}, ${high}]; got ${told(value)}`;
    check(typeof value === "number" ? value >= 0 : isRange(value), bad, ValueError);
    const [from, to] =
      typeof value === "number" ? [centre === 1 ? Math.max(0, 1 - value) : -value, centre + value] : value;
    check(from >= low && from <= to && to <= high, bad, ValueError);
    return from === centre && to === centre ? null : [from, to];
  };
  const factor = (name: string, value: number | Range) => range(name, value, 1, 0, Number.MAX_VALUE);
  const ranges = [
    factor("brightness", brightness),
    factor("contrast", contrast),
    factor("saturation", saturation),
    range("hue", hue, 0, -0.5, 0.5),
  ] as const;
  return new Transform([{ kind: "jitter", ranges }]);
}

/**
 * (x - mean[c]) / std[c] for each channel c. One value serves all channels.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.Normalize.html
 */
export function normalize(mean: readonly number[], std: readonly number[]): Transform {
  check(
    [mean, std].every((list) => Array.isArray(list) && list.length > 0 && Array.from(list).every(Number.isFinite)) &&
      mean.length === std.length &&
      std.every((s) => s > 0),
    () => `[normalize] mean and std need as many numbers as channels, std above 0; got ${told(mean)} and ${told(std)}`,
    ValueError,
  );
  return new Transform([{ kind: "normalize", mean, std }]);
}

/**
 * Resizes to [height, width], or the shorter side to `size`. Bilinear without antialiasing: torchvision's
 * `resize(antialias=False)`. @see https://pytorch.org/vision/stable/generated/torchvision.transforms.Resize.html
 */
export const resize = (size: number | readonly [height: number, width: number]): Transform =>
  new Transform([
    {
      kind: "resize",
      size: typeof size === "number" ? pair("resize", "size", size, 1)[0] : pair("resize", "size", size, 1),
    },
  ]);
