// ResNet with 18 to 152 layers, ResNeXt and Wide ResNet; torchvision's names and shapes.

import { check, checkOptions, checkWhole, told, ValueError } from "../../errors.ts";
import { ReLU } from "../../nn/activation-layers.ts";
import { chain } from "../../nn/chain.ts";
import { Sequential } from "../../nn/containers.ts";
import { Conv2d } from "../../nn/conv-layers.ts";
import { kaimingNormal_ } from "../../nn/initialization.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { Module } from "../../nn/module.ts";
import { BatchNorm2d } from "../../nn/norm-layers.ts";
import { AdaptiveAvgPool2d, MaxPool2d } from "../../nn/pooling-layers.ts";
import { binary } from "../../ops/binary.ts";
import { add } from "../../ops/binary-rows.ts";
import { flatten } from "../../ops/view.ts";
import { scope } from "../../tensor/scope.ts";
import { checkList } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { SmallImageRules } from "./small-images.ts";

const conv3x3 = (inChannels: number, outChannels: number, stride = 1, groups = 1): Conv2d =>
  new Conv2d(inChannels, outChannels, 3, { stride, padding: 1, groups, bias: false });
const conv1x1 = (inChannels: number, outChannels: number, stride = 1): Conv2d =>
  new Conv2d(inChannels, outChannels, 1, { stride, bias: false });

/** How wide the middle of a bottleneck is. */
export interface BlockWidth {
  /** Groups of its 3x3 convolution. Default 1; ResNeXt has more. */
  groups?: number;
  /** Channels of a group where the block has 64. Default 64. */
  widthPerGroup?: number;
}

/** Two 3x3 convolutions and a shortcut: x: [N, inChannels, H, W] to [N, channels, H / stride, W / stride]. */
export class BasicBlock extends Module {
  /** Channels of the result for each of `channels`. */
  static readonly expansion = 1;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly relu = new ReLU();
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Sequential | null;

  constructor(
    inChannels: number,
    channels: number,
    stride: number,
    downsample: Sequential | null,
    { groups = 1, widthPerGroup = 64 }: BlockWidth = {},
  ) {
    check(
      groups === 1 && widthPerGroup === 64,
      () => "[BasicBlock] has no groups and one width: use Bottleneck",
      ValueError,
    );
    super();
    this.conv1 = conv3x3(inChannels, channels, stride);
    this.bn1 = new BatchNorm2d(channels);
    this.conv2 = conv3x3(channels, channels);
    this.bn2 = new BatchNorm2d(channels);
    this.downsample = downsample;
  }

  override forward(x: Tensor): Tensor {
    return scope(() => {
      const identity = this.downsample?.forward(x) ?? x;
      const y = chain(x, [this.conv1, this.bn1, this.relu, this.conv2, this.bn2]);
      return this.relu.forward(binary(add, y, identity));
    });
  }
}

/** 1x1, 3x3 and 1x1 convolutions and a shortcut: x: [N, inChannels, H, W] to [N, 4 channels, H / stride, W / stride]. */
export class Bottleneck extends Module {
  /** Channels of the result for each of `channels`. */
  static readonly expansion = 4;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly relu = new ReLU();
  readonly downsample: Sequential | null;

  constructor(
    inChannels: number,
    channels: number,
    stride: number,
    downsample: Sequential | null,
    { groups = 1, widthPerGroup = 64 }: BlockWidth = {},
  ) {
    super();
    checkWhole("Bottleneck", "channels", channels, 1);
    const outChannels = channels * Bottleneck.expansion;
    const width = Math.floor((channels * widthPerGroup) / 64) * groups;
    this.conv1 = conv1x1(inChannels, width);
    this.bn1 = new BatchNorm2d(width);
    this.conv2 = conv3x3(width, width, stride, groups);
    this.bn2 = new BatchNorm2d(width);
    this.conv3 = conv1x1(width, outChannels);
    this.bn3 = new BatchNorm2d(outChannels);
    this.downsample = downsample;
  }

  override forward(x: Tensor): Tensor {
    return scope(() => {
      const identity = this.downsample?.forward(x) ?? x;
      const y = chain(x, [this.conv1, this.bn1, this.relu, this.conv2, this.bn2, this.relu, this.conv3, this.bn3]);
      return this.relu.forward(binary(add, y, identity));
    });
  }
}

/** What the residual networks take. */
export interface ResNetOptions {
  /** Outputs of the last layer. Default 1000. */
  numClasses?: number;
}

/**
 * A residual network: x: [N, 3, H, W] to logits [N, numClasses].
 * @see https://arxiv.org/abs/1512.03385 and https://pytorch.org/vision/stable/models/resnet.html
 */
export class ResNet extends Module {
  conv1 = new Conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false });
  readonly bn1 = new BatchNorm2d(64);
  readonly relu = new ReLU();
  maxpool: Module = new MaxPool2d(3, { stride: 2, padding: 1 });
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d(1);
  fc: Linear;

  constructor(
    Block: typeof BasicBlock | typeof Bottleneck,
    depths: readonly [number, number, number, number],
    options: ResNetOptions = {},
    width: BlockWidth = {},
  ) {
    checkOptions("ResNet", options, ["numClasses"]);
    checkOptions("ResNet", width, ["groups", "widthPerGroup"]);
    const { numClasses = 1000 } = options;
    checkWhole("ResNet", "numClasses", numClasses, 1);
    check(
      typeof Block === "function" && Block.prototype instanceof Module,
      () => `[ResNet] got ${told(Block)} in the place of BasicBlock or Bottleneck`,
      ValueError,
    );
    checkList("ResNet", "depths are four numbers of blocks", depths);
    for (const i of [0, 1, 2, 3]) checkWhole("ResNet", `depth ${i}`, depths[i], 1);
    super();
    let inChannels = 64;
    const layer = (channels: number, depth: number, stride: number): Sequential => {
      const blocks = new Sequential();
      const outChannels = channels * Block.expansion;
      for (let i = 0; i < depth; i++) {
        const step = i === 0 ? stride : 1;
        const downsample =
          step !== 1 || inChannels !== outChannels
            ? new Sequential(conv1x1(inChannels, outChannels, step), new BatchNorm2d(outChannels))
            : null;
        blocks.append(new Block(inChannels, channels, step, downsample, width));
        inChannels = outChannels;
      }
      return blocks;
    };
    this.layer1 = layer(64, depths[0], 1);
    this.layer2 = layer(128, depths[1], 2);
    this.layer3 = layer(256, depths[2], 2);
    this.layer4 = layer(512, depths[3], 2);
    this.fc = new Linear(inChannels, numClasses);
    for (const module of this.modules()) {
      if (module instanceof Conv2d) kaimingNormal_(module.weight, { mode: "fanOut", nonlinearity: "relu" });
    }
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
    return chain(x, [
      this.conv1,
      this.bn1,
      this.relu,
      this.maxpool,
      this.layer1,
      this.layer2,
      this.layer3,
      this.layer4,
      this.avgpool,
      (t) => flatten(t, 1),
      this.fc,
    ]);
  }
}

/** ResNet-18, 11.7 million parameters. Convolutions start with Kaiming's normal numbers. */
export const resnet18 = (options: ResNetOptions = {}): ResNet => new ResNet(BasicBlock, [2, 2, 2, 2], options);
/** ResNet-34, 21.8 million parameters. */
export const resnet34 = (options: ResNetOptions = {}): ResNet => new ResNet(BasicBlock, [3, 4, 6, 3], options);
/** ResNet-50, 25.6 million parameters. */
export const resnet50 = (options: ResNetOptions = {}): ResNet => new ResNet(Bottleneck, [3, 4, 6, 3], options);
/** ResNet-101, 44.5 million parameters. */
export const resnet101 = (options: ResNetOptions = {}): ResNet => new ResNet(Bottleneck, [3, 4, 23, 3], options);
/** ResNet-152, 60.2 million parameters. */
export const resnet152 = (options: ResNetOptions = {}): ResNet => new ResNet(Bottleneck, [3, 8, 36, 3], options);
/** ResNeXt-50 of 32 groups of 4 channels, 25.0 million parameters. @see https://arxiv.org/abs/1611.05431 */
export const resnext50_32x4d = (options: ResNetOptions = {}): ResNet =>
  new ResNet(Bottleneck, [3, 4, 6, 3], options, { groups: 32, widthPerGroup: 4 });
/** ResNeXt-101 of 32 groups of 8 channels, 88.8 million parameters. @see https://arxiv.org/abs/1611.05431 */
export const resnext101_32x8d = (options: ResNetOptions = {}): ResNet =>
  new ResNet(Bottleneck, [3, 4, 23, 3], options, { groups: 32, widthPerGroup: 8 });
/** ResNeXt-101 of 64 groups of 4 channels, 83.5 million parameters. @see https://arxiv.org/abs/1611.05431 */
export const resnext101_64x4d = (options: ResNetOptions = {}): ResNet =>
  new ResNet(Bottleneck, [3, 4, 23, 3], options, { groups: 64, widthPerGroup: 4 });
/** Wide ResNet-50, twice as wide inside of its blocks, 68.9 million parameters. @see https://arxiv.org/abs/1605.07146 */
export const wideResnet50_2 = (options: ResNetOptions = {}): ResNet =>
  new ResNet(Bottleneck, [3, 4, 6, 3], options, { widthPerGroup: 128 });
/** Wide ResNet-101, twice as wide inside of its blocks, 126.9 million parameters. @see https://arxiv.org/abs/1605.07146 */
export const wideResnet101_2 = (options: ResNetOptions = {}): ResNet =>
  new ResNet(Bottleneck, [3, 4, 23, 3], options, { widthPerGroup: 128 });
