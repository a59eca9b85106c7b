// Rearranging copies: permute, transpose, flip, slices, and constant padding, the adjoint of a slice.

import { apply1 } from "../autograd/apply.ts";
import { type Op, savesNothing } from "../autograd/op.ts";
import type { Run } from "../autograd/run.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, told, ValueError } from "../errors.ts";
import { copyStrided } from "../kernels/copy-strided.ts";
import { bitsOf } from "../kernels/fill.ts";
import { type Placement, placeInto } from "../kernels/place-into.ts";
import { checkDtype, checkValue } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { checkList, normalizeDim, normalizeDims, rowRank, type Shape, show, stridesOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { withStrides } from "./matmul.ts";
import { view } from "./view.ts";

/** What a list has for each dimension, in this order of dimensions. */
const permuted = (list: readonly number[], order: readonly number[]): number[] => order.map((d) => list[d] ?? 1);

const permuteOp: Op<readonly [Tensor], { readonly order: readonly number[] }> = {
  name: "permute",
  infer([x], { order }) {
    checkDtype("permute", "input", x.dtype, "f32", "i32", "u32");
    check(
      order.length === x.shape.length && new Set(order).size === order.length,
      () =>
        `[permute] order ${show(order)} must name each of the ${x.shape.length} dimensions of ${show(x.shape)} once`,
    );
    return [{ shape: permuted(x.shape, order), dtype: x.dtype }];
  },
  forward: (run, [x], [y], { order }) => copyStrided(run, x, y, permuted(stridesOf(x.shape), order)),
  saves: savesNothing,
  vjp: ([dy], { attrs }) => {
    const inverse = attrs.order.map((_, d) => attrs.order.indexOf(d));
    return [permute(dy, inverse)];
  },
  // A product reads its operands through strides.
  absorb: ({ inputs: [x], attrs: { order }, outputs: [y] }, next) =>
    y ? withStrides(next, x, y.shape, permuted(stridesOf(x.shape), order)) : null,
};

/** Dimensions in another order. Copies. @see https://pytorch.org/docs/stable/generated/torch.permute.html */
export function permute(x: Tensor, order: readonly number[]): Tensor {
  checkList("permute", "the order is an array of dimensions", order);
  return apply1(permuteOp, [x], { order: Array.from(order, (d) => normalizeDim("permute", d, x.ndim)) });
}

/** Swaps two dimensions. Copies. */
export function transpose(x: Tensor, dim0: number, dim1: number): Tensor {
  const rank = rowRank(x.shape);
  const [a, b] = [normalizeDim("transpose", dim0, rank), normalizeDim("transpose", dim1, rank)];
  const order = x.shape.map((_, d) => (d === a ? b : d === b ? a : d));
  return permute(x, order);
}

/** The transpose of a matrix; tensors of fewer dimensions stay as they are. */
export function t(x: Tensor): Tensor {
  check(x.ndim <= 2, () => `[t] takes at most two dimensions, got ${show(x.shape)}: use transpose(dim0, dim1)`);
  return x.ndim < 2 ? view("t", x, x.shape) : permute(x, [1, 0]);
}

/** Element j of y along a dimension is element start + j * step of x. */
function copySlice(run: Run, x: Tensor, y: Tensor, { start, step }: Placement): void {
  const all = stridesOf(x.shape);
  const strides = all.map((stride, d) => stride * (step[d] ?? 1));
  const first = all.reduce((sum, stride, d) => sum + stride * (start[d] ?? 0), 0);
  copyStrided(run, x, y, strides, first);
}

const flipOp: Op<readonly [Tensor], { readonly dims: readonly number[] }> = {
  name: "flip",
  infer([x]) {
    checkDtype("flip", "input", x.dtype, "f32", "i32", "u32");
    return [x];
  },
  forward(run, [x], [y], { dims }) {
    const start = x.shape.map((n, d) => (dims.includes(d) ? n - 1 : 0));
    const step = x.shape.map((_, d) => (dims.includes(d) ? -1 : 1));
    copySlice(run, x, y, { start, step });
  },
  saves: savesNothing,
  vjp: ([dy], { attrs }) => [flip(dy, attrs.dims)],
};

/** Reverses the order of elements along `dims`. */
export const flip = (x: Tensor, dims: number | readonly number[]): Tensor =>
  apply1(flipOp, [x], { dims: normalizeDims("flip", dims, x.ndim) });

interface SliceAttrs extends Placement {
  readonly shape: Shape;
}

const sliceOp: Op<readonly [Tensor], SliceAttrs> = {
  name: "slice",
  infer([x], { shape }) {
    checkDtype("slice", "input", x.dtype, "f32", "i32", "u32");
    return [{ shape, dtype: x.dtype }];
  },
  forward: (run, [x], [y], attrs) => copySlice(run, x, y, attrs),
  saves: savesNothing,
  vjp: ([dy], { attrs, inputSpecs }) => {
    const { start, step } = attrs;
    return [apply1(placeOp, [dy], { start, step, shape: inputSpecs[0].shape, value: 0 })];
  },
};

const placeOp: Op<readonly [Tensor], SliceAttrs & { readonly value: number }> = {
  name: "pad",
  infer([x], { shape, value }) {
    checkDtype("pad", "input", x.dtype, "f32", "i32", "u32");
    check(
      shape.every((d) => d >= 0),
      () => `[pad] crops more of ${show(x.shape)} than there is`,
    );
    checkValue("pad", () => "the value", value, x.dtype);
    return [{ shape, dtype: x.dtype }];
  },
  forward: (run, [x], [y], attrs) => placeInto(run, x, y, attrs, bitsOf(attrs.value, y.dtype)),
  saves: savesNothing,
  vjp: ([dy], { attrs, inputSpecs }) => {
    const { shape } = inputSpecs[0];
    // Where padding crops, nothing of dy comes back: pad dy's negative part again with zeros.
    const start = attrs.start.map((s) => Math.max(s, 0));
    const size = shape.map((n, d) => {
      const [before, padded] = [attrs.start[d] ?? 0, attrs.shape[d] ?? 0];
      return Math.max(0, Math.min(n + before, padded) - Math.max(before, 0));
    });
    const inside = apply1(sliceOp, [dy], { start, step: attrs.step, shape: size });
    if (size.every((n, d) => n === shape[d])) return [inside];
    return [apply1(placeOp, [inside], { ...attrs, start: attrs.start.map((s) => Math.max(-s, 0)), shape, value: 0 })];
  },
};

/**
 * Pads with `value`. `padding` gives pairs (before, after) from the LAST dimension backwards; negative ones crop.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.pad.html
 */
export function pad(x: Tensor, padding: readonly number[], value = 0): Tensor {
  checkTensor("pad", "input", x);
  checkList("pad", "padding is an array of pairs", padding);
  check(
    padding.length % 2 === 0 && padding.length <= 2 * x.ndim && Array.from(padding).every(Number.isInteger),
    () =>
      `[pad] padding ${show(padding)} must hold whole numbers, a pair for each of at most ${x.ndim} last dimensions`,
    ValueError,
  );
  const at = (d: number, side: 0 | 1) => padding[2 * (x.ndim - 1 - d) + side] ?? 0;
  const shape = x.shape.map((n, d) => n + at(d, 0) + at(d, 1));
  const start = x.shape.map((_, d) => at(d, 0));
  return apply1(placeOp, [x], { start, step: start.map(() => 1), shape, value });
}

/**
 * What to take of a dimension: an index (the dimension goes away), `[start, end?, step?]` as in Python's
 * `start:end:step` (negative ones count from the end, out-of-range ones are clamped), or null for all of it.
 */
export type SliceRange = number | null | readonly [start?: number | null, end?: number | null, step?: number];

/** Which elements ranges take, the shape of all of them, and that without the dimensions of an index. */
export function placementOf(
  op: string,
  x: Tensor,
  ranges: readonly SliceRange[],
): SliceAttrs & { readonly kept: Shape } {
  checkList(op, "ranges are an array, one a dimension", ranges);
  check(
    ranges.length <= x.ndim,
    () => `[${op}] ${ranges.length} ranges were given for a tensor of ${x.ndim} dimensions, ${show(x.shape)}`,
  );
  const start: number[] = [];
  const step: number[] = [];
  const shape: number[] = [];
  for (const [d, n] of x.shape.entries()) {
    const range = ranges[d] ?? null;
    const [from, to, by] = typeof range === "number" ? [indexIn(op, range, d, x), null, 1] : boundsIn(op, range, n);
    start.push(from);
    step.push(by);
    shape.push(to === null ? 1 : Math.max(0, Math.ceil((to - from) / by)));
  }
  return { start, step, shape, kept: shape.filter((_, d) => typeof ranges[d] !== "number") };
}

/** Part of a tensor by ranges from the first dimension on: `x.slice([0, [1, -1], null])` is `x[0, 1:-1, :]`. Copies. */
export function slice(x: Tensor, ranges: readonly SliceRange[]): Tensor {
  const { kept, ...attrs } = placementOf("slice", x, ranges);
  if (kept.length === attrs.shape.length) return apply1(sliceOp, [x], attrs);
  return scope(() => view("slice", apply1(sliceOp, [x], attrs), kept));
}

function indexIn(op: string, index: number, d: number, x: Tensor): number {
  const n = x.shape[d] ?? 0;
  check(
    Number.isInteger(index) && index >= -n && index < n,
    () => `[${op}] index ${told(index)} is out of range for dimension ${d} of ${show(x.shape)}`,
    ValueError,
  );
  return index < 0 ? index + n : index;
}

function boundsIn(op: string, range: Exclude<SliceRange, number>, n: number): [number, number, number] {
  const [from, to, step = 1] = Array.isArray(range) ? range : [];
  check(
    (range === null || Array.isArray(range)) &&
      Number.isInteger(step) &&
      step > 0 &&
      Number.isInteger(from ?? 0) &&
      Number.isInteger(to ?? 0),
    () => `[${op}] range ${told(range)} must hold whole numbers and a step of at least 1: use flip() to reverse`,
    ValueError,
  );
  const clamp = (i: number) => Math.min(n, Math.max(0, i < 0 ? i + n : i));
  return [clamp(from ?? 0), clamp(to ?? n), step];
}

/** The slice at one index of a dimension, which goes away. */
export function select(x: Tensor, dim: number, index: number): Tensor {
  const d = normalizeDim("select", dim, x.ndim);
  return slice(x, [...new Array<null>(d).fill(null), indexIn("select", index, d, x)]);
}

/** `length` elements of a dimension from `start` on. */
export function narrow(x: Tensor, dim: number, start: number, length: number): Tensor {
  const d = normalizeDim("narrow", dim, x.ndim);
  const n = x.shape[d] ?? 0;
  const from = Number.isInteger(start) && start < 0 ? start + n : start;
  check(
    Number.isInteger(from) && Number.isInteger(length) && from >= 0 && length >= 0 && from + length <= n,
    () => `[narrow] ${told(length)} elements from ${told(start)} on do not exist in dimension ${d} of ${show(x.shape)}`,
  );
  return slice(x, [...new Array<null>(d).fill(null), [from, from + length]]);
}
