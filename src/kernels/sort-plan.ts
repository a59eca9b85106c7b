// Plan of sorts along a dimension, short lines by insertion and long ones by digits, and of what goes by sorted positions: a sum for each,
// in a fixed order.
import type { Run } from "../autograd/run.ts";
import { grid1d } from "../gpu/queue.ts";
import type { Dtype } from "../tensor/dtype.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { internalHandle, type Tensor } from "../tensor/tensor.ts";
import { copyStrided } from "./copy-strided.ts";
import { Kernel } from "./kernel.ts";
import { type Lines, scan } from "./scan-plan.ts";
import { mergeDims, rankOf } from "./strided-walk.ts";
import countWgsl, { WG as COUNT_WG } from "./wgsl/radix-count.wgsl";
import placeWgsl, { WG as PLACE_WG } from "./wgsl/radix-place.wgsl";
import scatterWgsl, { WG as SCATTER_WG } from "./wgsl/scatter-sorted.wgsl";
import runsWgsl, { RUN, WG } from "./wgsl/sort-runs.wgsl";

const runsKernel = new Kernel(runsWgsl);
const countKernel = new Kernel(countWgsl);
const placeKernel = new Kernel(placeWgsl);
const scatterKernel = new Kernel(scatterWgsl);

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

/** Lines from this length on are sorted by digits of eight bits. */
const LONG = 512;
/** Keys of a long line that an invocation takes. */
const CHUNK = 1024;

/** Sorts lines of x: by value, or as positions. Stable. */
export function sortLines(
  run: Run,
  x: Tensor,
  { outer, length, inner }: Lines,
  order: { readonly descending: boolean } | Positions,
): Sorted {
  const lines = outer * inner;
  const pair = (): Sorted => ({
    keys: run.scratch([lines, length], "u32"),
    places: run.scratch([lines, length], "u32"),
  });
  // As it is read, or sorted already.
  const each = length > RUN ? 1 : RUN;
  const runs = Math.ceil(length / each);
  const n = lines * runs;
  const byValue = "descending" in order;
  const { low, size, whole, skip = -1, fault = 0 } = byValue ? { low: 0, size: 0, whole: 0 } : order;
  const kind = byValue ? { KIND: KINDS[x.dtype] ?? "1u", DESCENDING: order.descending } : {};
  const first = pair();
  runsKernel
    .variant({ ...kind, RUN: `${each}u` })
    .launch(
      run,
      { x, ...first, faults: run.queue.faults },
      { n, length, inner, runs, low, size, whole, skip, fault },
      grid1d(n, WG),
    );
  if (length <= RUN) return first;
  let [sorted, other] = [first, pair()];
  // Of positions only so many bits as tell them from each other, and from what is none of them: all bits set.
  const bits = byValue ? 32 : 32 - Math.clz32(size);
  const chunks = Math.ceil(length / CHUNK);
  // Counts are no more than keys: few digits for lines that are not long.
  const digit = length >= LONG ? 8 : 4;
  const digits = 2 ** digit;
  const counts = run.scratch([lines, digits, chunks], "u32");
  const ends = run.scratch([lines, digits, chunks], "u32");
  const all = lines * chunks;
  for (let shift = 0; shift < bits; shift += digit) {
    const params = { n: all, length, chunk: CHUNK, chunks, shift };
    countKernel
      .variant({ BITS: `${digit}u` })
      .launch(run, { keys: sorted.keys, counts }, params, grid1d(all, COUNT_WG));
    scan(run, counts, ends, { outer: lines, length: digits * chunks, inner: 1 }, "sum", false);
    const buffers = { ...sorted, ends, keys_out: other.keys, places_out: other.places };
    placeKernel.variant({ BITS: `${digit}u` }).launch(run, buffers, params, grid1d(all, PLACE_WG));
    [sorted, other] = [other, sorted];
  }
  return sorted;
}

/** Where the first k of each sorted line were: fills `indices` [outer, k, inner]. */
export function writePlaces(run: Run, { places }: Sorted, { outer, length, inner }: Lines, k: number, indices: Tensor) {
  const lines = internalHandle(indices.storage, { shape: [outer, k, inner], dtype: "i32" });
  copyStrided(run, places, lines, [inner * length, 1, length]);
  lines.dispose();
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
