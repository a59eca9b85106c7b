// Reading by index tensors: gather (an index for each element) and indexSelect (an index for each row).

import { apply1 } from "../autograd/apply.ts";
import type { Op } from "../autograd/op.ts";
import { checkTensor, type Run } from "../autograd/run.ts";
import { check, DtypeError, ValueError } from "../errors.ts";
import type { DeviceInfo } from "../gpu/device.ts";
import { faultCode } from "../gpu/faults.ts";
import { grid1d } from "../gpu/queue.ts";
import { allFit } from "../kernels/binding-parts.ts";
import type { Division } from "../kernels/divide.ts";
import { fillBits } from "../kernels/fill.ts";
import { Kernel } from "../kernels/kernel.ts";
import { linesOf } from "../kernels/scan-plan.ts";
import { scatterSorted, sortLines } from "../kernels/sort-plan.ts";
import { mergeDims, rankOf } from "../kernels/strided-walk.ts";
import { inFours, inVectors, VECTOR } from "../kernels/vectors.ts";
import gatherWgsl, { PER, WG } from "../kernels/wgsl/gather.wgsl";
import { full } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { normalizeDim, rowRank, type Shape, show, stridesOf } from "../tensor/shape.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";
import { binary } from "./binary.ts";
import * as binaries from "./binary-rows.ts";
import { to } from "./cast.ts";
import { view } from "./view.ts";

const gatherKernel = new Kernel(gatherWgsl);

interface Along {
  readonly dim: number;
  /** Where x begins along that dimension, in pieces of a larger one. Default 0. */
  readonly low?: number;
  /** Its length there. Default: x's. */
  readonly whole?: number | undefined;
}

interface SelectAttrs extends Along {
  /** The public name it was called by, for messages. */
  readonly op: SelectName;
  /** An index whose slice gets no gradient. Default: none. */
  readonly skip?: number | undefined;
}
type IndexOp<A extends Along> = Op<readonly [x: Tensor, index: Tensor], A>;
interface BackwardAttrs extends Along {
  /** Of x. */
  readonly shape: Shape;
  readonly skip?: number | undefined;
  /** What is reported of an index out of range. Default: nothing, where that was done before. */
  readonly fault?: number;
}
/** Its gradient, which must be told the shape of x. */
type BackwardOp = Op<readonly [dy: Tensor, index: Tensor], BackwardAttrs>;

export function checkIndex(op: string, index: Spec): void {
  check(
    index.dtype === "i32" || index.dtype === "u32",
    () => `[${op}] index is ${index.dtype} but must be i32: convert it with .to("i32")`,
    DtypeError,
  );
}

export const indexFault = (op: string): number =>
  faultCode(
    (index, size) =>
      new ValueError(
        `[${op}] an index is ${index}, but the dimension has ${size} elements and takes ${size > 0 ? `0 to ${size - 1}` : "none"}`,
      ),
  );
type SelectName = "embedding" | "index" | "indexSelect";
const faults = {
  embedding: indexFault("embedding"),
  gather: indexFault("gather"),
  index: indexFault("index"),
  indexSelect: indexFault("indexSelect"),
};

/** y = x's elements at these positions along `dim`. */
export const gatherInto = (run: Run, x: Tensor, index: Tensor, y: Tensor, dim: number): void =>
  launchGather("gather", run, [x, index, y], { dim }, stridesOf(index.shape));

/** `indexStrides`: how index is walked along the dimensions of y. */
function launchGather(
  op: keyof typeof faults,
  run: Run,
  [x, index, y]: readonly [x: Tensor, index: Tensor, y: Tensor],
  { dim, low = 0, whole }: Along,
  indexStrides: Shape,
): void {
  const all = stridesOf(x.shape);
  const walk = mergeDims("gather", y.shape, [all.map((step, d) => (d === dim ? 0 : step)), indexStrides]);
  const [strides, index_strides] = walk.strides;
  const size = x.shape[dim] ?? 1;
  const stride = all[dim] ?? 1;
  // Whole rows of vectors, all of one index.
  const rows =
    index_strides.at(-1) === 0 && inFours(stride) ? inVectors({ shape: walk.shape, strides: [strides] }, []) : null;
  const each = rows ? 4 : 1;
  const params = {
    n: y.numel / each,
    low,
    size,
    whole: whole ?? size,
    stride: stride / each,
    fault: faults[op],
    shape: rows?.shape ?? walk.shape,
    strides: rows?.strides[0] ?? strides,
    index_strides,
  };
  gatherKernel
    .variant({ RANK: rankOf(walk), ...(rows && { T: VECTOR }) })
    .launch(run, { x, index, y, faults: run.queue.faults }, params, grid1d(params.n, WG * PER));
}

/**
 * Adds dy's elements up where `index` points in dx: the index is sorted with its positions, and each place of dx that occurs in it
 * gets what belongs there. `oneList`: index is one list for all of dy.
 */
function launchBackward(
  run: Run,
  dy: Tensor,
  index: Tensor,
  dx: Tensor,
  attrs: BackwardAttrs & { readonly oneList: boolean },
): void {
  const { dim, low = 0, skip, fault, oneList } = attrs;
  fillBits(run, dx, 0);
  if (dy.numel === 0) return;
  const at = <T>(list: readonly T[]) => list.filter((_, d) => d !== dim);
  const size = dx.shape[dim] ?? 1;
  const whole = attrs.shape[dim] ?? 1;
  const positions = { low, size, whole, skip, ...(fault === undefined ? {} : { fault }) };
  const sorted = sortLines(run, index, oneList ? linesOf([index.numel], 0) : linesOf(index.shape, dim), positions);
  const strides = stridesOf(dx.shape);
  const [around, stride] = [at(dy.shape), strides[dim] ?? 1];
  scatterSorted(run, sorted, linesOf(dy.shape, dim), dx, {
    ...{ x: dy, around, strides: at(strides), size, stride, sum: true, oneList },
  });
}

/** The dimension of the index that goes with one of what is gathered; null where it has none. */
type IndexDim = (d: number) => number | null;

/** Along the gathered dimension a part of x gives 0 for what is in others. */
function* divisions<A extends Along>(
  x: Tensor,
  y: Tensor,
  attrs: A,
  info: DeviceInfo,
  indexDim: IndexDim,
): Generator<Division<A>> {
  const { dim, low = 0, whole = x.shape[dim] } = attrs;
  for (const d of y.shape.keys()) {
    if (d !== dim) yield { inputs: [d, indexDim(d)], outputs: [d] };
    else if (allFit(info, [x])) yield { inputs: [null, indexDim(d)], outputs: [d] };
    else yield { inputs: [d, null], outputs: ["sum"], attrs: (first) => ({ ...attrs, low: low + first, whole }) };
  }
}

/** Along the gathered dimension each part of dx looks through all of dy, or gets the sum of what parts of dy give. */
function* backwardDivisions(
  dy: Tensor,
  dx: Tensor,
  attrs: BackwardAttrs,
  info: DeviceInfo,
  indexDim: IndexDim,
): Generator<Division<BackwardAttrs>> {
  const { dim, low = 0 } = attrs;
  for (const d of dx.shape.keys()) {
    if (d !== dim) {
      if (dy.shape[d] === dx.shape[d]) yield { inputs: [d, indexDim(d)], outputs: [d] };
    } else if (allFit(info, [dx])) yield { inputs: [d, indexDim(d)], outputs: ["sum"] };
    else yield { inputs: [null, null], outputs: [d], attrs: (first) => ({ ...attrs, low: low + first }) };
  }
}

const gatherOp: IndexOp<Along> = {
  name: "gather",
  infer([x, index], { dim }) {
    checkDtype("gather", "input", x.dtype, "f32", "i32", "u32");
    checkIndex("gather", index);
    check(
      x.shape.length === index.shape.length && index.shape.every((n, d) => d === dim || n <= (x.shape[d] ?? 0)),
      () =>
        `[gather] index ${show(index.shape)} must have as many dimensions as input ${show(x.shape)} and be no larger but in dimension ${dim}`,
    );
    return [{ shape: index.shape, dtype: x.dtype }];
  },
  forward: (run, [x, index], [y], attrs) => launchGather("gather", run, [x, index, y], attrs, stridesOf(index.shape)),
  divisions: ([x], [y], attrs, info) => divisions(x, y, attrs, info, (d) => d),
  saves: () => ({ inputs: [1], outputs: [] }),
  vjp: ([dy], c) => [scatterAdd(dy, c.input(1), c.attrs.dim, c.inputSpecs[0].shape), null],
};

const scatterAddOp: BackwardOp = {
  name: "gatherBackward",
  infer: ([dy], { shape }) => [{ shape, dtype: dy.dtype }],
  forward: (run, [dy, index], [dx], attrs) => launchBackward(run, dy, index, dx, { ...attrs, oneList: false }),
  divisions: ([dy], [dx], attrs, info) => backwardDivisions(dy, dx, attrs, info, (d) => d),
  saves: () => ({ inputs: [1], outputs: [] }),
  vjp: ([g], c) => [apply1(gatherOp, [g, c.input(1)], { dim: c.attrs.dim }), null],
};

/** The adjoint of gather: zeros of `shape` with dy's elements added where `index` points along `dim`. */
export const scatterAdd = (dy: Tensor, index: Tensor, dim: number, shape: Shape, fault?: number): Tensor =>
  apply1(scatterAddOp, [dy, index], { dim, shape, ...(fault === undefined ? {} : { fault }) });

/**
 * Elements by index: `y[i, j] = x[index[i, j], j]` for `dim` 0. index: i32 with x's number of dimensions.
 * @throws ValueError for an index out of range, negative ones too; as only the device sees it, it comes from the next read or
 * sync().
 * @see https://pytorch.org/docs/stable/generated/torch.gather.html
 */
export function gather(x: Tensor, dim: number, index: Tensor): Tensor {
  checkTensor("gather", "index", index);
  const attrs = { dim: normalizeDim("gather", dim, rowRank(x.shape)) };
  // Of a scalar, one or more at once.
  if (x.ndim === 0 && index.ndim === 1) return scope(() => apply1(gatherOp, [view("gather", x, [1]), index], attrs));
  return apply1(gatherOp, [x, index], attrs);
}

const indexSelectOp: IndexOp<SelectAttrs> = {
  name: "indexSelect",
  infer([x, index], { dim }) {
    checkDtype("indexSelect", "input", x.dtype, "f32", "i32", "u32");
    checkIndex("indexSelect", index);
    const [count = 1] = index.shape;
    check(
      index.shape.length === 1 || (index.shape.length === 0 && x.shape.length === 0),
      () => `[indexSelect] index must have one dimension, got ${show(index.shape)}: flatten() it`,
    );
    return [{ shape: x.shape.map((n, d) => (d === dim ? count : n)), dtype: x.dtype }];
  },
  forward(run, [x, index], [y], attrs) {
    const along = y.shape.map((_, d) => (d === attrs.dim ? 1 : 0));
    launchGather(attrs.op, run, [x, index, y], attrs, along);
  },
  divisions: ([x], [y], attrs, info) => divisions(x, y, attrs, info, (d) => (d === attrs.dim ? 0 : null)),
  saves: () => ({ inputs: [1], outputs: [] }),
  vjp: ([dy], c) => [indexAdd(dy, c.input(1), { ...c.attrs, low: 0, shape: c.inputSpecs[0].shape }), null],
};

const indexAddOp: BackwardOp = {
  name: "indexSelectBackward",
  infer: ([dy], { shape }) => [{ shape, dtype: dy.dtype }],
  forward: (run, [dy, index], [dx], attrs) => launchBackward(run, dy, index, dx, { ...attrs, oneList: true }),
  divisions: ([dy], [dx], attrs, info) => backwardDivisions(dy, dx, attrs, info, (d) => (d === attrs.dim ? 0 : null)),
  saves: () => ({ inputs: [1], outputs: [] }),
  vjp: ([g], c) => {
    const { dim, skip } = c.attrs;
    const index = c.input(1);
    const dy = apply1(indexSelectOp, [g, index], { op: "indexSelect", dim });
    if (skip === undefined) return [dy, null];
    const along = dy.shape.map((_, d) => (d === dim ? index.numel : 1));
    const skipped = full([], skip, { dtype: index.dtype, device: index.device });
    const counted = view("indexSelect", to(binary(binaries.ne, index, skipped), "f32"), along);
    return [binary(binaries.mul, dy, counted), null];
  },
};

/** The adjoint of indexSelect: zeros of `shape` with dy's slices added where `index` points. */
export const indexAdd = (dy: Tensor, index: Tensor, { dim, shape, skip, fault }: BackwardAttrs): Tensor =>
  apply1(indexAddOp, [dy, index], { dim, shape, skip, ...(fault === undefined ? {} : { fault }) });

/** `indexSelect` under another name; the slice `skip` gets no gradient. index: [k]. */
export const rowsOf = (op: SelectName, x: Tensor, dim: number, index: Tensor, skip?: number): Tensor =>
  apply1(indexSelectOp, [x, index], { op, dim, skip });

/**
 * Slices of x at the positions `index: i32 [k]` of `dim`, e.g. rows of an embedding table. A scalar counts as one row.
 * @throws ValueError as `gather`.
 * @see https://pytorch.org/docs/stable/generated/torch.index_select.html
 */
export function indexSelect(x: Tensor, dim: number, index: Tensor): Tensor {
  checkTensor("indexSelect", "index", index);
  const attrs = { op: "indexSelect", dim: normalizeDim("indexSelect", dim, rowRank(x.shape)) } as const;
  return scope(() => {
    const at = index.ndim === 0 ? view("indexSelect", index, [1]) : index;
    if (x.ndim > 0) return apply1(indexSelectOp, [x, at], attrs);
    return view("indexSelect", apply1(indexSelectOp, [view("indexSelect", x, [1]), at], attrs), []);
  });
}
