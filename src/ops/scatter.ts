// Writing by index tensors, the counterpart of gather.ts: scatter, scatterAdd, indexAdd, indexCopy.
import { apply1 } from "../autograd/apply.ts";
import type { Op } from "../autograd/op.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, DtypeError } from "../errors.ts";
import type { Division } from "../kernels/divide.ts";
import { bitsOf } from "../kernels/fill.ts";
import { linesOf } from "../kernels/scan-plan.ts";
import { scatterSorted, sortLines } from "../kernels/sort-plan.ts";
import { checkDtype, checkValue } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { normalizeDim, rowRank, type Shape, sameShape, show, stridesOf } from "../tensor/shape.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";
import { checkIndex, gather, indexFault, indexSelect } from "./gather.ts";
import { slice } from "./movement.ts";
import { view } from "./view.ts";

/** The public names that write by index, and whose indices may be out of range. */
export type ScatterName = "embedding" | "indexAdd" | "indexCopy" | "indexPut" | "oneHot" | "scatter" | "scatterAdd";

interface ScatterAttrs {
  readonly op: ScatterName;
  readonly dim: number;
  /** Add to what is there. Else take its place. */
  readonly sum: boolean;
  /** index is one list of slices. Else it has an index for each element. */
  readonly oneList: boolean;
  /** Taken where there is no source. */
  readonly value: number;
  /** Where x begins along the dimension, and what the whole is long, in a piece of a larger one. */
  readonly low?: number;
  readonly whole?: number;
}

const faults = new Map<ScatterName, number>();
/** Kinds of faults are made once for each name. */
function faultOf(op: ScatterName): number {
  const known = faults.get(op) ?? indexFault(op);
  faults.set(op, known);
  return known;
}

type ScatterInputs = readonly [x: Tensor, index: Tensor, source: Tensor | null];

/** x with the elements of source (or a number) where index points. Of equal positions the last one stays. */
export const scatterOp: Op<ScatterInputs, ScatterAttrs> = {
  name: "scatter",
  required: 2,
  infer([x, index, source], { op, dim, oneList }) {
    checkDtype(op, "input", x.dtype, "f32", "i32", "u32");
    checkIndex(op, index);
    check(
      !source || source.dtype === x.dtype,
      () => `[${op}] the source is ${source?.dtype} and the input ${x.dtype}: convert with .to(dtype)`,
      DtypeError,
    );
    if (oneList) checkList(op, x, index, source, dim);
    else {
      check(
        index.shape.length === x.shape.length && index.shape.every((n, d) => d === dim || n <= (x.shape[d] ?? 0)),
        () =>
          `[${op}] index ${show(index.shape)} must have as many dimensions as input ${show(x.shape)} and be no larger but in dimension ${dim}`,
      );
    }
    return [x];
  },
  forward(run, [x, index, source], [y], attrs) {
    const { op, dim, sum, oneList, value, low = 0 } = attrs;
    const here = x.storage.buffer === y.storage.buffer && x.storage.offset === y.storage.offset;
    if (!here && x.numel > 0) run.queue.copy(x.storage, y.storage);
    const size = x.shape[dim] ?? 1;
    const whole = attrs.whole ?? size;
    const at = <T>(list: readonly T[]) => list.filter((_, d) => d !== dim);
    const shape: Shape = oneList ? x.shape.map((n, d) => (d === dim ? index.numel : n)) : index.shape;
    if (index.numel === 0) return;
    const lines = oneList ? linesOf([index.numel], 0) : linesOf(index.shape, dim);
    const sorted = sortLines(run, index, lines, { low, size, whole, fault: faultOf(op) });
    const strides = stridesOf(x.shape);
    scatterSorted(run, sorted, linesOf(shape, dim), y, {
      ...{ x: source ?? bitsOf(value, y.dtype), around: at(shape), strides: at(strides) },
      ...{ size, stride: strides[dim] ?? 1, sum, oneList },
    });
  },
  *divisions([x, index, source], _, attrs): Generator<Division<ScatterAttrs>> {
    const { dim, oneList, whole = x.shape[dim] ?? 1, low = 0 } = attrs;
    for (const [d, n] of x.shape.entries()) {
      const alike = oneList || index.shape[d] === n;
      if (d === dim) {
        yield { inputs: [d, null, null], outputs: [d], attrs: (first) => ({ ...attrs, low: low + first, whole }) };
      } else if (alike) yield { inputs: [d, oneList ? null : d, source ? d : null], outputs: [d] };
    }
  },
  saves: () => ({ inputs: [1], outputs: [] }),
  vjp: ([dy], c) => {
    const { dim, sum, oneList } = c.attrs;
    const index = c.input(1);
    const dx = () => (sum ? dy : apply1(scatterOp, [dy, index, null], { ...c.attrs, value: 0 }));
    const read = oneList ? indexSelect : gather;
    return [c.needs[0] ? dx() : null, null, c.needs[2] ? read(dy, dim, index) : null];
  },
};

function checkList(op: string, x: Spec, index: Spec, source: Spec | null, dim: number): void {
  const [count = 1] = index.shape;
  check(index.shape.length <= 1, () => `[${op}] index must have one dimension, got ${show(index.shape)}: flatten() it`);
  const expected = x.shape.map((n, d) => (d === dim ? count : n));
  check(
    !source || sameShape(source.shape, expected),
    () =>
      `[${op}] the source has shape ${show(source?.shape ?? [])}, but ${count} slices of ${show(x.shape)} along dimension ${dim} have ${show(expected)}`,
  );
}

/** The part of `source` that `index` has positions for. */
function partOfSource(op: string, source: Tensor, index: Tensor): Tensor {
  check(
    source.ndim === index.ndim && index.shape.every((n, d) => n <= (source.shape[d] ?? 0)),
    () => `[${op}] the source ${show(source.shape)} must be as large as index ${show(index.shape)} in each dimension`,
  );
  return sameShape(source.shape, index.shape)
    ? source
    : slice(
        source,
        index.shape.map((n) => [0, n] as const),
      );
}

/** A scalar counts as one element in a row. */
const asRow = (op: string, x: Tensor): Tensor => (x.ndim === 0 ? view(op, x, [1]) : x);

function scatterBy(
  op: "scatter" | "scatterAdd",
  x: Tensor,
  dim: number,
  index: Tensor,
  source: Tensor | number,
): Tensor {
  checkTensor(op, "input", x);
  checkTensor(op, "index", index);
  if (typeof source === "number") checkValue(op, () => "the value", source, x.dtype);
  else checkTensor(op, op === "scatter" ? "the source (or a number)" : "the source", source);
  const d = normalizeDim(op, dim, rowRank(x.shape));
  const attrs = { op, dim: d, sum: op === "scatterAdd", oneList: false };
  return scope(() => {
    const [row, at] = [asRow(op, x), asRow(op, index)];
    const y =
      typeof source === "number"
        ? apply1(scatterOp, [row, at, null], { ...attrs, value: source })
        : apply1(scatterOp, [row, at, partOfSource(op, asRow(op, source), at)], { ...attrs, value: 0 });
    return x.ndim === 0 ? view(op, y, []) : y;
  });
}

/**
 * x with `y[index[i, j], j] = source[i, j]` for `dim` 0: elements of `source`, or one number, where `index` points along `dim`.
 * x f32, i32 or u32, index: i32 with x's number of dimensions, source: x's dtype, at least as large as index. Where several go to
 * one place the last one stays; the gradient reaches all of them, as PyTorch's does.
 * @throws ShapeError, DtypeError for what does not fit. @throws ValueError for an index out of range, at the next read or sync().
 * @see https://pytorch.org/docs/stable/generated/torch.scatter.html
 */
export const scatter = (x: Tensor, dim: number, index: Tensor, source: Tensor | number): Tensor =>
  scatterBy("scatter", x, dim, index, source);

/**
 * x with `y[index[i, j], j] += source[i, j]` for `dim` 0: elements of `source` added where `index` points along `dim`, in a fixed
 * order. Shapes, dtypes and errors as `scatter`.
 * @see https://pytorch.org/docs/stable/generated/torch.scatter_add.html
 */
export const scatterAdd = (x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor =>
  scatterBy("scatterAdd", x, dim, index, source);

function slicesBy(op: "indexAdd" | "indexCopy", x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor {
  checkTensor(op, "input", x);
  checkTensor(op, "index", index);
  checkTensor(op, "the source", source);
  const attrs = { op, dim: normalizeDim(op, dim, rowRank(x.shape)), sum: op === "indexAdd", oneList: true, value: 0 };
  return scope(() => {
    const y = apply1(scatterOp, [asRow(op, x), asRow(op, index), asRow(op, source)], attrs);
    return x.ndim === 0 ? view(op, y, []) : y;
  });
}

/**
 * x with slices of `source` added at the positions `index: i32 [k]` of `dim`, in a fixed order. f32, i32
 * or u32; source: x's shape with size k along `dim`.
 * @throws ShapeError, DtypeError for what does not fit. @throws ValueError for an index out of range, at the next read or sync().
 * @see https://pytorch.org/docs/stable/generated/torch.index_add.html
 */
export const indexAdd = (x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor =>
  slicesBy("indexAdd", x, dim, index, source);

/**
 * x with slices of `source` in the place of those at the positions `index: i32 [k]` of `dim`. Shapes, dtypes and errors as `indexAdd`;
 * of equal positions the last one stays.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.index_copy_.html
 */
export const indexCopy = (x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor =>
  slicesBy("indexCopy", x, dim, index, source);
