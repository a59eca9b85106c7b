// Plan of copies that walk both sides through strides, whatever the size of either: by windows that bindings hold.
import type { Run } from "../autograd/run.ts";
import { context } from "../context.ts";
import { grid1d } from "../gpu/queue.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { bindingElements, partOf, ranges } from "./binding-parts.ts";
import { Kernel } from "./kernel.ts";
import { mergeDims, rankOf } from "./strided-walk.ts";
import moveWgsl, { WG } from "./wgsl/move.wgsl";

const kernel = new Kernel(moveWgsl);

/** A side of a copy: element i stands `start` and i's place by these strides from the tensor's beginning. */
export interface Side {
  readonly t: Tensor;
  readonly strides: Shape;
  readonly start: number;
}

/** The windows, in elements, of those that the walk reaches. */
function windows({ t, strides, start }: Side, shape: Shape, most: number): (readonly [first: number, count: number])[] {
  const spans = strides.map((step, d) => step * ((shape[d] ?? 1) - 1));
  const low = spans.reduce((sum, span) => sum + Math.min(span, 0), start);
  const high = spans.reduce((sum, span) => sum + Math.max(span, 0), start);
  return [...ranges(t.numel, most)].filter(([first, count]) => first <= high && low < first + count);
}

/** Copies the elements of a walk over `shape`, each from its place in one tensor to its place in the other. */
export function move(run: Run, shape: Shape, from: Side, to: Side): void {
  const n = sizeOf(shape);
  if (n === 0) return;
  const walk = mergeDims(context.origin?.name ?? "copy", shape, [from.strides, to.strides]);
  const [x_strides, y_strides] = walk.strides;
  const variant = kernel.variant({ RANK: rankOf(walk) });
  const most = bindingElements(run.device.info);
  for (const [x0, x_count] of windows(from, shape, most)) {
    for (const [y0, y_count] of windows(to, shape, most)) {
      const [x, y] = [partOf(from.t.storage, x0, x_count), partOf(to.t.storage, y0, y_count)];
      const starts = { x_start: from.start - x0, y_start: to.start - y0 };
      const params = { n, ...starts, x_count, y_count, shape: walk.shape, x_strides, y_strides };
      variant.launch(run, { x, y }, params, grid1d(n, WG));
    }
  }
}
