// What transforms make of the shapes of batches, and which ones they refuse.
import { check, ShapeError, ValueError } from "../errors.ts";
import { type Shape, show } from "../tensor/shape.ts";
import type { NormalizeStep, ResizeStep, Size, Stage, WarpStep } from "./transform-steps.ts";

/** Channels that the kernels' statistics tell apart. */
const STATISTICS = 4;

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

/** The size that a step makes of `size`. */
export function sizeAfter(step: WarpStep | ResizeStep, [height, width]: Size): Size {
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

/** The name under which a kind of stage runs. */
export const STAGE_NAMES = { warp: "warpImages", jitter: "colorJitter", resize: "resize" } as const;

/** The shape [N, C, H', W'] that a stage makes of batches of another. Throws `ShapeError` where they do not suit it. */
export function shapeAfter(stage: Stage, shape: Shape): Shape {
  const name = STAGE_NAMES[stage.kind];
  check(shape.length === 4, () => `[${name}] images must have shape [N, C, H, W], got ${show(shape)}`);
  const [n = 0, channels = 0, height = 0, width = 0] = shape;
  checkNormalize(channels, stage.normalize);
  switch (stage.kind) {
    case "warp":
      return [n, channels, ...stage.steps.reduce<Size>((size, { step }) => sizeAfter(step, size), [height, width])];
    case "jitter":
      check(channels === 1 || channels === 3, () => `[${name}] images must have 1 or 3 channels, got ${show(shape)}`);
      return shape;
    case "resize":
      check(height > 0 && width > 0, () => `[${name}] images have no pixels: ${show(shape)}`, ValueError);
      return [n, channels, ...sizeAfter(stage.step, [height, width])];
  }
}
