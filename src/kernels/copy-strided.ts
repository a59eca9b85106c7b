// Plan of the strided copy.
import type { Run } from "../autograd/run.ts";
import { context } from "../context.ts";
import { grid1d } from "../gpu/queue.ts";
import { stridesOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { allFit } from "./binding-parts.ts";
import { Kernel } from "./kernel.ts";
import { move } from "./move.ts";
import { mergeDims, rankOf, type Walk } from "./strided-walk.ts";
import { inFours, inVectors, VECTOR } from "./vectors.ts";
import stridedWgsl, { PER, WG } from "./wgsl/strided.wgsl";

const kernel = new Kernel(stridedWgsl);

/** Fills y, in order, with the elements of x that `strides` (one for each dimension of y) reach from `start`. */
export function copyStrided(run: Run, x: Tensor, y: Tensor, strides: readonly number[], start = 0): void {
  if (!allFit(run.device.info, [x, y])) {
    move(run, y.shape, { t: x, strides, start }, { t: y, strides: stridesOf(y.shape), start: 0 });
    return;
  }
  const walk = mergeDims(context.origin?.name ?? "copy", y.shape, [strides]);
  const RANK = rankOf(walk);
  const { as, n, ...params } = planOf(walk, y.numel, start);
  kernel
    .variant({ RANK, ...DECLARED[as] }, `${as} ${RANK}`)
    .launch(run, { x, y }, { n, ...params }, grid1d(n, WG * PER));
}

/** What an invocation copies: an element, a vector, or a vector of elements that stand apart or are one. */
const DECLARED = {
  elements: {},
  vectors: { X: VECTOR, Y: VECTOR },
  joined: {
    Y: VECTOR,
    load: "fn load(at: u32) -> Y { return Y(x[at], x[at + p.inner], x[at + 2u * p.inner], x[at + 3u * p.inner]); }",
  },
  repeated: { Y: VECTOR },
} as const;

/** In vectors of y where its rows are multiples of four, and of x, too, where it lies so. */
function planOf(walk: Walk<readonly [readonly number[]]>, n: number, start: number) {
  const { shape, strides } = walk;
  const vectors = inVectors(walk, [start]);
  if (vectors) {
    const { shape, strides } = vectors;
    return { as: "vectors", n: n / 4, start: start / 4, inner: 1, shape, strides: strides[0] } as const;
  }
  const [length = 1, inner = 0] = [shape.at(-1), strides[0].at(-1)];
  if (!inFours(length)) return { as: "elements", n, start, inner, shape, strides: strides[0] } as const;
  return {
    as: inner === 0 ? "repeated" : "joined",
    ...{ n: n / 4, start, inner },
    shape: [...shape.slice(0, -1), length / 4],
    strides: [...strides[0].slice(0, -1), 4 * inner],
  } as const;
}
