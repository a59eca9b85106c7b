// Written by scripts/weights-table.py from torchvision 0.14.1a0.
import type { WeightsEntry } from "../weights-entry.ts";

const convnext_tiny_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/convnext_tiny-983f1562.pth",
  parameters: 28589128,
  top1: 82.52,
  top5: 96.146,
  minSize: 32,
  transforms: { cropSize: 224, resizeSize: 236, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const convnext_small_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/convnext_small-0c510722.pth",
  parameters: 50223688,
  top1: 83.616,
  top5: 96.65,
  minSize: 32,
  transforms: { cropSize: 224, resizeSize: 230, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const convnext_base_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/convnext_base-6075fbad.pth",
  parameters: 88591464,
  top1: 84.062,
  top5: 96.87,
  minSize: 32,
  transforms: { cropSize: 224, resizeSize: 232, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const convnext_large_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/convnext_large-ea097f82.pth",
  parameters: 197767336,
  top1: 84.414,
  top5: 96.976,
  minSize: 32,
  transforms: { cropSize: 224, resizeSize: 232, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};

/** torchvision's published ImageNet weights by model and name. @see https://pytorch.org/vision/stable/models.html */
export const convnextWeights = {
  convnext_tiny: { IMAGENET1K_V1: convnext_tiny_IMAGENET1K_V1, DEFAULT: convnext_tiny_IMAGENET1K_V1 },
  convnext_small: { IMAGENET1K_V1: convnext_small_IMAGENET1K_V1, DEFAULT: convnext_small_IMAGENET1K_V1 },
  convnext_base: { IMAGENET1K_V1: convnext_base_IMAGENET1K_V1, DEFAULT: convnext_base_IMAGENET1K_V1 },
  convnext_large: { IMAGENET1K_V1: convnext_large_IMAGENET1K_V1, DEFAULT: convnext_large_IMAGENET1K_V1 },
} as const;
