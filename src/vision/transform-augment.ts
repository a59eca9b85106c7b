// randAugment and trivialAugmentWide: operations chosen by chance for each image.
import { check, checkOptions, StateError, told, ValueError } from "../errors.ts";
import { Kernel } from "../kernels/kernel.ts";
import augmentWgsl from "../kernels/wgsl/augment-images.wgsl";
import { GRAY } from "./transform-color.ts";
import { checkColours, checkFill, fourOf, makeRunner, sizes, statistics } from "./transform-ops.ts";
import { checkFillOption, isBilinear, wholeNumber } from "./transform-options.ts";
import type { AugmentStep, Fill } from "./transform-steps.ts";
import { Transform } from "./transforms.ts";

const kernel = new Kernel(augmentWgsl);
const DEGREES = Math.PI / 180;

/** What the last bin stands for, see augment-images.wgsl. */
const strengths = (wide: boolean, height: number, width: number) =>
  wide
    ? { shear: 0.99, rotate: 135 * DEGREES, enhance: 0.99, bits: 6, translate: [32, 32] as const }
    : {
        shear: 0.3,
        rotate: 30 * DEGREES,
        enhance: 0.9,
        bits: 4,
        translate: [(150 / 331) * width, (150 / 331) * height] as const,
      };

const runner = makeRunner<AugmentStep>({
  name: "randAugment",
  shapeAfter({ fill }, shape) {
    checkColours("randAugment", shape);
    if (fill !== null) checkFill("randAugment", fill, shape[1] ?? 0);
    return shape;
  },
  launch(run, [x, draws], y, { placed, normalize }) {
    check(draws !== null, () => "[randAugment] takes random numbers", StateError);
    const { n, channels, height, width } = sizes(x);
    for (const { step, column } of placed) {
      const place = { height, width, channels, columns: draws.shape[1] ?? 0, column };
      const choice = { bins: step.bins, bin: step.bin ?? step.bins, bilinear: Number(step.bilinear) };
      const colours = {
        gray: GRAY,
        fill: fourOf(step.fill ?? 0),
        filled: Number(step.fill !== null),
        ...statistics(normalize),
      };
      kernel.launch(
        run,
        { x, u: draws, y },
        { ...place, ...choice, ...strengths(step.wide, height, width), ...colours },
        [n],
      );
    }
  },
});

/** What `trivialAugmentWide` takes. */
export interface TrivialAugmentOptions {
  /** Into how many strengths, from none to the greatest, the operations are divided. Default 31. */
  numMagnitudeBins?: number;
  /** Of operations that move pixels: the "nearest" one or "bilinear" between four. Default "nearest". */
  interpolation?: "nearest" | "bilinear";
  /** What these find outside of the image: one value, or one a channel. Default null: 0. */
  fill?: Fill | null;
}

/** What `randAugment` takes. */
export interface RandAugmentOptions extends TrivialAugmentOptions {
  /** Operations that each image goes through, one after the other. Default 2. */
  numOps?: number;
  /** The strength of all of them, from 0 to numMagnitudeBins - 1. Default 9. */
  magnitude?: number;
}

function operation(name: string, options: TrivialAugmentOptions) {
  const { numMagnitudeBins = 31, interpolation = "nearest", fill = null } = options;
  return {
    kind: "augment",
    bins: wholeNumber(name, "numMagnitudeBins", numMagnitudeBins, 2),
    bilinear: isBilinear(name, interpolation),
    fill: fill === null ? null : checkFillOption(name, "fill", fill),
  } as const;
}

/**
 * RandAugment (https://arxiv.org/abs/1909.13719): `numOps` of torchvision's 14 operations by chance for each image: identity,
 * shears, translations, rotation, brightness, colour, contrast, sharpness, posterize, solarize, auto-contrast, equalize. Images
 * [N, 1 or 3, H, W] in [0, 1] keep their shape; posterize and equalize round them to 8 bits, the others do not.
 * @throws ValueError for options out of range.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.RandAugment.html
 */
export function randAugment(options: RandAugmentOptions = {}): Transform {
  const name = "randAugment";
  checkOptions(name, options, ["numOps", "magnitude", "numMagnitudeBins", "interpolation", "fill"]);
  const { numOps = 2, magnitude = 9 } = options;
  const { bins, ...step } = operation(name, options);
  check(
    Number.isInteger(magnitude) && magnitude >= 0 && magnitude < bins,
    () =>
      `[${name}] magnitude must be a whole number from 0 to numMagnitudeBins - 1 = ${bins - 1}, got ${told(magnitude)}`,
    ValueError,
  );
  const length = wholeNumber(name, "numOps", numOps, 0);
  return new Transform(
    Array.from({ length }, () => ({ step: { ...step, wide: false, bins, bin: magnitude }, runner })),
  );
}

/**
 * TrivialAugment (https://arxiv.org/abs/2103.10158): one of `randAugment`'s operations for each image, with a strength by
 * chance from a wider range. Images [N, 1 or 3, H, W] in [0, 1] keep their shape.
 * @throws ValueError for options out of range.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.TrivialAugmentWide.html
 */
export function trivialAugmentWide(options: TrivialAugmentOptions = {}): Transform {
  checkOptions("trivialAugmentWide", options, ["numMagnitudeBins", "interpolation", "fill"]);
  const step = { ...operation("trivialAugmentWide", options), wide: true, bin: null };
  return new Transform([{ step, runner }]);
}
