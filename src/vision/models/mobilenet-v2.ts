// MobileNetV2; torchvision's names and shapes.
import { checkNumber } from "../../errors.ts";
import { ReLU6 } from "../../nn/activation-layers.ts";
import { Dropout } from "../../nn/basic-layers.ts";
import { ConvNormActivation } from "../../nn/blocks.ts";
import { chain } from "../../nn/chain.ts";
import { Sequential } from "../../nn/containers.ts";
import { Conv2d } from "../../nn/conv-layers.ts";
import { constant_, kaimingNormal_, normal_ } from "../../nn/initialization.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { Module } from "../../nn/module.ts";
import { BatchNorm2d } from "../../nn/norm-layers.ts";
import { add } from "../../ops/arithmetic.ts";
import { mean } from "../../ops/reduce.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { classesOf, type DropoutOptions } from "./options.ts";
import type { SmallImageRules } from "./small-images.ts";
import { convMaker, type ModelPadding, type PaddingOptions, paddingOf } from "./tensorflow-padding.ts";

/** What `mobilenetV2` takes. */
export interface MobileNetV2Options extends DropoutOptions, PaddingOptions {
  /** Factor of all channels. Default 1. */
  widthMult?: number;
}

/** Channels as near as possible to a multiple of eight, and no more than a tenth below. */
export function divisible(channels: number, by = 8): number {
  const near = Math.max(by, Math.floor((channels + by / 2) / by) * by);
  return near < 0.9 * channels ? near + by : near;
}

interface ConvPart extends PaddingOptions {
  kernelSize?: number;
  stride?: number;
  groups?: number;
}

const conv = (from: number, to: number, { padding = "torch", ...options }: ConvPart = {}) =>
  new ConvNormActivation(from, to, { ...options, activation: () => new ReLU6(), conv: convMaker(padding) });

/** 1x1 up to `expand` times the channels, depthwise 3x3, 1x1 down, and a shortcut where the shape stays. */
class InvertedResidual extends Module {
  readonly conv: Sequential;
  private readonly shortcut: boolean;

  constructor(inChannels: number, outChannels: number, stride: number, expand: number, padding: ModelPadding) {
    super();
    const hidden = Math.round(inChannels * expand);
    this.conv = new Sequential(
      ...(expand === 1 ? [] : [conv(inChannels, hidden, { kernelSize: 1 })]),
      conv(hidden, hidden, { stride, groups: hidden, padding }),
      new Conv2d(hidden, outChannels, 1, { bias: false }),
      new BatchNorm2d(outChannels),
    );
    this.shortcut = stride === 1 && inChannels === outChannels;
  }

  override forward(x: Tensor): Tensor {
    if (!this.shortcut) return this.conv.forward(x);
    return scope(() => add(x, this.conv.forward(x)));
  }
}

/** Expansion, channels, blocks and stride of each stage. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/**
 * Inverted residuals: x: [N, 3, H, W] to logits [N, numClasses].
 * @see https://arxiv.org/abs/1801.04381 and https://pytorch.org/vision/stable/models/mobilenetv2.html
 */
export class MobileNetV2 extends Module {
  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor(options: MobileNetV2Options = {}) {
    const name = "mobilenetV2";
    const numClasses = classesOf(name, options, ["numClasses", "dropout", "widthMult", "padding"]);
    const { dropout = 0.2, widthMult = 1 } = options;
    checkNumber(name, "dropout", dropout, 0, 1);
    checkNumber(name, "widthMult", widthMult, 1 / 64);
    const padding = paddingOf(name, options);
    super();
    let channels = divisible(32 * widthMult);
    const last = divisible(1280 * Math.max(1, widthMult));
    this.features = new Sequential(conv(3, channels, { stride: 2, padding }));
    for (const [expand, width, blocks, stride] of STAGES) {
      const out = divisible(width * widthMult);
      for (let i = 0; i < blocks; i++) {
        this.features.append(new InvertedResidual(channels, out, i === 0 ? stride : 1, expand, padding));
        channels = out;
      }
    }
    this.features.append(conv(channels, last, { kernelSize: 1 }));
    this.classifier = new Sequential(new Dropout(dropout), new Linear(last, numClasses));
    for (const module of this.modules()) {
      if (module instanceof Conv2d) kaimingNormal_(module.weight, { mode: "fanOut" });
      else if (module instanceof Linear) {
        normal_(module.weight, 0, 0.01);
        if (module.bias) constant_(module.bias, 0);
      }
    }
  }

  /** The path of the layer that names the classes. */
  get head(): string {
    return "classifier.1";
  }

  /** What images of 32x32 need: see `adaptToSmallImages`. */
  get smallImages(): SmallImageRules {
    return { stems: ["features.0"], unstrided: ["features.2"], lastMap: 4 };
  }

  override forward(x: Tensor): Tensor {
    return chain(x, [this.features, (t) => mean(t, [2, 3]), this.classifier]);
  }
}

/** MobileNetV2, 3.5 million parameters. */
export const mobilenetV2 = (options: MobileNetV2Options = {}): MobileNetV2 => new MobileNetV2(options);
