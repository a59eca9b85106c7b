// Products of torch by their own names: bmm, mm, mv, dot, addmm, baddbmm, outer, kron; and the identity matrix.
import { checkTensor } from "../autograd/run.ts";
import { check, checkNumber, checkOptions, checkWhole } from "../errors.ts";
import { arange, checkCreation, type TensorOptions } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { broadcastShapes, sameShape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { eq } from "./arithmetic.ts";
import { binary } from "./binary.ts";
import * as binaries from "./binary-rows.ts";
import { to } from "./cast.ts";
import { matmul } from "./matmul.ts";
import { unary } from "./unary.ts";
import * as unaries from "./unary-rows.ts";
import { unsqueeze, view } from "./view.ts";

const KINDS = ["a scalar", "a vector", "a matrix", "a batch of matrices [b, n, m]"];

function checkRanks(name: string, a: Tensor, b: Tensor, ranks: readonly [number, number]): void {
  for (const [i, t] of [a, b].entries()) {
    checkTensor(name, i, t);
    checkDtype(name, `input ${i}`, t.dtype, "f32");
    const rank = ranks[i] ?? 0;
    check(t.ndim === rank, () => `[${name}] input ${i} must be ${KINDS[rank]}, got ${show(t.shape)}: use matmul`);
  }
  check(
    ranks[0] !== 3 || a.shape[0] === b.shape[0],
    () => `[${name}] batches of ${a.shape[0]} and ${b.shape[0]} matrices do not go together: use matmul`,
  );
}

const product =
  (name: string, ranks: readonly [number, number]) =>
  (a: Tensor, b: Tensor): Tensor => {
    checkRanks(name, a, b, ranks);
    return matmul(a, b);
  };

/** Matrix products by batch: [b, n, k] with [b, k, m] gives [b, n, m]. f32. @see https://pytorch.org/docs/stable/generated/torch.bmm.html */
export const bmm = product("bmm", [3, 3]);
/** Matrix product: [n, k] with [k, m] gives [n, m]. f32. @see https://pytorch.org/docs/stable/generated/torch.mm.html */
export const mm = product("mm", [2, 2]);
/** Matrix times vector: [n, k] with [k] gives [n]. f32. @see https://pytorch.org/docs/stable/generated/torch.mv.html */
export const mv = product("mv", [2, 1]);
/** Scalar product of two vectors of one length. f32. @see https://pytorch.org/docs/stable/generated/torch.dot.html */
export const dot = product("dot", [1, 1]);

/** What `addmm` and `baddbmm` take beside the tensors. */
export interface AddProductOptions {
  /** Times the first tensor; where it is 0 that counts for nothing, NaN and infinities either. Default 1. */
  beta?: number;
  /** Times the product. Default 1. */
  alpha?: number;
}

function addProduct(
  name: string,
  multiply: (a: Tensor, b: Tensor) => Tensor,
  [c, a, b]: readonly [Tensor, Tensor, Tensor],
  options: AddProductOptions,
): Tensor {
  checkTensor(name, "input", c);
  checkOptions(name, options, ["beta", "alpha"]);
  const { beta = 1, alpha = 1 } = options;
  checkNumber(name, "beta", beta);
  checkNumber(name, "alpha", alpha);
  checkDtype(name, "input", c.dtype, "f32");
  const scaled = (x: Tensor, by: number) => (by === 1 ? x : unary(unaries.affine, x, { scale: by, offset: -0 }));
  return scope(() => {
    const y = scaled(multiply(a, b), alpha);
    check(
      sameShape(broadcastShapes(name, c.shape, y.shape), y.shape),
      () => `[${name}] input ${show(c.shape)} does not broadcast to the product's shape ${show(y.shape)}`,
    );
    return beta === 0 ? y : binary(binaries.add, y, scaled(c, beta));
  });
}

/** beta c + alpha (a b): c broadcasts to [n, m], a: [n, k], b: [k, m]. f32. @see https://pytorch.org/docs/stable/generated/torch.addmm.html */
export const addmm = (c: Tensor, a: Tensor, b: Tensor, options: AddProductOptions = {}): Tensor =>
  addProduct("addmm", mm, [c, a, b], options);
/** beta c + alpha (a b) by batch: c broadcasts to [b, n, m], a: [b, n, k], b: [b, k, m]. f32. @see https://pytorch.org/docs/stable/generated/torch.baddbmm.html */
export const baddbmm = (c: Tensor, a: Tensor, b: Tensor, options: AddProductOptions = {}): Tensor =>
  addProduct("baddbmm", bmm, [c, a, b], options);

/** `y[i, j] = a[i] * b[j]` of two vectors. f32, i32 or u32. @see https://pytorch.org/docs/stable/generated/torch.outer.html */
export function outer(a: Tensor, b: Tensor): Tensor {
  for (const [i, t] of [a, b].entries()) {
    checkTensor("outer", i, t);
    check(t.ndim === 1, () => `[outer] input ${i} must be a vector, got ${show(t.shape)}`);
  }
  return scope(() => binary(binaries.mul, unsqueeze(a, 1), b));
}

/**
 * The Kronecker product: b times each element of a, side by side as a's elements are; the one with fewer dimensions gets leading ones. f32,
 * i32 or u32.
 * @see https://pytorch.org/docs/stable/generated/torch.kron.html
 */
export function kron(a: Tensor, b: Tensor): Tensor {
  checkTensor("kron", 0, a);
  checkTensor("kron", 1, b);
  const rank = Math.max(a.ndim, b.ndim);
  const sizes = (t: Tensor) => Array.from({ length: rank }, (_, d) => t.shape[d - rank + t.ndim] ?? 1);
  const [p, q] = [sizes(a), sizes(b)];
  return scope(() => {
    const apart = binary(
      binaries.mul,
      view(
        "kron",
        a,
        p.flatMap((n) => [n, 1]),
      ),
      view(
        "kron",
        b,
        q.flatMap((n) => [1, n]),
      ),
    );
    return view(
      "kron",
      apart,
      p.map((n, d) => n * (q[d] ?? 1)),
    );
  });
}

/**
 * A matrix [n, m] (m: n by default) with ones on the diagonal and zeros elsewhere. f32 unless `dtype` says otherwise.
 * @see https://pytorch.org/docs/stable/generated/torch.eye.html
 */
export function eye(n: number, m: number = n, options: TensorOptions = {}): Tensor<[number, number]> {
  checkWhole("eye", "the number of rows", n, 0);
  checkWhole("eye", "the number of columns", m, 0);
  checkCreation("eye", options);
  const { dtype = "f32", requiresGrad = false, device } = options;
  checkDtype("eye", "dtype", dtype, "f32", "i32", "u32");
  const y = scope(() => {
    const index = (count: number) => arange(0, count, 1, { dtype: "i32", ...(device ? { device } : {}) });
    return to(eq(unsqueeze(index(n), 1), index(m)), dtype);
  });
  if (requiresGrad) y.requiresGrad = true;
  return y as Tensor<[number, number]>;
}
