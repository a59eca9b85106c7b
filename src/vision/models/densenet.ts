// DenseNet with 121, 161, 169 and 201 layers; torchvision's names and shapes.
import { ReLU } from "../../nn/activation-layers.ts";
import { chain } from "../../nn/chain.ts";
import { Conv2d } from "../../nn/conv-layers.ts";
import { constant_, kaimingNormal_ } from "../../nn/initialization.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { Module } from "../../nn/module.ts";
import { BatchNorm2d } from "../../nn/norm-layers.ts";
import { AdaptiveAvgPool2d, AvgPool2d, MaxPool2d } from "../../nn/pooling-layers.ts";
import { cat } from "../../ops/cat.ts";
import { dropout } from "../../ops/dropout.ts";
import { flatten } from "../../ops/view.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type DropoutOptions, droppedOf } from "./options.ts";
import type { SmallImageRules } from "./small-images.ts";

/** 1x1 to four times the growth, 3x3 to the growth: what a layer adds to the maps that it was given. */
class DenseLayer extends Module {
  readonly norm1: BatchNorm2d;
  readonly relu1 = new ReLU();
  readonly conv1: Conv2d;
  readonly norm2: BatchNorm2d;
  readonly relu2 = new ReLU();
  readonly conv2: Conv2d;
  private readonly drop: number;

  constructor(inChannels: number, growth: number, drop: number) {
    super();
    this.norm1 = new BatchNorm2d(inChannels);
    this.conv1 = new Conv2d(inChannels, 4 * growth, 1, { bias: false });
    this.norm2 = new BatchNorm2d(4 * growth);
    this.conv2 = new Conv2d(4 * growth, growth, 3, { padding: 1, bias: false });
    this.drop = drop;
  }

  override forward(x: Tensor): Tensor {
    return chain(x, [
      this.norm1,
      this.relu1,
      this.conv1,
      this.norm2,
      this.relu2,
      this.conv2,
      (y) => dropout(y, this.drop, this.training),
    ]);
  }
}

/** Layers under `denselayer1`, `denselayer2`, ..., each fed the results of all before it. */
class DenseBlock extends Module {
  [layer: `denselayer${number}`]: DenseLayer;

  constructor(layers: number, inChannels: number, growth: number, drop: number) {
    super();
    for (let i = 0; i < layers; i++) this[`denselayer${i + 1}`] = new DenseLayer(inChannels + i * growth, growth, drop);
  }

  override forward(x: Tensor): Tensor {
    return scope(() => {
      const maps = [x];
      for (const layer of this.children()) maps.push((layer as DenseLayer).forward(cat(maps, 1)));
      return cat(maps, 1);
    });
  }
}

/** Half the channels, half the rows and columns. */
class Transition extends Module {
  readonly norm: BatchNorm2d;
  readonly relu = new ReLU();
  readonly conv: Conv2d;
  readonly pool = new AvgPool2d(2);

  constructor(inChannels: number) {
    super();
    this.norm = new BatchNorm2d(inChannels);
    this.conv = new Conv2d(inChannels, inChannels / 2, 1, { bias: false });
  }

  override forward(x: Tensor): Tensor {
    return chain(x, [this.norm, this.relu, this.conv, this.pool]);
  }
}

/** The layers, by name and in order. */
class Features extends Module {
  [name: string]: unknown;

  constructor(layers: Readonly<Record<string, Module>>) {
    super();
    Object.assign(this, layers);
  }

  override forward(x: Tensor): Tensor {
    return chain(x, this.children() as Iterable<Module>);
  }
}

/**
 * Blocks whose layers see all layers before them: x: [N, 3, H, W] to logits [N, numClasses].
 * @see https://arxiv.org/abs/1608.06993 and https://pytorch.org/vision/stable/models/densenet.html
 */
export class DenseNet extends Module {
  readonly features: Module;
  readonly classifier: Linear;
  private readonly relu = new ReLU();
  private readonly pool = new AdaptiveAvgPool2d(1);

  constructor(growth: number, depths: readonly number[], start: number, options: Required<DropoutOptions>) {
    super();
    const layers: Record<string, Module> = {
      conv0: new Conv2d(3, start, 7, { stride: 2, padding: 3, bias: false }),
      norm0: new BatchNorm2d(start),
      relu0: new ReLU(),
      pool0: new MaxPool2d(3, { stride: 2, padding: 1 }),
    };
    let channels = start;
    for (const [i, depth] of depths.entries()) {
      layers[`denseblock${i + 1}`] = new DenseBlock(depth, channels, growth, options.dropout);
      channels += depth * growth;
      if (i + 1 === depths.length) break;
      layers[`transition${i + 1}`] = new Transition(channels);
      channels /= 2;
    }
    this.features = new Features({ ...layers, norm5: new BatchNorm2d(channels) });
    this.classifier = new Linear(channels, options.numClasses);
    for (const module of this.modules()) {
      if (module instanceof Conv2d) kaimingNormal_(module.weight);
      else if (module instanceof Linear && module.bias) constant_(module.bias, 0);
    }
  }

  /** The path of the layer that names the classes. */
  get head(): string {
    return "classifier";
  }

  /** What images of 32x32 need: see `adaptToSmallImages`. */
  get smallImages(): SmallImageRules {
    return { stems: ["features.conv0"], dropped: ["features.pool0"], lastMap: 4 };
  }

  override forward(x: Tensor): Tensor {
    return chain(x, [this.features, this.relu, this.pool, (t) => flatten(t, 1), this.classifier]);
  }
}

const make =
  (name: string, growth: number, depths: readonly number[], start = 2 * growth) =>
  (options: DropoutOptions = {}): DenseNet =>
    new DenseNet(growth, depths, start, droppedOf(name, options, 0));

/** DenseNet-121, 8.0 million parameters. */
export const densenet121 = make("densenet121", 32, [6, 12, 24, 16]);
/** DenseNet-161, 28.7 million parameters. */
export const densenet161 = make("densenet161", 48, [6, 12, 36, 24]);
/** DenseNet-169, 14.1 million parameters. */
export const densenet169 = make("densenet169", 32, [6, 12, 32, 32]);
/** DenseNet-201, 20.0 million parameters. */
export const densenet201 = make("densenet201", 32, [6, 12, 48, 32]);
