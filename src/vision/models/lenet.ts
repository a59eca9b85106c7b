// LeNet-5, with ReLU and max pooling in the place of the first one's sigmoids and averages.
import { checkWhole } from "../../errors.ts";
import { ReLU } from "../../nn/activation-layers.ts";
import { chain } from "../../nn/chain.ts";
import { Conv2d } from "../../nn/conv-layers.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { Module } from "../../nn/module.ts";
import { MaxPool2d } from "../../nn/pooling-layers.ts";
import { flatten } from "../../ops/view.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { classesOf, type ModelOptions } from "./options.ts";
import type { SmallImageRules } from "./small-images.ts";

/** What `lenet5` takes. */
export interface LeNetOptions extends ModelOptions {
  /** Channels of the images. Default 1. */
  inChannels?: number;
}

/**
 * Two convolutions and three linear layers: x: [N, inChannels, 32, 32] to logits [N, numClasses]. 61,706 parameters for gray
 * images of ten classes.
 * @see LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to document recognition
 */
export class LeNet5 extends Module {
  readonly conv1: Conv2d;
  readonly conv2 = new Conv2d(6, 16, 5);
  readonly relu = new ReLU();
  readonly pool = new MaxPool2d(2);
  readonly fc1 = new Linear(400, 120);
  readonly fc2 = new Linear(120, 84);
  readonly fc3: Linear;

  constructor(options: LeNetOptions = {}) {
    const numClasses = classesOf("lenet5", options, ["numClasses", "inChannels"], 10);
    const { inChannels = 1 } = options;
    checkWhole("lenet5", "inChannels", inChannels, 1);
    super();
    this.conv1 = new Conv2d(inChannels, 6, 5);
    this.fc3 = new Linear(84, numClasses);
  }

  /** The path of the layer that names the classes. */
  get head(): string {
    return "fc3";
  }

  /** What images of 32x32 need: see `adaptToSmallImages`. */
  get smallImages(): SmallImageRules {
    return { coloured: ["conv1"], lastMap: 5 };
  }

  override forward(x: Tensor): Tensor {
    const { conv1, conv2, relu, pool, fc1, fc2, fc3 } = this;
    return chain(x, [conv1, relu, pool, conv2, relu, pool, (t) => flatten(t, 1), fc1, relu, fc2, relu, fc3]);
  }
}

/** LeNet-5; ten classes by default. */
export const lenet5 = (options: LeNetOptions = {}): LeNet5 => new LeNet5(options);
