// The kernels behind transforms, as ops on batches of images: warp (crop, flip, rotate), colour jitter, resize.
import { apply1 } from "../autograd/apply.ts";
import { type OldOp, savesNothing } from "../autograd/op.ts";
import { check, ShapeError, ValueError } from "../errors.ts";
import { currentDevice, type Device } from "../gpu/device.ts";
import { f32Bits, type Grid } from "../gpu/queue.ts";
import { OldKernel as Kernel } from "../kernels/specialize.ts";
import jitterWgsl from "../kernels/wgsl/color-jitter.wgsl";
import resizeWgsl from "../kernels/wgsl/resize-bilinear.wgsl";
import warpWgsl from "../kernels/wgsl/warp-images.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { type Shape, show } from "../tensor/shape.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";
import type {
  JitterStage,
  NormalizeStep,
  ResizeStage,
  ResizeStep,
  Size,
  Stage,
  WarpStage,
  WarpStep,
} from "./transform-steps.ts";

const WG = 64;
const STATISTICS = 4;
const warpKernel = new Kernel("warp_images", warpWgsl);
const jitterKernel = new Kernel("color_jitter", jitterWgsl);
const resizeKernel = new Kernel("resize_bilinear", resizeWgsl);

type ImageShape = readonly [channels: number, height: number, width: number];

/** x: [N, C, H, W]. draws: [N, columns], where there are any. */
function checkBatch(op: string, x: Spec, draws: Spec | undefined, normalize: NormalizeStep | null): ImageShape {
  checkDtype(op, "the batch of images", x.dtype, "f32");
  check(x.shape.length === 4, () => `[${op}] images must have shape [N, C, H, W], got ${show(x.shape)}`);
  if (draws) {
    checkDtype(op, "the random numbers", draws.dtype, "f32");
    check(
      draws.shape.length === 2 && draws.shape[0] === x.shape[0],
      () => `[${op}] ${x.shape[0]} images need a row of random numbers each, got ${show(draws.shape)}`,
    );
  }
  const [, channels, height, width] = x.shape as readonly [number, number, number, number];
  checkNormalize(channels, normalize);
  return [channels, height, width];
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

/** The words `mean` and `inv_std` of the kernels. */
export function normalizeWords(normalize: NormalizeStep | null): number[] {
  const { mean, std } = normalize ?? { mean: [0], std: [1] };
  const four = (values: readonly number[], f: (x: number) => number) =>
    Array.from({ length: STATISTICS }, (_, c) => f32Bits(f(values[Math.min(c, values.length - 1)]!)));
  return [...four(mean, (x) => x), ...four(std, (x) => 1 / x)];
}

/** Workgroups of `wg` invocations along an image's `count` items: starting an invocation is dear on a software adapter. */
export function imageGrid(device: Device, count: number, images: number, wg = WG): { grid: Grid; stride: number } {
  const each = device.info.isSoftware ? 16 : 4;
  const groups = Math.max(1, Math.ceil(count / (wg * each)));
  return { grid: [groups, images], stride: groups * wg };
}

/** The size that a step makes of `size`. */
function sizeAfter(step: WarpStep | ResizeStep, [height, width]: Size): Size {
  if (step.kind === "crop" || step.kind === "centerCrop") {
    const padding = step.kind === "crop" ? step.padding : 0;
    const [h, w] = step.size;
    const name = step.kind === "crop" ? "randomCrop" : "centerCrop";
    check(
      h <= height + 2 * padding && w <= width + 2 * padding,
      () =>
        `[${name}] a crop of ${h} x ${w} was asked of images of ${height} x ${width}${padding ? ` padded by ${padding}` : ""}: it must not be larger`,
      ShapeError,
    );
    return [h, w];
  }
  if (step.kind !== "resize") return [height, width];
  if (typeof step.size !== "number") return step.size;
  // torchvision: the shorter side becomes `size`, the longer one keeps the proportions, rounded down.
  const [short, long] = [Math.min(height, width), Math.max(height, width)];
  const scaled = Math.max(1, Math.floor((step.size * long) / short));
  return height <= width ? [step.size, scaled] : [scaled, step.size];
}

/** The parameters of one step of the warp kernel. */
function warpWords(step: WarpStep, column: number, [height, width]: Size): { place: number[]; amount: number[] } {
  const words = (kind: number, a = 0, b = 0, c = 0) => ({ place: [kind, column, height, width], amount: [a, b, c, 0] });
  switch (step.kind) {
    case "centerCrop": {
      // Python's round: a half goes to the even neighbour.
      const middle = (whole: number, part: number) => {
        const below = Math.floor((whole - part) / 2);
        return below + ((whole - part) % 2 === 1 ? below % 2 : 0);
      };
      return words(0, middle(height, step.size[0]), middle(width, step.size[1]));
    }
    case "crop": {
      const { size, padding } = step;
      return words(1, height + 2 * padding - size[0] + 1, width + 2 * padding - size[1] + 1, -padding);
    }
    case "flip":
      return words(2, step.p);
    case "rotate": {
      const [low, high] = step.degrees.map((d) => (d * Math.PI) / 180) as [number, number];
      return words(3, low, high - low);
    }
  }
}

const images = (x: Spec, channels: number, size: Size): Spec => ({
  shape: [x.shape[0]!, channels, ...size],
  dtype: "f32",
});

const warpOp: OldOp<WarpStage> = {
  name: "warpImages",
  infer([x, draws], { steps, normalize }) {
    const [channels, ...size] = checkBatch("warpImages", x!, draws, normalize);
    return [
      images(
        x!,
        channels,
        steps.reduce<Size>((s, { step }) => sizeAfter(step, s), size),
      ),
    ];
  },
  forward({ queue }, [x, draws], [y], { steps, normalize }) {
    const [n, channels, ...first] = x!.shape as readonly [number, number, number, number];
    const [, , height, width] = y!.shape as readonly [number, number, number, number];
    let size: Size = first;
    const blocks: { place: number[]; amount: number[] }[] = [];
    for (const { step, column } of steps) {
      blocks.unshift(warpWords(step, column, size));
      size = sizeAfter(step, size);
    }
    const none = new Array<number>(4 * (6 - blocks.length)).fill(0);
    const words = {
      place: [...blocks.flatMap((b) => b.place), ...none],
      amount: [...blocks.flatMap((b) => b.amount), ...none],
    };
    const { grid, stride } = imageGrid(y!.device, height * width, n);
    const params = [channels, height, width, steps.length, draws?.shape[1] ?? 0, ...strides(stride, width)];
    queue.dispatch(
      warpKernel.variant(),
      // Without random numbers nothing reads the second binding.
      [x!.storage, (draws ?? x!).storage, y!.storage],
      [...params, ...normalizeWords(normalize), ...words.place, ...words.amount.map(f32Bits)],
      grid,
    );
  },
  saves: savesNothing,
  vjp: "not differentiable",
};

const strides = (stride: number, width: number) => [stride, Math.floor(stride / width), stride % width];

/** ITU-R 601-2, as torchvision rounds it. */
const GRAY = [0.2989, 0.587, 0.114, 0];

const jitterOp: OldOp<JitterStage> = {
  name: "colorJitter",
  infer([x, draws], { normalize }) {
    const [channels] = checkBatch("colorJitter", x!, draws, normalize);
    check(
      channels === 1 || channels === 3,
      () => `[colorJitter] images must have 1 or 3 channels, got ${show(x!.shape)}`,
    );
    return [x!];
  },
  forward({ queue }, [x, draws], [y], { step, column, normalize }) {
    const [n, channels, height, width] = x!.shape as readonly [number, number, number, number];
    // Gray pictures have neither saturation nor hue.
    const ranges = step.ranges.map((range, i) => (channels === 1 && i >= 2 ? null : range));
    const enabled = ranges.reduce((bits, range, i) => bits | (range ? 1 << i : 0), 0);
    const gray = channels === 1 ? [1, 0, 0, 0] : GRAY;
    const params = [height * width, channels, draws!.shape[1]!, column, enabled, 0, 0, 0];
    const low = ranges.map((r) => r?.[0] ?? 0);
    const span = ranges.map((r) => (r ? r[1] - r[0] : 0));
    const words = [...params, ...[...low, ...span, ...gray].map(f32Bits), ...normalizeWords(normalize)];
    queue.dispatch(jitterKernel.variant(), [x!.storage, draws!.storage, y!.storage], words, [n]);
  },
  saves: savesNothing,
  vjp: "not differentiable",
};

const resizeOp: OldOp<ResizeStage> = {
  name: "resize",
  infer([x], { step, normalize }) {
    const [channels, ...size] = checkBatch("resize", x!, undefined, normalize);
    check(size[0] > 0 && size[1] > 0, () => `[resize] images have no pixels: ${show(x!.shape)}`, ValueError);
    return [images(x!, channels, sizeAfter(step, size))];
  },
  forward({ queue }, [x], [y], { normalize }) {
    const [n, channels, inHeight, inWidth] = x!.shape as readonly [number, number, number, number];
    const [, , height, width] = y!.shape as readonly [number, number, number, number];
    const { grid, stride } = imageGrid(y!.device, height * width, n);
    const params = [channels, height, width, inHeight, inWidth, ...strides(stride, width)];
    const scale = [inHeight / height, inWidth / width, 0, 0].map(f32Bits);
    queue.dispatch(
      resizeKernel.variant(),
      [x!.storage, y!.storage],
      [...params, ...scale, ...normalizeWords(normalize)],
      grid,
    );
  },
  saves: savesNothing,
  vjp: "not differentiable",
};

/** Runs one stage. x: [N, C, H, W]; draws: [N, P], where the plan has any. */
export function runStage(stage: Stage, x: Tensor, draws: Tensor | null): Tensor {
  const inputs = draws ? [x, draws] : [x];
  switch (stage.kind) {
    case "warp":
      return apply1(warpOp, inputs, stage);
    case "jitter":
      return apply1(jitterOp, inputs, stage);
    case "resize":
      return apply1(resizeOp, [x], stage);
  }
}

function inferStage(stage: Stage, inputs: readonly Spec[]): readonly Spec[] {
  const { info } = currentDevice();
  switch (stage.kind) {
    case "warp":
      return warpOp.infer(inputs, stage, info);
    case "jitter":
      return jitterOp.infer(inputs, stage, info);
    case "resize":
      return resizeOp.infer(inputs, stage, info);
  }
}

/** The shape [C, H, W] that a stage makes of another. */
export const stageShape = (stage: Stage, shape: Shape): Shape =>
  inferStage(stage, [{ shape: [1, ...shape], dtype: "f32" }])[0]!.shape.slice(1);
