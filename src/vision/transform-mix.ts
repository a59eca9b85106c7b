// mixup and cutmix: images of a batch mixed with their neighbours, and their labels with them.
import { apply1 } from "../autograd/apply.ts";
import { type Op, withoutGradient } from "../autograd/op.ts";
import { check, checkOptions, ShapeError } from "../errors.ts";
import { grid1d } from "../gpu/queue.ts";
import { Kernel } from "../kernels/kernel.ts";
import imagesWgsl from "../kernels/wgsl/mix-images.wgsl";
import labelsWgsl, { WG } from "../kernels/wgsl/mix-labels.wgsl";
import { rand } from "../ops/random.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ImageBatch } from "./gpu-dataset.ts";
import { pixelWalk, sizes } from "./transform-ops.ts";
import { positive, wholeNumber } from "./transform-options.ts";

interface MixAttrs {
  readonly name: string;
  readonly cut: boolean;
  readonly alpha: number;
  readonly classes: number;
  readonly size: readonly [height: number, width: number];
}

/** Random numbers that a batch takes, see lib/beta.wgsl and lib/mix.wgsl. */
const DRAWS = 46;

const imagesKernel = new Kernel(imagesWgsl);
const labelsKernel = new Kernel(labelsWgsl);

const imagesOp: Op<readonly [x: Tensor, u: Tensor], MixAttrs> = {
  name: "mixImages",
  infer([x, u], { name }) {
    checkDtype(name, "images", x.dtype, "f32");
    check(
      x.shape.length === 4,
      () => `[${name}] images must have shape [N, C, H, W], got ${show(x.shape)}`,
      ShapeError,
    );
    checkDtype(name, "the random numbers", u.dtype, "f32");
    check(
      u.shape.length === 1 && u.shape[0] === DRAWS,
      () => `[${name}] the random numbers must have shape [${DRAWS}], got ${show(u.shape)}`,
      ShapeError,
    );
    return [x];
  },
  forward(run, [x, u], [y], { cut, alpha }) {
    const { n, channels, height, width } = sizes(x);
    const { params, grid } = pixelWalk(run, n, height, width);
    imagesKernel.variant({ CUT: cut }).launch(run, { x, u, y }, { ...params, channels, images: n, alpha }, grid);
  },
  ...withoutGradient,
};

const labelsOp: Op<readonly [labels: Tensor, u: Tensor], MixAttrs & { readonly images: number }> = {
  name: "mixLabels",
  infer([labels], { name, classes, images }) {
    checkDtype(name, "labels", labels.dtype, "i32", "f32");
    const expected = labels.dtype === "i32" ? [images] : [images, classes];
    check(
      show(labels.shape) === show(expected),
      () =>
        `[${name}] labels of ${labels.dtype} must have shape ${show(expected)} for ${images} images, got ${show(labels.shape)}`,
      ShapeError,
    );
    return [{ shape: [images, classes], dtype: "f32" }];
  },
  forward(run, [labels, u], [y], { cut, alpha, classes, images, size: [height, width] }) {
    labelsKernel
      .variant({ CUT: cut, T: labels.dtype, PROBABILITIES: labels.dtype === "f32" })
      .launch(run, { labels, u, y }, { images, classes, height, width, alpha }, grid1d(images * classes, WG));
  },
  ...withoutGradient,
};

/** What `mixup` and `cutmix` take. */
export interface MixOptions {
  /** How many classes there are: the length of a label's probabilities. */
  numClasses: number;
  /** Of the distribution Beta(alpha, alpha) of the images' share, above 0; 1 is uniform. Default 1. */
  alpha?: number;
}

/**
 * What `mixup` and `cutmix` make. images: f32 [N, C, H, W], normalized or not; labels: i32 [N], of which those out of range are
 * no class, or f32 [N, numClasses]. Returns f32 [N, C, H, W] and class probabilities f32 [N, numClasses], which
 * `crossEntropy` takes; both outside the graph.
 *
 * @param draws f32 [46] in [0, 1): the random numbers to use. Drawn anew by default.
 * @throws ShapeError, DtypeError
 */
export type BatchMix = (images: Tensor, labels: Tensor, draws?: Tensor) => ImageBatch;

function mixer(name: string, cut: boolean, options: MixOptions): BatchMix {
  checkOptions(name, options, ["numClasses", "alpha"]);
  const { numClasses, alpha = 1 } = options;
  const classes = wholeNumber(name, "numClasses", numClasses, 1);
  positive(name, "alpha", alpha);
  return (images, labels, draws) =>
    scope(() => {
      const u = draws ?? rand([DRAWS], { device: images.device });
      const [n = 0, , height = 0, width = 0] = images.shape;
      const attrs: MixAttrs = { name, cut, alpha, classes, size: [height, width] };
      return {
        images: apply1(imagesOp, [images, u], attrs),
        labels: apply1(labelsOp, [labels, u], { ...attrs, images: n }),
      };
    });
}

/**
 * MixUp (https://arxiv.org/abs/1710.09412): each image becomes a weighted mean of itself and the one before it in the batch,
 * its label likewise. One random share a batch.
 * @throws ValueError for options out of range.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.MixUp.html
 */
export const mixup = (options: MixOptions): BatchMix => mixer("mixup", false, options);

/**
 * CutMix (https://arxiv.org/abs/1905.04899): a rectangle of each image comes from the one before it in the batch; the labels are
 * mixed by area. One random rectangle a batch.
 * @throws ValueError for options out of range.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.CutMix.html
 */
export const cutmix = (options: MixOptions): BatchMix => mixer("cutmix", true, options);
