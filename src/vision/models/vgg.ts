// VGG with 11, 13, 16 and 19 layers, with and without batch norm; torchvision's names and shapes.
import { ReLU } from "../../nn/activation-layers.ts";
import { Dropout } from "../../nn/basic-layers.ts";
import { chain } from "../../nn/chain.ts";
import { Sequential } from "../../nn/containers.ts";
import { Conv2d } from "../../nn/conv-layers.ts";
import { constant_, kaimingNormal_, normal_ } from "../../nn/initialization.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { Module } from "../../nn/module.ts";
import { BatchNorm2d } from "../../nn/norm-layers.ts";
import { AdaptiveAvgPool2d, MaxPool2d } from "../../nn/pooling-layers.ts";
import { flatten } from "../../ops/view.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type DropoutOptions, droppedOf } from "./options.ts";
import type { SmallImageRules } from "./small-images.ts";

/** Convolutions of each of the five stages, by layers in all. */
const DEPTHS = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4],
} as const;
const CHANNELS = [64, 128, 256, 512, 512] as const;

/**
 * Five stages of 3x3 convolutions, each followed by a pool, and three linear layers: x: [N, 3, H, W] (at least 32x32) to logits
 * [N, numClasses].
 * @see https://arxiv.org/abs/1409.1556 and https://pytorch.org/vision/stable/models/vgg.html
 */
export class VGG extends Module {
  readonly features = new Sequential();
  avgpool: Module = new AdaptiveAvgPool2d(7);
  readonly classifier: Sequential;

  constructor(layers: keyof typeof DEPTHS, batchNorm: boolean, { numClasses, dropout }: Required<DropoutOptions>) {
    super();
    let inChannels = 3;
    for (const [stage, depth] of DEPTHS[layers].entries()) {
      const channels = CHANNELS[stage] ?? 512;
      for (let i = 0; i < depth; i++) {
        this.features.append(new Conv2d(inChannels, channels, 3, { padding: 1 }));
        if (batchNorm) this.features.append(new BatchNorm2d(channels));
        this.features.append(new ReLU());
        inChannels = channels;
      }
      this.features.append(new MaxPool2d(2));
    }
    this.classifier = new Sequential(
      new Linear(512 * 7 * 7, 4096),
      new ReLU(),
      new Dropout(dropout),
      new Linear(4096, 4096),
      new ReLU(),
      new Dropout(dropout),
      new Linear(4096, numClasses),
    );
    for (const module of this.modules()) {
      if (module instanceof Conv2d) kaimingNormal_(module.weight, { mode: "fanOut", nonlinearity: "relu" });
      else if (module instanceof Linear) normal_(module.weight, 0, 0.01);
      else continue;
      if (module.bias) constant_(module.bias, 0);
    }
  }

  /** The path of the layer that names the classes. */
  get head(): string {
    return "classifier.6";
  }

  /** What images of 32x32 need: see `adaptToSmallImages`. */
  get smallImages(): SmallImageRules {
    return { averaged: { avgpool: 1 }, flattened: { "classifier.0": 512 }, lastMap: 1 };
  }

  override forward(x: Tensor): Tensor {
    return chain(x, [this.features, this.avgpool, (t) => flatten(t, 1), this.classifier]);
  }
}

const make =
  (name: string, layers: keyof typeof DEPTHS, batchNorm = false) =>
  (options: DropoutOptions = {}): VGG =>
    new VGG(layers, batchNorm, droppedOf(name, options));

/** VGG-11, 132.9 million parameters. */
export const vgg11 = make("vgg11", 11);
/** VGG-11 with batch norm. */
export const vgg11Bn = make("vgg11Bn", 11, true);
/** VGG-13, 133.0 million parameters. */
export const vgg13 = make("vgg13", 13);
/** VGG-13 with batch norm. */
export const vgg13Bn = make("vgg13Bn", 13, true);
/** VGG-16, 138.4 million parameters. */
export const vgg16 = make("vgg16", 16);
/** VGG-16 with batch norm. */
export const vgg16Bn = make("vgg16Bn", 16, true);
/** VGG-19, 143.7 million parameters. */
export const vgg19 = make("vgg19", 19);
/** VGG-19 with batch norm. */
export const vgg19Bn = make("vgg19Bn", 19, true);
