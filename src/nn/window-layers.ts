// Unfold and Fold: images to the columns of their windows, and back.
import { checkOptions } from "../errors.ts";
import type { Size2 } from "../ops/spatial.ts";
import { fold, UNFOLD_OPTIONS, type UnfoldOptions, unfold } from "../ops/unfold.ts";
import { pair } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

const described = (sizes: readonly unknown[], options: object): string =>
  [
    ...sizes.map((size) => JSON.stringify(size)),
    ...Object.entries(options).map(([name, value]) => `${name}: ${JSON.stringify(value)}`),
  ].join(", ");

/**
 * The windows of images [N, C, H, W] as columns [N, C * kernel area, windows].
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Unfold.html
 */
export class Unfold extends Module {
  /** Rows and columns of a window; one number for both. */
  readonly kernelSize: Size2;
  /** Stride, padding and dilation, as given. */
  readonly options: UnfoldOptions;

  constructor(kernelSize: Size2, options: UnfoldOptions = {}) {
    super();
    checkOptions("Unfold", options, UNFOLD_OPTIONS);
    pair("Unfold", "kernelSize", kernelSize, 1);
    this.kernelSize = kernelSize;
    this.options = options;
  }

  override forward(x: Tensor): Tensor {
    return unfold(x, this.kernelSize, this.options);
  }

  override describe(): string {
    return described([this.kernelSize], this.options);
  }
}

/**
 * Columns of windows [N, C * kernel area, windows], added up where they overlap, as images [N, C, ...outputSize].
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Fold.html
 */
export class Fold extends Module {
  /** Rows and columns of the images; one number for both. */
  readonly outputSize: Size2;
  /** Rows and columns of a window; one number for both. */
  readonly kernelSize: Size2;
  /** Stride, padding and dilation, as given. */
  readonly options: UnfoldOptions;

  constructor(outputSize: Size2, kernelSize: Size2, options: UnfoldOptions = {}) {
    super();
    checkOptions("Fold", options, UNFOLD_OPTIONS);
    pair("Fold", "outputSize", outputSize, 1);
    pair("Fold", "kernelSize", kernelSize, 1);
    this.outputSize = outputSize;
    this.kernelSize = kernelSize;
    this.options = options;
  }

  override forward(x: Tensor): Tensor {
    return fold(x, this.outputSize, this.kernelSize, this.options);
  }

  override describe(): string {
    return described([this.outputSize, this.kernelSize], this.options);
  }
}
