// GoogLeNet (Inception v1); torchvision's names and shapes.
import { checkNumber } from "../../errors.ts";
import { ReLU } from "../../nn/activation-layers.ts";
import { Dropout } from "../../nn/basic-layers.ts";
import { chain } from "../../nn/chain.ts";
import { Sequential } from "../../nn/containers.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { Module } from "../../nn/module.ts";
import { AdaptiveAvgPool2d, MaxPool2d } from "../../nn/pooling-layers.ts";
import { flatten } from "../../ops/view.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import {
  BasicConv2d,
  type InceptionOptions,
  inceptionOptions,
  initNormal,
  renormalized,
  same,
  sideBySide,
} from "./inception-parts.ts";
import type { SmallImageRules } from "./small-images.ts";

/** What `googlenet` takes. */
export interface GoogLeNetOptions extends InceptionOptions {
  /** Probability of the dropout before the last layer of each auxiliary head. Default 0.7; `dropout` is 0.2 by default. */
  dropoutAux?: number;
}

/** What GoogLeNet with auxiliary heads gives in training, each [N, numClasses]. A usual loss: logits' and 0.3 times each other's. */
export interface GoogLeNetOutputs {
  /** Of the last layer. */
  readonly logits: Tensor;
  /** Of the head `aux2`, behind `inception4d`. */
  readonly auxLogits2: Tensor;
  /** Of the head `aux1`, behind `inception4a`. */
  readonly auxLogits1: Tensor;
}

const halved = () => new MaxPool2d(3, { stride: 2, ceilMode: true });

/** 1x1, 3x3 (twice) and pooled maps side by side: the third branch, of 5x5 in the paper, is 3x3 in torchvision's weights. */
class Inception extends Module {
  readonly branch1: BasicConv2d;
  readonly branch2: Sequential;
  readonly branch3: Sequential;
  readonly branch4: Sequential;

  constructor(
    from: number,
    [one, reduced3, three, reduced5, five, pooled]: readonly [number, number, number, number, number, number],
  ) {
    super();
    this.branch1 = same(from, one, 1);
    this.branch2 = new Sequential(same(from, reduced3, 1), same(reduced3, three, 3));
    this.branch3 = new Sequential(same(from, reduced5, 1), same(reduced5, five, 3));
    this.branch4 = new Sequential(new MaxPool2d(3, { stride: 1, padding: 1, ceilMode: true }), same(from, pooled, 1));
  }

  override forward(x: Tensor): Tensor {
    return sideBySide(x, [[this.branch1], [this.branch2], [this.branch3], [this.branch4]]);
  }
}

/** Classes from maps in the middle: x: [N, inChannels, H, W] to [N, numClasses]. */
class InceptionAux extends Module {
  readonly conv: BasicConv2d;
  readonly fc1 = new Linear(2048, 1024);
  readonly fc2: Linear;
  readonly dropout: Dropout;
  private readonly pool = new AdaptiveAvgPool2d(4);
  private readonly relu = new ReLU();

  constructor(inChannels: number, numClasses: number, dropout: number) {
    super();
    this.conv = same(inChannels, 128, 1);
    this.fc2 = new Linear(1024, numClasses);
    this.dropout = new Dropout(dropout);
  }

  override forward(x: Tensor): Tensor {
    const { pool, conv, fc1, relu, dropout, fc2 } = this;
    return chain(x, [pool, conv, (t) => flatten(t, 1), fc1, relu, dropout, fc2]);
  }
}

/**
 * Inception blocks: x: [N, 3, H, W] (at least 15x15) to logits [N, numClasses]; in training, with auxiliary heads, to theirs too.
 * @see https://arxiv.org/abs/1409.4842 and https://pytorch.org/vision/stable/models/googlenet.html
 */
export class GoogLeNet extends Module<readonly [x: Tensor], Tensor | GoogLeNetOutputs> {
  readonly conv1 = new BasicConv2d(3, 64, 7, { stride: 2, padding: 3 });
  readonly maxpool1: Module = halved();
  readonly conv2 = same(64, 64, 1);
  readonly conv3 = same(64, 192, 3);
  readonly maxpool2 = halved();
  readonly inception3a = new Inception(192, [64, 96, 128, 16, 32, 32]);
  readonly inception3b = new Inception(256, [128, 128, 192, 32, 96, 64]);
  readonly maxpool3 = halved();
  readonly inception4a = new Inception(480, [192, 96, 208, 16, 48, 64]);
  readonly inception4b = new Inception(512, [160, 112, 224, 24, 64, 64]);
  readonly inception4c = new Inception(512, [128, 128, 256, 24, 64, 64]);
  readonly inception4d = new Inception(512, [112, 144, 288, 32, 64, 64]);
  readonly inception4e = new Inception(528, [256, 160, 320, 32, 128, 128]);
  readonly maxpool4 = new MaxPool2d(2, { stride: 2, ceilMode: true });
  readonly inception5a = new Inception(832, [256, 160, 320, 32, 128, 128]);
  readonly inception5b = new Inception(832, [384, 192, 384, 48, 128, 128]);
  readonly aux1: InceptionAux | null;
  readonly aux2: InceptionAux | null;
  readonly avgpool = new AdaptiveAvgPool2d(1);
  readonly dropout: Dropout;
  readonly fc: Linear;
  private readonly transformInput: boolean;

  constructor(options: GoogLeNetOptions = {}) {
    const name = "googlenet";
    const { numClasses, dropout, ...flags } = inceptionOptions(name, options, 0.2, ["dropoutAux"]);
    const { dropoutAux = 0.7 } = options;
    checkNumber(name, "dropoutAux", dropoutAux, 0, 1);
    super();
    this.aux1 = flags.auxLogits ? new InceptionAux(512, numClasses, dropoutAux) : null;
    this.aux2 = flags.auxLogits ? new InceptionAux(528, numClasses, dropoutAux) : null;
    this.dropout = new Dropout(dropout);
    this.fc = new Linear(1024, numClasses);
    this.transformInput = flags.transformInput;
    if (flags.initWeights) initNormal(this, () => 0.01);
  }

  /** The path of the layer that names the classes. */
  get head(): string {
    return "fc";
  }

  /** The paths of the layers that name them in the auxiliary heads; without these, of what a state dict has of them. */
  get auxiliaryHeads(): readonly string[] {
    return this.aux1 ? ["aux1.fc2", "aux2.fc2"] : ["aux1", "aux2"];
  }

  /** What images of 32x32 need: see `adaptToSmallImages`. */
  get smallImages(): SmallImageRules {
    return { stems: ["conv1"], dropped: ["maxpool1"], lastMap: 4 };
  }

  override forward(x: Tensor): Tensor | GoogLeNetOutputs {
    return scope(() => {
      const { conv1, maxpool1, conv2, conv3, maxpool2, inception3a, inception3b, maxpool3, inception4a } = this;
      const given = this.transformInput ? renormalized(x) : x;
      const fourA = chain(given, [
        conv1,
        maxpool1,
        conv2,
        conv3,
        maxpool2,
        inception3a,
        inception3b,
        maxpool3,
        inception4a,
      ]);
      const auxLogits1 = this.training ? this.aux1?.forward(fourA) : undefined;
      const fourD = chain(fourA, [this.inception4b, this.inception4c, this.inception4d]);
      const auxLogits2 = this.training ? this.aux2?.forward(fourD) : undefined;
      const { inception4e, maxpool4, inception5a, inception5b, avgpool, dropout, fc } = this;
      const last = [
        inception4e,
        maxpool4,
        inception5a,
        inception5b,
        avgpool,
        (t: Tensor) => flatten(t, 1),
        dropout,
        fc,
      ];
      const logits = chain(fourD, last);
      return auxLogits1 && auxLogits2 ? { logits, auxLogits2, auxLogits1 } : logits;
    });
  }
}

/** A GoogLeNet without auxiliary heads: in training, too, it gives logits alone. */
export type PlainGoogLeNet = Module & GoogLeNet;

/** GoogLeNet, 6.6 million parameters and 6.4 million of auxiliary heads. */
export function googlenet(options: GoogLeNetOptions & { auxLogits: false }): PlainGoogLeNet;
export function googlenet(options?: GoogLeNetOptions): GoogLeNet;
export function googlenet(options: GoogLeNetOptions = {}): GoogLeNet {
  return new GoogLeNet(options);
}
