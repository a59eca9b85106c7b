// Plan of running sums and products: long lines in chunks, whose sums are scanned first.
import type { Run } from "../autograd/run.ts";
import { grid1d } from "../gpu/queue.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Kernel } from "./kernel.ts";
import scanWgsl, { WG } from "./wgsl/scan.wgsl";

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

const kernel = new Kernel(scanWgsl);

type Kind = "sum" | "product";
const PRODUCT = { start: "fn start() -> T { return T(1); }", join: "fn join(a: T, b: T) -> T { return a * b; }" };

/** Elements that an invocation takes where lines are divided. */
const CHUNK = 64;
/** Lines from which on there is work enough for one invocation each. */
const MANY = 2048;

/** y = running sums or products of x along lines, from the last element on where `reverse` is set. */
export function scan(
  run: Run,
  x: Tensor,
  y: Tensor,
  { outer, length, inner }: Lines,
  kind: Kind,
  reverse: boolean,
): void {
  const lines = outer * inner;
  const chunk = lines >= MANY || length <= 4 * CHUNK ? Math.max(1, length) : CHUNK;
  const chunks = Math.ceil(length / chunk);
  const n = lines * chunks;
  const params = { n, length, inner, chunk, chunks };
  const variant = (totals: boolean) =>
    kernel.variant(
      { T: x.dtype, REVERSE: reverse, TOTALS: totals, ...(kind === "product" ? PRODUCT : {}) },
      `${kind} ${x.dtype}${reverse ? " reverse" : ""}${totals ? " totals" : ""}`,
    );
  let carry: Tensor | null = null;
  if (chunks > 1) {
    const totals = run.scratch([lines, chunks], x.dtype);
    variant(true).launch(run, { x, carry: null, y: totals }, params, grid1d(n, WG));
    carry = run.scratch([lines, chunks], x.dtype);
    scan(run, totals, carry, { outer: lines, length: chunks, inner: 1 }, kind, false);
  }
  variant(false).launch(run, { x, carry, y }, params, grid1d(n, WG));
}
