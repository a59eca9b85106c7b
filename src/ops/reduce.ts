// Reductions over any dimensions: amax, amin, and what is composed of sums.

import { apply1 } from "../autograd/apply.ts";
import { noGrad } from "../autograd/mode.ts";
import type { Op } from "../autograd/op.ts";
import { check, checkNumber, checkOptions } from "../errors.ts";
import { reduceInto } from "../kernels/reduction-plan.ts";
import * as reductions from "../kernels/reductions.ts";
import { full } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { show, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ne } from "./arithmetic.ts";
import { binary } from "./binary.ts";
import * as binaries from "./binary-rows.ts";
import { type Dims, keptShape, mean, type ReduceAttrs, type ReduceOptions, reduced, sum } from "./sum-expand.ts";
import { unary, unaryOp } from "./unary.ts";
import * as unaries from "./unary-rows.ts";
import { view } from "./view.ts";

export { type Dims, expand, mean, type ReduceOptions, sum } from "./sum-expand.ts";

/** amax and amin: the gradient is shared evenly among equal extremes, as PyTorch's amax does. */
function extremeOp(reduction: reductions.Reduction): Op<readonly [Tensor], ReduceAttrs> {
  const { name: kind } = reduction;
  return {
    name: kind,
    infer([x], { dims, shape }) {
      checkDtype(kind, "input", x.dtype, "f32", "i32", "u32");
      check(
        dims.every((d) => x.shape[d] !== 0),
        () => `[${kind}] input ${show(x.shape)} has no elements along dimensions ${show(dims)}`,
      );
      return [{ shape, dtype: x.dtype }];
    },
    forward: (run, [x], [y], { dims }) => reduceInto(run, reduction, x, y, dims),
    saves: () => ({ inputs: [0], outputs: [0] }),
    vjp: ([dy], c) => {
      const shape = keptShape(c.inputSpecs[0].shape, c.attrs.dims);
      const ties = binary(binaries.equalMask, c.input(0), view(kind, c.output(0), shape));
      const share = binary(binaries.div, view(kind, dy, shape), sum(ties, c.attrs.dims, { keepdim: true }));
      return [binary(binaries.mul, ties, share)];
    },
  };
}
const maxOp = extremeOp(reductions.max);
const minOp = extremeOp(reductions.min);

/** Largest element over `dims`. @see https://pytorch.org/docs/stable/generated/torch.amax.html */
export const max = (x: Tensor, dims?: Dims, options: ReduceOptions = {}): Tensor =>
  apply1(maxOp, [x], reduced("max", x, dims, options));

/** Smallest element over `dims`. @see https://pytorch.org/docs/stable/generated/torch.amin.html */
export const min = (x: Tensor, dims?: Dims, options: ReduceOptions = {}): Tensor =>
  apply1(minOp, [x], reduced("min", x, dims, options));

/** i32 1 where every element over `dims` is other than 0, else 0. */
export const all = (x: Tensor, dims?: Dims, options: ReduceOptions = {}): Tensor =>
  truth("all", min, 1, x, dims, options);

/** i32 1 where some element over `dims` is other than 0, else 0. */
export const any = (x: Tensor, dims?: Dims, options: ReduceOptions = {}): Tensor =>
  truth("any", max, 0, x, dims, options);

/** `none`: what it is of no elements. */
function truth(name: string, extreme: typeof max, none: number, x: Tensor, dims: Dims, options: ReduceOptions): Tensor {
  const { dims: list, shape } = reduced(name, x, dims, options);
  if (list.some((d) => x.shape[d] === 0)) return full(shape, none, { dtype: "i32", device: x.device });
  return scope(() => extreme(ne(x, 0), dims, options));
}

/** What `var` and `std` take beside the dimensions. */
export interface VarianceOptions extends ReduceOptions {
  /** Subtracted from the number of elements in the divisor: 1 (default) is unbiased, 0 the population's variance. */
  correction?: number;
}

interface VarianceAttrs {
  readonly dims: readonly number[];
  /** One over the divisor. */
  readonly scale: number;
}

/** Gives `value`, which is x's variance, a gradient: 2 (x - mean) / divisor, which lets infinities pass as PyTorch's does. */
const varianceOp: Op<readonly [value: Tensor, x: Tensor], VarianceAttrs> = {
  name: "var",
  alias: true,
  infer: ([value]) => [value],
  forward() {},
  saves: () => ({ inputs: [1], outputs: [] }),
  vjp: ([dy], c) => {
    const { dims, scale } = c.attrs;
    const x = c.input(1);
    const grads = view("var", dy, keptShape(c.inputSpecs[1].shape, dims));
    return [
      null,
      binary(binaries.mul, unary(unaries.affine, grads, { scale: 2 * scale, offset: -0 }), deviation(x, dims)),
    ];
  },
};

const deviation = (x: Tensor, dims: readonly number[]): Tensor =>
  binary(binaries.sub, x, mean(x, dims, { keepdim: true }));

/** Variance over `dims`, f32, in two passes. @see https://pytorch.org/docs/stable/generated/torch.var.html */
export function variance(x: Tensor, dims?: Dims, options: VarianceOptions = {}): Tensor {
  checkOptions("var", options, ["correction", "keepdim"]);
  const { correction = 1, keepdim = false } = options;
  checkNumber("var", "correction", correction);
  const { dims: list } = reduced("var", x, dims, {});
  const n = sizeOf(x.shape.filter((_, d) => list.includes(d)));
  const scale = 1 / Math.max(0, n - correction);
  return scope(() => {
    const value = noGrad(() => {
      const squares = sum(unary(unaries.square, deviation(x, list)), list, { keepdim });
      return unary(unaries.affine, squares, { scale, offset: 0 });
    });
    return apply1(varianceOp, [value, x], { dims: list, scale });
  });
}

/** The square root, with the gradient 0 at 0: that of a standard deviation where all elements are equal, as PyTorch's. */
export const rootOfVariance = unaryOp("rootOfVariance", {
  f: "sqrt(x)",
  dx: "select(dy / (2.0 * x), 0.0, x == 0.0)",
  saves: "y",
});

/** Standard deviation over `dims`. @see https://pytorch.org/docs/stable/generated/torch.std.html */
export const std = (x: Tensor, dims?: Dims, options: VarianceOptions = {}): Tensor =>
  scope(() => apply1(rootOfVariance, [variance(x, dims, options)], []));

/** The gradient at the origin is 0, as PyTorch's. */
const normOp: Op<readonly [Tensor], ReduceAttrs> = {
  name: "norm",
  infer([x], { shape }) {
    checkDtype("norm", "input", x.dtype, "f32");
    return [{ shape, dtype: "f32" }];
  },
  forward: (run, [x], [y], { dims }) => reduceInto(run, reductions.norm, x, y, dims),
  saves: () => ({ inputs: [0], outputs: [0] }),
  vjp: ([dy], c) => {
    const shape = keptShape(c.inputSpecs[0].shape, c.attrs.dims);
    return [
      binary(
        binaries.mul,
        binary(binaries.divOrZero, c.input(0), view("norm", c.output(0), shape)),
        view("norm", dy, shape),
      ),
    ];
  },
};

/** Euclidean norm over `dims`. @see https://pytorch.org/docs/stable/generated/torch.linalg.vector_norm.html */
export const norm = (x: Tensor, dims?: Dims, options: ReduceOptions = {}): Tensor =>
  apply1(normOp, [x], reduced("norm", x, dims, options));
