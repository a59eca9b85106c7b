// Sums, means and their adjoint, expand: what broadcasting needs in both directions.
import { apply1 } from "../autograd/apply.ts";
import { type Op, savesNothing } from "../autograd/op.ts";
import { check, checkOptions } from "../errors.ts";
import { copyStrided } from "../kernels/copy-strided.ts";
import { reduceInto } from "../kernels/reduction-plan.ts";
import * as reductions from "../kernels/reductions.ts";
import { broadcastStrides } from "../kernels/strided-walk.ts";
import { checkDtype } from "../tensor/dtype.ts";
import {
  checkList,
  checkShape,
  type Inferred,
  normalizeDims,
  type Shape,
  type ShapeInput,
  sameShape,
  show,
  sizeOf,
} from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { unary } from "./unary.ts";
import * as unaries from "./unary-rows.ts";
import { view } from "./view.ts";

/** What reductions take beside the dimensions. */
export interface ReduceOptions {
  /** Keep reduced dimensions with size 1. Default false. */
  keepdim?: boolean;
}
/** One dimension, several, or all of them (undefined or, as in PyTorch, an empty list). Negative ones count from the end. */
export type Dims = number | readonly number[] | undefined;

export interface ReduceAttrs {
  readonly dims: readonly number[];
  /** Of the output. It holds the kept sizes, and ones at will. */
  readonly shape: Shape;
}

const expandOp: Op<readonly [Tensor], { readonly shape: Shape }> = {
  name: "expand",
  infer([x], { shape }) {
    checkDtype("expand", "input", x.dtype, "f32", "i32", "u32");
    check(
      shape.length >= x.shape.length &&
        x.shape.every((d, i) => d === 1 || d === shape[i + shape.length - x.shape.length]),
      () => `[expand] shape ${show(x.shape)} does not broadcast to ${show(shape)}`,
    );
    return [{ shape, dtype: x.dtype }];
  },
  forward: (run, [x], [y]) => copyStrided(run, x, y, broadcastStrides(x.shape, y.shape)),
  saves: savesNothing,
  vjp: ([dy], { inputSpecs }) => [sumTo(dy, inputSpecs[0].shape)],
};

/**
 * Repeats dimensions of size 1, and new leading ones, up to `shape`; -1 keeps a size.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.expand.html
 */
export function expand<const S extends ShapeInput>(x: Tensor, shape: S): Tensor<Inferred<S>> {
  checkList("expand", "a shape is an array of sizes", shape);
  const sizes = Array.from(shape, (d, i) => (d === -1 ? (x.shape[i + x.ndim - shape.length] ?? -1) : d));
  checkShape("expand", sizes);
  return apply1(expandOp, [x], { shape: sizes }) as Tensor<Inferred<S>>;
}

/** The shape with ones where `dims` are reduced. */
export const keptShape = (shape: Shape, dims: readonly number[]): number[] =>
  shape.map((d, i) => (dims.includes(i) ? 1 : d));
const sumOp: Op<readonly [Tensor], ReduceAttrs & { readonly mean: boolean }> = {
  name: "sum",
  infer([x], { shape, mean }) {
    checkDtype(mean ? "mean" : "sum", "input", x.dtype, "f32", ...(mean ? [] : (["i32", "u32"] as const)));
    return [{ shape, dtype: x.dtype }];
  },
  forward: (run, [x], [y], { dims, mean }) => reduceInto(run, reductions.sum, x, y, dims, mean ? y.numel / x.numel : 1),
  saves: savesNothing,
  vjp: ([dy], c) => {
    const { shape } = c.inputSpecs[0];
    const scaled = c.attrs.mean ? unary(unaries.affine, dy, { scale: dy.numel / sizeOf(shape), offset: 0 }) : dy;
    return [expand(view("expand", scaled, keptShape(shape, c.attrs.dims)), shape)];
  },
};

/** Whether reduced dimensions stay, from options that have nothing else. */
export function keepdimOf(op: string, options: ReduceOptions): boolean {
  checkOptions(op, options, KEEPDIM);
  return options.keepdim ?? false;
}
const KEEPDIM = ["keepdim"];

/** Dimensions and shape of a reduction. */
export function reduced(op: string, x: Tensor, dims: Dims, options: ReduceOptions): ReduceAttrs {
  const keepdim = keepdimOf(op, options);
  const list = normalizeDims(op, Array.isArray(dims) && dims.length === 0 ? undefined : dims, x.ndim);
  const shape = keepdim ? keptShape(x.shape, list) : x.shape.filter((_, i) => !list.includes(i));
  return { dims: list, shape };
}

/**
 * Sum over `dims`. f32, i32 or u32.
 * @throws ValueError for a sum of integers beyond the dtype; as only the device sees it, it comes from the next read or sync().
 * @see https://pytorch.org/docs/stable/generated/torch.sum.html
 */
export const sum = (x: Tensor, dims?: Dims, options: ReduceOptions = {}): Tensor =>
  apply1(sumOp, [x], { ...reduced("sum", x, dims, options), mean: false });

/** Mean over `dims`. f32. @see https://pytorch.org/docs/stable/generated/torch.mean.html */
export const mean = (x: Tensor, dims?: Dims, options: ReduceOptions = {}): Tensor =>
  apply1(sumOp, [x], { ...reduced("mean", x, dims, options), mean: true });

/** The adjoint of broadcasting `shape` to `t`'s shape: sums what was repeated. `t` itself where nothing was. */
export function sumTo(t: Tensor, shape: Shape): Tensor {
  if (sameShape(t.shape, shape)) return t;
  const added = t.ndim - shape.length;
  const dims = t.shape.map((_, i) => i).filter((i) => i < added || shape[i - added] !== t.shape[i]);
  return apply1(sumOp, [t], { dims, shape, mean: false });
}
