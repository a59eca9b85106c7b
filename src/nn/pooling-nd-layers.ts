// Pooling layers of signals and volumes, and adaptive maxima.
import { checkOptions } from "../errors.ts";
import { AVG_POOL_OPTIONS, type IndicesOption, MAX_POOL_OPTIONS, type Pooled } from "../ops/pool.ts";
import {
  type AdaptiveSize1,
  type AdaptiveSize2,
  type AdaptiveSize3,
  type AvgPoolNdOptions,
  adaptiveAvgPool1d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  avgPool1d,
  avgPool3d,
  checkAdaptive,
  type MaxPoolNdOptions,
  maxPool1d,
  maxPool3d,
} from "../ops/pool-1d-3d.ts";
import { type Size1, type Size3, type SizeN, spread } from "../ops/spatial.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

abstract class PoolLayer<S extends SizeN, O extends object, Out = Tensor> extends Module<readonly [Tensor], Out> {
  /** A window's size along each dimension; one number for all. */
  readonly kernelSize: S;
  /** Stride, padding and the like, as given. */
  readonly options: O;

  constructor(name: string, kernelSize: S, options: O, known: readonly string[], dims: number) {
    super();
    checkOptions(name, options, known);
    spread(name, "kernelSize", kernelSize, dims, 1);
    this.kernelSize = kernelSize;
    this.options = options;
  }

  override describe(): string {
    const options = Object.entries(this.options).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
    return [JSON.stringify(this.kernelSize), ...options].join(", ");
  }
}

/** The largest element of each window of [N, C, L]. @see https://pytorch.org/docs/stable/generated/torch.nn.MaxPool1d.html */
export class MaxPool1d<R extends boolean = false> extends PoolLayer<
  Size1,
  MaxPoolNdOptions<Size1> & IndicesOption<R>,
  Pooled<R>
> {
  constructor(kernelSize: Size1, options: MaxPoolNdOptions<Size1> & IndicesOption<R> = {}) {
    super("MaxPool1d", kernelSize, options, MAX_POOL_OPTIONS, 1);
  }
  override forward(x: Tensor): Pooled<R> {
    return maxPool1d(x, this.kernelSize, this.options);
  }
}

/** The largest element of each window of [N, C, D, H, W]. @see https://pytorch.org/docs/stable/generated/torch.nn.MaxPool3d.html */
export class MaxPool3d<R extends boolean = false> extends PoolLayer<
  Size3,
  MaxPoolNdOptions<Size3> & IndicesOption<R>,
  Pooled<R>
> {
  constructor(kernelSize: Size3, options: MaxPoolNdOptions<Size3> & IndicesOption<R> = {}) {
    super("MaxPool3d", kernelSize, options, MAX_POOL_OPTIONS, 3);
  }
  override forward(x: Tensor): Pooled<R> {
    return maxPool3d(x, this.kernelSize, this.options);
  }
}

/** The mean of each window of [N, C, L]. @see https://pytorch.org/docs/stable/generated/torch.nn.AvgPool1d.html */
export class AvgPool1d extends PoolLayer<Size1, AvgPoolNdOptions<Size1>> {
  constructor(kernelSize: Size1, options: AvgPoolNdOptions<Size1> = {}) {
    super("AvgPool1d", kernelSize, options, AVG_POOL_OPTIONS, 1);
  }
  override forward(x: Tensor): Tensor {
    return avgPool1d(x, this.kernelSize, this.options);
  }
}

/** The mean of each window of [N, C, D, H, W]. @see https://pytorch.org/docs/stable/generated/torch.nn.AvgPool3d.html */
export class AvgPool3d extends PoolLayer<Size3, AvgPoolNdOptions<Size3>> {
  constructor(kernelSize: Size3, options: AvgPoolNdOptions<Size3> = {}) {
    super("AvgPool3d", kernelSize, options, AVG_POOL_OPTIONS, 3);
  }
  override forward(x: Tensor): Tensor {
    return avgPool3d(x, this.kernelSize, this.options);
  }
}

abstract class AdaptiveLayer<S extends AdaptiveSize1 | AdaptiveSize2 | AdaptiveSize3, Out = Tensor> extends Module<
  readonly [Tensor],
  Out
> {
  /** The result's size along each dimension; one number for all, null for the input's. */
  readonly outputSize: S;

  constructor(name: string, outputSize: S, dims: number) {
    super();
    checkAdaptive(name, outputSize, dims);
    this.outputSize = outputSize;
  }

  override describe(): string {
    return JSON.stringify(this.outputSize);
  }
}

/** Averages [N, C, L] to a length. @see https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool1d.html */
export class AdaptiveAvgPool1d extends AdaptiveLayer<AdaptiveSize1> {
  constructor(outputSize: AdaptiveSize1) {
    super("AdaptiveAvgPool1d", outputSize, 1);
  }
  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool1d(x, this.outputSize);
  }
}

/** Averages [N, C, D, H, W] to sizes. @see https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool3d.html */
export class AdaptiveAvgPool3d extends AdaptiveLayer<AdaptiveSize3> {
  constructor(outputSize: AdaptiveSize3) {
    super("AdaptiveAvgPool3d", outputSize, 3);
  }
  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool3d(x, this.outputSize);
  }
}

/** The largest elements of as many windows of [N, C, L]. @see https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool1d.html */
export class AdaptiveMaxPool1d<R extends boolean = false> extends AdaptiveLayer<AdaptiveSize1, Pooled<R>> {
  /** Whether positions come along, as given. */
  readonly options: IndicesOption<R>;

  constructor(outputSize: AdaptiveSize1, options: IndicesOption<R> = {}) {
    super("AdaptiveMaxPool1d", outputSize, 1);
    checkOptions("AdaptiveMaxPool1d", options, ["returnIndices"]);
    this.options = options;
  }
  override forward(x: Tensor): Pooled<R> {
    return adaptiveMaxPool1d(x, this.outputSize, this.options);
  }
}

/** The largest elements of as many windows of [N, C, H, W]. @see https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool2d.html */
export class AdaptiveMaxPool2d<R extends boolean = false> extends AdaptiveLayer<AdaptiveSize2, Pooled<R>> {
  /** Whether positions come along, as given. */
  readonly options: IndicesOption<R>;

  constructor(outputSize: AdaptiveSize2, options: IndicesOption<R> = {}) {
    super("AdaptiveMaxPool2d", outputSize, 2);
    checkOptions("AdaptiveMaxPool2d", options, ["returnIndices"]);
    this.options = options;
  }
  override forward(x: Tensor): Pooled<R> {
    return adaptiveMaxPool2d(x, this.outputSize, this.options);
  }
}
