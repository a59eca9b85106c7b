// The kernels behind transforms, as ops on batches of images: warp (crop, flip, rotate), colour jitter, resize.
import { apply1 } from "../autograd/apply.ts";
import { type Op, withoutGradient } from "../autograd/op.ts";
import type { Run } from "../autograd/run.ts";
import { check, StateError } from "../errors.ts";
import type { DeviceInfo } from "../gpu/device.ts";
import type { Grid } from "../gpu/queue.ts";
import { Kernel } from "../kernels/kernel.ts";
import jitterWgsl from "../kernels/wgsl/color-jitter.wgsl";
import resizeWgsl from "../kernels/wgsl/resize-bilinear.wgsl";
import warpWgsl, { CROP, FIXED, FLIP, ROTATE, WG } from "../kernels/wgsl/warp-images.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { show } from "../tensor/shape.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";
import { STAGE_NAMES, shapeAfter, sizeAfter } from "./transform-shapes.ts";
import {
  isRandom,
  type JitterStage,
  type NormalizeStep,
  type ResizeStage,
  type Size,
  type Stage,
  type WarpStage,
  type WarpStep,
} from "./transform-steps.ts";

const warpKernel = new Kernel(warpWgsl);
const jitterKernel = new Kernel(jitterWgsl);
const resizeKernel = new Kernel(resizeWgsl);

/** The batch that a stage makes of x: [N, C, H, W]. draws: [N, columns], where it takes random numbers. */
function inferStage(stage: Stage, x: Spec, draws: Spec | null): Spec {
  const name = STAGE_NAMES[stage.kind];
  checkDtype(name, "the batch of images", x.dtype, "f32");
  const shape = shapeAfter(stage, x.shape);
  if (draws) {
    checkDtype(name, "the random numbers", draws.dtype, "f32");
    check(
      draws.shape.length === 2 && draws.shape[0] === x.shape[0],
      () => `[${name}] ${x.shape[0]} images need a row of random numbers each, got ${show(draws.shape)}`,
    );
  }
  return { shape, dtype: "f32" };
}

const four = (f: (i: number) => number) => [f(0), f(1), f(2), f(3)] as const;

/** The parameters of lib/normalized.wgsl. */
export function statistics(normalize: NormalizeStep | null) {
  const { mean, std } = normalize ?? { mean: [0], std: [1] };
  const last = mean.length - 1;
  return { mean: four((c) => mean[Math.min(c, last)] ?? 0), inv_std: four((c) => 1 / (std[Math.min(c, last)] ?? 1)) };
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

/** The walk of lib/pixels.wgsl over the images of y, made from those of x. */
function pixelWalk(run: Run, x: Tensor, y: Tensor) {
  const [n = 0, channels = 0, in_height = 0, in_width = 0] = x.shape;
  const [, , height = 0, width = 0] = y.shape;
  const { grid, stride } = imageGrid(run.device.info, height * width, n);
  const carries = { stride, stride_y: Math.floor(stride / width), stride_x: stride % width };
  return { params: { channels, height, width, in_height, in_width, ...carries }, grid };
}

/** What the warp kernel knows of one step, which takes random numbers from `column` on, on images of this size. */
function warpStep(step: WarpStep, column: number, [height, width]: Size): { place: number[]; amount: number[] } {
  const block = (kind: number, a = 0, b = 0, c = 0) => ({ place: [kind, column, height, width], amount: [a, b, c, 0] });
  switch (step.kind) {
    case "centerCrop": {
      // Python's round: a half goes to the even neighbour.
      const middle = (whole: number, part: number) => {
        const below = Math.floor((whole - part) / 2);
        return below + ((whole - part) % 2 === 1 ? below % 2 : 0);
      };
      return block(FIXED, middle(height, step.size[0]), middle(width, step.size[1]));
    }
    case "crop": {
      const { size, padding } = step;
      return block(CROP, height + 2 * padding - size[0] + 1, width + 2 * padding - size[1] + 1, -padding);
    }
    case "flip":
      return block(FLIP, step.p);
    case "rotate": {
      const [low, high] = step.degrees;
      return block(ROTATE, (low * Math.PI) / 180, (high * Math.PI) / 180 - (low * Math.PI) / 180);
    }
  }
}

/** draws: null for a stage that takes no random numbers. */
const warpOp: Op<readonly [x: Tensor, draws: Tensor | null], WarpStage> = {
  name: STAGE_NAMES.warp,
  required: 1,
  infer: ([x, draws], stage) => [inferStage(stage, x, draws)],
  forward(run, [x, draws], [y], { steps, normalize }) {
    const { params, grid } = pixelWalk(run, x, y);
    let size: Size = [params.in_height, params.in_width];
    const place: number[] = [];
    const amount: number[] = [];
    // The kernel takes them from the last to the first.
    for (const { step, column } of steps) {
      const block = warpStep(step, column, size);
      place.unshift(...block.place);
      amount.unshift(...block.amount);
      size = sizeAfter(step, size);
    }
    const columns = draws?.shape[1] ?? 0;
    const maps = { steps: steps.length, columns, place, amount };
    warpKernel.launch(run, { x, u: draws, y }, { ...params, ...statistics(normalize), ...maps }, grid);
  },
  ...withoutGradient,
};

/** ITU-R 601-2, as torchvision rounds it. */
const GRAY = [0.2989, 0.587, 0.114, 0] as const;

const jitterOp: Op<readonly [x: Tensor, draws: Tensor], JitterStage> = {
  name: STAGE_NAMES.jitter,
  infer: ([x, draws], stage) => [inferStage(stage, x, draws)],
  forward(run, [x, draws], [y], { step, column, normalize }) {
    const [n = 0, channels = 0, height = 0, width = 0] = x.shape;
    const [, columns = 0] = draws.shape;
    // Gray pictures have neither saturation nor hue.
    const ranges = step.ranges.map((range, i) => (channels === 1 && i >= 2 ? null : range));
    const enabled = ranges.reduce((bits, range, i) => bits | (range ? 1 << i : 0), 0);
    const low = four((i) => ranges[i]?.[0] ?? 0);
    const span = four((i) => (ranges[i]?.[1] ?? 0) - (ranges[i]?.[0] ?? 0));
    const place = { plane: height * width, channels, columns, column };
    const change = { enabled, low, span };
    const gray = channels === 1 ? ([1, 0, 0, 0] as const) : GRAY;
    jitterKernel.launch(run, { x, u: draws, y }, { ...place, ...change, gray, ...statistics(normalize) }, [n]);
  },
  ...withoutGradient,
};

const resizeOp: Op<readonly [x: Tensor], ResizeStage> = {
  name: STAGE_NAMES.resize,
  infer: ([x], stage) => [inferStage(stage, x, null)],
  forward(run, [x], [y], { normalize }) {
    const { params, grid } = pixelWalk(run, x, y);
    const scale = { scale_y: params.in_height / params.height, scale_x: params.in_width / params.width };
    resizeKernel.launch(run, { x, y }, { ...params, ...scale, ...statistics(normalize) }, grid);
  },
  ...withoutGradient,
};

/** Runs one stage. x: [N, C, H, W]; draws: [N, P], where the plan has any. */
export function runStage(stage: Stage, x: Tensor, draws: Tensor | null): Tensor {
  switch (stage.kind) {
    case "warp":
      return apply1(warpOp, [x, isRandom(stage) ? draws : null], stage);
    case "jitter":
      check(draws !== null, () => "[colorJitter] takes random numbers", StateError);
      return apply1(jitterOp, [x, draws], stage);
    case "resize":
      return apply1(resizeOp, [x], stage);
  }
}
