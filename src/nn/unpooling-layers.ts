// Max unpooling layers: what undoes max pooling, as far as it can be.
import { checkOptions } from "../errors.ts";
import { type Size1, type Size2, type Size3, type SizeN, spread } from "../ops/spatial.ts";
import { MAX_UNPOOL_OPTIONS, type MaxUnpoolOptions, maxUnpool1d, maxUnpool2d, maxUnpool3d } from "../ops/unpool.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

type UnpoolLayerOptions<S extends SizeN> = Pick<MaxUnpoolOptions<S>, "stride" | "padding">;

/** Of maxima, their indices, and the result's sizes where several pool to the input's. */
abstract class UnpoolLayer<S extends SizeN> extends Module<
  readonly [x: Tensor, indices: Tensor, outputSize?: readonly number[]]
> {
  /** A window's size along each dimension; one number for all. */
  readonly kernelSize: S;
  /** Stride and padding of pooling, as given. */
  readonly options: UnpoolLayerOptions<S>;

  constructor(name: string, kernelSize: S, options: UnpoolLayerOptions<S>, dims: number) {
    super();
    checkOptions(name, options, MAX_UNPOOL_OPTIONS);
    spread(name, "kernelSize", kernelSize, dims, 1);
    this.kernelSize = kernelSize;
    this.options = options;
  }

  protected given(outputSize?: readonly number[]): MaxUnpoolOptions<S> {
    return outputSize === undefined ? this.options : { ...this.options, outputSize };
  }

  override describe(): string {
    const options = Object.entries(this.options).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
    return [JSON.stringify(this.kernelSize), ...options].join(", ");
  }
}

/** Puts maxima of [N, C, L] back where `MaxPool1d` found them. @see https://pytorch.org/docs/stable/generated/torch.nn.MaxUnpool1d.html */
export class MaxUnpool1d extends UnpoolLayer<Size1> {
  constructor(kernelSize: Size1, options: UnpoolLayerOptions<Size1> = {}) {
    super("MaxUnpool1d", kernelSize, options, 1);
  }
  override forward(x: Tensor, indices: Tensor, outputSize?: readonly number[]): Tensor {
    return maxUnpool1d(x, indices, this.kernelSize, this.given(outputSize));
  }
}

/** Puts maxima of [N, C, H, W] back where `MaxPool2d` found them. @see https://pytorch.org/docs/stable/generated/torch.nn.MaxUnpool2d.html */
export class MaxUnpool2d extends UnpoolLayer<Size2> {
  constructor(kernelSize: Size2, options: UnpoolLayerOptions<Size2> = {}) {
    super("MaxUnpool2d", kernelSize, options, 2);
  }
  override forward(x: Tensor, indices: Tensor, outputSize?: readonly number[]): Tensor {
    return maxUnpool2d(x, indices, this.kernelSize, this.given(outputSize));
  }
}

/** Puts maxima of [N, C, D, H, W] back where `MaxPool3d` found them. @see https://pytorch.org/docs/stable/generated/torch.nn.MaxUnpool3d.html */
export class MaxUnpool3d extends UnpoolLayer<Size3> {
  constructor(kernelSize: Size3, options: UnpoolLayerOptions<Size3> = {}) {
    super("MaxUnpool3d", kernelSize, options, 3);
  }
  override forward(x: Tensor, indices: Tensor, outputSize?: readonly number[]): Tensor {
    return maxUnpool3d(x, indices, this.kernelSize, this.given(outputSize));
  }
}
