// Written by scripts/weights-table.py from torchvision 0.14.1a0.
import type { WeightsEntry } from "../weights-entry.ts";

const alexnet_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
  sha256: "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
  size: 244408911,
  parameters: 61100840,
  top1: 56.522,
  top5: 79.066,
  minSize: 63,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};

/** torchvision's published ImageNet weights by model and name. @see https://pytorch.org/vision/stable/models.html */
export const alexnetWeights = {
  alexnet: { IMAGENET1K_V1: alexnet_IMAGENET1K_V1, DEFAULT: alexnet_IMAGENET1K_V1 },
} as const;
