// Plan of reductions: kept and reduced dimensions as strided walks, lanes an output, and one pass or two.

import type { Shader } from "../gpu/pipeline.ts";
import { type Binding, f32Bits, grid1d, type Queue } from "../gpu/queue.ts";
import type { Dtype } from "../tensor/dtype.ts";
import { type Shape, sizeOf, stridesOf } from "../tensor/shape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { Kernel } from "./specialize.ts";
import { eightWords, mergeDims, type Walk } from "./strides.ts";
import reduceWgsl from "./wgsl/reduce.wgsl";

const WG = 64;
/** Elements that a workgroup should take at least before an output is split among several. */
const CHUNK = 4096;
/** Workgroups that fill any adapter: with that many outputs, none is split. */
const ENOUGH = 256;

export interface ReducePlan {
  readonly outputs: number;
  readonly length: number;
  /** Invocations that share an output. */
  readonly lanes: 1 | 64;
  readonly kept: Walk;
  /** The reduced dimensions but the last, and the last. */
  readonly outer: Walk;
  readonly inner: number;
  readonly innerStride: number;
}

/** How to reduce `dims` of a tensor of this shape. */
export function planReduce(op: string, shape: Shape, dims: readonly number[]): ReducePlan {
  const strides = stridesOf(shape);
  const walk = (reduced: boolean) => {
    const chosen = shape.map((_, i) => i).filter((i) => dims.includes(i) === reduced);
    return mergeDims(
      op,
      chosen.map((i) => shape[i]!),
      [chosen.map((i) => strides[i]!)],
    );
  };
  const kept = walk(false);
  const reduced = walk(true);
  const outputs = sizeOf(kept.shape);
  const length = sizeOf(reduced.shape);
  const outer = { shape: reduced.shape.slice(0, -1), strides: [reduced.strides[0]!.slice(0, -1)] };
  const lanes = length < 32 || (outputs >= 1024 && length <= 1024) ? 1 : 64;
  return {
    outputs,
    length,
    lanes,
    kept,
    outer,
    inner: reduced.shape.at(-1)!,
    innerStride: reduced.strides[0]!.at(-1)!,
  };
}

/** How many workgroups share an output, where there are few long ones. */
export function splitsOf({ outputs, length, lanes }: ReducePlan): number {
  if (lanes === 1 || outputs >= ENOUGH) return 1;
  return Math.max(1, Math.min(Math.ceil(ENOUGH / outputs), Math.ceil(length / CHUNK)));
}

/** Records one pass of reduce.wgsl or arg_reduce.wgsl. `y` gets outputs * splits elements. */
export function dispatchReduce(
  queue: Queue,
  shader: Shader,
  plan: ReducePlan,
  storages: readonly Binding[],
  splits: number,
  scale = 1,
): void {
  const { outputs, length, lanes, kept, outer, innerStride } = plan;
  const inner = Math.max(1, plan.inner);
  const rank = Math.max(1, outer.shape.length);
  const params = [
    outputs,
    splits,
    Math.ceil(length / splits),
    length,
    inner,
    innerStride,
    Math.floor(lanes / inner),
    lanes % inner,
    kept.shape.length,
    rank,
    f32Bits(scale),
    0,
    ...eightWords(kept.shape),
    ...eightWords(kept.strides[0]!),
    ...eightWords(outer.shape),
    ...eightWords(outer.strides[0]!),
  ];
  queue.dispatch(shader, storages, params, grid1d(outputs * splits * lanes, WG));
}

const kernel = new Kernel("reduce", reduceWgsl);
/** Identities of max and min: finite, since WGSL may assume that infinities do not occur. */
const LEAST: Record<string, string> = { f32: "T(-3.4028234e38)", i32: "T(-2147483647 - 1)", u32: "T(0)" };
const MOST: Record<string, string> = { f32: "T(3.4028234e38)", i32: "T(2147483647)", u32: "T(4294967295)" };

type Kind = "sum" | "max" | "min" | "prod";

function shaderOf(kind: Kind, dtype: Dtype, lanes: number) {
  const combine: Record<Kind, string> = { sum: "a + b", max: "max(a, b)", min: "min(a, b)", prod: "a * b" };
  const identity = kind === "sum" ? "T(0)" : kind === "prod" ? "T(1)" : kind === "max" ? LEAST[dtype]! : MOST[dtype]!;
  return kernel.variant(
    {
      T: dtype,
      LANES: `${lanes}u`,
      IDENTITY: identity,
      combine: `fn combine(a: T, b: T) -> T { return ${combine[kind]}; }`,
      ...(kind === "sum" && dtype === "f32" ? { finish: "fn finish(v: T) -> T { return v * p.scale; }" } : {}),
    },
    `${kind} ${dtype} lanes=${lanes}`,
  );
}

/** Records the kernels that reduce `dims` of x into y (whose shape may hold ones). `scale` multiplies f32 sums. */
export function reduceInto(queue: Queue, kind: Kind, x: Tensor, y: Tensor, dims: readonly number[], scale = 1): void {
  const plan = planReduce(kind, x.shape, dims);
  const splits = splitsOf(plan);
  const shader = shaderOf(kind, x.dtype, plan.lanes);
  if (splits === 1) {
    dispatchReduce(queue, shader, plan, [x.storage, y.storage], 1, scale);
    return;
  }
  const partial = empty([plan.outputs, splits], x.dtype, x.device);
  dispatchReduce(queue, shader, plan, [x.storage, partial.storage], splits);
  reduceInto(queue, kind, partial, y, [1], scale);
  partial.dispose();
}
