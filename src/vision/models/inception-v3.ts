// Inception v3; torchvision's names and shapes.
import { Dropout } from "../../nn/basic-layers.ts";
import { chain } from "../../nn/chain.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { Module } from "../../nn/module.ts";
import { AdaptiveAvgPool2d, AvgPool2d, MaxPool2d } from "../../nn/pooling-layers.ts";
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
} from "./inception-parts.ts";
import { InceptionA, InceptionB, InceptionC, InceptionD, InceptionE } from "./inception-v3-blocks.ts";
import type { SmallImageRules } from "./small-images.ts";

/** What Inception v3 with an auxiliary head gives in training, each [N, numClasses]. A usual loss: logits' and 0.4 times the other's. */
export interface InceptionOutputs {
  /** Of the last layer. */
  readonly logits: Tensor;
  /** Of the auxiliary head, behind `Mixed_6e`. */
  readonly auxLogits: Tensor;
}

/** Classes from maps in the middle: x: [N, inChannels, H, W] (at least 17x17) to [N, numClasses]. */
class InceptionAux extends Module {
  readonly conv0: BasicConv2d;
  readonly conv1 = new BasicConv2d(128, 768, 5);
  readonly fc: Linear;
  private readonly average: Module = new AvgPool2d(5, { stride: 3 });
  private readonly pool = new AdaptiveAvgPool2d(1);

  constructor(inChannels: number, numClasses: number) {
    super();
    this.conv0 = same(inChannels, 128, 1);
    this.fc = new Linear(768, numClasses);
  }

  override forward(x: Tensor): Tensor {
    return chain(x, [this.average, this.conv0, this.conv1, this.pool, (t) => flatten(t, 1), this.fc]);
  }
}

/**
 * Factorized inception blocks: x: [N, 3, H, W] (at least 75x75) to logits [N, numClasses]; in training, with the auxiliary head, to
 * its own too, which take at least 299x299.
 * @see https://arxiv.org/abs/1512.00567 and https://pytorch.org/vision/stable/models/inception.html
 */
export class Inception3 extends Module<readonly [x: Tensor], Tensor | InceptionOutputs> {
  readonly Conv2d_1a_3x3 = new BasicConv2d(3, 32, 3, { stride: 2 });
  readonly Conv2d_2a_3x3 = new BasicConv2d(32, 32, 3);
  readonly Conv2d_2b_3x3 = same(32, 64, 3);
  readonly maxpool1: Module = new MaxPool2d(3, { stride: 2 });
  readonly Conv2d_3b_1x1 = same(64, 80, 1);
  readonly Conv2d_4a_3x3 = new BasicConv2d(80, 192, 3);
  readonly maxpool2 = new MaxPool2d(3, { stride: 2 });
  readonly Mixed_5b = new InceptionA(192, 32);
  readonly Mixed_5c = new InceptionA(256, 64);
  readonly Mixed_5d = new InceptionA(288, 64);
  readonly Mixed_6a = new InceptionB(288);
  readonly Mixed_6b = new InceptionC(768, 128);
  readonly Mixed_6c = new InceptionC(768, 160);
  readonly Mixed_6d = new InceptionC(768, 160);
  readonly Mixed_6e = new InceptionC(768, 192);
  readonly AuxLogits: InceptionAux | null;
  readonly Mixed_7a = new InceptionD(768);
  readonly Mixed_7b = new InceptionE(1280);
  readonly Mixed_7c = new InceptionE(2048);
  readonly avgpool = new AdaptiveAvgPool2d(1);
  readonly dropout: Dropout;
  readonly fc: Linear;
  private readonly transformInput: boolean;

  constructor(options: InceptionOptions = {}) {
    const { numClasses, dropout, ...flags } = inceptionOptions("inceptionV3", options, 0.5);
    super();
    this.AuxLogits = flags.auxLogits ? new InceptionAux(768, numClasses) : null;
    this.dropout = new Dropout(dropout);
    this.fc = new Linear(2048, numClasses);
    this.transformInput = flags.transformInput;
    if (!flags.initWeights) return;
    const aux = this.AuxLogits;
    // torchvision marks the block `conv1` of the auxiliary head, not its convolution, with 0.01: there it starts at 0.1 too.
    initNormal(this, (layer) => (layer === aux?.fc ? 0.001 : 0.1));
  }

  /** The path of the layer that names the classes. */
  get head(): string {
    return "fc";
  }

  /** The path of the layer that names them in the auxiliary head; without it, of what a state dict has of it. */
  get auxiliaryHeads(): readonly string[] {
    return this.AuxLogits ? ["AuxLogits.fc"] : ["AuxLogits"];
  }

  /** What images of 32x32 need: see `adaptToSmallImages`. */
  get smallImages(): SmallImageRules {
    return {
      stems: ["Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_4a_3x3"],
      dropped: ["maxpool1"],
      averaged: this.AuxLogits ? { "AuxLogits.average": 5 } : {},
      lastMap: 3,
    };
  }

  override forward(x: Tensor): Tensor | InceptionOutputs {
    return scope(() => {
      const sixE = chain(this.transformInput ? renormalized(x) : x, [
        this.Conv2d_1a_3x3,
        this.Conv2d_2a_3x3,
        this.Conv2d_2b_3x3,
        this.maxpool1,
        this.Conv2d_3b_1x1,
        this.Conv2d_4a_3x3,
        this.maxpool2,
        this.Mixed_5b,
        this.Mixed_5c,
        this.Mixed_5d,
        this.Mixed_6a,
        this.Mixed_6b,
        this.Mixed_6c,
        this.Mixed_6d,
        this.Mixed_6e,
      ]);
      const auxLogits = this.training ? this.AuxLogits?.forward(sixE) : undefined;
      const { Mixed_7a, Mixed_7b, Mixed_7c, avgpool, dropout, fc } = this;
      const logits = chain(sixE, [Mixed_7a, Mixed_7b, Mixed_7c, avgpool, dropout, (t) => flatten(t, 1), fc]);
      return auxLogits ? { logits, auxLogits } : logits;
    });
  }
}

/** An Inception v3 without the auxiliary head: in training, too, it gives logits alone. */
export type PlainInception3 = Module & Inception3;

/** Inception v3, 23.8 million parameters and 3.3 million of the auxiliary head. Made for images of 299x299. */
export function inceptionV3(options: InceptionOptions & { auxLogits: false }): PlainInception3;
export function inceptionV3(options?: InceptionOptions): Inception3;
export function inceptionV3(options: InceptionOptions = {}): Inception3 {
  return new Inception3(options);
}
