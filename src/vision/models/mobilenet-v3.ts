// MobileNetV3, small and large; torchvision's names and shapes.
import { check, checkNumber, told, ValueError } from "../../errors.ts";
import { Hardsigmoid, Hardswish, ReLU } from "../../nn/activation-layers.ts";
import { Dropout } from "../../nn/basic-layers.ts";
import { ConvNormActivation, SqueezeExcitation } from "../../nn/blocks.ts";
import { chain } from "../../nn/chain.ts";
import { Sequential } from "../../nn/containers.ts";
import { Conv2d } from "../../nn/conv-layers.ts";
import { constant_, kaimingNormal_, normal_ } from "../../nn/initialization.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { Module } from "../../nn/module.ts";
import { BatchNorm2d } from "../../nn/norm-layers.ts";
import { AdaptiveAvgPool2d } from "../../nn/pooling-layers.ts";
import { add } from "../../ops/arithmetic.ts";
import { flatten } from "../../ops/view.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { divisible } from "./mobilenet-v2.ts";
import { classesOf, type DropoutOptions } from "./options.ts";
import type { SmallImageRules } from "./small-images.ts";
import { convMaker, type ModelPadding, type PaddingOptions, paddingOf } from "./tensorflow-padding.ts";

/** What `mobilenetV3Small` and `mobilenetV3Large` take. */
export interface MobileNetV3Options extends DropoutOptions, PaddingOptions {
  /** Factor of all channels. Default 1. */
  widthMult?: number;
  /** Half the channels in the last stage, for few classes or as a backbone. Default false. */
  reducedTail?: boolean;
  /** The last stage keeps the size of its map, with kernels whose elements are two apart: for segmentation. Default false. */
  dilated?: boolean;
}

/** Kernel, channels inside and of the result, squeeze-excitation, activation and stride of a block. "tail": see `reducedTail`. */
type Row = readonly [
  kernel: number,
  expanded: number,
  out: number,
  squeeze: boolean,
  activation: "relu" | "hardswish",
  stride: 1 | 2,
  tail?: "first" | "tail",
];

interface Plan {
  /** One a block. */
  readonly rows: readonly Row[];
  /** Features of the linear layer before the last. */
  readonly last: number;
}

// Tables 1 and 2 of the paper.
const LARGE: Plan = {
  rows: [
    [3, 16, 16, false, "relu", 1],
    [3, 64, 24, false, "relu", 2],
    [3, 72, 24, false, "relu", 1],
    [5, 72, 40, true, "relu", 2],
    [5, 120, 40, true, "relu", 1],
    [5, 120, 40, true, "relu", 1],
    [3, 240, 80, false, "hardswish", 2],
    [3, 200, 80, false, "hardswish", 1],
    [3, 184, 80, false, "hardswish", 1],
    [3, 184, 80, false, "hardswish", 1],
    [3, 480, 112, true, "hardswish", 1],
    [3, 672, 112, true, "hardswish", 1],
    [5, 672, 160, true, "hardswish", 2, "first"],
    [5, 960, 160, true, "hardswish", 1, "tail"],
    [5, 960, 160, true, "hardswish", 1, "tail"],
  ],
  last: 1280,
};
const SMALL: Plan = {
  rows: [
    [3, 16, 16, true, "relu", 2],
    [3, 72, 24, false, "relu", 2],
    [3, 88, 24, false, "relu", 1],
    [5, 96, 40, true, "hardswish", 2],
    [5, 240, 40, true, "hardswish", 1],
    [5, 240, 40, true, "hardswish", 1],
    [5, 120, 48, true, "hardswish", 1],
    [5, 144, 48, true, "hardswish", 1],
    [5, 288, 96, true, "hardswish", 2, "first"],
    [5, 576, 96, true, "hardswish", 1, "tail"],
    [5, 576, 96, true, "hardswish", 1, "tail"],
  ],
  last: 1024,
};

const ACTIVATIONS = { relu: () => new ReLU(), hardswish: () => new Hardswish() };
const norm = (channels: number) => new BatchNorm2d(channels, { eps: 1e-3, momentum: 0.01 });

interface BlockPlan {
  readonly from: number;
  readonly expanded: number;
  readonly to: number;
  readonly kernel: number;
  readonly squeeze: boolean;
  readonly activation: () => Module;
  readonly stride: number;
  readonly dilation: number;
  readonly padding: ModelPadding;
}

/** 1x1 up, depthwise, squeeze-excitation where the table has it, 1x1 down, and a shortcut where the shape stays. */
class InvertedResidual extends Module {
  readonly block: Sequential;
  private readonly shortcut: boolean;

  constructor({ from, expanded, to, kernel, squeeze, activation, stride, dilation, padding }: BlockPlan) {
    super();
    const pointwise = { kernelSize: 1, norm };
    this.block = new Sequential(
      ...(expanded === from ? [] : [new ConvNormActivation(from, expanded, { ...pointwise, activation })]),
      new ConvNormActivation(expanded, expanded, {
        ...{ kernelSize: kernel, stride: dilation > 1 ? 1 : stride, dilation, groups: expanded },
        ...{ norm, activation, conv: convMaker(padding) },
      }),
      ...(squeeze
        ? [
            new SqueezeExcitation(expanded, divisible(Math.floor(expanded / 4)), {
              scaleActivation: () => new Hardsigmoid(),
            }),
          ]
        : []),
      new ConvNormActivation(expanded, to, { ...pointwise, activation: null }),
    );
    this.shortcut = stride === 1 && from === to;
  }

  override forward(x: Tensor): Tensor {
    if (!this.shortcut) return this.block.forward(x);
    return scope(() => add(x, this.block.forward(x)));
  }
}

/** What `MobileNetV3` is built from, defaults filled in. */
type Settings = Required<MobileNetV3Options>;

function settingsOf(name: string, options: MobileNetV3Options): Settings {
  const known = ["numClasses", "dropout", "widthMult", "reducedTail", "dilated", "padding"];
  const numClasses = classesOf(name, options, known);
  const { dropout = 0.2, widthMult = 1, reducedTail = false, dilated = false } = options;
  checkNumber(name, "dropout", dropout, 0, 1);
  checkNumber(name, "widthMult", widthMult, 1 / 64);
  for (const [what, value] of Object.entries({ reducedTail, dilated }))
    check(typeof value === "boolean", () => `[${name}] ${what} must be true or false, got ${told(value)}`, ValueError);
  return { numClasses, dropout, widthMult, reducedTail, dilated, padding: paddingOf(name, options) };
}

/**
 * Inverted residuals with squeeze-excitation and hard swish: x: [N, 3, H, W] to logits [N, numClasses].
 * @see https://arxiv.org/abs/1905.02244 and https://pytorch.org/vision/stable/models/mobilenetv3.html
 */
export class MobileNetV3 extends Module {
  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d(1);
  readonly classifier: Sequential;
  /** Path of the first block of stride 2. */
  private readonly firstHalved: string;

  constructor({ rows, last }: Plan, { numClasses, dropout, widthMult, reducedTail, dilated, padding }: Settings) {
    super();
    const wide = (channels: number, inTail = false) =>
      divisible((inTail && reducedTail ? channels / 2 : channels) * widthMult);
    const activation = ACTIVATIONS.hardswish;
    let from = wide(16);
    this.firstHalved = `features.${1 + rows.findIndex(([, , , , , stride]) => stride === 2)}`;
    this.features = new Sequential(
      new ConvNormActivation(3, from, { stride: 2, norm, activation, conv: convMaker(padding) }),
    );
    for (const [kernel, expanded, out, squeeze, act, stride, tail] of rows) {
      const to = wide(out, tail !== undefined);
      const sizes = { from, expanded: wide(expanded, tail === "tail"), to, kernel, stride };
      const dilation = dilated && tail ? 2 : 1;
      this.features.append(
        new InvertedResidual({ ...sizes, squeeze, activation: ACTIVATIONS[act], dilation, padding }),
      );
      from = to;
    }
    this.features.append(new ConvNormActivation(from, 6 * from, { kernelSize: 1, norm, activation }));
    const features = wide(last, true);
    this.classifier = new Sequential(
      new Linear(6 * from, features),
      new Hardswish(),
      new Dropout(dropout),
      new Linear(features, numClasses),
    );
    for (const module of this.modules()) {
      if (module instanceof Conv2d) kaimingNormal_(module.weight, { mode: "fanOut" });
      else if (module instanceof Linear) normal_(module.weight, 0, 0.01);
      else continue;
      if (module.bias) constant_(module.bias, 0);
    }
  }

  /** The path of the layer that names the classes. */
  get head(): string {
    return "classifier.3";
  }

  /** What images of 32x32 need: see `adaptToSmallImages`. */
  get smallImages(): SmallImageRules {
    return { stems: ["features.0"], unstrided: [this.firstHalved], lastMap: 4 };
  }

  override forward(x: Tensor): Tensor {
    return chain(x, [this.features, this.avgpool, (t) => flatten(t, 1), this.classifier]);
  }
}

const make =
  (name: string, plan: Plan) =>
  (options: MobileNetV3Options = {}): MobileNetV3 =>
    new MobileNetV3(plan, settingsOf(name, options));

/** MobileNetV3 small, 2.5 million parameters. */
export const mobilenetV3Small = make("mobilenetV3Small", SMALL);
/** MobileNetV3 large, 5.5 million parameters. */
export const mobilenetV3Large = make("mobilenetV3Large", LARGE);
