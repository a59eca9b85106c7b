// ShuffleNetV2; torchvision's names and shapes.
import { ReLU } from "../../nn/activation-layers.ts";
import { chain } from "../../nn/chain.ts";
import { Sequential } from "../../nn/containers.ts";
import { Conv2d } from "../../nn/conv-layers.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { Module } from "../../nn/module.ts";
import { BatchNorm2d } from "../../nn/norm-layers.ts";
import { MaxPool2d } from "../../nn/pooling-layers.ts";
import { cat, chunk } from "../../ops/cat.ts";
import { transpose } from "../../ops/movement.ts";
import { mean } from "../../ops/reduce.ts";
import { reshape } from "../../ops/view.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { classesOf, type ModelOptions } from "./options.ts";
import type { SmallImageRules } from "./small-images.ts";

/** Channels of two halves in turn. */
function shuffled(x: Tensor): Tensor {
  const [n = 0, channels = 0, height = 0, width = 0] = x.shape;
  return reshape(transpose(reshape(x, [n, 2, channels / 2, height, width]), 1, 2), [n, channels, height, width]);
}

const pointwise = (from: number, to: number) => [
  new Conv2d(from, to, 1, { bias: false }),
  new BatchNorm2d(to),
  new ReLU(),
];
const depthwise = (channels: number, stride: number) => [
  new Conv2d(channels, channels, 3, { stride, padding: 1, groups: channels, bias: false }),
  new BatchNorm2d(channels),
];

/** Half the channels pass by, or, where the map halves, go through a branch of their own; then halves are shuffled. */
class ShuffleBlock extends Module {
  readonly branch1: Sequential;
  readonly branch2: Sequential;
  private readonly halves: boolean;

  constructor(inChannels: number, outChannels: number, stride: number) {
    super();
    const half = outChannels / 2;
    this.branch1 =
      stride > 1 ? new Sequential(...depthwise(inChannels, stride), ...pointwise(inChannels, half)) : new Sequential();
    this.branch2 = new Sequential(
      ...pointwise(stride > 1 ? inChannels : half, half),
      ...depthwise(half, stride),
      ...pointwise(half, half),
    );
    this.halves = stride === 1;
  }

  override forward(x: Tensor): Tensor {
    return scope(() => {
      const [left = x, right = x] = this.halves ? chunk(x, 2, 1) : [x, x];
      return shuffled(cat([this.halves ? left : this.branch1.forward(left), this.branch2.forward(right)], 1));
    });
  }
}

/**
 * Stages of shuffled halves: x: [N, 3, H, W] to logits [N, numClasses].
 * @see https://arxiv.org/abs/1807.11164 and https://pytorch.org/vision/stable/models/shufflenetv2.html
 */
export class ShuffleNetV2 extends Module {
  readonly conv1: Sequential;
  readonly maxpool: Module = new MaxPool2d(3, { stride: 2, padding: 1 });
  readonly stage2: Sequential;
  readonly stage3: Sequential;
  readonly stage4: Sequential;
  readonly conv5: Sequential;
  readonly fc: Linear;

  constructor(channels: readonly [number, number, number, number], numClasses: number) {
    super();
    const [second, third, fourth, last] = channels;
    this.conv1 = new Sequential(
      new Conv2d(3, 24, 3, { stride: 2, padding: 1, bias: false }),
      new BatchNorm2d(24),
      new ReLU(),
    );
    const stage = (from: number, to: number, repeats: number) =>
      new Sequential(
        new ShuffleBlock(from, to, 2),
        ...Array.from({ length: repeats - 1 }, () => new ShuffleBlock(to, to, 1)),
      );
    this.stage2 = stage(24, second, 4);
    this.stage3 = stage(second, third, 8);
    this.stage4 = stage(third, fourth, 4);
    this.conv5 = new Sequential(...pointwise(fourth, last));
    this.fc = new Linear(last, numClasses);
  }

  /** The path of the layer that names the classes. */
  get head(): string {
    return "fc";
  }

  /** What images of 32x32 need: see `adaptToSmallImages`. */
  get smallImages(): SmallImageRules {
    return { stems: ["conv1"], dropped: ["maxpool"], lastMap: 4 };
  }

  override forward(x: Tensor): Tensor {
    const { conv1, maxpool, stage2, stage3, stage4, conv5, fc } = this;
    return chain(x, [conv1, maxpool, stage2, stage3, stage4, conv5, (t) => mean(t, [2, 3]), fc]);
  }
}

const make =
  (name: string, channels: readonly [number, number, number, number]) =>
  (options: ModelOptions = {}): ShuffleNetV2 =>
    new ShuffleNetV2(channels, classesOf(name, options));

/** ShuffleNetV2 of half the width, 1.4 million parameters. */
export const shufflenetV2X0_5 = make("shufflenetV2X0_5", [48, 96, 192, 1024]);
/** ShuffleNetV2, 2.3 million parameters. */
export const shufflenetV2X1_0 = make("shufflenetV2X1_0", [116, 232, 464, 1024]);
/** ShuffleNetV2 of one and a half times the width, 3.5 million parameters. */
export const shufflenetV2X1_5 = make("shufflenetV2X1_5", [176, 352, 704, 1024]);
/** ShuffleNetV2 of twice the width, 7.4 million parameters. */
export const shufflenetV2X2_0 = make("shufflenetV2X2_0", [244, 488, 976, 2048]);
