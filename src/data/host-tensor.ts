// What data sets hand out before it is on the device: numbers with a shape, or a promise to make a tensor of them.
import { check, told, ValueError } from "../errors.ts";
import { type NumericArray, tensor } from "../tensor/create.ts";
import { checkShape, type Shape, show, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * Part of an item that becomes a tensor when its batch is made, not when the item is fetched: `defaultCollate` calls `toTensor`
 * and stacks the results. What it draws from the device's random numbers follows the order of batches, however early
 * items are fetched.
 */
export interface ToTensor {
  /** Makes the tensor. It belongs to the batch. */
  toTensor(): Tensor;
}

/** Numbers on the host with the shape of the tensor that they will be: an item of a data set, or part of one. */
export class HostTensor implements ToTensor {
  /** The numbers, row-major; by reference. */
  readonly data: NumericArray;
  /** Sizes of the dimensions, outermost first. */
  readonly shape: Shape;

  /**
   * `data`, by reference, under a shape. Default: one dimension.
   * @throws ValueError for what is no typed array of numbers; ShapeError where the shape does not hold as many.
   */
  constructor(data: NumericArray, shape: Shape = [data?.length ?? 0]) {
    check(isNumeric(data), () => `[HostTensor] takes a typed array of numbers, got ${told(data)}`, ValueError);
    checkShape("HostTensor", shape);
    check(
      data.length === sizeOf(shape),
      () => `[HostTensor] ${data.length} values do not fill shape ${show(shape)}, which holds ${sizeOf(shape)}`,
    );
    this.data = data;
    this.shape = shape;
  }

  /** A tensor of it on the current device: f32 of floats, u32 of a Uint32Array, i32 of other integers. */
  toTensor(): Tensor {
    return tensor(this.data, { shape: this.shape });
  }
}

/** Whether it is a typed array whose numbers a tensor holds. */
export const isNumeric = (value: unknown): value is NumericArray =>
  ArrayBuffer.isView(value) && /^(Float(32|64)|U?[iI]nt)/.test(Object(value)[Symbol.toStringTag]);
