// Channels as pixels and back, and channels of groups in turn: permutations.
import { checkTensor } from "../autograd/run.ts";
import { check, checkWhole } from "../errors.ts";
import { scope } from "../tensor/scope.ts";
import { show, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { permute } from "./movement.ts";
import { view } from "./view.ts";

/** The sizes of x: [..., C, H, W]. */
function planesOf(op: string, x: Tensor) {
  checkTensor(op, "input", x);
  check(x.ndim >= 3, () => `[${op}] input has shape ${show(x.shape)} but must be [..., C, H, W]`);
  const [channels = 0, height = 0, width = 0] = x.shape.slice(-3);
  const outer = x.shape.slice(0, -3);
  return { outer, images: sizeOf(outer), channels, height, width };
}

/**
 * x: [..., C r r, H, W] as [..., C, H r, W r], r the `upscaleFactor`: each group of r r channels becomes a block of pixels.
 * @throws ShapeError where the channels are no multiple of r r.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.pixel_shuffle.html
 */
export function pixelShuffle(x: Tensor, upscaleFactor: number): Tensor {
  const name = "pixelShuffle";
  const { outer, images, channels, height, width } = planesOf(name, x);
  checkWhole(name, "upscaleFactor", upscaleFactor, 1);
  const r = upscaleFactor;
  const planes = channels / (r * r);
  check(
    Number.isInteger(planes),
    () => `[${name}] ${channels} channels of ${show(x.shape)} are no multiple of ${r * r}`,
  );
  return scope(() => {
    const blocks = permute(view(name, x, [images, planes, r, r, height, width]), [0, 1, 4, 2, 5, 3]);
    return view(name, blocks, [...outer, planes, height * r, width * r]);
  });
}

/**
 * x: [..., C, H r, W r] as [..., C r r, H, W], r the `downscaleFactor`: what `pixelShuffle` takes.
 * @throws ShapeError where height or width are no multiple of r.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.pixel_unshuffle.html
 */
export function pixelUnshuffle(x: Tensor, downscaleFactor: number): Tensor {
  const name = "pixelUnshuffle";
  const { outer, images, channels, height, width } = planesOf(name, x);
  checkWhole(name, "downscaleFactor", downscaleFactor, 1);
  const r = downscaleFactor;
  const [rows, columns] = [height / r, width / r];
  check(
    Number.isInteger(rows) && Number.isInteger(columns),
    () => `[${name}] rows and columns of ${show(x.shape)} are no multiples of ${r}`,
  );
  return scope(() => {
    const blocks = permute(view(name, x, [images, channels, rows, r, columns, r]), [0, 1, 3, 5, 2, 4]);
    return view(name, blocks, [...outer, channels * r * r, rows, columns]);
  });
}

/**
 * The channels of x: [N, C, ...] in another order: the first of each of `groups` groups, then the second ones, and so on.
 * @throws ShapeError where the channels are no multiple of the groups.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ChannelShuffle.html
 */
export function channelShuffle(x: Tensor, groups: number): Tensor {
  const name = "channelShuffle";
  checkTensor(name, "input", x);
  checkWhole(name, "groups", groups, 1);
  check(
    x.ndim >= 3,
    () => `[${name}] input has shape ${show(x.shape)} but must be [N, C, ...] of at least 3 dimensions`,
  );
  const [n = 0, channels = 0, ...rest] = x.shape;
  check(
    channels % groups === 0,
    () => `[${name}] ${channels} channels of ${show(x.shape)} are no multiple of ${groups}`,
  );
  return scope(() => {
    const grouped = view(name, x, [n, groups, channels / groups, sizeOf(rest)]);
    return view(name, permute(grouped, [0, 2, 1, 3]), x.shape);
  });
}
