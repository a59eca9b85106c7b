// Pooling layers: MaxPool2d, AvgPool2d, AdaptiveAvgPool2d. x: [N, C, H, W] or [C, H, W].
import { checkOptions } from "../errors.ts";
import {
  AVG_POOL_OPTIONS,
  type AvgPoolOptions,
  adaptiveAvgPool2d,
  avgPool2d,
  type IndicesOption,
  MAX_POOL_OPTIONS,
  type MaxPoolOptions,
  maxPool2d,
  type Pooled,
} from "../ops/pool.ts";
import { pair } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

type Size = number | readonly [number, number];

/**
 * The largest element of each window; with `returnIndices` a pair of them and of where they were found.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
 */
export class MaxPool2d<R extends boolean = false> extends Module<readonly [Tensor], Pooled<R>> {
  /** Rows and columns of a window; one number for both. */
  readonly kernelSize: Size;
  /** Stride, padding and the like, as given. */
  readonly options: MaxPoolOptions & IndicesOption<R>;

  constructor(kernelSize: Size, options: MaxPoolOptions & IndicesOption<R> = {}) {
    super();
    checkOptions("MaxPool2d", options, MAX_POOL_OPTIONS);
    pair("MaxPool2d", "kernelSize", kernelSize, 1);
    this.kernelSize = kernelSize;
    this.options = options;
  }

  override forward(x: Tensor): Pooled<R> {
    return maxPool2d(x, this.kernelSize, this.options);
  }

  override describe(): string {
    return describe(this.kernelSize, this.options);
  }
}

/** The mean of each window. @see https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html */
export class AvgPool2d extends Module {
  /** Rows and columns of a window; one number for both. */
  readonly kernelSize: Size;
  /** Stride, padding and the like, as given. */
  readonly options: AvgPoolOptions;

  constructor(kernelSize: Size, options: AvgPoolOptions = {}) {
    super();
    checkOptions("AvgPool2d", options, AVG_POOL_OPTIONS);
    pair("AvgPool2d", "kernelSize", kernelSize, 1);
    this.kernelSize = kernelSize;
    this.options = options;
  }

  override forward(x: Tensor): Tensor {
    return avgPool2d(x, this.kernelSize, this.options);
  }

  override describe(): string {
    return describe(this.kernelSize, this.options);
  }
}

/**
 * Averages to `outputSize` rows and columns, whatever the input's size; null keeps one.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html
 */
export class AdaptiveAvgPool2d extends Module {
  /** Rows and columns of the result; one number for both, null for as many as the input has. */
  readonly outputSize: number | readonly [number | null, number | null];

  constructor(outputSize: number | readonly [number | null, number | null]) {
    super();
    const [rows, columns] = Array.isArray(outputSize) ? outputSize : [outputSize, outputSize];
    pair("AdaptiveAvgPool2d", "outputSize", [rows ?? 1, columns ?? 1], 1);
    this.outputSize = outputSize;
  }

  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize);
  }

  override describe(): string {
    return JSON.stringify(this.outputSize);
  }
}

const describe = (kernelSize: Size, options: object): string =>
  [
    JSON.stringify(kernelSize),
    ...Object.entries(options).map(([name, value]) => `${name}: ${JSON.stringify(value)}`),
  ].join(", ");
