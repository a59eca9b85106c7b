// Written by scripts/weights-table.py: all families' weights together.
import { alexnetWeights } from "./alexnet.ts";
import { convnextWeights } from "./convnext.ts";
import { densenetWeights } from "./densenet.ts";
import { efficientnetWeights } from "./efficientnet.ts";
import { inceptionWeights } from "./inception.ts";
import { mobilenetWeights } from "./mobilenet.ts";
import { resnetWeights } from "./resnet.ts";
import { shufflenetWeights } from "./shufflenet.ts";
import { squeezenetWeights } from "./squeezenet.ts";
import { swinWeights } from "./swin.ts";
import { vggWeights } from "./vgg.ts";
import { vitWeights } from "./vit.ts";

/**
 * torchvision's published ImageNet weights by model and name: `modelWeights.resnet50.IMAGENET1K_V2`. A program that knows its
 * model takes its family's instead (`resnetWeights`), and carries no other.
 * @see https://pytorch.org/vision/stable/models.html
 */
export const modelWeights = {
  ...alexnetWeights,
  ...convnextWeights,
  ...densenetWeights,
  ...efficientnetWeights,
  ...inceptionWeights,
  ...mobilenetWeights,
  ...resnetWeights,
  ...shufflenetWeights,
  ...squeezenetWeights,
  ...swinWeights,
  ...vggWeights,
  ...vitWeights,
} as const;
