// Several index tensors at once, as x[i, j] in Python: reading (index), writing (indexPut), and slices that are written to (setSlice).

import { apply1 } from "../autograd/apply.ts";
import { noGrad } from "../autograd/mode.ts";
import { type Op, withoutGradient } from "../autograd/op.ts";
import { checkTensor, runInto } from "../autograd/run.ts";
import { check, checkOptions, DtypeError, ShapeError, told, ValueError } from "../errors.ts";
import { faultCode } from "../gpu/faults.ts";
import { grid1d } from "../gpu/queue.ts";
import { Kernel } from "../kernels/kernel.ts";
import { move } from "../kernels/move.ts";
import type { Placement } from "../kernels/place-into.ts";
import { broadcastStrides } from "../kernels/strided-walk.ts";
import wrapWgsl, { WG } from "../kernels/wgsl/wrap-index.wgsl";
import { full } from "../tensor/create.ts";
import { checkDtype, checkValue } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { broadcastShapes, checkList, type Shape, sameShape, show, sizeOf, stridesOf } from "../tensor/shape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { clone } from "./clone.ts";
import { checkIndex, rowsOf } from "./gather.ts";
import { checkOffTape, copy_ } from "./inplace.ts";
import { permute, placementOf, type SliceRange } from "./movement.ts";
import { scatterOp } from "./scatter.ts";
import { expand } from "./sum-expand.ts";
import { view } from "./view.ts";

/** For each dimension an index tensor, or null for all of it; dimensions at the end may be left out. */
export type Indices = readonly (Tensor | null)[];

const wrapKernel = new Kernel(wrapWgsl);
const wrapFault = faultCode(
  (index, size) =>
    new ValueError(
      `[index] an index is ${index}, but the dimension has ${size} elements and takes ${size > 0 ? `${-size} to ${size - 1}` : "none"}`,
    ),
);

/** Adds what one index counts to positions. */
const wrapOp: Op<readonly [index: Tensor], { readonly size: number; readonly stride: number; readonly more: boolean }> =
  {
    name: "index",
    infer: ([index]) => [index],
    forward(run, [index], [y], { size, stride, more }) {
      const n = index.numel;
      const params = { n, size, stride, more: Number(more), fault: wrapFault };
      wrapKernel.launch(run, { index, y, faults: run.queue.faults }, params, grid1d(n, WG));
    },
    ...withoutGradient,
  };

/** How x is read by indices: as slices of `rows` dimensions flattened, which come first, at one position each. */
interface Plan {
  /** Dimensions of x, those with an index first. */
  readonly order: readonly number[];
  /** Shape with these flattened. */
  readonly flat: Shape;
  /** i32 [k]. */
  readonly positions: Tensor;
  /** The result's shape as it is read, and the order of dimensions that puts it right (null: it is). */
  readonly read: Shape;
  readonly back: readonly number[] | null;
}

function planOf(name: string, x: Tensor, indices: Indices): Plan {
  checkTensor(name, "input", x);
  checkList(name, "indices are an array, one a dimension", indices);
  const list = Array.from(indices);
  check(
    list.length <= x.ndim,
    () => `[${name}] ${list.length} indices were given for a tensor of ${x.ndim} dimensions, ${show(x.shape)}`,
  );
  const dims = list.flatMap((index, d) => (index === null ? [] : [d]));
  check(dims.length > 0, () => `[${name}] needs at least one index tensor, got ${told(indices)}`, ValueError);
  let shape: number[] = [];
  for (const d of dims) {
    const index = list[d];
    checkTensor(name, `index ${d} (or null)`, index);
    checkIndex(name, index);
    shape = broadcastShapes(name, shape, index.shape);
  }
  const sizes = dims.map((d) => x.shape[d] ?? 1);
  const strides = stridesOf(sizes);
  const positions = empty(shape, "i32", x.device);
  for (const [i, d] of dims.entries()) {
    const index = list[d];
    if (!index) continue;
    const all = sameShape(index.shape, shape) ? index : expand(index, shape);
    runInto(wrapOp, [all], { size: sizes[i] ?? 1, stride: strides[i] ?? 1, more: i > 0 }, [positions]);
  }
  const others = [...x.shape.keys()].filter((d) => !dims.includes(d));
  const rest = others.map((d) => x.shape[d] ?? 1);
  // Indices side by side leave their dimensions where the first one was; others come first, as in PyTorch.
  const [first = 0] = dims;
  const together = dims.every((d, i) => d === first + i);
  const before = together ? others.filter((d) => d < first).length : 0;
  const k = shape.length;
  const at = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
  return {
    order: [...dims, ...others],
    flat: [sizeOf(sizes), ...rest],
    positions: view(name, positions, [sizeOf(shape)]),
    read: [...shape, ...rest],
    back: before === 0 ? null : [...at(k, before), ...at(0, k), ...at(k + before, rest.length - before)],
  };
}

const isInOrder = (order: readonly number[]): boolean => order.every((d, i) => d === i);
const permuted = (x: Tensor, order: readonly number[]): Tensor => (isInOrder(order) ? x : permute(x, order));
const inverse = (order: readonly number[]): number[] => order.map((_, d) => order.indexOf(d));

/**
 * Elements by several indices at once: `index(x, [i, j])` is Python's `x[i, j]`, `index(x, [null, i])` is `x[:, i]`. Index tensors are i32 and
 * broadcast against each other; negative indices count from the end. Their dimensions stand where the first one stood, or come
 * first where a null is between them. x: f32, i32 or u32.
 * @throws ShapeError, DtypeError for indices that do not fit. @throws ValueError for one out of range, at the next read or sync().
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.index_put_.html and https://numpy.org/doc/stable/user/basics.indexing.html
 */
export const index = (x: Tensor, indices: Indices): Tensor =>
  scope(() => {
    const { order, flat, positions, read, back } = planOf("index", x, indices);
    const rows = view("index", permuted(x, order), flat);
    const y = view("index", rowsOf("index", rows, 0, positions), read);
    return back ? permute(y, back) : y;
  });

/** What `indexPut` takes beside the indices and the values. */
export interface IndexPutOptions {
  /** Add to what is there, also several times. Default false: the last one of equal positions stays. */
  accumulate?: boolean;
}

/**
 * x with values at the positions that `index(x, indices)` reads: a number, or a tensor that broadcasts to what that gives. Gradients reach
 * x and the values.
 * @throws ShapeError, DtypeError for what does not fit. @throws ValueError for an index out of range, at the next read or sync().
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.index_put_.html
 */
export function indexPut(x: Tensor, indices: Indices, values: Tensor | number, options: IndexPutOptions = {}): Tensor {
  checkOptions("indexPut", options, ["accumulate"]);
  const { accumulate = false } = options;
  check(
    typeof accumulate === "boolean",
    () => `[indexPut] accumulate is true or false, got ${told(accumulate)}`,
    ValueError,
  );
  return scope(() => {
    const { order, flat, positions, read, back } = planOf("indexPut", x, indices);
    const rows = view("indexPut", permuted(x, order), flat);
    const given = valuesFor("indexPut", values, x);
    const shown = back ? back.map((d) => read[d] ?? 1) : read;
    const all = expand(given, shown);
    const source = view("indexPut", back ? permute(all, inverse(back)) : all, [positions.numel, ...flat.slice(1)]);
    const attrs = { op: "indexPut", dim: 0, sum: accumulate, oneList: true, value: 0 } as const;
    const y = apply1(scatterOp, [rows, positions, source], attrs);
    return permuted(
      view(
        "indexPut",
        y,
        order.map((d) => x.shape[d] ?? 1),
      ),
      inverse(order),
    );
  });
}

/** Values as a tensor of x's dtype. */
function valuesFor(name: string, values: Tensor | number, { dtype, device }: Tensor): Tensor {
  if (typeof values !== "number") {
    checkTensor(name, "the values (or a number)", values);
    check(
      values.dtype === dtype,
      () => `[${name}] the values are ${values.dtype} and the tensor ${dtype}: convert with .to(dtype)`,
      DtypeError,
    );
    return values;
  }
  checkValue(name, () => "the value", values, dtype);
  return full([], values, { dtype, device });
}

/**
 * As `indexPut`, in place and off the tape: Python's `x[i, j] = values`. Returns x.
 * @throws StateError where the tape is recorded and x or the values require a gradient: wrap it in `noGrad`.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.index_put_.html
 */
export function indexPut_<T extends Tensor>(
  x: T,
  indices: Indices,
  values: Tensor | number,
  options: IndexPutOptions = {},
): T {
  checkTensor("indexPut_", "the tensor", x);
  checkOffTape("indexPut_", x, ...(typeof values === "number" || !values ? [] : [values]));
  noGrad(() => scope(() => void copy_(x, indexPut(x, indices, values, options))));
  return x;
}

/** Writes a tensor, repeated as broadcasting has it, to a part of another one. */
const placeOp: Op<
  readonly [source: Tensor],
  Placement & { readonly shape: Shape; readonly kept: Shape; readonly dims: readonly number[] }
> = {
  name: "setSlice",
  infer: () => {
    throw new Error("[setSlice] writes to tensors that exist: use runInto");
  },
  forward(run, [source], [y], { start, step, shape, kept, dims }) {
    const all = stridesOf(y.shape);
    const kinds = broadcastStrides(source.shape, kept);
    const strides = shape.map((_, d) => kinds[dims.indexOf(d)] ?? 0);
    const to = all.map((stride, d) => stride * (step[d] ?? 1));
    const first = all.reduce((sum, stride, d) => sum + stride * (start[d] ?? 0), 0);
    if (sizeOf(shape) > 0) move(run, shape, { t: source, strides, start: 0 }, { t: y, strides: to, start: first });
  },
  ...withoutGradient,
};

/**
 * Writes to a part of x, in place and off the tape: `setSlice(x, [0, [1, 3]], v)` is Python's `x[0, 1:3] = v`, with the ranges that
 * `slice` takes. `value` is a number, or a tensor of x's dtype that broadcasts to the part. Returns x.
 * @throws StateError where the tape is recorded and x or the value requires a gradient: wrap it in `noGrad`.
 * @throws ShapeError, DtypeError where the value does not fit.
 * @see https://pytorch.org/docs/stable/tensor_view.html
 */
export function setSlice<T extends Tensor>(x: T, ranges: readonly SliceRange[], value: Tensor | number): T {
  checkTensor("setSlice", "the tensor", x);
  checkDtype("setSlice", "the tensor", x.dtype, "f32", "i32", "u32");
  scope(() => {
    const { kept, ...place } = placementOf("setSlice", x, ranges);
    const given = valuesFor("setSlice", value, x);
    // As PyTorch, which leaves leading dimensions of one element out.
    const extra = Math.max(0, given.ndim - kept.length);
    const single = extra > 0 && given.shape.slice(0, extra).every((n) => n === 1);
    const source = single ? view("setSlice", given, given.shape.slice(extra)) : given;
    checkOffTape("setSlice", x, source);
    check(
      sameShape(broadcastShapes("setSlice", source.shape, kept), kept),
      () => `[setSlice] shape ${show(source.shape)} does not broadcast to the part ${show(kept)} of ${show(x.shape)}`,
      ShapeError,
    );
    const dims = [...x.shape.keys()].filter((d) => typeof ranges[d] !== "number");
    // One buffer cannot be bound for reading and for writing at once.
    const read = source.storage === x.storage ? clone(source) : source;
    runInto(placeOp, [read], { ...place, kept, dims }, [x]);
  });
  return x;
}
