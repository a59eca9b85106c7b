// What the Inception families share: a convolution with its norm, branches side by side, their options, and how they begin.
import { check, checkNumber, told, ValueError } from "../../errors.ts";
import { ReLU } from "../../nn/activation-layers.ts";
import { chain, type Step } from "../../nn/chain.ts";
import { Conv2d } from "../../nn/conv-layers.ts";
import { normal_ } from "../../nn/initialization.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { type AnyModule, Module } from "../../nn/module.ts";
import { BatchNorm2d } from "../../nn/norm-layers.ts";
import { add, mul } from "../../ops/arithmetic.ts";
import { cat, split } from "../../ops/cat.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { IMAGENET_MEAN, IMAGENET_STD } from "../transforms.ts";
import { classesOf, type DropoutOptions } from "./options.ts";

type Size = number | readonly [number, number];

/** A convolution without bias, its norm (eps 0.001) and ReLU: x: [N, inChannels, H, W] to [N, outChannels, H', W']. */
export class BasicConv2d extends Module {
  readonly conv: Conv2d;
  readonly bn: BatchNorm2d;
  private readonly relu = new ReLU();

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size,
    options: { stride?: number; padding?: Size } = {},
  ) {
    super();
    this.conv = new Conv2d(inChannels, outChannels, kernelSize, { ...options, bias: false });
    this.bn = new BatchNorm2d(outChannels, { eps: 0.001 });
  }

  override forward(x: Tensor): Tensor {
    return chain(x, [this.conv, this.bn, this.relu]);
  }
}

/** A convolution that keeps the size of the map. */
export const same = (inChannels: number, outChannels: number, kernelSize: Size): BasicConv2d => {
  const [rows, columns] = typeof kernelSize === "number" ? [kernelSize, kernelSize] : kernelSize;
  return new BasicConv2d(inChannels, outChannels, kernelSize, { padding: [(rows - 1) / 2, (columns - 1) / 2] });
};

/** What each branch makes of x, channels one behind the other: [N, C, H, W] to [N, sum of the branches' channels, H', W']. */
export const sideBySide = (x: Tensor, branches: readonly (readonly Step[])[]): Tensor =>
  scope(() =>
    cat(
      branches.map((steps) => chain(x, steps)),
      1,
    ),
  );

/** Images normalized by ImageNet's mean and deviation, as if by 0.5 and 0.5: x: [N, 3, H, W]. */
export const renormalized = (x: Tensor): Tensor =>
  scope(() =>
    cat(
      split(x, 1, 1).map((channel, i) =>
        add(mul(channel, (IMAGENET_STD[i] ?? 0) / 0.5), ((IMAGENET_MEAN[i] ?? 0) - 0.5) / 0.5),
      ),
      1,
    ),
  );

/** What the Inception families with auxiliary heads take. */
export interface InceptionOptions extends DropoutOptions {
  /** Whether there are auxiliary heads, whose logits come with the others in training. Default true. */
  auxLogits?: boolean;
  /**
   * Whether images come normalized by ImageNet's mean and deviation, and are to be as the weights of TensorFlow want them, by 0.5
   * and 0.5. Set it for torchvision's pretrained weights. Default false.
   */
  transformInput?: boolean;
  /** Whether weights start as torchvision's truncated normal numbers, or else as those of any layer. Default true. */
  initWeights?: boolean;
}

const FLAGS = { auxLogits: true, transformInput: false, initWeights: true };

/** Options with defaults filled in, checked before the model takes its memory. */
export function inceptionOptions(
  name: string,
  options: InceptionOptions,
  most: number,
  more: readonly string[] = [],
): Required<InceptionOptions> {
  const numClasses = classesOf(name, options, ["numClasses", "dropout", ...Object.keys(FLAGS), ...more]);
  const { dropout = most, ...rest } = options;
  checkNumber(name, "dropout", dropout, 0, 1);
  const flags = { ...FLAGS };
  for (const flag of ["auxLogits", "transformInput", "initWeights"] as const) {
    const value: unknown = rest[flag] ?? FLAGS[flag];
    check(typeof value === "boolean", () => `[${name}] ${flag} must be true or false, got ${told(value)}`, ValueError);
    flags[flag] = value;
  }
  return { numClasses, dropout, ...flags };
}

/**
 * Normal weights, of a deviation that may depend on the layer: at most 0.1, so that torchvision's cut at -2 and 2 is 20 deviations
 * away, where no draw comes. Norms start as they do anyway.
 */
export function initNormal(model: AnyModule, stdOf: (layer: Conv2d | Linear) => number): void {
  for (const layer of model.modules())
    if (layer instanceof Conv2d || layer instanceof Linear) normal_(layer.weight, 0, stdOf(layer));
}
