// AlexNet: torchvision's, and the variant for 32x32 images that takes over its pretrained weights.
import { noGrad } from "../../autograd/mode.ts";
import { check, checkNumber, checkOptions, checkWhole, StateDictError } from "../../errors.ts";
import { ReLU } from "../../nn/activation-layers.ts";
import { Dropout } from "../../nn/basic-layers.ts";
import { chain } from "../../nn/chain.ts";
import { Sequential } from "../../nn/containers.ts";
import { Conv2d } from "../../nn/conv-layers.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { entriesOf, type StateDict, type StateDictLike } from "../../nn/load-state-dict.ts";
import { Module } from "../../nn/module.ts";
import { AdaptiveAvgPool2d, MaxPool2d } from "../../nn/pooling-layers.ts";
import { slice } from "../../ops/movement.ts";
import { flatten } from "../../ops/view.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { SmallImageRules } from "./small-images.ts";

/** What `alexnet` and `cifarAlexnet` take. */
export interface AlexNetOptions {
  /** Outputs of the last layer. Default 1000; of `cifarAlexnet` 10. */
  numClasses?: number;
  /** Probability of the two dropout layers before the large linear ones. Default 0.5. */
  dropout?: number;
}

/**
 * Five convolutions and three linear layers: x: [N, 3, H, W] to logits [N, numClasses].
 * @see https://arxiv.org/abs/1404.5997 and https://pytorch.org/vision/stable/models/alexnet.html
 */
export class AlexNet extends Module {
  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d(6);
  readonly classifier: Sequential;

  constructor(stem: Conv2d, firstPool: MaxPool2d, numClasses: number, dropout: number) {
    super();
    this.features = new Sequential(
      stem,
      new ReLU(),
      firstPool,
      new Conv2d(64, 192, 5, { padding: 2 }),
      new ReLU(),
      new MaxPool2d(3, { stride: 2 }),
      new Conv2d(192, 384, 3, { padding: 1 }),
      new ReLU(),
      new Conv2d(384, 256, 3, { padding: 1 }),
      new ReLU(),
      new Conv2d(256, 256, 3, { padding: 1 }),
      new ReLU(),
      new MaxPool2d(3, { stride: 2 }),
    );
    this.classifier = new Sequential(
      new Dropout(dropout),
      new Linear(256 * 6 * 6, 4096),
      new ReLU(),
      new Dropout(dropout),
      new Linear(4096, 4096),
      new ReLU(),
      new Linear(4096, numClasses),
    );
  }

  /** The path of the layer that names the classes. */
  get head(): string {
    return "classifier.6";
  }

  /** What images of 32x32 need: see `adaptToSmallImages`. */
  get smallImages(): SmallImageRules {
    return { stems: ["features.0"], dropped: ["features.2"], lastMap: 7 };
  }

  override forward(x: Tensor): Tensor {
    return chain(x, [this.features, this.avgpool, (t) => flatten(t, 1), this.classifier]);
  }
}

/** Options with what is left out. Checked before the model takes its memory. */
function filled(name: string, options: AlexNetOptions, classes: number): Required<AlexNetOptions> {
  checkOptions(name, options, ["numClasses", "dropout"]);
  const { numClasses = classes, dropout = 0.5 } = options;
  checkWhole(name, "numClasses", numClasses, 1);
  checkNumber(name, "dropout", dropout, 0, 1);
  return { numClasses, dropout };
}

/** torchvision's AlexNet for images of about 224x224, at least 63x63. 61 million parameters; 1000 classes by default. */
export function alexnet(options: AlexNetOptions = {}): AlexNet {
  const { numClasses, dropout } = filled("alexnet", options, 1000);
  const stem = new Conv2d(3, 64, 11, { stride: 4, padding: 2 });
  return new AlexNet(stem, new MaxPool2d(3, { stride: 2 }), numClasses, dropout);
}

/**
 * AlexNet for 32x32 images: a 3x3 stem of stride 1 and a first pool of 2x2 keep the maps large enough; all other shapes
 * are torchvision's, so that its weights load after `adaptAlexnetWeights`. Ten classes by default.
 */
export function cifarAlexnet(options: AlexNetOptions = {}): AlexNet {
  const { numClasses, dropout } = filled("cifarAlexnet", options, 10);
  const stem = new Conv2d(3, 64, 3, { padding: 1 });
  return new AlexNet(stem, new MaxPool2d(2, { stride: 2 }), numClasses, dropout);
}

const STEM = "features.0.weight";

/**
 * torchvision's AlexNet weights for `cifarAlexnet`: of the 11x11 kernels of the first layer, rows and columns 1 to 3.
 * Returns a new dict that shares all tensors but that one, which is the caller's to dispose.
 * @throws StateDictError where the dict has no AlexNet stem.
 */
export function adaptAlexnetWeights(dict: StateDictLike): StateDict {
  const adapted = entriesOf("adaptAlexnetWeights", dict);
  const stem = adapted.get(STEM);
  check(
    stem !== undefined && String(stem.shape) === "64,3,11,11",
    () =>
      `[adaptAlexnetWeights] ${STEM} of shape [64, 3, 11, 11] was expected, got ${stem ? show(stem.shape) : "none"}`,
    StateDictError,
  );
  adapted.set(
    STEM,
    noGrad(() => slice(stem, [null, null, [1, 4], [1, 4]])),
  );
  return Object.fromEntries(adapted);
}
