// gaussianBlur: two passes of a filter with a random width for each image.
import { check, checkOptions, StateError, told, ValueError } from "../errors.ts";
import { Kernel } from "../kernels/kernel.ts";
import blurWgsl, { MOST } from "../kernels/wgsl/blur-images.wgsl";
import { pair, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { makeRunner, pixelWalk, sizes, span, statistics } from "./transform-ops.ts";
import { positive, range } from "./transform-options.ts";
import type { BlurStep, Range } from "./transform-steps.ts";
import { Transform } from "./transforms.ts";

const kernel = new Kernel(blurWgsl);
/** Weights on one side are kept in workgroup memory. */
const LARGEST = 2 * MOST - 1;

const runner = makeRunner<BlurStep>({
  name: "gaussianBlur",
  shapeAfter({ size }, shape) {
    const [, , height = 0, width = 0] = shape;
    check(
      (size[0] - 1) / 2 < height && (size[1] - 1) / 2 < width,
      () =>
        `[gaussianBlur] a kernel of ${size[0]} x ${size[1]} reaches across images ${show(shape)}: half of it must be smaller`,
    );
    return shape;
  },
  launch(run, [x, draws], y, { placed, normalize }) {
    check(draws !== null, () => "[gaussianBlur] takes random numbers", StateError);
    const { n, channels, height, width } = sizes(x);
    const { params, grid } = pixelWalk(run, n, height, width);
    for (const { step, column } of placed) {
      const random = { columns: draws.shape[1] ?? 0, column, sigma: span(step.sigma) };
      const pass = (from: Tensor, to: Tensor, axis: 0 | 1) =>
        kernel.launch(
          run,
          { x: from, u: draws, y: to },
          {
            ...params,
            channels,
            ...random,
            axis,
            half: (step.size[axis] - 1) / 2,
            ...statistics(to === y ? normalize : null),
          },
          grid,
        );
      const between = run.scratch(x.shape);
      pass(x, between, 1);
      pass(between, y, 0);
    }
  },
});

/** What `gaussianBlur` takes. */
export interface GaussianBlurOptions {
  /** Standard deviation in pixels: a number, or [low, high] from which each image has its own. Default [0.1, 2]. */
  sigma?: number | Range;
}

/**
 * Blurs each image by a Gaussian filter of `kernelSize` pixels, odd: a number, or [height, width]. Images [N, C, H, W] keep their
 * shape; outside they are mirrored. (torchvision takes the kernel's width first.)
 * @throws ValueError for options out of range; ShapeError where half of the kernel is not smaller than the image.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.GaussianBlur.html
 */
export function gaussianBlur(
  kernelSize: number | readonly [height: number, width: number],
  options: GaussianBlurOptions = {},
): Transform {
  const name = "gaussianBlur";
  checkOptions(name, options, ["sigma"]);
  const { sigma = [0.1, 2] } = options;
  const size = pair(name, "kernelSize", kernelSize, 1);
  check(
    size.every((k) => k % 2 === 1 && k <= LARGEST),
    () => `[${name}] kernelSize must be odd and at most ${LARGEST}, got ${told(kernelSize)}`,
    ValueError,
  );
  const deviation: Range =
    typeof sigma === "number" ? [positive(name, "sigma", sigma), sigma] : range(name, "sigma", sigma, Number.MIN_VALUE);
  return new Transform([{ step: { kind: "blur", size, sigma: deviation }, runner }]);
}
