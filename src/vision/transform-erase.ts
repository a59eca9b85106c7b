// randomErasing: a random rectangle of each image becomes a value or noise.
import { check, checkOptions, StateError } from "../errors.ts";
import { Kernel } from "../kernels/kernel.ts";
import eraseWgsl from "../kernels/wgsl/erase-images.wgsl";
import { randn } from "../ops/random.ts";
import { checkFill, fourOf, makeRunner, pixelWalk, sizes, span, statistics } from "./transform-ops.ts";
import { checkFillOption, checkProbability, range } from "./transform-options.ts";
import type { EraseStep, Fill, Range } from "./transform-steps.ts";
import { Transform } from "./transforms.ts";

const kernel = new Kernel(eraseWgsl);

const runner = makeRunner<EraseStep>({
  name: "randomErasing",
  shapeAfter({ value }, shape) {
    if (value !== "random") checkFill("randomErasing", value, shape[1] ?? 0);
    return shape;
  },
  noise: ({ value }, x) => (value === "random" ? randn(x.shape, { device: x.device }) : null),
  launch(run, [x, draws, noise], y, { placed, normalize }) {
    check(draws !== null, () => "[randomErasing] takes random numbers", StateError);
    const { n, channels, height, width } = sizes(x);
    const { params, grid } = pixelWalk(run, n, height, width);
    for (const { step, column } of placed) {
      const [low, high] = step.ratio.map(Math.log) as [number, number];
      const place = { ...params, channels, columns: draws.shape[1] ?? 0, column, probability: step.p };
      const window = {
        area: span(step.scale),
        // Height by width here, width by height there.
        ratio: span([-low, -high]),
        value: fourOf(step.value === "random" ? 0 : step.value),
      };
      kernel.launch(run, { x, u: draws, noise, y }, { ...place, ...window, ...statistics(normalize) }, grid);
    }
  },
});

/** What `randomErasing` takes. */
export interface RandomErasingOptions {
  /** The probability that an image is erased. Default 0.5. */
  p?: number;
  /** The rectangle's area as a share of the image's, [low, high], from 0 to 1. Default [0.02, 0.33]. */
  scale?: Range;
  /** The rectangle's height by its width, [low, high]; its logarithm is uniform. Default [0.3, 3.3]. */
  ratio?: Range;
  /** What is put there: one value, one a channel, or "random", normal numbers of mean 0 and variance 1. Default 0. */
  value?: Fill | "random";
}

/**
 * Erases a random rectangle of each image (https://arxiv.org/abs/1708.04896), usually behind `normalize`. Where ten attempts
 * do not fit, the image stays. Images [N, C, H, W] keep their shape.
 * @throws ValueError for options out of range.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomErasing.html
 */
export function randomErasing(options: RandomErasingOptions = {}): Transform {
  const name = "randomErasing";
  checkOptions(name, options, ["p", "scale", "ratio", "value"]);
  const { p = 0.5, scale = [0.02, 0.33], ratio = [0.3, 3.3], value = 0 } = options;
  const step = {
    kind: "erase",
    p: checkProbability(name, p),
    scale: range(name, "scale", scale, 0, 1),
    ratio: range(name, "ratio", ratio, Number.MIN_VALUE),
    value: value === "random" ? value : checkFillOption(name, "value", value),
  } as const;
  return new Transform([{ step, runner }]);
}
