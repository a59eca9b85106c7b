// Plan of copies that walk both sides through strides, whatever the size of either: by windows that bindings hold.
import type { Run } from "../autograd/run.ts";
import { context } from "../context.ts";
import { grid1d } from "../gpu/queue.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { bindingElements, partOf, ranges } from "./binding-parts.ts";
import { Kernel } from "./kernel.ts";
import { mergeDims, rankOf } from "./strided-walk.ts";
import { inFours, inVectors, VECTOR } from "./vectors.ts";
import moveWgsl, { PER, WG } from "./wgsl/move.wgsl";

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
  const most = bindingElements(run.device.info);
  // Windows begin, and but for the last end, at multiples of four.
  const vectors = inFours(from.t.numel, to.t.numel) ? inVectors(walk, [from.start, to.start]) : null;
  const { shape: walked, strides } = vectors ?? walk;
  const [x_strides, y_strides] = strides;
  const each = vectors ? 4 : 1;
  const variant = kernel.variant({ RANK: rankOf(walk), ...(vectors && { T: VECTOR }) });
  for (const [x0, x_count] of windows(from, shape, most)) {
    for (const [y0, y_count] of windows(to, shape, most)) {
      const [x, y] = [partOf(from.t.storage, x0, x_count), partOf(to.t.storage, y0, y_count)];
      const starts = { x_start: (from.start - x0) / each, y_start: (to.start - y0) / each };
      const counts = { n: n / each, x_count: x_count / each, y_count: y_count / each };
      const params = { ...starts, ...counts, shape: walked, x_strides, y_strides };
      variant.launch(run, { x, y }, params, grid1d(counts.n, WG * PER));
    }
  }
}
