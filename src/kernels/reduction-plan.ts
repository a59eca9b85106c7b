// Plan of reductions: kept and reduced dimensions as strided walks, lanes an output, and one pass or two.

import type { Op } from "../autograd/op.ts";
import type { Run } from "../autograd/run.ts";
import { ValueError } from "../errors.ts";
import { faultCode } from "../gpu/faults.ts";
import { grid1d } from "../gpu/queue.ts";
import type { Dtype } from "../tensor/dtype.ts";
import { type Shape, sizeOf, stridesOf } from "../tensor/shape.ts";
import { internalHandle, type Tensor } from "../tensor/tensor.ts";
import { alignedCount, allFit, bindingElements, partOf } from "./binding-parts.ts";
import { alike, forwardOf, Pieces } from "./divide.ts";
import { Kernel } from "./kernel.ts";
import { type Reduction, sum } from "./reductions.ts";
import { mergeDims, rankOf } from "./strided-walk.ts";
import reduceWgsl, { WG } from "./wgsl/reduce.wgsl";

/** Elements that a workgroup should take at least before an output is split among several. */
const CHUNK = 4096;
/** Workgroups that fill any adapter: with that many outputs, none is split. */
const ENOUGH = 256;

interface Dims {
  readonly shape: Shape;
  readonly strides: readonly number[];
}

interface ReducePlan {
  readonly outputs: number;
  readonly length: number;
  /** Invocations that share an output. */
  readonly lanes: 1 | typeof WG;
  readonly kept: Dims;
  /** The reduced dimensions but the last, and the last. */
  readonly outer: Dims;
  readonly inner: number;
  readonly innerStride: number;
}

/** How to reduce `dims` of a tensor of this shape. */
function planReduce(op: string, shape: Shape, dims: readonly number[], isSoftware: boolean): ReducePlan {
  const all = stridesOf(shape);
  const merged = (wanted: boolean): Dims => {
    const chosen = <T>(list: readonly T[]) => list.filter((_, d) => dims.includes(d) === wanted);
    const walk = mergeDims(op, chosen(shape), [chosen(all)]);
    return { shape: walk.shape, strides: walk.strides[0] };
  };
  const kept = merged(false);
  const reduced = merged(true);
  const outputs = sizeOf(kept.shape);
  const length = sizeOf(reduced.shape);
  // Neighbouring outputs are neighbours in memory: a bias' gradient. A software adapter has few invocations at a time anyway.
  const columns = isSoftware && kept.strides.at(-1) === 1;
  return {
    outputs,
    length,
    lanes: length < 32 || (outputs >= 1024 && length <= 1024) || (columns && outputs >= WG && length <= 4096) ? 1 : WG,
    kept,
    outer: { shape: reduced.shape.slice(0, -1), strides: reduced.strides.slice(0, -1) },
    inner: Math.max(1, reduced.shape.at(-1) ?? 1),
    innerStride: reduced.strides.at(-1) ?? 0,
  };
}

/** How many workgroups share an output, where there are few long ones. */
function splitsOf({ outputs, length, lanes }: ReducePlan): number {
  if (lanes === 1 || outputs >= ENOUGH) return 1;
  return Math.max(1, Math.min(Math.ceil(ENOUGH / outputs), Math.ceil(length / CHUNK)));
}

const kernel = new Kernel(reduceWgsl);

/** Sums of integers beside their approximation in f32. */
const COUNTED = {
  Part: "vec2<T>",
  wrapped: "fn wrapped(v: Part) -> bool { return abs(bitcast<f32>(v.y) - f32(v.x)) > 2147483648.0; }",
};
const JOIN_COUNTED = "Part(a.x + b.x, bitcast<T>(bitcast<f32>(a.y) + bitcast<f32>(b.y)))";

const sumFault = (dtype: Dtype): number =>
  faultCode(
    () =>
      new ValueError(
        `[sum] a sum of ${dtype} elements, or of a part of them, is beyond what ${dtype} holds: convert with .to("f32") first`,
      ),
  );
const faults: Partial<Record<Dtype, number>> = { i32: sumFault("i32"), u32: sumFault("u32") };

function variantOf(kind: Reduction, dtype: Dtype, { lanes, kept, outer }: ReducePlan) {
  const float = dtype === "f32";
  const counted = kind === sum && !float;
  const { join, joinFloat = join, each = "v", finish = kind === sum && float ? "v * p.scale" : "v" } = kind;
  const [keptRank, outerRank] = [rankOf(kept), rankOf(outer)];
  return kernel.variant(
    {
      T: dtype,
      ...(counted && COUNTED),
      LANES: `${lanes}u`,
      KEPT_RANK: keptRank,
      OUTER_RANK: outerRank,
      identity: `fn identity() -> Part { return ${counted ? "Part()" : (kind.identity?.[dtype] ?? "T(0)")}; }`,
      join: `fn join(a: Part, b: Part) -> Part { return ${counted ? JOIN_COUNTED : float ? joinFloat : join}; }`,
      each: `fn each(v: T) -> Part { return ${counted ? "Part(v, bitcast<T>(f32(v)))" : each}; }`,
      finish: `fn finish(v: Part) -> T { return ${counted ? "v.x" : finish}; }`,
    },
    `${kind.name} ${dtype} lanes=${lanes} ranks=${keptRank},${outerRank}`,
  );
}

/** Records one pass of reduce.wgsl, which gives outputs * splits elements. */
function launchReduce(
  run: Run,
  kind: Reduction,
  plan: ReducePlan,
  x: Tensor,
  y: Tensor,
  splits: number,
  scale = 1,
): void {
  const { outputs, length, lanes, kept, outer, inner, innerStride } = plan;
  const outerStride = outer.strides[0] ?? 0;
  const [stepOuter, stepInner] = [Math.floor(lanes / inner), lanes % inner];
  const fault = (kind === sum && faults[x.dtype]) || 0;
  const params = {
    fault,
    outputs,
    splits,
    chunk: Math.ceil(length / splits),
    length,
    inner,
    inner_stride: innerStride,
    step_outer: stepOuter,
    step_inner: stepInner,
    step: stepOuter * outerStride + stepInner * innerStride,
    wrap: outerStride - inner * innerStride,
    scale,
    kept_shape: kept.shape,
    kept_strides: kept.strides,
    outer_shape: outer.shape,
    outer_strides: outer.strides,
  };
  const buffers = { x, y, faults: fault ? run.queue.faults : null };
  variantOf(kind, x.dtype, plan).launch(run, buffers, params, grid1d(outputs * splits * lanes, WG));
}

/** Records the kernels that reduce `dims` of x into y (whose shape may hold ones). `scale` multiplies f32 sums. */
export function reduceInto(run: Run, kind: Reduction, x: Tensor, y: Tensor, dims: readonly number[], scale = 1): void {
  if (!allFit(run.device.info, [x, y])) {
    reduceParts(run, kind, x, y, dims, scale);
    return;
  }
  const plan = planReduce(kind.name, x.shape, dims, run.device.info.isSoftware);
  const splits = splitsOf(plan);
  if (splits === 1) {
    launchReduce(run, kind, plan, x, y, 1, scale);
    return;
  }
  const [first, second] = kind.passes?.() ?? [kind, kind];
  const partial = run.scratch([plan.outputs, splits], x.dtype);
  launchReduce(run, first, plan, x, partial, splits);
  reduceInto(run, second, partial, y, [1], scale);
}

interface PartAttrs {
  readonly kind: Reduction;
  readonly dims: readonly number[];
  readonly scale: number;
}

/** Where x or y does not fit into a binding: each part of x along a kept dimension is a reduction of its own. */
const byKept: Pick<Op<readonly [Tensor], PartAttrs>, "forward" | "divisions"> = {
  forward: (run, [x], [y], { kind, dims, scale }) => reduceInto(run, kind, x, y, dims, scale),
  divisions: ([x], _, { dims }) =>
    alike(
      [...x.shape.keys()].filter((d) => !dims.includes(d)),
      1,
      1,
    ),
};

/**
 * Along a reduced dimension what the parts give is reduced once more. The outermost dimension is divided, where a part lies in
 * one place.
 */
function reduceParts(run: Run, kind: Reduction, x: Tensor, y: Tensor, dims: readonly number[], scale: number): void {
  const shape = x.shape.map((n, d) => (dims.includes(d) ? 1 : n));
  const outermost = x.shape.findIndex((n) => n > 1);
  const size = x.shape[outermost] ?? 1;
  const count = Math.floor(bindingElements(run.device.info) / (x.numel / size));
  const kept = internalHandle(y.storage, { shape, dtype: y.dtype });
  const flat = internalHandle(x.storage, { shape: [x.numel], dtype: x.dtype });
  try {
    if (dims.includes(outermost) && count > 1) {
      inTurn(run, kind, x, kept, dims, outermost, count, scale);
    } else if (y.numel > 1) forwardOf(byKept, run, [x], [kept], { kind, dims, scale });
    else inTurn(run, kind, flat, kept, [0], 0, bindingElements(run.device.info), scale);
  } finally {
    kept.dispose();
    flat.dispose();
  }
}

/** `count` of dimension `d` at a time, in front of which there is none: each part gives a row, and the rows are reduced. */
function inTurn(
  run: Run,
  kind: Reduction,
  x: Tensor,
  y: Tensor,
  dims: readonly number[],
  d: number,
  most: number,
  scale: number,
): void {
  const [first, second] = kind.passes?.() ?? [kind, kind];
  const size = x.shape[d] ?? 1;
  const inner = x.numel / size;
  const count = alignedCount(most, inner);
  const rows = run.scratch([Math.ceil(size / count), y.numel], x.dtype);
  for (let at = 0; at < size; at += count) {
    const on = new Pieces(run.device);
    const part = on.read(
      x,
      x.shape.map((n, i) => (i === d ? Math.min(count, size - at) : n)),
      at * inner,
    );
    const row = on.scratch(y.shape, x.dtype);
    reduceInto(on, first, part, row, dims);
    run.queue.copy(row.storage, partOf(rows.storage, (at / count) * y.numel, y.numel));
    on.release();
  }
  reduceInto(run, second, rows, y, [0], scale);
}
