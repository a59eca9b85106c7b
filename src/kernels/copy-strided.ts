// Plan of the strided copy.
import { context } from "../context.ts";
import { grid1d, type Queue } from "../gpu/queue.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { OldKernel as Kernel } from "./specialize.ts";
import { eightWords, mergeDims } from "./strided-walk.ts";
import stridedWgsl from "./wgsl/strided.wgsl";

const kernel = new Kernel("strided", stridedWgsl);
const WG = 64;

/** Fills y, in order, with the elements of x that `strides` (one for each dimension of y) reach from `start`. */
export function copyStrided(queue: Queue, x: Tensor, y: Tensor, strides: readonly number[], start = 0): void {
  const walk = mergeDims(context.origin?.name ?? "copy", y.shape, [strides]);
  const params = [y.numel, start, 0, 0, ...eightWords(walk.shape), ...eightWords(walk.strides[0]!)];
  queue.dispatch(
    kernel.variant({ RANK: `${walk.shape.length}u` }),
    [x.storage, y.storage],
    params,
    grid1d(y.numel, WG),
  );
}
