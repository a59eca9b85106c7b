// Inception-ResNet v2; timm's names and shapes.
import { ReLU } from "../../nn/activation-layers.ts";
import { Dropout } from "../../nn/basic-layers.ts";
import { chain } from "../../nn/chain.ts";
import { Sequential } from "../../nn/containers.ts";
import { Conv2d } from "../../nn/conv-layers.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { Module } from "../../nn/module.ts";
import { AdaptiveAvgPool2d, AvgPool2d, MaxPool2d } from "../../nn/pooling-layers.ts";
import { add, mul } from "../../ops/arithmetic.ts";
import { flatten } from "../../ops/view.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { BasicConv2d, same, sideBySide } from "./inception-parts.ts";
import { type DropoutOptions, droppedOf } from "./options.ts";
import type { SmallImageRules } from "./small-images.ts";

const conv = (from: number, to: number, kernelSize: number, stride = 1) =>
  new BasicConv2d(from, to, kernelSize, { stride });

/** Two to four branches side by side. */
class Branches extends Module {
  readonly branch0: Module;
  readonly branch1: Module;
  readonly branch2: Module | null;
  readonly branch3: Module | null;

  constructor(branch0: Module, branch1: Module, branch2: Module | null = null, branch3: Module | null = null) {
    super();
    this.branch0 = branch0;
    this.branch1 = branch1;
    this.branch2 = branch2;
    this.branch3 = branch3;
  }

  override forward(x: Tensor): Tensor {
    const { branch0, branch1, branch2, branch3 } = this;
    return sideBySide(
      x,
      [branch0, branch1, branch2, branch3].flatMap((branch) => (branch ? [[branch]] : [])),
    );
  }
}

/** How a residual block ends. */
interface ResidualOptions {
  /** Channels of all branches. */
  readonly from: number;
  /** Channels of the block's input and result. */
  readonly to: number;
  /** Factor of what the branches add. Default 1. */
  readonly scale?: number;
  /** Whether a ReLU is the end. Default true. */
  readonly activated?: boolean;
}

/** Branches, a 1x1 convolution of all of them, and its result times `scale` added to x: [N, to, H, W], of the same shape. */
class Residual extends Branches {
  readonly conv2d: Conv2d;
  private readonly relu: ReLU | null;
  private readonly scale: number;

  constructor(
    { from, to, scale = 1, activated = true }: ResidualOptions,
    ...branches: readonly [Module, Module, Module?]
  ) {
    super(...branches);
    this.conv2d = new Conv2d(from, to, 1);
    this.relu = activated ? new ReLU() : null;
    this.scale = scale;
  }

  override forward(x: Tensor): Tensor {
    return scope(() => {
      const y = this.conv2d.forward(super.forward(x));
      const sum = add(this.scale === 1 ? y : mul(y, this.scale), x);
      return this.relu ? this.relu.forward(sum) : sum;
    });
  }
}

/** 35x35 maps of 192 channels to 320. */
const mixed5b = () =>
  new Branches(
    same(192, 96, 1),
    new Sequential(same(192, 48, 1), same(48, 64, 5)),
    new Sequential(same(192, 64, 1), same(64, 96, 3), same(96, 96, 3)),
    new Sequential(new AvgPool2d(3, { stride: 1, padding: 1, countIncludePad: false }), same(192, 64, 1)),
  );

/** 35x35 maps of 320 channels to 17x17 of 1088. */
const mixed6a = () =>
  new Branches(
    conv(320, 384, 3, 2),
    new Sequential(same(320, 256, 1), same(256, 256, 3), conv(256, 384, 3, 2)),
    new MaxPool2d(3, { stride: 2 }),
  );

/** 17x17 maps of 1088 channels to 8x8 of 2080. */
const mixed7a = () =>
  new Branches(
    new Sequential(same(1088, 256, 1), conv(256, 384, 3, 2)),
    new Sequential(same(1088, 256, 1), conv(256, 288, 3, 2)),
    new Sequential(same(1088, 256, 1), same(256, 288, 3), conv(288, 320, 3, 2)),
    new MaxPool2d(3, { stride: 2 }),
  );

/** On 35x35 maps. */
const block35 = () =>
  new Residual(
    { from: 128, to: 320, scale: 0.17 },
    same(320, 32, 1),
    new Sequential(same(320, 32, 1), same(32, 32, 3)),
    new Sequential(same(320, 32, 1), same(32, 48, 3), same(48, 64, 3)),
  );

/** On 17x17 maps. */
const block17 = () =>
  new Residual(
    { from: 384, to: 1088, scale: 0.1 },
    same(1088, 192, 1),
    new Sequential(same(1088, 128, 1), same(128, 160, [1, 7]), same(160, 192, [7, 1])),
  );

/** On 8x8 maps. */
const block8 = (options: { scale?: number; activated?: boolean }) =>
  new Residual(
    { from: 448, to: 2080, ...options },
    same(2080, 192, 1),
    new Sequential(same(2080, 192, 1), same(192, 224, [1, 3]), same(224, 256, [3, 1])),
  );

const repeated = (times: number, block: () => Module) => new Sequential(...Array.from({ length: times }, block));

/**
 * Inception blocks with shortcuts: x: [N, 3, H, W] (at least 75x75) to logits [N, numClasses].
 * @see https://arxiv.org/abs/1602.07261 and https://huggingface.co/timm/inception_resnet_v2.tf_in1k
 */
export class InceptionResnetV2 extends Module {
  readonly conv2d_1a = conv(3, 32, 3, 2);
  readonly conv2d_2a = conv(32, 32, 3);
  readonly conv2d_2b = same(32, 64, 3);
  readonly maxpool_3a: Module = new MaxPool2d(3, { stride: 2 });
  readonly conv2d_3b = same(64, 80, 1);
  readonly conv2d_4a = conv(80, 192, 3);
  readonly maxpool_5a = new MaxPool2d(3, { stride: 2 });
  readonly mixed_5b = mixed5b();
  readonly repeat = repeated(10, block35);
  readonly mixed_6a = mixed6a();
  readonly repeat_1 = repeated(20, block17);
  readonly mixed_7a = mixed7a();
  readonly repeat_2 = repeated(9, () => block8({ scale: 0.2 }));
  readonly block8 = block8({ activated: false });
  readonly conv2d_7b = same(2080, 1536, 1);
  readonly classif: Linear;
  private readonly pool = new AdaptiveAvgPool2d(1);
  private readonly drop: Dropout;

  constructor(options: DropoutOptions = {}) {
    const { numClasses, dropout } = droppedOf("inceptionResnetV2", options, 0);
    super();
    this.classif = new Linear(1536, numClasses);
    this.drop = new Dropout(dropout);
  }

  /** The path of the layer that names the classes. */
  get head(): string {
    return "classif";
  }

  /** What images of 32x32 need: see `adaptToSmallImages`. */
  get smallImages(): SmallImageRules {
    return { stems: ["conv2d_1a", "conv2d_2a", "conv2d_4a"], dropped: ["maxpool_3a"], lastMap: 3 };
  }

  override forward(x: Tensor): Tensor {
    return chain(x, [
      this.conv2d_1a,
      this.conv2d_2a,
      this.conv2d_2b,
      this.maxpool_3a,
      this.conv2d_3b,
      this.conv2d_4a,
      this.maxpool_5a,
      this.mixed_5b,
      this.repeat,
      this.mixed_6a,
      this.repeat_1,
      this.mixed_7a,
      this.repeat_2,
      this.block8,
      this.conv2d_7b,
      this.pool,
      (t) => flatten(t, 1),
      this.drop,
      this.classif,
    ]);
  }
}

/** Inception-ResNet v2, 55.8 million parameters. Made for images of 299x299, normalized by 0.5 and 0.5; without dropout by default. */
export const inceptionResnetV2 = (options: DropoutOptions = {}): InceptionResnetV2 => new InceptionResnetV2(options);
