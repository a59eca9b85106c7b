// Written by scripts/weights-table.py from torchvision 0.14.1a0.
import type { WeightsEntry } from "../weights-entry.ts";

const squeezenet1_0_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/squeezenet1_0-b66bff10.pth",
  parameters: 1248424,
  top1: 58.092,
  top5: 80.42,
  minSize: 21,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const squeezenet1_1_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth",
  parameters: 1235496,
  top1: 58.178,
  top5: 80.624,
  minSize: 17,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};

/** torchvision's published ImageNet weights by model and name. @see https://pytorch.org/vision/stable/models.html */
export const squeezenetWeights = {
  squeezenet1_0: { IMAGENET1K_V1: squeezenet1_0_IMAGENET1K_V1, DEFAULT: squeezenet1_0_IMAGENET1K_V1 },
  squeezenet1_1: { IMAGENET1K_V1: squeezenet1_1_IMAGENET1K_V1, DEFAULT: squeezenet1_1_IMAGENET1K_V1 },
} as const;
