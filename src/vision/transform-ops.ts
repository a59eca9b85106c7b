// What runs the steps of transforms: an op on batches of images made of a launch, and what their kernels have in common.
import { apply1 } from "../autograd/apply.ts";
import { type Op, withoutGradient } from "../autograd/op.ts";
import type { Run } from "../autograd/run.ts";
import { check, told } from "../errors.ts";
import type { DeviceInfo } from "../gpu/device.ts";
import type { Grid } from "../gpu/queue.ts";
import { WG } from "../kernels/wgsl/warp-images.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { type Shape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import {
  drawsOf,
  type Fill,
  type NormalizeStep,
  type Range,
  type Runner,
  type StageAttrs,
  type Step,
} from "./transform-steps.ts";

/** Channels that the kernels' statistics and fills tell apart. */
const STATISTICS = 4;

export const four = (f: (i: number) => number) => [f(0), f(1), f(2), f(3)] as const;

/** A range as kernels take it: where it begins and how long it is. */
export const span = ([low, high]: Range, unit = 1): readonly [number, number] => [low * unit, (high - low) * unit];

/** The parameters of lib/normalized.wgsl. */
export function statistics(normalize: NormalizeStep | null) {
  const { mean, std } = normalize ?? { mean: [0], std: [1] };
  const last = mean.length - 1;
  return { mean: four((c) => mean[Math.min(c, last)] ?? 0), inv_std: four((c) => 1 / (std[Math.min(c, last)] ?? 1)) };
}

/** Throws unless there is a mean and a deviation for each channel. */
export function checkNormalize(channels: number, normalize: NormalizeStep | null): void {
  if (!normalize) return;
  const { length } = normalize.mean;
  check(
    length === 1 || (length === channels && channels <= STATISTICS),
    () =>
      `[normalize] images have ${channels} channels but mean and std have ${length} values: give 1, or one a channel (at most ${STATISTICS})`,
  );
}

/** A fill by channel, as kernels take it. */
export const fourOf = (fill: Fill) => four((c) => (typeof fill === "number" ? fill : (fill[c] ?? fill.at(-1) ?? 0)));

/** Throws unless there is a value for each channel. */
export function checkFill(name: string, fill: Fill, channels: number): void {
  check(
    typeof fill === "number" || fill.length === 1 || (fill.length === channels && channels <= STATISTICS),
    () =>
      `[${name}] images have ${channels} channels but ${told(fill)} has other than 1 value or one a channel (at most ${STATISTICS})`,
  );
}

/** Workgroups along an image's `count` items: starting an invocation is dear on a software adapter. */
export function imageGrid(
  { isSoftware }: Pick<DeviceInfo, "isSoftware">,
  count: number,
  images: number,
): { grid: Grid; stride: number } {
  const groups = Math.max(1, Math.ceil(count / (WG * (isSoftware ? 16 : 4))));
  return { grid: [groups, images], stride: groups * WG };
}

/** The walk of lib/pixels.wgsl over so many images of this size. */
export function pixelWalk(run: Run, images: number, height: number, width: number) {
  const { grid, stride } = imageGrid(run.device.info, height * width, images);
  const params = { height, width, stride, stride_y: Math.floor(stride / width), stride_x: stride % width };
  return { params, grid };
}

/** Four sizes, of a batch that `infer` has seen. */
export const sizes = ({ shape: [n = 0, channels = 0, height = 0, width = 0] }: Tensor) => ({
  n,
  channels,
  height,
  width,
});

type StageInputs = readonly [x: Tensor, draws: Tensor | null, noise: Tensor | null];

interface RunnerParts<S extends Step> {
  readonly name: string;
  readonly most?: number;
  readonly takesIntegers?: boolean;
  shapeAfter(step: S, shape: Shape): Shape;
  launch(run: Run, inputs: StageInputs, y: Tensor, attrs: StageAttrs<S>): void;
  /** Further random numbers, of the images' shape. */
  noise?(step: S, x: Tensor): Tensor | null;
}

/** A runner whose steps become one op, without gradient. */
export function makeRunner<S extends Step>(parts: RunnerParts<S>): Runner<S> {
  const { name, most = 1, takesIntegers = false, noise } = parts;
  const shapeAfter = (step: S, shape: Shape): Shape => {
    checkPictures(name, shape);
    return parts.shapeAfter(step, shape);
  };
  const op: Op<StageInputs, StageAttrs<S>> = {
    name,
    required: 1,
    infer([x, draws], { placed, normalize }) {
      checkDtype(name, "the batch of images", x.dtype, "f32", ...(takesIntegers ? (["i32", "u32"] as const) : []));
      checkPictures(name, x.shape);
      const shape = placed.reduce<Shape>((before, { step }) => shapeAfter(step, before), x.shape);
      checkNormalize(shape[1] ?? 0, normalize);
      if (draws) {
        checkDtype(name, "the random numbers", draws.dtype, "f32");
        check(
          draws.shape.length === 2 && draws.shape[0] === x.shape[0],
          () => `[${name}] ${x.shape[0]} images need a row of random numbers each, got ${show(draws.shape)}`,
        );
      }
      return [{ shape, dtype: "f32" }];
    },
    forward: (run, inputs, [y], attrs) => parts.launch(run, inputs, y, attrs),
    ...withoutGradient,
  };
  return {
    most,
    takesIntegers,
    shapeAfter,
    run(x, draws, attrs) {
      const [first] = attrs.placed;
      const random = attrs.placed.some(({ step }) => drawsOf(step) > 0);
      return apply1(op, [x, random ? draws : null, (first && noise?.(first.step, x)) ?? null], attrs);
    },
  };
}

function checkPictures(name: string, shape: Shape): void {
  check(shape.length === 4, () => `[${name}] images must have shape [N, C, H, W] or [C, H, W], got ${show(shape)}`);
}

/** Throws unless images have one or three channels. */
export function checkColours(name: string, shape: Shape): void {
  const [, channels] = shape;
  check(channels === 1 || channels === 3, () => `[${name}] images must have 1 or 3 channels, got ${show(shape)}`);
}
