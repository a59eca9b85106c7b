// Plan of reductions: kept and reduced dimensions as strided walks, lanes an output, and one pass or two.

import type { Shader } from "../gpu/pipeline.ts";
import { type Binding, f32Bits, grid1d, type Queue } from "../gpu/queue.ts";
import type { Dtype } from "../tensor/dtype.ts";
import { type Shape, sizeOf, stridesOf } from "../tensor/shape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { OldKernel as Kernel } from "./specialize.ts";
import { eightWords, mergeDims, type Walk } from "./strided-walk.ts";
import reduceWgsl from "./wgsl/reduce.wgsl";

const WG = 64;
/** Elements that a workgroup should take at least before an output is split among several. */
const CHUNK = 4096;
/** Workgroups that fill any adapter: with that many outputs, none is split. */
const ENOUGH = 256;

interface ReducePlan {
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
function planReduce(op: string, shape: Shape, dims: readonly number[]): ReducePlan {
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
function splitsOf({ outputs, length, lanes }: ReducePlan): number {
  if (lanes === 1 || outputs >= ENOUGH) return 1;
  return Math.max(1, Math.min(Math.ceil(ENOUGH / outputs), Math.ceil(length / CHUNK)));
}

/** Records one pass of reduce.wgsl, which gives outputs * splits elements. */
function dispatchReduce(
  queue: Queue,
  shader: Shader,
  plan: ReducePlan,
  storages: readonly Binding[],
  splits: number,
  scale = 1,
): void {
  const { outputs, length, lanes, kept, outer, innerStride } = plan;
  const inner = Math.max(1, plan.inner);
  const outerStride = outer.strides[0]![0] ?? 0;
  const [stepOuter, stepInner] = [Math.floor(lanes / inner), lanes % inner];
  const params = [
    ...[outputs, splits, Math.ceil(length / splits), length],
    ...[inner, innerStride, stepOuter, stepInner],
    ...[kept.shape.length, Math.max(1, outer.shape.length), f32Bits(scale)],
    ...[stepOuter * outerStride + stepInner * innerStride, outerStride - inner * innerStride],
    ...[0, 0, 0],
    ...[kept.shape, kept.strides[0]!, outer.shape, outer.strides[0]!].flatMap(eightWords),
  ];
  queue.dispatch(shader, storages, params, grid1d(outputs * splits * lanes, WG));
}

const kernel = new Kernel("reduce", reduceWgsl);
/** Identities of max and min: finite, since WGSL may assume that infinities do not occur. */
const LEAST: Record<string, string> = { f32: "T(-3.4028234e38)", i32: "T(-2147483647 - 1)", u32: "T(0)" };
const MOST: Record<string, string> = { f32: "T(3.4028234e38)", i32: "T(2147483647)", u32: "T(4294967295)" };

/** What a reduction does, as WGSL; f32 sums are also multiplied by `scale` at the end. */
interface Reduction {
  readonly combine: string;
  readonly each?: string;
  readonly finish?: string;
  /** The kinds of the first and the second pass, where an output is split; default the kind itself. */
  readonly passes?: readonly [Kind, Kind];
}
type Kind = "max" | "min" | "norm" | "root" | "squares" | "sum";

const SCALED = "v * p.scale";
const kinds: Record<Kind, Reduction> = {
  max: { combine: "max(a, b)" },
  min: { combine: "min(a, b)" },
  norm: { combine: "a + b", each: "v * v", finish: "sqrt(v)", passes: ["squares", "root"] },
  root: { combine: "a + b", finish: "sqrt(v)" },
  squares: { combine: "a + b", each: "v * v" },
  sum: { combine: "a + b" },
};

function shaderOf(kind: Kind, dtype: Dtype, { lanes, outer }: ReducePlan) {
  const { combine, each = "v", finish = kind === "sum" && dtype === "f32" ? SCALED : "v" } = kinds[kind];
  const deep = outer.shape.length > 1;
  return kernel.variant(
    {
      T: dtype,
      LANES: `${lanes}u`,
      DEEP: String(deep),
      IDENTITY: kind === "max" ? LEAST[dtype]! : kind === "min" ? MOST[dtype]! : "T(0)",
      combine: `fn combine(a: T, b: T) -> T { return ${combine}; }`,
      each: `fn each(v: T) -> T { return ${each}; }`,
      finish: `fn finish(v: T) -> T { return ${finish}; }`,
    },
    `${kind} ${dtype} lanes=${lanes}${deep ? " deep" : ""}`,
  );
}

/** Records the kernels that reduce `dims` of x into y (whose shape may hold ones). `scale` multiplies f32 sums. */
export function reduceInto(queue: Queue, kind: Kind, x: Tensor, y: Tensor, dims: readonly number[], scale = 1): void {
  const plan = planReduce(kind, x.shape, dims);
  const splits = splitsOf(plan);
  const [first, second] = splits === 1 ? [kind, kind] : (kinds[kind].passes ?? [kind, kind]);
  const shader = shaderOf(first, x.dtype, plan);
  if (splits === 1) {
    dispatchReduce(queue, shader, plan, [x.storage, y.storage], 1, scale);
    return;
  }
  const partial = empty([plan.outputs, splits], x.dtype, x.device);
  dispatchReduce(queue, shader, plan, [x.storage, partial.storage], splits);
  reduceInto(queue, second, partial, y, [1], scale);
  partial.dispose();
}
