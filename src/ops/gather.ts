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
import { Kernel } from "../kernels/kernel.ts";
import { checkRank, mergeDims, rankOf } from "../kernels/strided-walk.ts";
import gatherWgsl, { WG } from "../kernels/wgsl/gather.wgsl";
import gatherBackwardWgsl from "../kernels/wgsl/gather-backward.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { normalizeDim, rowRank, type Shape, show, sizeOf, stridesOf } from "../tensor/shape.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";
import { view } from "./view.ts";

const gatherKernel = new Kernel(gatherWgsl);
const gatherBackwardKernel = new Kernel(gatherBackwardWgsl);

interface Along {
  readonly dim: number;
  /** Where x begins along that dimension, in pieces of a larger one. Default 0. */
  readonly low?: number;
  /** Its length there. Default: x's. */
  readonly whole?: number | undefined;
}
type IndexOp = Op<readonly [x: Tensor, index: Tensor], Along>;
/** Its gradient, which must be told the shape of x. */
type BackwardOp = Op<readonly [dy: Tensor, index: Tensor], Along & { readonly shape: Shape }>;

function checkIndex(op: string, index: Spec): void {
  check(
    index.dtype === "i32" || index.dtype === "u32",
    () => `[${op}] index is ${index.dtype} but must be i32: convert it with .to("i32")`,
    DtypeError,
  );
}

const indexFault = (op: string): number =>
  faultCode(
    (index, size) =>
      new ValueError(
        `[${op}] an index is ${index}, but the dimension has ${size} elements and takes ${size > 0 ? `0 to ${size - 1}` : "none"}`,
      ),
  );
const faults = { gather: indexFault("gather"), indexSelect: indexFault("indexSelect") };

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
  const { shape } = walk;
  const [strides, index_strides] = walk.strides;
  const n = y.numel;
  const size = x.shape[dim] ?? 1;
  const params = {
    n,
    low,
    size,
    whole: whole ?? size,
    stride: all[dim] ?? 1,
    fault: faults[op],
    shape,
    strides,
    index_strides,
  };
  gatherKernel
    .variant({ RANK: rankOf(walk) })
    .launch(run, { x, index, y, faults: run.queue.faults }, params, grid1d(n, WG));
}

/** What the gradient is walked by: dx has the shape `shape` and dy `bounds`, of which index takes these strides. */
interface BackwardWalk extends Along {
  readonly shape: Shape;
  readonly bounds: Shape;
  readonly indexStrides: Shape;
}

function launchBackward(run: Run, dy: Tensor, index: Tensor, dx: Tensor, walk: BackwardWalk): void {
  const { dim, low = 0, shape, bounds, indexStrides } = walk;
  checkRank("gather", shape.length);
  const strides = stridesOf(bounds);
  const n = dx.numel;
  const params = {
    n,
    dim,
    low,
    length: bounds[dim] ?? 0,
    stride: strides[dim] ?? 0,
    index_stride: indexStrides[dim] ?? 0,
    shape,
    strides,
    index_strides: indexStrides,
    bounds,
  };
  gatherBackwardKernel.variant({ RANK: rankOf(walk) }).launch(run, { dy, index, dx }, params, grid1d(n, WG));
}

/** The dimension of the index that goes with one of what is gathered; null where it has none. */
type IndexDim = (d: number) => number | null;

/** Along the gathered dimension a part of x gives 0 for what is in others. */
function* divisions(
  x: Tensor,
  y: Tensor,
  { dim, low = 0, whole = x.shape[dim] }: Along,
  info: DeviceInfo,
  indexDim: IndexDim,
): Generator<Division<Along>> {
  for (const d of y.shape.keys()) {
    if (d !== dim) yield { inputs: [d, indexDim(d)], outputs: [d] };
    else if (allFit(info, [x])) yield { inputs: [null, indexDim(d)], outputs: [d] };
    else yield { inputs: [d, null], outputs: ["sum"], attrs: (first) => ({ dim, low: low + first, whole }) };
  }
}

/** Along the gathered dimension each part of dx looks through all of dy, or gets the sum of what parts of dy give. */
function* backwardDivisions(
  dx: Tensor,
  { dim, low = 0, shape }: Along & { readonly shape: Shape },
  info: DeviceInfo,
  indexDim: IndexDim,
): Generator<Division<Along & { readonly shape: Shape }>> {
  for (const d of dx.shape.keys()) {
    if (d !== dim) yield { inputs: [d, indexDim(d)], outputs: [d] };
    else if (allFit(info, [dx])) yield { inputs: [d, indexDim(d)], outputs: ["sum"] };
    else yield { inputs: [null, null], outputs: [d], attrs: (first) => ({ dim, shape, low: low + first }) };
  }
}

const gatherOp: IndexOp = {
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
  infer: (_, { shape }) => [{ shape, dtype: "f32" }],
  forward(run, [dy, index], [dx], { dim, low }) {
    // A 0-d tensor is walked as one of one dimension.
    const [shape, bounds] = dx.ndim === 0 ? [[1], [1]] : [dx.shape, index.shape];
    launchBackward(run, dy, index, dx, { dim, low, shape, bounds, indexStrides: stridesOf(bounds) });
  },
  divisions: (_, [dx], attrs, info) => backwardDivisions(dx, attrs, info, (d) => d),
  saves: () => ({ inputs: [1], outputs: [] }),
  vjp: ([g], c) => [apply1(gatherOp, [g, c.input(1)], { dim: c.attrs.dim }), null],
};

/** The adjoint of gather: zeros of `shape` with dy's elements added where `index` points along `dim`. */
export const scatterAdd = (dy: Tensor, index: Tensor, dim: number, shape: Shape): Tensor =>
  apply1(scatterAddOp, [dy, index], { dim, shape });

/**
 * Elements by index: `y[i, j] = x[index[i, j], j]` for `dim` 0. index: i32 with x's number of dimensions.
 * @throws ValueError for an index out of range, negative ones too; as only the device sees it, it comes from the next read or
 * sync().
 * @see https://pytorch.org/docs/stable/generated/torch.gather.html
 */
export function gather(x: Tensor, dim: number, index: Tensor): Tensor {
  const attrs = { dim: normalizeDim("gather", dim, rowRank(x.shape)) };
  // Of a scalar, one or more at once.
  if (x.ndim === 0 && index.ndim === 1) return scope(() => apply1(gatherOp, [view("gather", x, [1]), index], attrs));
  return apply1(gatherOp, [x, index], attrs);
}

const indexSelectOp: IndexOp = {
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
    launchGather("indexSelect", run, [x, index, y], attrs, along);
  },
  divisions: ([x], [y], attrs, info) => divisions(x, y, attrs, info, (d) => (d === attrs.dim ? 0 : null)),
  saves: () => ({ inputs: [1], outputs: [] }),
  vjp: ([dy], c) => [apply1(indexAddOp, [dy, c.input(1)], { dim: c.attrs.dim, shape: c.inputSpecs[0].shape }), null],
};

const indexAddOp: BackwardOp = {
  name: "indexSelectBackward",
  infer: (_, { shape }) => [{ shape, dtype: "f32" }],
  forward(run, [dy, index], [dx], { dim, low }) {
    const { shape } = dx;
    // [outer, dim, inner]
    const around = (size: number) => [sizeOf(shape.slice(0, dim)), size, sizeOf(shape.slice(dim + 1))];
    const walk = { dim: 1, low, shape: around(shape[dim] ?? 1), bounds: around(index.numel), indexStrides: [0, 1, 0] };
    launchBackward(run, dy, index, dx, walk);
  },
  divisions: (_, [dx], attrs, info) => backwardDivisions(dx, attrs, info, (d) => (d === attrs.dim ? 0 : null)),
  saves: () => ({ inputs: [1], outputs: [] }),
  vjp: ([g], c) => [apply1(indexSelectOp, [g, c.input(1)], { dim: c.attrs.dim }), null],
};

/**
 * Slices of x at the positions `index: i32 [k]` of `dim`, e.g. rows of an embedding table. A scalar counts as one row.
 * @throws ValueError as `gather`.
 * @see https://pytorch.org/docs/stable/generated/torch.index_select.html
 */
export function indexSelect(x: Tensor, dim: number, index: Tensor): Tensor {
  checkTensor("indexSelect", "index", index);
  const attrs = { dim: normalizeDim("indexSelect", dim, rowRank(x.shape)) };
  checkTensor("indexSelect", "index", index);
  return scope(() => {
    const at = index.ndim === 0 ? view("indexSelect", index, [1]) : index;
    if (x.ndim > 0) return apply1(indexSelectOp, [x, at], attrs);
    return view("indexSelect", apply1(indexSelectOp, [view("indexSelect", x, [1]), at], attrs), []);
  });
}
