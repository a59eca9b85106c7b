// Reading by index tensors: gather (an index for each element) and indexSelect (an index for each row).
import { apply1 } from "../autograd/apply.ts";
import type { Op } from "../autograd/op.ts";
import type { Run } from "../autograd/run.ts";
import { check, DtypeError } from "../errors.ts";
import { grid1d } from "../gpu/queue.ts";
import { Kernel } from "../kernels/kernel.ts";
import { checkRank, mergeDims, rankOf } from "../kernels/strided-walk.ts";
import gatherWgsl, { WG } from "../kernels/wgsl/gather.wgsl";
import gatherBackwardWgsl from "../kernels/wgsl/gather-backward.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { normalizeDim, type Shape, show, sizeOf, stridesOf } from "../tensor/shape.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";

const gatherKernel = new Kernel(gatherWgsl);
const gatherBackwardKernel = new Kernel(gatherBackwardWgsl);

interface Along {
  readonly dim: number;
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

/** `indexStrides`: how index is walked along the dimensions of y. */
function launchGather(run: Run, x: Tensor, index: Tensor, y: Tensor, dim: number, indexStrides: Shape): void {
  const all = stridesOf(x.shape);
  const walk = mergeDims("gather", y.shape, [all.map((step, d) => (d === dim ? 0 : step)), indexStrides]);
  const { shape } = walk;
  const [strides, index_strides] = walk.strides;
  const n = y.numel;
  const params = { n, size: x.shape[dim] ?? 1, stride: all[dim] ?? 1, shape, strides, index_strides };
  gatherKernel.variant({ RANK: rankOf(walk) }).launch(run, { x, index, y }, params, grid1d(n, WG));
}

/** What the gradient is walked by: dx has the shape `shape` and dy `bounds`, of which index takes these strides. */
interface BackwardWalk extends Along {
  readonly shape: Shape;
  readonly bounds: Shape;
  readonly indexStrides: Shape;
}

function launchBackward(run: Run, dy: Tensor, index: Tensor, dx: Tensor, walk: BackwardWalk): void {
  const { dim, shape, bounds, indexStrides } = walk;
  checkRank("gather", shape.length);
  const strides = stridesOf(bounds);
  const n = dx.numel;
  const params = {
    n,
    dim,
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
  forward: (run, [x, index], [y], { dim }) => launchGather(run, x, index, y, dim, stridesOf(index.shape)),
  saves: () => ({ inputs: [1], outputs: [] }),
  vjp: ([dy], c) => [scatterAdd(dy, c.input(1), c.attrs.dim, c.inputSpecs[0].shape), null],
};

const scatterAddOp: BackwardOp = {
  name: "gatherBackward",
  infer: (_, { shape }) => [{ shape, dtype: "f32" }],
  forward(run, [dy, index], [dx], { dim }) {
    // A 0-d tensor is walked as one of one dimension.
    const [shape, bounds] = dx.ndim === 0 ? [[1], [1]] : [dx.shape, index.shape];
    launchBackward(run, dy, index, dx, { dim, shape, bounds, indexStrides: stridesOf(bounds) });
  },
  saves: () => ({ inputs: [1], outputs: [] }),
  vjp: ([g], c) => [apply1(gatherOp, [g, c.input(1)], { dim: c.attrs.dim }), null],
};

/** The adjoint of gather: zeros of `shape` with dy's elements added where `index` points along `dim`. */
export const scatterAdd = (dy: Tensor, index: Tensor, dim: number, shape: Shape): Tensor =>
  apply1(scatterAddOp, [dy, index], { dim, shape });

/**
 * Elements by index: `y[i, j] = x[index[i, j], j]` for `dim` 0. index: i32 with x's number of dimensions.
 * An index out of range gives 0 (the device cannot raise errors).
 * @see https://pytorch.org/docs/stable/generated/torch.gather.html
 */
export const gather = (x: Tensor, dim: number, index: Tensor): Tensor =>
  apply1(gatherOp, [x, index], { dim: normalizeDim("gather", dim, Math.max(1, x.ndim)) });

const indexSelectOp: IndexOp = {
  name: "indexSelect",
  infer([x, index], { dim }) {
    checkDtype("indexSelect", "input", x.dtype, "f32", "i32", "u32");
    checkIndex("indexSelect", index);
    const [count = 0] = index.shape;
    check(
      index.shape.length === 1,
      () => `[indexSelect] index must have one dimension, got ${show(index.shape)}: flatten() it`,
    );
    return [{ shape: x.shape.map((n, d) => (d === dim ? count : n)), dtype: x.dtype }];
  },
  forward(run, [x, index], [y], { dim }) {
    const along = y.shape.map((_, d) => (d === dim ? 1 : 0));
    launchGather(run, x, index, y, dim, along);
  },
  saves: () => ({ inputs: [1], outputs: [] }),
  vjp: ([dy], c) => [apply1(indexAddOp, [dy, c.input(1)], { dim: c.attrs.dim, shape: c.inputSpecs[0].shape }), null],
};

const indexAddOp: BackwardOp = {
  name: "indexSelectBackward",
  infer: (_, { shape }) => [{ shape, dtype: "f32" }],
  forward(run, [dy, index], [dx], { dim, shape }) {
    // [outer, dim, inner]
    const around = (size: number) => [sizeOf(shape.slice(0, dim)), size, sizeOf(shape.slice(dim + 1))];
    const walk = { dim: 1, shape: around(shape[dim] ?? 1), bounds: around(index.numel), indexStrides: [0, 1, 0] };
    launchBackward(run, dy, index, dx, walk);
  },
  saves: () => ({ inputs: [1], outputs: [] }),
  vjp: ([g], c) => [apply1(indexSelectOp, [g, c.input(1)], { dim: c.attrs.dim }), null],
};

/**
 * Slices of x at the positions `index: i32 [k]` of `dim`, e.g. rows of an embedding table. An index out of range gives
 * zeros (the device cannot raise errors).
 * @see https://pytorch.org/docs/stable/generated/torch.index_select.html
 */
export const indexSelect = (x: Tensor, dim: number, index: Tensor): Tensor =>
  apply1(indexSelectOp, [x, index], { dim: normalizeDim("indexSelect", dim, x.ndim) });
