// Reading by index tensors: gather (an index for each element) and indexSelect (an index for each row).
import { apply1 } from "../autograd/apply.ts";
import { type OldOp, savesNothing } from "../autograd/op.ts";
import { check, DtypeError } from "../errors.ts";
import { grid1d } from "../gpu/queue.ts";
import { OldKernel as Kernel } from "../kernels/specialize.ts";
import { checkRank, eightWords, mergeDims } from "../kernels/strided-walk.ts";
import gatherWgsl from "../kernels/wgsl/gather.wgsl";
import gatherBackwardWgsl from "../kernels/wgsl/gather-backward.wgsl";
import selectWgsl from "../kernels/wgsl/index-select.wgsl";
import selectBackwardWgsl from "../kernels/wgsl/index-select-backward.wgsl";
import { checkDtype } from "../tensor/dtype.ts";
import { normalizeDim, type Shape, show, sizeOf, stridesOf } from "../tensor/shape.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";

const WG = 64;
const gatherKernel = new Kernel("gather", gatherWgsl);
const gatherBackwardKernel = new Kernel("gather_backward", gatherBackwardWgsl);
const selectKernel = new Kernel("index_select", selectWgsl);
const selectBackwardKernel = new Kernel("index_select_backward", selectBackwardWgsl);

function checkIndex(op: string, index: Spec): void {
  check(
    index.dtype === "i32" || index.dtype === "u32",
    () => `[${op}] index is ${index.dtype} but must be i32: convert it with .to("i32")`,
    DtypeError,
  );
}

const gatherOp: OldOp<{ dim: number }> = {
  name: "gather",
  infer([x, index], { dim }) {
    checkDtype("gather", "input", x!.dtype, "f32", "i32", "u32");
    checkIndex("gather", index!);
    check(
      x!.shape.length === index!.shape.length && index!.shape.every((n, d) => d === dim || n <= x!.shape[d]!),
      () =>
        `[gather] index ${show(index!.shape)} must have as many dimensions as input ${show(x!.shape)} and be no larger but in dimension ${dim}`,
    );
    return [{ shape: index!.shape, dtype: x!.dtype }];
  },
  forward({ queue }, [x, index], [y], { dim }) {
    const strides = stridesOf(x!.shape);
    const walk = mergeDims("gather", y!.shape, [strides.map((s, d) => (d === dim ? 0 : s))]);
    const params = [y!.numel, walk.shape.length, x!.shape[dim] ?? 1, strides[dim] ?? 1];
    queue.dispatch(
      gatherKernel.variant(),
      [x!.storage, index!.storage, y!.storage],
      [...params, ...eightWords(walk.shape), ...eightWords(walk.strides[0]!)],
      grid1d(y!.numel, WG),
    );
  },
  saves: () => ({ inputs: [1], outputs: [] }),
  vjp: ([dy], c) => [scatterAdd(dy!, c.input(1), c.attrs.dim, c.inputSpecs[0]!.shape), null],
};

const scatterAddOp: OldOp<{ dim: number; shape: Shape }> = {
  name: "gatherBackward",
  infer: (_, { shape }) => [{ shape, dtype: "f32" }],
  forward({ queue }, [dy, index], [dx], { dim }) {
    // A 0-d tensor is walked as one of one dimension.
    const shape = dx!.ndim === 0 ? [1] : dx!.shape;
    const bounds = dx!.ndim === 0 ? [1] : index!.shape;
    checkRank("gather", shape.length);
    const strides = stridesOf(bounds);
    const params = [dx!.numel, shape.length, dim, bounds[dim]!, strides[dim]!, 0, 0, 0];
    queue.dispatch(
      gatherBackwardKernel.variant(),
      [dy!.storage, index!.storage, dx!.storage],
      [...params, ...[shape, strides, bounds].flatMap(eightWords)],
      grid1d(dx!.numel, WG),
    );
  },
  saves: savesNothing,
  vjp: "not differentiable",
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

/** The words n, inner, count and size of the index_select kernels; x is the larger tensor, y the selected rows. */
const rows = (x: Shape, dim: number, count: number) => [sizeOf(x.slice(dim + 1)), count, x[dim]!];

const indexSelectOp: OldOp<{ dim: number }> = {
  name: "indexSelect",
  infer([x, index], { dim }) {
    checkDtype("indexSelect", "input", x!.dtype, "f32", "i32", "u32");
    checkIndex("indexSelect", index!);
    check(
      index!.shape.length === 1,
      () => `[indexSelect] index must have one dimension, got ${show(index!.shape)}: flatten() it`,
    );
    return [{ shape: x!.shape.map((n, d) => (d === dim ? index!.shape[0]! : n)), dtype: x!.dtype }];
  },
  forward({ queue }, [x, index], [y], { dim }) {
    queue.dispatch(
      selectKernel.variant(),
      [x!.storage, index!.storage, y!.storage],
      [y!.numel, ...rows(x!.shape, dim, index!.numel)],
      grid1d(y!.numel, WG),
    );
  },
  saves: () => ({ inputs: [1], outputs: [] }),
  vjp: ([dy], c) => [apply1(indexAddOp, [dy!, c.input(1)], { dim: c.attrs.dim, shape: c.inputSpecs[0]!.shape }), null],
};

const indexAddOp: OldOp<{ dim: number; shape: Shape }> = {
  name: "indexSelectBackward",
  infer: (_, { shape }) => [{ shape, dtype: "f32" }],
  forward({ queue }, [dy, index], [dx], { dim }) {
    queue.dispatch(
      selectBackwardKernel.variant(),
      [dy!.storage, index!.storage, dx!.storage],
      [dx!.numel, ...rows(dx!.shape, dim, index!.numel)],
      grid1d(dx!.numel, WG),
    );
  },
  saves: savesNothing,
  vjp: "not differentiable",
};

/**
 * Slices of x at the positions `index: i32 [k]` of `dim`, e.g. rows of an embedding table. An index out of range gives
 * zeros (the device cannot raise errors).
 * @see https://pytorch.org/docs/stable/generated/torch.index_select.html
 */
export const indexSelect = (x: Tensor, dim: number, index: Tensor): Tensor =>
  apply1(indexSelectOp, [x, index], { dim: normalizeDim("indexSelect", dim, x.ndim) });
