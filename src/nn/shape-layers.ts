// Layers that give their input another shape: Permute, Unflatten.
import { checkTensor } from "../autograd/run.ts";
import { check, checkWhole, ValueError } from "../errors.ts";
import { permute } from "../ops/movement.ts";
import { reshape } from "../ops/view.ts";
import { checkList, normalizeDim, type Shape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

/**
 * Dimensions in another order: dimension i of the result is dimension `dims[i]` of the input.
 * @see https://pytorch.org/vision/stable/generated/torchvision.ops.Permute.html
 */
export class Permute extends Module {
  /** Dimensions of the input, in the result's order. */
  readonly dims: readonly number[];

  constructor(dims: readonly number[]) {
    super();
    checkList("Permute", "dims is an array of dimensions", dims);
    for (const dim of dims) checkWhole("Permute", "each dimension", dim);
    this.dims = [...dims];
  }

  override forward(x: Tensor): Tensor {
    checkTensor("Permute", "input", x);
    return permute(x, this.dims);
  }

  override describe(): string {
    return show(this.dims);
  }
}

/**
 * Dimension `dim` as several, of sizes `unflattenedSize`, of which one may be -1: what is left over.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Unflatten.html
 */
export class Unflatten extends Module {
  /** The dimension that becomes several. */
  readonly dim: number;
  /** Their sizes. */
  readonly unflattenedSize: Shape;

  constructor(dim: number, unflattenedSize: Shape) {
    super();
    checkWhole("Unflatten", "dim", dim);
    checkList("Unflatten", "unflattenedSize is an array of sizes", unflattenedSize);
    for (const size of unflattenedSize) checkWhole("Unflatten", "each size (or -1)", size, -1);
    check(unflattenedSize.length > 0, () => "[Unflatten] unflattenedSize holds no size", ValueError);
    this.dim = dim;
    this.unflattenedSize = [...unflattenedSize];
  }

  override forward(x: Tensor): Tensor {
    checkTensor("Unflatten", "input", x);
    const at = normalizeDim("Unflatten", this.dim, x.ndim);
    const size = x.shape[at] ?? 1;
    const known = this.unflattenedSize.reduce((n, d) => (d === -1 ? n : n * d), 1);
    const sizes = this.unflattenedSize.map((d) => (d === -1 && known > 0 ? size / known : d));
    check(
      sizes.every((d) => Number.isInteger(d) && d >= 0) && sizes.reduce((n, d) => n * d, 1) === size,
      () =>
        `[Unflatten] dimension ${this.dim} of input ${show(x.shape)} has ${size} elements, which do not make ${show(this.unflattenedSize)}`,
    );
    return reshape(x, [...x.shape.slice(0, at), ...sizes, ...x.shape.slice(at + 1)]);
  }

  override describe(): string {
    return `dim: ${this.dim}, unflattenedSize: ${show(this.unflattenedSize)}`;
  }
}
