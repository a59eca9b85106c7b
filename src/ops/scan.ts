// Running sums and products along a dimension, and what is read off them: prod.
import { apply1 } from "../autograd/apply.ts";
import { type Op, savesNothing } from "../autograd/op.ts";
import { checkTensor } from "../autograd/run.ts";
import { alike, otherDims } from "../kernels/divide.ts";
import { linesOf, scan } from "../kernels/scan-plan.ts";
import { full } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { normalizeDim, rowRank } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { eq, mul, ne } from "./arithmetic.ts";
import { binary } from "./binary.ts";
import * as binaries from "./binary-rows.ts";
import { select } from "./movement.ts";
import { keepdimOf, type ReduceOptions } from "./sum-expand.ts";
import { unsqueeze, view } from "./view.ts";
import { where } from "./where.ts";

interface ScanAttrs {
  readonly dim: number;
  readonly reverse: boolean;
}

const cumsumOp: Op<readonly [Tensor], ScanAttrs> = {
  name: "cumsum",
  infer([x]) {
    checkDtype("cumsum", "input", x.dtype, "f32", "i32", "u32");
    return [x];
  },
  forward: (run, [x], [y], { dim, reverse }) => scan(run, x, y, linesOf(x.shape, dim), "sum", reverse),
  divisions: ([x], _, { dim }) => alike(otherDims(x, dim), 1, 1),
  saves: savesNothing,
  vjp: ([dy], { attrs: { dim, reverse } }) => [apply1(cumsumOp, [dy], { dim, reverse: !reverse })],
};

const cumprodOp: Op<readonly [Tensor], { readonly dim: number }> = {
  name: "cumprod",
  infer([x]) {
    checkDtype("cumprod", "input", x.dtype, "f32", "i32", "u32");
    return [x];
  },
  forward: (run, [x], [y], { dim }) => scan(run, x, y, linesOf(x.shape, dim), "product", false),
  divisions: ([x], _, { dim }) => alike(otherDims(x, dim), 1, 1),
  saves: () => ({ inputs: [0], outputs: [0] }),
  vjp: ([dy], c) => {
    // Before the first zero of a line products are divided by x; at it they are those without it; behind it all are 0.
    const { dim } = c.attrs;
    const [x, y] = [c.input(0), c.output(0)];
    const sumFrom = (t: Tensor) => apply1(cumsumOp, [t], { dim, reverse: true });
    const zero = eq(x, 0);
    const zeros = apply1(cumsumOp, [zero], { dim, reverse: false });
    const first = mul(zero, eq(zeros, 1));
    const without = apply1(cumprodOp, [where(first, 1, x)], { dim });
    const before = binary(binaries.div, sumFrom(binary(binaries.mul, dy, y)), where(zero, 1, x));
    return [where(ne(zeros, 0), where(first, sumFrom(binary(binaries.mul, dy, without)), 0), before)];
  },
};

/**
 * Running sums along `dim`: `y[j] = x[0] + ... + x[j]`. f32, i32 or u32, which wrap. Any shape.
 * @throws ShapeError where there is no such dimension.
 * @see https://pytorch.org/docs/stable/generated/torch.cumsum.html
 */
export function cumsum(x: Tensor, dim: number): Tensor {
  checkTensor("cumsum", "input", x);
  return apply1(cumsumOp, [x], { dim: normalizeDim("cumsum", dim, rowRank(x.shape)), reverse: false });
}

/**
 * Running products along `dim`: `y[j] = x[0] * ... * x[j]`. f32, i32 or u32, which wrap. Any shape.
 * @throws ShapeError where there is no such dimension.
 * @see https://pytorch.org/docs/stable/generated/torch.cumprod.html
 */
export function cumprod(x: Tensor, dim: number): Tensor {
  checkTensor("cumprod", "input", x);
  return apply1(cumprodOp, [x], { dim: normalizeDim("cumprod", dim, rowRank(x.shape)) });
}

/**
 * Product of the elements along `dim`, or of all where it is left out; 1 of none. f32, i32 or u32, which wrap. The gradient is right
 * where elements are 0, too.
 * @throws ShapeError where there is no such dimension.
 * @see https://pytorch.org/docs/stable/generated/torch.prod.html
 */
export function prod(x: Tensor, dim?: number, options: ReduceOptions = {}): Tensor {
  checkTensor("prod", "input", x);
  const keepdim = keepdimOf("prod", options);
  return scope(() => {
    const row = dim === undefined || x.ndim === 0 ? view("prod", x, [x.numel]) : x;
    const d = dim === undefined ? 0 : normalizeDim("prod", dim, rowRank(x.shape));
    const shape = row.shape.filter((_, i) => i !== d);
    const { dtype, device } = x;
    const y = row.shape[d] === 0 ? full(shape, 1, { dtype, device }) : select(cumprod(row, d), d, -1);
    if (!keepdim || x.ndim === 0) return y;
    return dim === undefined
      ? view(
          "prod",
          y,
          x.shape.map(() => 1),
        )
      : unsqueeze(y, d);
  });
}
