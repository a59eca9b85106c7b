// Transforms of image batches on the device, with torchvision's names and semantics: what they have in common.
import { checkTensor } from "../autograd/run.ts";
import { check, listed, ShapeError, told, ValueError } from "../errors.ts";
import { to } from "../ops/cast.ts";
import { rand } from "../ops/random.ts";
import { unary } from "../ops/unary.ts";
import * as unaries from "../ops/unary-rows.ts";
import { view } from "../ops/view.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { checkShape, type Shape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkNormalize } from "./transform-ops.ts";
import { type NormalizeStep, type Part, type Plan, planSteps, type Stage, type Step } from "./transform-steps.ts";

/** Mean of CIFAR-10's training images by channel, in [0, 1]. */
export const CIFAR10_MEAN: readonly number[] = [0.4914, 0.4822, 0.4465];
/** Standard deviation of CIFAR-10's training images by channel, in [0, 1]. */
export const CIFAR10_STD: readonly number[] = [0.247, 0.2435, 0.2616];
/** Mean of ImageNet by channel, in [0, 1]: what torchvision's pretrained models expect. */
export const IMAGENET_MEAN: readonly number[] = [0.485, 0.456, 0.406];
/** Standard deviation of ImageNet by channel, in [0, 1]. */
export const IMAGENET_STD: readonly number[] = [0.229, 0.224, 0.225];

/**
 * A transform, or several in order (`compose`), of a batch of images or of a single one. Each image of a batch has random
 * numbers of its own, from the device's generator (`manualSeed`): a captured step draws new ones at each replay.
 */
export class Transform {
  readonly #parts: readonly Part[];
  readonly #plan: Plan;

  constructor(parts: readonly Part[]) {
    check(
      Array.isArray(parts) && Array.from(parts, (part) => Object(part).runner).every(Boolean),
      () => `[Transform] is not made by \`new\`: use randomCrop(), compose() and the like; got ${told(parts)}`,
      ValueError,
    );
    this.#parts = parts;
    this.#plan = planSteps(parts);
  }

  /** What it does, in order. */
  get steps(): readonly Step[] {
    return this.#parts.map(({ step }) => step);
  }

  /** With what runs each step, for `compose`. */
  get parts(): readonly Part[] {
    return this.#parts;
  }

  /** Random numbers that an image takes. */
  get draws(): number {
    return this.#plan.draws;
  }

  /** The shape [C, H, W] that it makes of images of another. Throws `ShapeError` where they do not suit it. */
  outputShape(shape: Shape): Shape {
    checkShape("transform", shape);
    let whole: Shape = [1, ...shape];
    for (const { runner, placed, normalize } of this.#plan.stages) {
      for (const { step } of placed) whole = runner.shapeAfter(step, whole);
      checkNormalize(whole[1] ?? 0, normalize);
    }
    return whole.slice(1);
  }

  /**
   * Transforms images [N, C, H, W] or one [C, H, W]; returns f32 [N, C, H', W'] or [C, H', W'], outside the graph. They are f32
   * in [0, 1], or i32 or u32 in 0..255, which are 8-bit images: `resize` rounds those to whole levels, as Pillow does,
   * until `toTensor` or `normalize`; what comes out is f32 in [0, 1] all the same.
   *
   * @param draws f32 [N, this.draws] in [0, 1): the random numbers to use, in the order of the steps (crop: top, left; flip,
   *   rotation, random gray, blur: 1; colour jitter: order, brightness, contrast, saturation, hue; affine: angle, shift x, y,
   *   scale, shear x, y; resized crop: ten times area and proportions, then top, left; erasing: whether, then likewise; an
   *   operation of randAugment: which, sign, strength). Drawn anew by default. The noise of erasing is always drawn.
   * @throws ShapeError, DtypeError
   */
  forward(images: Tensor, draws?: Tensor): Tensor {
    checkTensor("transform", "images", images);
    checkDtype("transform", "images", images.dtype, "f32", "i32", "u32");
    return this.#run(this.#plan.stages, images, draws, images.dtype !== "f32");
  }

  /**
   * The plan in two parts: a normalization that comes first, which whoever loads the images can do in passing, and the
   * rest, which takes f32 images that were 8-bit ones. For data sets.
   */
  split(): { first: NormalizeStep | null; rest: (images: Tensor, draws?: Tensor) => Tensor } {
    const [first, ...others] = this.#plan.stages;
    const loads = first?.placed.length === 0;
    const stages = loads ? others : this.#plan.stages;
    return {
      first: loads ? first.normalize : null,
      rest: (images, draws) => this.#run(stages, images, draws, true),
    };
  }

  #run(stages: readonly Stage[], images: Tensor, given: Tensor | undefined, levels: boolean): Tensor {
    checkTensor("transform", "images", images);
    if (given !== undefined) checkTensor("transform", "draws", given);
    return scope(() => {
      const { device, shape } = images;
      const single = shape.length === 3;
      const batch = single ? view("transform", images, [1, ...shape]) : images;
      const draws = this.draws === 0 ? null : (given ?? rand([batch.shape[0] ?? 0, this.draws], { device }));
      if (draws) {
        check(
          draws.shape[1] === this.draws,
          () => `[transform] ${this.draws} random numbers an image are needed, got ${show(draws.shape)}`,
          ShapeError,
        );
      }
      let x = batch;
      for (const stage of stages) {
        if (!stage.runner.takesIntegers) x = asFloats(x);
        x = stage.runner.run(x, draws, { ...stage, levels: levels && stage.levels });
      }
      x = asFloats(x);
      if (single) x = view("transform", x, x.shape.slice(1));
      // Without a stage it is still of the images' graph.
      return x.requiresGrad || x === images ? x.detach() : x;
    });
  }
}

/** 8-bit images as floats in [0, 1]. */
const asFloats = (x: Tensor): Tensor =>
  x.dtype === "f32" ? x : unary(unaries.affine, to(x, "f32"), { scale: 1 / 255, offset: 0 });

/** Transforms one after the other. @see https://pytorch.org/vision/stable/generated/torchvision.transforms.Compose.html */
export const compose = (transforms: readonly Transform[]): Transform =>
  new Transform(
    listed("compose", "transforms: pass an array of them", transforms).flatMap((transform) => {
      checkTransform("compose", transform);
      return transform.parts;
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
