// Transforms of colours: colorJitter, grayscale, randomGrayscale.
import { check, checkOptions, StateError, ValueError } from "../errors.ts";
import { Kernel } from "../kernels/kernel.ts";
import jitterWgsl from "../kernels/wgsl/color-jitter.wgsl";
import grayWgsl from "../kernels/wgsl/gray-images.wgsl";
import { checkColours, four, imageGrid, makeRunner, sizes, statistics } from "./transform-ops.ts";
import { checkProbability, shown } from "./transform-options.ts";
import type { GrayStep, JitterStep, Range } from "./transform-steps.ts";
import { Transform } from "./transforms.ts";

const jitterKernel = new Kernel(jitterWgsl);
const grayKernel = new Kernel(grayWgsl);

/** ITU-R 601-2, as torchvision rounds it. */
export const GRAY = [0.2989, 0.587, 0.114, 0] as const;

const jitter = makeRunner<JitterStep>({
  name: "colorJitter",
  shapeAfter(_, shape) {
    checkColours("colorJitter", shape);
    return shape;
  },
  launch(run, [x, draws], y, { placed, normalize }) {
    check(draws !== null, () => "[colorJitter] takes random numbers", StateError);
    const { n, channels, height, width } = sizes(x);
    const [, columns = 0] = draws.shape;
    for (const { step, column } of placed) {
      // Gray pictures have neither saturation nor hue.
      const ranges = step.ranges.map((range, i) => (channels === 1 && i >= 2 ? null : range));
      const enabled = ranges.reduce((bits, range, i) => bits | (range ? 1 << i : 0), 0);
      const low = four((i) => ranges[i]?.[0] ?? 0);
      const span = four((i) => (ranges[i]?.[1] ?? 0) - (ranges[i]?.[0] ?? 0));
      const place = { plane: height * width, channels, columns, column };
      const gray = channels === 1 ? ([1, 0, 0, 0] as const) : GRAY;
      const change = { enabled, low, span, gray };
      jitterKernel.launch(run, { x, u: draws, y }, { ...place, ...change, ...statistics(normalize) }, [n]);
    }
  },
});

const gray = makeRunner<GrayStep>({
  name: "grayscale",
  shapeAfter(step, shape) {
    checkColours("grayscale", shape);
    const [n = 0, channels = 0, ...size] = shape;
    return [n, step.p === null ? step.channels : channels, ...size];
  },
  launch(run, [x, draws], y, { placed, normalize }) {
    const { n, channels, height, width } = sizes(y);
    const { grid, stride } = imageGrid(run.device.info, height * width, n);
    for (const { step, column } of placed) {
      const place = { plane: height * width, in_channels: x.shape[1] ?? 0, channels, stride };
      const chance = { columns: draws?.shape[1] ?? 0, column, probability: step.p ?? 1, gray: GRAY };
      grayKernel.launch(run, { x, u: draws, y }, { ...place, ...chance, ...statistics(normalize) }, grid);
    }
  },
});

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
export function colorJitter(options: ColorJitterOptions = {}): Transform {
  checkOptions("colorJitter", options, ["brightness", "contrast", "saturation", "hue"]);
  const { brightness = 0, contrast = 0, saturation = 0, hue = 0 } = options;
  const range = (name: string, value: number | Range, centre: number, low: number, high: number): Range | null => {
    const bad = () =>
      `[colorJitter] ${name} must be a number that is not negative, or a range within [${low}, ${high}]; got ${shown(value)}`;
    check(typeof value === "number" ? value >= 0 : Array.isArray(value), bad, ValueError);
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
  return new Transform([{ step: { kind: "jitter", ranges }, runner: jitter }]);
}

/**
 * The gray values (ITU-R 601-2) of images of 3 channels or 1, in 1 channel or in 3 equal ones: [N, numOutputChannels, H, W].
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.Grayscale.html
 */
export function grayscale(numOutputChannels: 1 | 3 = 1): Transform {
  check(
    numOutputChannels === 1 || numOutputChannels === 3,
    () => `[grayscale] numOutputChannels must be 1 or 3, got ${JSON.stringify(numOutputChannels)}`,
    ValueError,
  );
  return new Transform([{ step: { kind: "gray", channels: numOutputChannels, p: null }, runner: gray }]);
}

/**
 * Turns each image gray with probability `p`; it keeps its channels.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomGrayscale.html
 */
export const randomGrayscale = (p = 0.1): Transform =>
  new Transform([{ step: { kind: "gray", channels: 3, p: checkProbability("randomGrayscale", p) }, runner: gray }]);
