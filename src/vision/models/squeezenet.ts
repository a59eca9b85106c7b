// SqueezeNet 1.0 and 1.1; torchvision's names and shapes.
import { ReLU } from "../../nn/activation-layers.ts";
import { Dropout } from "../../nn/basic-layers.ts";
import { chain } from "../../nn/chain.ts";
import { Sequential } from "../../nn/containers.ts";
import { Conv2d } from "../../nn/conv-layers.ts";
import { constant_, kaimingUniform_, normal_ } from "../../nn/initialization.ts";
import { Module } from "../../nn/module.ts";
import { AdaptiveAvgPool2d, MaxPool2d } from "../../nn/pooling-layers.ts";
import { cat } from "../../ops/cat.ts";
import { flatten } from "../../ops/view.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type DropoutOptions, droppedOf } from "./options.ts";
import type { SmallImageRules } from "./small-images.ts";

/** A 1x1 convolution to few channels, and from them 1x1 and 3x3 ones side by side: x: [N, inChannels, H, W] to [N, 2 expand, H, W]. */
export class Fire extends Module {
  readonly squeeze: Conv2d;
  readonly expand1x1: Conv2d;
  readonly expand3x3: Conv2d;
  readonly activation = new ReLU();

  constructor(inChannels: number, squeeze: number, expand: number) {
    super();
    this.squeeze = new Conv2d(inChannels, squeeze, 1);
    this.expand1x1 = new Conv2d(squeeze, expand, 1);
    this.expand3x3 = new Conv2d(squeeze, expand, 3, { padding: 1 });
  }

  override forward(x: Tensor): Tensor {
    const { activation } = this;
    return scope(() => {
      const y = activation.forward(this.squeeze.forward(x));
      return cat(
        [this.expand1x1, this.expand3x3].map((conv) => activation.forward(conv.forward(y))),
        1,
      );
    });
  }
}

const pool = () => new MaxPool2d(3, { stride: 2, ceilMode: true });

const features = {
  "1.0": () => [
    new Conv2d(3, 96, 7, { stride: 2 }),
    new ReLU(),
    pool(),
    new Fire(96, 16, 64),
    new Fire(128, 16, 64),
    new Fire(128, 32, 128),
    pool(),
    new Fire(256, 32, 128),
    new Fire(256, 48, 192),
    new Fire(384, 48, 192),
    new Fire(384, 64, 256),
    pool(),
    new Fire(512, 64, 256),
  ],
  1.1: () => [
    new Conv2d(3, 64, 3, { stride: 2 }),
    new ReLU(),
    pool(),
    new Fire(64, 16, 64),
    new Fire(128, 16, 64),
    pool(),
    new Fire(128, 32, 128),
    new Fire(256, 32, 128),
    pool(),
    new Fire(256, 48, 192),
    new Fire(384, 48, 192),
    new Fire(384, 64, 256),
    new Fire(512, 64, 256),
  ],
} as const;

/**
 * Fire modules, and a 1x1 convolution for the classes: x: [N, 3, H, W] (at least 21x21) to logits [N, numClasses].
 * @see https://arxiv.org/abs/1602.07360 and https://pytorch.org/vision/stable/models/squeezenet.html
 */
export class SqueezeNet extends Module {
  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor(version: keyof typeof features, { numClasses, dropout }: Required<DropoutOptions>) {
    super();
    this.features = new Sequential(...features[version]());
    const last = new Conv2d(512, numClasses, 1);
    this.classifier = new Sequential(new Dropout(dropout), last, new ReLU(), new AdaptiveAvgPool2d(1));
    for (const module of this.modules()) {
      if (!(module instanceof Conv2d)) continue;
      if (module === last) normal_(module.weight, 0, 0.01);
      else kaimingUniform_(module.weight);
      if (module.bias) constant_(module.bias, 0);
    }
  }

  /** The path of the layer that names the classes. */
  get head(): string {
    return "classifier.1";
  }

  /** What images of 32x32 need: see `adaptToSmallImages`. */
  get smallImages(): SmallImageRules {
    return { stems: ["features.0"], dropped: ["features.2"], lastMap: 8 };
  }

  override forward(x: Tensor): Tensor {
    return chain(x, [this.features, this.classifier, (t) => flatten(t, 1)]);
  }
}

const make =
  (name: string, version: keyof typeof features) =>
  (options: DropoutOptions = {}): SqueezeNet =>
    new SqueezeNet(version, droppedOf(name, options));

/** SqueezeNet 1.0, 1.25 million parameters. */
export const squeezenet1_0 = make("squeezenet1_0", "1.0");
/** SqueezeNet 1.1, 1.24 million parameters and 2.4 times less arithmetic. */
export const squeezenet1_1 = make("squeezenet1_1", 1.1);
