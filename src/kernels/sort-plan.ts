// Plan of the merge sort along a dimension, and of what goes by sorted positions: a sum for each position, in a fixed order.
import type { Run } from "../autograd/run.ts";
import { grid1d } from "../gpu/queue.ts";
import type { Dtype } from "../tensor/dtype.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Kernel } from "./kernel.ts";
import { mergeDims, rankOf } from "./strided-walk.ts";
import scatterWgsl, { WG as SCATTER_WG } from "./wgsl/scatter-sorted.wgsl";
import mergeWgsl, { WG as MERGE_WG } from "./wgsl/sort-merge.wgsl";
import runsWgsl, { RUN, WG } from "./wgsl/sort-runs.wgsl";
import writeWgsl, { WG as WRITE_WG } from "./wgsl/sort-write.wgsl";

const runsKernel = new Kernel(runsWgsl);
const mergeKernel = new Kernel(mergeWgsl);
const writeKernel = new Kernel(writeWgsl);
const scatterKernel = new Kernel(scatterWgsl);

/** Lines of a tensor along a dimension: it is [outer, length, inner]. */
export interface Lines {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}
export const linesOf = (shape: Shape, dim: number): Lines => ({
  outer: sizeOf(shape.slice(0, dim)),
  length: shape[dim] ?? 1,
  inner: sizeOf(shape.slice(dim + 1)),
});

/** Keys in order and where they were, u32 [lines, length]. */
export interface Sorted {
  readonly keys: Tensor;
  readonly places: Tensor;
}

/** What elements are as positions in a dimension of `whole` elements: `size` of them from `low` on, but for `skip`. */
export interface Positions {
  readonly low: number;
  readonly size: number;
  readonly whole: number;
  readonly skip?: number | undefined;
  /** What is reported of a position that is not one of the whole. Default: nothing. */
  readonly fault?: number;
}

const KINDS: Readonly<Partial<Record<Dtype, string>>> = { f32: "1u", i32: "2u", u32: "3u" };

/** Sorts lines of x: by value, or as positions. Stable. */
export function sortLines(
  run: Run,
  x: Tensor,
  { outer, length, inner }: Lines,
  order: { readonly descending: boolean } | Positions,
): Sorted {
  const lines = outer * inner;
  const runs = Math.ceil(length / RUN);
  const n = lines * runs;
  const pair = (): Sorted => ({
    keys: run.scratch([lines, length], "u32"),
    places: run.scratch([lines, length], "u32"),
  });
  let sorted = pair();
  const byValue = "descending" in order;
  const { low, size, whole, skip = -1, fault = 0 } = byValue ? { low: 0, size: 0, whole: 0 } : order;
  runsKernel
    .variant(byValue ? { KIND: KINDS[x.dtype] ?? "1u", DESCENDING: order.descending } : {})
    .launch(
      run,
      { x, ...sorted, faults: run.queue.faults },
      { n, length, inner, runs, low, size, whole, skip, fault },
      grid1d(n, WG),
    );
  let other: Sorted | null = null;
  for (let width = RUN; width < length; width *= 2) {
    other ??= pair();
    const buffers = { ...sorted, keys_out: other.keys, places_out: other.places };
    mergeKernel.launch(run, buffers, { n, length, runs, width }, grid1d(n, MERGE_WG));
    [sorted, other] = [other, sorted];
  }
  return sorted;
}

/** The first k of each sorted line of x, and where they were. */
export function writeSorted(
  run: Run,
  x: Tensor,
  { places }: Sorted,
  { outer, length, inner }: Lines,
  k: number,
  values: Tensor,
  indices: Tensor,
): void {
  const n = outer * k * inner;
  writeKernel.launch(run, { x, places, values, indices }, { n, length, k, inner }, grid1d(n, WRITE_WG));
}

interface ScatterInto {
  /** Elements to place, [outer, length, inner]; a number's bits stand for all of them. */
  readonly x: Tensor | number;
  /** The shape of x without the dimension, and the strides of y that go with it. */
  readonly around: Shape;
  readonly strides: Shape;
  /** y's size and stride along the dimension. */
  readonly size: number;
  readonly stride: number;
  /** Add what goes to one place to what is there; else the last one stays. */
  readonly sum: boolean;
  /** One list of positions for all lines. */
  readonly oneList: boolean;
}

/** Places the elements of x in y by sorted positions. The rest of y stays as it is. */
export function scatterSorted(
  run: Run,
  { keys, places }: Sorted,
  { length, inner }: Lines,
  y: Tensor,
  to: ScatterInto,
) {
  const walk = mergeDims("scatter", to.around, [to.strides]);
  const n = sizeOf(to.around) * length;
  const { size, stride } = to;
  const [x, value] = typeof to.x === "number" ? [null, to.x] : [to.x, 0];
  const variant = scatterKernel.variant({ T: y.dtype, SUM: to.sum, ONE_LIST: to.oneList, RANK: rankOf(walk) });
  const params = { n, length, inner, size, stride, value, shape: walk.shape, strides: walk.strides[0] };
  variant.launch(run, { x, keys, places, y }, params, grid1d(n, SCATTER_WG));
}
