// imageClassification: what images go through before a pretrained classifier sees them.
import { checkOptions } from "../errors.ts";
import { type InterpolationOptions, resize } from "./transform-resize.ts";
import { centerCrop, normalize, toTensor } from "./transform-warp.ts";
import { compose, IMAGENET_MEAN, IMAGENET_STD, type Transform } from "./transforms.ts";

/** What `imageClassification` takes. */
export interface ImageClassificationOptions extends InterpolationOptions {
  /** The side of the square that the model sees. */
  cropSize: number;
  /** The shorter side before the square is cut out of its middle. Default 256. */
  resizeSize?: number;
  /** By channel. Default: ImageNet's. */
  mean?: readonly number[];
  /** By channel. Default: ImageNet's. */
  std?: readonly number[];
}

/**
 * The evaluation recipe of pretrained classifiers: `resize` the shorter side, `centerCrop`, `normalize`. Takes a batch
 * [N, 3, H, W] or a single picture [3, H, W] of any size, as f32 in [0, 1] or as i32 in 0..255, which it treats to the letter
 * as torchvision does Pillow's images.
 * @throws ValueError for options out of range.
 * @see https://pytorch.org/vision/stable/models.html#classification
 */
export function imageClassification(options: ImageClassificationOptions): Transform {
  checkOptions("imageClassification", options, ["cropSize", "resizeSize", "mean", "std", "interpolation", "antialias"]);
  const { cropSize, resizeSize = 256, mean = IMAGENET_MEAN, std = IMAGENET_STD, ...interpolation } = options;
  return compose([resize(resizeSize, interpolation), centerCrop(cropSize), toTensor(), normalize(mean, std)]);
}
