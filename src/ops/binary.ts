// Elementwise functions of two tensors, with broadcasting: a row (see binary-rows.ts) is the whole definition of an op.
import { apply1 } from "../autograd/apply.ts";
import { type Op, type Saved, savesNothing, type VjpContext } from "../autograd/op.ts";
import { check, DtypeError } from "../errors.ts";
import { grid1d } from "../gpu/queue.ts";
import { inParts } from "../kernels/binding-parts.ts";
import { broadcastDivisions } from "../kernels/divide.ts";
import { bodyOf } from "../kernels/elementwise.ts";
import { Kernel } from "../kernels/kernel.ts";
import { broadcastStrides, mergeDims, rankOf } from "../kernels/strided-walk.ts";
import binaryWgsl, { PER, WG } from "../kernels/wgsl/binary.wgsl";
import type { Dtype } from "../tensor/dtype.ts";
import { broadcastShapes } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { sumTo } from "./sum-expand.ts";

type Context = VjpContext<readonly [a: Tensor, b: Tensor], void, readonly [Tensor]>;

export interface BinaryRow {
  /** WGSL of f(a, b). */
  readonly f: string;
  /** WGSL of it for f32, where NaN takes more: may call wgsl/lib/nan.wgsl. */
  readonly float?: string;
  /** Comparisons give i32 (0 or 1). */
  readonly result?: "i32";
  /** Dtypes taken; default all but f16. */
  readonly dtypes?: readonly Dtype[];
  /** Inputs kept where the other one needs a gradient, or both for either; default none. */
  readonly saves?: "other" | "both";
  /** d/da and d/db times dy, before summing over broadcast dimensions. Left out: not differentiable. */
  readonly vjp?: readonly [(dy: Tensor, c: Context) => Tensor, (dy: Tensor, c: Context) => Tensor];
}

const ALL: readonly Dtype[] = ["f32", "i32", "u32"];
const kernel = new Kernel(binaryWgsl);

/** The op of a row. */
export interface BinaryOp extends Op<readonly [a: Tensor, b: Tensor]> {
  readonly row: BinaryRow;
  /** The dtypes that it takes. */
  readonly dtypes: readonly Dtype[];
}

/** Makes the op of a row. */
export function binaryOp(name: string, row: BinaryRow): BinaryOp {
  const variant = (dtype: Dtype, rank: string) => {
    const result = row.result ?? dtype;
    const text = dtype === "f32" ? (row.float ?? row.f) : row.f;
    const f = `fn f(a: T, b: T) -> R { ${bodyOf(text)} }`;
    return kernel.variant({ T: dtype, R: result, RANK: rank, f }, `${name} ${dtype} rank=${rank}`);
  };
  const { vjp, dtypes = ALL } = row;
  return {
    name,
    row,
    dtypes,
    infer([a, b]) {
      check(
        a.dtype === b.dtype && dtypes.includes(a.dtype),
        () =>
          `[${name}] takes two tensors of one dtype (${dtypes.join(", ")}), got ${a.dtype} and ${b.dtype}: convert with .to(dtype)`,
        DtypeError,
      );
      return [{ shape: broadcastShapes(name, a.shape, b.shape), dtype: row.result ?? a.dtype }];
    },
    forward(run, [a, b], [y]) {
      const walk = mergeDims(name, y.shape, [broadcastStrides(a.shape, y.shape), broadcastStrides(b.shape, y.shape)]);
      const [sa, sb] = walk.strides;
      const { shape } = walk;
      const shader = variant(a.dtype, rankOf(walk));
      inParts(run.device.info, shape, (part, n) => {
        shader.launch(run, { a: part(a), b: part(b), y: part(y) }, { n, shape, sa, sb }, grid1d(n, WG * PER));
      });
    },
    divisions: (inputs, [y]) => broadcastDivisions(inputs, y.shape),
    saves: row.saves
      ? ([a, b]): Saved => {
          if (row.saves === "both") return { inputs: [0, 1], outputs: [] };
          return { inputs: [...(b ? [0] : []), ...(a ? [1] : [])], outputs: [] };
        }
      : savesNothing,
    vjp: vjp
      ? ([dy], c) => [
          c.needs[0] ? sumTo(vjp[0](dy, c), c.inputSpecs[0].shape) : null,
          c.needs[1] ? sumTo(vjp[1](dy, c), c.inputSpecs[1].shape) : null,
        ]
      : "not differentiable",
  };
}

/** Applies an op of the table to two tensors of one dtype, broadcast against each other. */
export const binary = (op: BinaryOp, a: Tensor, b: Tensor): Tensor => apply1(op, [a, b], undefined);
