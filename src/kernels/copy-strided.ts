// Plan of the strided copy.
import type { Run } from "../autograd/run.ts";
import { context } from "../context.ts";
import { grid1d } from "../gpu/queue.ts";
import { stridesOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { allFit } from "./binding-parts.ts";
import { Kernel } from "./kernel.ts";
import { move } from "./move.ts";
import { mergeDims, rankOf } from "./strided-walk.ts";
import stridedWgsl, { WG } from "./wgsl/strided.wgsl";

const kernel = new Kernel(stridedWgsl);

/** Fills y, in order, with the elements of x that `strides` (one for each dimension of y) reach from `start`. */
export function copyStrided(run: Run, x: Tensor, y: Tensor, strides: readonly number[], start = 0): void {
  if (!allFit(run.device.info, [x, y])) {
    move(run, y.shape, { t: x, strides, start }, { t: y, strides: stridesOf(y.shape), start: 0 });
    return;
  }
  const walk = mergeDims(context.origin?.name ?? "copy", y.shape, [strides]);
  const n = y.numel;
  const params = { n, start, shape: walk.shape, strides: walk.strides[0] };
  kernel.variant({ RANK: rankOf(walk) }).launch(run, { x, y }, params, grid1d(n, WG));
}
