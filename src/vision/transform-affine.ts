// Random affine maps of each image: randomAffine, and the rotations that look between pixels.
import { check, checkOptions, StateError, told, ValueError } from "../errors.ts";
import { Kernel } from "../kernels/kernel.ts";
import affineWgsl from "../kernels/wgsl/affine-images.wgsl";
import { checkFill, fourOf, makeRunner, pixelWalk, sizes, span, statistics } from "./transform-ops.ts";
import { checkFillOption, isBilinear, range, symmetric } from "./transform-options.ts";
import type { AffineStep, Fill, Range } from "./transform-steps.ts";
import { Transform } from "./transforms.ts";

const kernel = new Kernel(affineWgsl);

const runner = makeRunner<AffineStep>({
  name: "affineImages",
  shapeAfter(step, shape) {
    checkFill("randomAffine", step.fill, shape[1] ?? 0);
    return shape;
  },
  launch(run, [x, draws], y, { placed, normalize }) {
    check(draws !== null, () => "[randomAffine] takes random numbers", StateError);
    const { n, channels, height, width } = sizes(y);
    const { params, grid } = pixelWalk(run, n, height, width);
    for (const { step, column } of placed) {
      const { degrees, translate, scale, shear, bilinear, fill } = step;
      const [cx, cy] = step.center ?? [width / 2, height / 2];
      const radians = Math.PI / 180;
      kernel.launch(
        run,
        { x, u: draws, y },
        {
          ...params,
          channels,
          columns: draws.shape[1] ?? 0,
          column,
          bilinear: Number(bilinear),
          angle: span(degrees, radians),
          translate,
          scale: span(scale),
          shear_x: span(shear[0], radians),
          shear_y: span(shear[1], radians),
          centre: [cx - width / 2, cy - height / 2],
          fill: fourOf(fill),
          ...statistics(normalize),
        },
        grid,
      );
    }
  },
});

type Center = readonly [x: number, y: number] | null;

function checkCenter(name: string, center: Center): Center {
  check(
    center === null || (Array.isArray(center) && center.length === 2 && center.every(Number.isFinite)),
    () => `[${name}] center must be two numbers [x, y] in pixels, got ${told(center)}`,
    ValueError,
  );
  return center;
}

/** Of images turned counter-clockwise. */
export function rotation(
  [low, high]: Range,
  { bilinear, fill, center }: { bilinear: boolean; fill: Fill; center: Center },
): Transform {
  const still = {
    translate: [0, 0],
    scale: [1, 1],
    shear: [
      [0, 0],
      [0, 0],
    ],
  } as const;
  checkCenter("randomRotation", center);
  return new Transform([
    { step: { kind: "affine", degrees: [-low, -high], ...still, center, bilinear, fill }, runner },
  ]);
}

/** What `randomAffine` takes beside the angle. */
export interface RandomAffineOptions {
  /** The greatest shifts as shares of width and height, [x, y], from 0 to 1. Default [0, 0]. */
  translate?: readonly [x: number, y: number];
  /** Factors of the size, [low, high], above 0. Default [1, 1]. */
  scale?: Range;
  /**
   * Degrees: s shears along x by [-s, s], [low, high] along x, and [low x, high x, low y, high y] along both. Default 0.
   */
  shear?: number | Range | readonly [lowX: number, highX: number, lowY: number, highY: number];
  /** "nearest" pixel or "bilinear" between four. Default "nearest". */
  interpolation?: "nearest" | "bilinear";
  /** What lies outside of the image: one value, or one a channel. Default 0. */
  fill?: Fill;
  /** What it turns around, [x, y] in pixels from the upper left corner. Default: the image's centre. */
  center?: Center;
}

/**
 * Turns each image by an angle from [-degrees, degrees] or [low, high], clockwise, and shifts, scales and shears it at random;
 * its centre and size stay. Images [N, C, H, W] keep their shape.
 * @throws ValueError for options out of range.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomAffine.html
 */
export function randomAffine(degrees: number | Range, options: RandomAffineOptions = {}): Transform {
  const name = "randomAffine";
  checkOptions(name, options, ["translate", "scale", "shear", "interpolation", "fill", "center"]);
  const { translate = [0, 0], scale = [1, 1], shear = 0, interpolation = "nearest", fill = 0, center = null } = options;
  check(
    Array.isArray(translate) && translate.length === 2 && translate.every((t) => t >= 0 && t <= 1),
    () => `[${name}] translate must be two shares [x, y] from 0 to 1, got ${told(translate)}`,
    ValueError,
  );
  range(name, "scale", scale, Number.MIN_VALUE);
  const given = typeof shear === "number" ? symmetric(name, "shear", shear) : shear;
  const [lowX, highX, lowY = 0, highY = 0] = given;
  check(
    given.length === 2 || given.length === 4,
    () => `[${name}] shear must be a number, or 2 or 4 of them, got ${told(shear)}`,
    ValueError,
  );
  return new Transform([
    {
      step: {
        kind: "affine",
        degrees: symmetric(name, "degrees", degrees),
        translate,
        scale,
        shear: [range(name, "shear", [lowX, highX]), range(name, "shear", [lowY, highY])],
        center: checkCenter(name, center),
        bilinear: isBilinear(name, interpolation),
        fill: checkFillOption(name, "fill", fill),
      },
      runner,
    },
  ]);
}
