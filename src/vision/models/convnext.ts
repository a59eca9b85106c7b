// ConvNeXt in four sizes; torchvision's names and shapes.
import { checkNumber } from "../../errors.ts";
import { Flatten } from "../../nn/basic-layers.ts";
import { ConvNormActivation } from "../../nn/blocks.ts";
import { chain } from "../../nn/chain.ts";
import { Sequential } from "../../nn/containers.ts";
import { Conv2d } from "../../nn/conv-layers.ts";
import { StochasticDepth } from "../../nn/dropout-layers.ts";
import { GELU } from "../../nn/further-activation-layers.ts";
import { LayerNorm2d } from "../../nn/group-norm-layers.ts";
import { constant_ } from "../../nn/initialization.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { Module } from "../../nn/module.ts";
import { LayerNorm } from "../../nn/norm-layers.ts";
import { Parameter } from "../../nn/parameter.ts";
import { AdaptiveAvgPool2d } from "../../nn/pooling-layers.ts";
import { Permute } from "../../nn/shape-layers.ts";
import { truncNormal_ } from "../../nn/structured-initialization.ts";
import { add, mul } from "../../ops/arithmetic.ts";
import { full } from "../../tensor/create.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { classesOf, type ModelOptions } from "./options.ts";
import type { SmallImageRules } from "./small-images.ts";

/** What the builders of ConvNeXts take. */
export interface ConvNeXtOptions extends ModelOptions {
  /**
   * Probability that the last block's branch is left out in training; those before it have less, in equal steps. Default: 0.1 of the
   * tiny, 0.4 of the small, 0.5 of the larger models.
   */
  stochasticDepthProb?: number;
  /** What each block's branch is multiplied by at the start. Default 1e-6. */
  layerScale?: number;
}

const EPS = { eps: 1e-6 };
const norm = (channels: number) => new LayerNorm2d(channels, EPS);

/** Depthwise 7x7, layer norm, two linear layers over the channels at each position; scaled by channel and added to the input. */
class CNBlock extends Module {
  readonly block: Sequential;
  /** Factor of the branch by channel: [C, 1, 1]. */
  readonly layerScale: Parameter;
  readonly stochasticDepth: StochasticDepth;

  constructor(channels: number, layerScale: number, drop: number) {
    super();
    // Parameters of the module itself come first, as torch lists them.
    this.layerScale = new Parameter(full([channels, 1, 1], layerScale));
    this.block = new Sequential(
      new Conv2d(channels, channels, 7, { padding: 3, groups: channels }),
      new Permute([0, 2, 3, 1]),
      new LayerNorm(channels, EPS),
      new Linear(channels, 4 * channels),
      new GELU(),
      new Linear(4 * channels, channels),
      new Permute([0, 3, 1, 2]),
    );
    this.stochasticDepth = new StochasticDepth(drop, "row");
  }

  override forward(x: Tensor): Tensor {
    return scope(() => add(this.stochasticDepth.forward(mul(this.layerScale, this.block.forward(x))), x));
  }
}

/** Channels and number of blocks of each stage. */
type Stages = readonly (readonly [channels: number, blocks: number])[];

/**
 * A convolutional network after the manner of transformers: x: [N, 3, H, W], from 32x32 on, to logits [N, numClasses].
 * @see https://arxiv.org/abs/2201.03545 and https://pytorch.org/vision/stable/models/convnext.html
 */
export class ConvNeXt extends Module {
  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d(1);
  readonly classifier: Sequential;

  constructor(stages: Stages, { numClasses, stochasticDepthProb, layerScale }: Required<ConvNeXtOptions>) {
    super();
    const total = stages.reduce((sum, [, blocks]) => sum + blocks, 0);
    const [[start = 0] = []] = stages;
    let channels = start;
    const stem = { kernelSize: 4, stride: 4, padding: 0, norm, activation: null, bias: true };
    this.features = new Sequential(new ConvNormActivation(3, channels, stem));
    let at = 0;
    for (const [width, blocks] of stages) {
      if (width !== channels)
        this.features.append(new Sequential(norm(channels), new Conv2d(channels, width, 2, { stride: 2 })));
      channels = width;
      const stage = new Sequential();
      for (let i = 0; i < blocks; i++)
        stage.append(new CNBlock(channels, layerScale, (stochasticDepthProb * at++) / (total - 1)));
      this.features.append(stage);
    }
    this.classifier = new Sequential(norm(channels), new Flatten(1), new Linear(channels, numClasses));
    for (const module of this.modules()) {
      if (!(module instanceof Conv2d || module instanceof Linear)) continue;
      truncNormal_(module.weight, 0, 0.02);
      if (module.bias) constant_(module.bias, 0);
    }
  }

  /** The path of the layer that names the classes. */
  get head(): string {
    return "classifier.2";
  }

  /** What images of 32x32 need: see `adaptToSmallImages`. */
  get smallImages(): SmallImageRules {
    return { stems: ["features.0"], lastMap: 4 };
  }

  override forward(x: Tensor): Tensor {
    return chain(x, [this.features, this.avgpool, this.classifier]);
  }
}

const make =
  (name: string, stages: Stages, most: number) =>
  (options: ConvNeXtOptions = {}): ConvNeXt => {
    const numClasses = classesOf(name, options, ["numClasses", "stochasticDepthProb", "layerScale"]);
    const { stochasticDepthProb = most, layerScale = 1e-6 } = options;
    checkNumber(name, "stochasticDepthProb", stochasticDepthProb, 0, 1);
    checkNumber(name, "layerScale", layerScale);
    return new ConvNeXt(stages, { numClasses, stochasticDepthProb, layerScale });
  };

const widths = (start: number, [a, b, c, d]: readonly [number, number, number, number]): Stages => [
  [start, a],
  [2 * start, b],
  [4 * start, c],
  [8 * start, d],
];

/** ConvNeXt tiny, 28.6 million parameters. */
export const convnextTiny = make("convnextTiny", widths(96, [3, 3, 9, 3]), 0.1);
/** ConvNeXt small, 50.2 million parameters. */
export const convnextSmall = make("convnextSmall", widths(96, [3, 3, 27, 3]), 0.4);
/** ConvNeXt base, 88.6 million parameters. */
export const convnextBase = make("convnextBase", widths(128, [3, 3, 27, 3]), 0.5);
/** ConvNeXt large, 197.8 million parameters. */
export const convnextLarge = make("convnextLarge", widths(192, [3, 3, 27, 3]), 0.5);
