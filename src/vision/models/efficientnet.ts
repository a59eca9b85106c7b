// EfficientNet B0 to B7, and V2 in three sizes; torchvision's names and shapes.
import { checkNumber } from "../../errors.ts";
import { SiLU } from "../../nn/activation-layers.ts";
import { Dropout } from "../../nn/basic-layers.ts";
import { ConvNormActivation, SqueezeExcitation } from "../../nn/blocks.ts";
import { chain } from "../../nn/chain.ts";
import { Sequential } from "../../nn/containers.ts";
import { Conv2d } from "../../nn/conv-layers.ts";
import { StochasticDepth } from "../../nn/dropout-layers.ts";
import { constant_, kaimingNormal_, uniform_ } from "../../nn/initialization.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { Module } from "../../nn/module.ts";
import { BatchNorm2d, type BatchNormLayerOptions } from "../../nn/norm-layers.ts";
import { AdaptiveAvgPool2d } from "../../nn/pooling-layers.ts";
import { add } from "../../ops/arithmetic.ts";
import { flatten } from "../../ops/view.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { divisible } from "./mobilenet-v2.ts";
import { classesOf, type DropoutOptions } from "./options.ts";
import type { SmallImageRules } from "./small-images.ts";
import { convMaker, type ModelPadding, type PaddingOptions, paddingOf } from "./tensorflow-padding.ts";

/** What the builders of EfficientNets take. `dropout` is that before the last layer; its default goes by the model's size. */
export interface EfficientNetOptions extends DropoutOptions, PaddingOptions {
  /** Probability that the last block's branch is left out in training; those before it have less, in equal steps. Default 0.2. */
  stochasticDepthProb?: number;
}

/** A stage: its blocks' kind, expansion, kernel, the first one's stride, channels before and after, number of blocks. */
type Stage = readonly [
  block: "inverted" | "fused",
  expand: number,
  kernel: number,
  stride: number,
  from: number,
  to: number,
  blocks: number,
];

/** What a model consists of beside its options. */
interface Plan {
  /** From the first to the last. */
  readonly stages: readonly Stage[];
  /** Channels of the last convolution. */
  readonly last: number;
  /** Of all batch norms. */
  readonly norm: BatchNormLayerOptions;
}

/** Table 1 of https://arxiv.org/abs/1905.11946, in so many times the width and depth. */
function scaled(width: number, depth: number, norm: BatchNormLayerOptions = {}): Plan {
  const rows = [
    ["inverted", 1, 3, 1, 32, 16, 1],
    ["inverted", 6, 3, 2, 16, 24, 2],
    ["inverted", 6, 5, 2, 24, 40, 2],
    ["inverted", 6, 3, 2, 40, 80, 3],
    ["inverted", 6, 5, 1, 80, 112, 3],
    ["inverted", 6, 5, 2, 112, 192, 4],
    ["inverted", 6, 3, 1, 192, 320, 1],
  ] as const;
  const stages = rows.map(([block, expand, kernel, stride, from, to, blocks]): Stage => {
    const [narrow, wide] = [divisible(from * width), divisible(to * width)];
    return [block, expand, kernel, stride, narrow, wide, Math.ceil(blocks * depth)];
  });
  return { stages, last: 4 * divisible(320 * width), norm };
}

/** Table 4 of https://arxiv.org/abs/2104.00298, and its larger ones. */
const V2 = { last: 1280, norm: { eps: 1e-3 } };
const V2_S: Plan = {
  ...V2,
  stages: [
    ["fused", 1, 3, 1, 24, 24, 2],
    ["fused", 4, 3, 2, 24, 48, 4],
    ["fused", 4, 3, 2, 48, 64, 4],
    ["inverted", 4, 3, 2, 64, 128, 6],
    ["inverted", 6, 3, 1, 128, 160, 9],
    ["inverted", 6, 3, 2, 160, 256, 15],
  ],
};
const V2_M: Plan = {
  ...V2,
  stages: [
    ["fused", 1, 3, 1, 24, 24, 3],
    ["fused", 4, 3, 2, 24, 48, 5],
    ["fused", 4, 3, 2, 48, 80, 5],
    ["inverted", 4, 3, 2, 80, 160, 7],
    ["inverted", 6, 3, 1, 160, 176, 14],
    ["inverted", 6, 3, 2, 176, 304, 18],
    ["inverted", 6, 3, 1, 304, 512, 5],
  ],
};
const V2_L: Plan = {
  ...V2,
  stages: [
    ["fused", 1, 3, 1, 32, 32, 4],
    ["fused", 4, 3, 2, 32, 64, 7],
    ["fused", 4, 3, 2, 64, 96, 7],
    ["inverted", 4, 3, 2, 96, 192, 10],
    ["inverted", 6, 3, 1, 192, 224, 19],
    ["inverted", 6, 3, 2, 224, 384, 25],
    ["inverted", 6, 3, 1, 384, 640, 7],
  ],
};

interface BlockPlan {
  readonly kind: Stage[0];
  readonly expand: number;
  readonly kernel: number;
  readonly stride: number;
  readonly from: number;
  readonly to: number;
  readonly drop: number;
  readonly norm: (channels: number) => Module;
  readonly padding: ModelPadding;
}

/**
 * "inverted": 1x1 up, depthwise, squeeze-excitation, 1x1 down. "fused": one full convolution in the place of the first three. With a
 * shortcut where the shape stays.
 */
class Block extends Module {
  readonly block: Sequential;
  readonly stochasticDepth: StochasticDepth;
  private readonly shortcut: boolean;

  constructor({ kind, expand, kernel, stride, from, to, drop, norm, padding }: BlockPlan) {
    super();
    const expanded = divisible(from * expand);
    const activation = () => new SiLU();
    const wide = { kernelSize: kernel, stride, norm, activation, conv: convMaker(padding) };
    const project = () => new ConvNormActivation(expanded, to, { kernelSize: 1, norm, activation: null });
    if (kind === "fused")
      this.block =
        expanded === from
          ? new Sequential(new ConvNormActivation(from, to, wide))
          : new Sequential(new ConvNormActivation(from, expanded, wide), project());
    else
      this.block = new Sequential(
        ...(expanded === from ? [] : [new ConvNormActivation(from, expanded, { kernelSize: 1, norm, activation })]),
        new ConvNormActivation(expanded, expanded, { ...wide, groups: expanded }),
        new SqueezeExcitation(expanded, Math.max(1, Math.floor(from / 4)), { activation }),
        project(),
      );
    this.stochasticDepth = new StochasticDepth(drop, "row");
    this.shortcut = stride === 1 && from === to;
  }

  override forward(x: Tensor): Tensor {
    if (!this.shortcut) return this.block.forward(x);
    return scope(() => add(x, this.stochasticDepth.forward(this.block.forward(x))));
  }
}

/**
 * Inverted residuals scaled in width, depth and resolution: x: [N, 3, H, W] to logits [N, numClasses].
 * @see https://arxiv.org/abs/1905.11946, https://arxiv.org/abs/2104.00298 and
 * https://pytorch.org/vision/stable/models/efficientnet.html
 */
export class EfficientNet extends Module {
  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d(1);
  readonly classifier: Sequential;

  constructor({ stages, last, norm: normOptions }: Plan, options: Required<EfficientNetOptions>) {
    super();
    const { numClasses, dropout, stochasticDepthProb, padding } = options;
    const norm = (channels: number) => new BatchNorm2d(channels, normOptions);
    const activation = () => new SiLU();
    const total = stages.reduce((sum, [, , , , , , blocks]) => sum + blocks, 0);
    let channels = stages[0]?.[4] ?? 32;
    const first = { stride: 2, norm, activation, conv: convMaker(padding) };
    this.features = new Sequential(new ConvNormActivation(3, channels, first));
    let at = 0;
    for (const [kind, expand, kernel, stride, , to, blocks] of stages) {
      const stage = new Sequential();
      for (let i = 0; i < blocks; i++) {
        const drop = (stochasticDepthProb * at++) / total;
        const sizes = { kind, expand, kernel, stride: i === 0 ? stride : 1, from: channels, to };
        stage.append(new Block({ ...sizes, drop, norm, padding }));
        channels = to;
      }
      this.features.append(stage);
    }
    this.features.append(new ConvNormActivation(channels, last, { kernelSize: 1, norm, activation }));
    this.classifier = new Sequential(new Dropout(dropout), new Linear(last, numClasses));
    for (const module of this.modules()) {
      if (module instanceof Conv2d) kaimingNormal_(module.weight, { mode: "fanOut" });
      else if (module instanceof Linear) {
        const bound = 1 / Math.sqrt(module.outFeatures);
        uniform_(module.weight, -bound, bound);
      } else continue;
      if (module.bias) constant_(module.bias, 0);
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
    return chain(x, [this.features, this.avgpool, (t) => flatten(t, 1), this.classifier]);
  }
}

const make =
  (name: string, plan: () => Plan, most: number) =>
  (options: EfficientNetOptions = {}): EfficientNet => {
    const numClasses = classesOf(name, options, ["numClasses", "dropout", "stochasticDepthProb", "padding"]);
    const { dropout = most, stochasticDepthProb = 0.2 } = options;
    checkNumber(name, "dropout", dropout, 0, 1);
    checkNumber(name, "stochasticDepthProb", stochasticDepthProb, 0, 1);
    const padding = paddingOf(name, options);
    return new EfficientNet(plan(), { numClasses, dropout, stochasticDepthProb, padding });
  };

const SLOW = { eps: 1e-3, momentum: 0.01 };

/** EfficientNet B0, 5.3 million parameters, trained at 224x224. Dropout 0.2. */
export const efficientnetB0 = make("efficientnetB0", () => scaled(1, 1), 0.2);
/** EfficientNet B1, 7.8 million parameters, trained at 240x240. Dropout 0.2. */
export const efficientnetB1 = make("efficientnetB1", () => scaled(1, 1.1), 0.2);
/** EfficientNet B2, 9.1 million parameters, trained at 288x288. Dropout 0.3. */
export const efficientnetB2 = make("efficientnetB2", () => scaled(1.1, 1.2), 0.3);
/** EfficientNet B3, 12.2 million parameters, trained at 300x300. Dropout 0.3. */
export const efficientnetB3 = make("efficientnetB3", () => scaled(1.2, 1.4), 0.3);
/** EfficientNet B4, 19.3 million parameters, trained at 380x380. Dropout 0.4. */
export const efficientnetB4 = make("efficientnetB4", () => scaled(1.4, 1.8), 0.4);
/** EfficientNet B5, 30.4 million parameters, trained at 456x456. Dropout 0.4. */
export const efficientnetB5 = make("efficientnetB5", () => scaled(1.6, 2.2, SLOW), 0.4);
/** EfficientNet B6, 43.0 million parameters, trained at 528x528. Dropout 0.5. */
export const efficientnetB6 = make("efficientnetB6", () => scaled(1.8, 2.6, SLOW), 0.5);
/** EfficientNet B7, 66.3 million parameters, trained at 600x600. Dropout 0.5. */
export const efficientnetB7 = make("efficientnetB7", () => scaled(2, 3.1, SLOW), 0.5);
/** EfficientNetV2 small, 21.5 million parameters, trained at 300x300. Dropout 0.2. */
export const efficientnetV2S = make("efficientnetV2S", () => V2_S, 0.2);
/** EfficientNetV2 medium, 54.1 million parameters, trained at 384x384. Dropout 0.3. */
export const efficientnetV2M = make("efficientnetV2M", () => V2_M, 0.3);
/** EfficientNetV2 large, 118.5 million parameters, trained at 384x384. Dropout 0.4. */
export const efficientnetV2L = make("efficientnetV2L", () => V2_L, 0.4);
