// Another shape on the same storage: reshape, flatten, squeeze, unsqueeze.

import { apply1 } from "../autograd/apply.ts";
import { type Op, savesNothing } from "../autograd/op.ts";
import { checkTensor } from "../autograd/run.ts";
import { check } from "../errors.ts";
import {
  checkList,
  checkShape,
  type Inferred,
  normalizeDim,
  normalizeDims,
  rowRank,
  type Shape,
  type ShapeInput,
  show,
  sizeOf,
} from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

interface ViewAttrs {
  /** The public name it was called by, for messages. */
  readonly op: string;
  readonly shape: Shape;
}

const viewOp: Op<readonly [Tensor], ViewAttrs> = {
  name: "view",
  alias: true,
  infer([x], { op, shape }) {
    check(
      sizeOf(x.shape) === sizeOf(shape),
      () => `[${op}] shape ${show(x.shape)} has ${sizeOf(x.shape)} elements and cannot become ${show(shape)}`,
    );
    return [{ shape, dtype: x.dtype }];
  },
  forward() {},
  saves: savesNothing,
  vjp: ([dy], { inputSpecs }) => [view("view", dy, inputSpecs[0].shape)],
};

/** The same elements under exactly this shape. */
export const view = (op: string, x: Tensor, shape: Shape): Tensor => apply1(viewOp, [x], { op, shape });

/**
 * The same elements, row-major, under another shape; one size may be -1 and is then inferred. Shares storage.
 * @throws ShapeError where the sizes do not multiply to the same count.
 * @see https://pytorch.org/docs/stable/generated/torch.reshape.html
 */
export function reshape<const S extends ShapeInput>(x: Tensor, shape: S): Tensor<Inferred<S>> {
  checkList("reshape", "a shape is an array of sizes", shape);
  const open = shape.indexOf(-1);
  let sizes: Shape = shape;
  if (open >= 0) {
    const others = shape.filter((_, i) => i !== open);
    checkShape("reshape", others);
    const known = sizeOf(others);
    check(
      shape.indexOf(-1, open + 1) < 0 && known > 0 && x.numel % known === 0,
      () => `[reshape] shape ${show(x.shape)} with ${x.numel} elements cannot become ${show(shape)}`,
    );
    sizes = shape.map((d, i) => (i === open ? x.numel / known : d));
  }
  checkShape("reshape", sizes);
  return view("reshape", x, sizes) as Tensor<Inferred<S>>;
}

/** Merges dimensions `start` to `end`, both included, into one. Default: all of them. */
export function flatten(x: Tensor, start = 0, end = -1): Tensor {
  checkTensor("flatten", "input", x);
  const from = normalizeDim("flatten", start, rowRank(x.shape));
  const to = normalizeDim("flatten", end, rowRank(x.shape));
  check(from <= to, () => `[flatten] start dimension ${start} comes after end dimension ${end} in ${show(x.shape)}`);
  const merged = sizeOf(x.shape.slice(from, to + 1));
  return view("flatten", x, [...x.shape.slice(0, from), merged, ...x.shape.slice(to + 1)]);
}

/** Without dimensions of size 1: all such, or those of `dim` that have size 1. */
export function squeeze(x: Tensor, dim?: number | readonly number[]): Tensor {
  const dims = normalizeDims("squeeze", dim, x.ndim);
  return view(
    "squeeze",
    x,
    x.shape.filter((d, i) => d !== 1 || !dims.includes(i)),
  );
}

/** With a dimension of size 1 inserted before `dim` (from -ndim - 1 to ndim). */
export function unsqueeze(x: Tensor, dim: number): Tensor {
  const at = normalizeDim("unsqueeze", dim, x.ndim + 1);
  return view("unsqueeze", x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}
