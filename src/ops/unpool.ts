// Max unpooling: maxima put back where they were found, zeros elsewhere.
import { checkTensor } from "../autograd/run.ts";
import { check, checkOptions, told, ValueError } from "../errors.ts";
import { zeros } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { sameShape, show, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkPooled } from "./pool-1d-3d.ts";
import { scatter } from "./scatter.ts";
import { type Size1, type Size2, type Size3, type SizeN, spread } from "./spatial.ts";
import { view } from "./view.ts";

/** How the windows of pooling moved. */
export interface MaxUnpoolOptions<S extends SizeN> {
  /** Default: the kernel's size. */
  stride?: S;
  /** What pooling padded on both sides. Default 0. */
  padding?: S;
  /** The result's spatial sizes, or its whole shape, where several sizes pool to this one. Default: (n - 1) stride - 2 padding + kernel. */
  outputSize?: readonly number[];
}

export const MAX_UNPOOL_OPTIONS = ["stride", "padding"];

interface Windows {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
}

/** The result's spatial sizes for an input of these. */
function unpooledSizes(
  op: string,
  sizes: readonly number[],
  w: Windows,
  given: readonly number[] | undefined,
): number[] {
  const usual = sizes.map((n, d) => (n - 1) * (w.stride[d] ?? 1) - 2 * (w.padding[d] ?? 0) + (w.kernel[d] ?? 1));
  if (given === undefined) {
    check(
      usual.every((n) => n > 0),
      () => `[${op}] the result would have sizes ${show(usual)}: padding is too large, or the input is empty`,
    );
    return usual;
  }
  const list: readonly unknown[] = Array.isArray(given) ? given.slice(given.length === sizes.length + 2 ? 2 : 0) : [];
  const wanted = list.filter((n): n is number => Number.isSafeInteger(n));
  const fits = (n: number, d: number) => n > 0 && Math.abs(n - (usual[d] ?? 0)) < (w.stride[d] ?? 1);
  check(
    wanted.length === sizes.length && list.length === sizes.length && wanted.every(fits),
    () =>
      `[${op}] outputSize ${told(given)} must be sizes that pool to ${show(sizes)}: less than a stride ${show(w.stride)} from ${show(usual)}`,
    ValueError,
  );
  return wanted;
}

function unpool(
  op: string,
  x: Tensor,
  indices: Tensor,
  kernelSize: SizeN,
  options: MaxUnpoolOptions<SizeN>,
  count: number,
): Tensor {
  checkOptions(op, options, [...MAX_UNPOOL_OPTIONS, "outputSize"]);
  checkPooled(op, x, count);
  checkTensor(op, "indices", indices);
  checkDtype(op, "input", x.dtype, "f32");
  checkDtype(op, "indices", indices.dtype, "i32");
  check(
    sameShape(x.shape, indices.shape),
    () => `[${op}] indices have shape ${show(indices.shape)} but must have the input's, ${show(x.shape)}`,
  );
  const kernel = spread(op, "kernelSize", kernelSize, count, 1);
  const stride = spread(op, "stride", options.stride ?? kernel, count, 1);
  const padding = spread(op, "padding", options.padding ?? 0, count);
  const sizes = unpooledSizes(op, x.shape.slice(-count), { kernel, stride, padding }, options.outputSize);
  const outer = x.shape.slice(0, -count);
  const rows = [sizeOf(outer), sizeOf(x.shape.slice(-count))];
  return scope(() => {
    const empty = zeros([sizeOf(outer), sizeOf(sizes)], { device: x.device });
    return view(op, scatter(empty, 1, view(op, indices, rows), view(op, x, rows)), [...outer, ...sizes]);
  });
}

/**
 * Puts maxima x: [N, C, L] or [C, L] back to the positions `indices`, i32 of x's shape, that `maxPool1d` with `returnIndices` gave; zeros
 * elsewhere. Of several for one place the last one stays.
 * @throws ShapeError, DtypeError, ValueError for what does not fit; ValueError for an index out of range, at the next read or sync().
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool1d.html
 */
export const maxUnpool1d = (
  x: Tensor,
  indices: Tensor,
  kernelSize: Size1,
  options: MaxUnpoolOptions<Size1> = {},
): Tensor => unpool("maxUnpool1d", x, indices, kernelSize, options, 1);

/**
 * Puts maxima x: [N, C, H, W] or [C, H, W] back where `maxPool2d` found them. Indices and errors as for `maxUnpool1d`.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool2d.html
 */
export const maxUnpool2d = (
  x: Tensor,
  indices: Tensor,
  kernelSize: Size2,
  options: MaxUnpoolOptions<Size2> = {},
): Tensor => unpool("maxUnpool2d", x, indices, kernelSize, options, 2);

/**
 * Puts maxima x: [N, C, D, H, W] or [C, D, H, W] back where `maxPool3d` found them. Indices and errors as for `maxUnpool1d`.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool3d.html
 */
export const maxUnpool3d = (
  x: Tensor,
  indices: Tensor,
  kernelSize: Size3,
  options: MaxUnpoolOptions<Size3> = {},
): Tensor => unpool("maxUnpool3d", x, indices, kernelSize, options, 3);
