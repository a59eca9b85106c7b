// Diagonals: reading them, and making matrices of them; and the triangles beside them.
import { apply1 } from "../autograd/apply.ts";
import { type Op, savesNothing } from "../autograd/op.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, checkWhole } from "../errors.ts";
import { copyStrided } from "../kernels/copy-strided.ts";
import { fillBits } from "../kernels/fill.ts";
import { move } from "../kernels/move.ts";
import { arange } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { normalizeDim, type Shape, show, stridesOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add, ge, le } from "./arithmetic.ts";
import { sum } from "./sum-expand.ts";
import { view } from "./view.ts";
import { where } from "./where.ts";

interface DiagonalAttrs {
  readonly offset: number;
  /** The two dimensions that the diagonal runs through. */
  readonly dims: readonly [number, number];
  /** Of the tensor that it is read from. */
  readonly shape: Shape;
}

/** Shape without the two dimensions and with the diagonal's length at the end; how a tensor of `shape` is walked by it. */
function diagonalOf({ offset, dims: [d0, d1], shape }: DiagonalAttrs) {
  const strides = stridesOf(shape);
  const [rows = 0, columns = 0] = [shape[d0], shape[d1]];
  const length = Math.max(0, offset >= 0 ? Math.min(rows, columns - offset) : Math.min(rows + offset, columns));
  const others = shape.map((_, d) => d).filter((d) => d !== d0 && d !== d1);
  const at = (list: Shape, d: number) => list[d] ?? 1;
  return {
    shape: [...others.map((d) => at(shape, d)), length],
    strides: [...others.map((d) => at(strides, d)), at(strides, d0) + at(strides, d1)],
    start: length > 0 ? Math.max(0, -offset) * at(strides, d0) + Math.max(0, offset) * at(strides, d1) : 0,
  };
}

const diagonalOp: Op<readonly [Tensor], DiagonalAttrs> = {
  name: "diagonal",
  infer([x], attrs) {
    checkDtype("diagonal", "input", x.dtype, "f32", "i32", "u32");
    return [{ shape: diagonalOf(attrs).shape, dtype: x.dtype }];
  },
  forward(run, [x], [y], attrs) {
    const { strides, start } = diagonalOf(attrs);
    copyStrided(run, x, y, strides, start);
  },
  saves: savesNothing,
  vjp: ([dy], { attrs }) => [apply1(embedOp, [dy], attrs)],
};

/** Its adjoint: zeros of `shape` with the elements on the diagonal. */
const embedOp: Op<readonly [Tensor], DiagonalAttrs> = {
  name: "diagEmbed",
  infer([x], { shape }) {
    checkDtype("diagEmbed", "input", x.dtype, "f32", "i32", "u32");
    return [{ shape, dtype: x.dtype }];
  },
  forward(run, [x], [y], attrs) {
    const { shape, strides, start } = diagonalOf(attrs);
    fillBits(run, y, 0);
    if (x.numel > 0) move(run, shape, { t: x, strides: stridesOf(shape), start: 0 }, { t: y, strides, start });
  },
  saves: savesNothing,
  vjp: ([dy], { attrs }) => [apply1(diagonalOp, [dy], attrs)],
};

function dimsOf(name: string, dim1: number, dim2: number, rank: number): [number, number] {
  const dims: [number, number] = [normalizeDim(name, dim1, rank), normalizeDim(name, dim2, rank)];
  check(dims[0] !== dims[1], () => `[${name}] the two dimensions must differ, got ${dim1} and ${dim2}`);
  return dims;
}

/**
 * The diagonal of dimensions `dim1` (default 0) and `dim2` (default 1), as the last dimension of the result: elements `offset` to
 * the right of the main one. f32, i32 or u32. Copies.
 * @throws ShapeError for fewer than two dimensions.
 * @see https://pytorch.org/docs/stable/generated/torch.diagonal.html
 */
export function diagonal(x: Tensor, offset = 0, dim1 = 0, dim2 = 1): Tensor {
  checkTensor("diagonal", "input", x);
  checkWhole("diagonal", "offset", offset);
  check(x.ndim >= 2, () => `[diagonal] needs at least two dimensions, got ${show(x.shape)}`);
  return apply1(diagonalOp, [x], { offset, dims: dimsOf("diagonal", dim1, dim2, x.ndim), shape: x.shape });
}

/**
 * Square matrices with x's last dimension on the diagonal, `offset` to the right of the main one, and zeros elsewhere; their
 * dimensions are `dim1` and `dim2` (default the last two) of the result. f32, i32 or u32.
 * @see https://pytorch.org/docs/stable/generated/torch.diag_embed.html
 */
export function diagEmbed(x: Tensor, offset = 0, dim1 = -2, dim2 = -1): Tensor {
  checkTensor("diagEmbed", "input", x);
  checkWhole("diagEmbed", "offset", offset, -(2 ** 24), 2 ** 24);
  check(x.ndim >= 1, () => "[diagEmbed] needs at least one dimension, got a scalar");
  const dims = dimsOf("diagEmbed", dim1, dim2, x.ndim + 1);
  const size = (x.shape.at(-1) ?? 0) + Math.abs(offset);
  const others = [...x.shape.slice(0, -1)];
  const shape = Array.from({ length: x.ndim + 1 }, (_, d) => (dims.includes(d) ? size : (others.shift() ?? 1)));
  return apply1(embedOp, [x], { offset, dims, shape });
}

/**
 * The diagonal of a matrix as a vector, or the matrix with a vector on its diagonal, `offset` to the right of the main one.
 * @throws ShapeError for other numbers of dimensions.
 * @see https://pytorch.org/docs/stable/generated/torch.diag.html
 */
export function diag(x: Tensor, offset = 0): Tensor {
  checkTensor("diag", "input", x);
  check(x.ndim === 1 || x.ndim === 2, () => `[diag] takes a vector or a matrix, got ${show(x.shape)}`);
  return x.ndim === 1 ? diagEmbed(x, offset) : diagonal(x, offset);
}

/** The sum of a matrix's diagonal. f32, i32 or u32. @see https://pytorch.org/docs/stable/generated/torch.trace.html */
export function trace(x: Tensor): Tensor {
  checkTensor("trace", "input", x);
  check(x.ndim === 2, () => `[trace] takes a matrix, got ${show(x.shape)}`);
  return scope(() => sum(diagonal(x)));
}

/** x where row + offset and column compare so, else 0. */
function triangle(name: string, compare: typeof le, x: Tensor, offset: number): Tensor {
  checkTensor(name, "input", x);
  checkWhole(name, "the diagonal", offset, -(2 ** 30), 2 ** 30);
  const { device, shape } = x;
  const [rows = 0, columns = 0] = shape.slice(-2);
  check(x.ndim >= 2, () => `[${name}] needs at least two dimensions, got ${show(shape)}`);
  return scope(() => {
    const index = (n: number) => arange(0, n, 1, { dtype: "i32", device });
    return where(compare(index(columns), add(view(name, index(rows), [rows, 1]), offset)), x, 0);
  });
}

/**
 * The lower triangle of matrices [..., N, M], 0 elsewhere: elements on and below the diagonal `offset` (default 0) to the right of the
 * main one. f32, i32 or u32.
 * @throws ShapeError for fewer than two dimensions.
 * @see https://pytorch.org/docs/stable/generated/torch.tril.html
 */
export const tril = (x: Tensor, offset = 0): Tensor => triangle("tril", le, x, offset);

/**
 * The upper triangle of matrices [..., N, M], 0 elsewhere: elements on and above the diagonal `offset` (default 0) to the right of the
 * main one. f32, i32 or u32.
 * @throws ShapeError for fewer than two dimensions.
 * @see https://pytorch.org/docs/stable/generated/torch.triu.html
 */
export const triu = (x: Tensor, offset = 0): Tensor => triangle("triu", ge, x, offset);
