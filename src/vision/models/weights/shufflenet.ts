// Written by scripts/weights-table.py from torchvision 0.14.1a0.
import type { WeightsEntry } from "../weights-entry.ts";

const shufflenet_v2_x0_5_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/shufflenetv2_x0.5-f707e7126e.pth",
  parameters: 1366792,
  top1: 60.552,
  top5: 81.746,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const shufflenet_v2_x1_0_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/shufflenetv2_x1-5666bf0f80.pth",
  parameters: 2278604,
  top1: 69.362,
  top5: 88.316,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const shufflenet_v2_x1_5_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/shufflenetv2_x1_5-3c479a10.pth",
  parameters: 3503624,
  top1: 72.996,
  top5: 91.086,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 232, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const shufflenet_v2_x2_0_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/shufflenetv2_x2_0-8be3c8ee.pth",
  parameters: 7393996,
  top1: 76.23,
  top5: 93.006,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 232, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};

/** torchvision's published ImageNet weights by model and name. @see https://pytorch.org/vision/stable/models.html */
export const shufflenetWeights = {
  shufflenet_v2_x0_5: { IMAGENET1K_V1: shufflenet_v2_x0_5_IMAGENET1K_V1, DEFAULT: shufflenet_v2_x0_5_IMAGENET1K_V1 },
  shufflenet_v2_x1_0: { IMAGENET1K_V1: shufflenet_v2_x1_0_IMAGENET1K_V1, DEFAULT: shufflenet_v2_x1_0_IMAGENET1K_V1 },
  shufflenet_v2_x1_5: { IMAGENET1K_V1: shufflenet_v2_x1_5_IMAGENET1K_V1, DEFAULT: shufflenet_v2_x1_5_IMAGENET1K_V1 },
  shufflenet_v2_x2_0: { IMAGENET1K_V1: shufflenet_v2_x2_0_IMAGENET1K_V1, DEFAULT: shufflenet_v2_x2_0_IMAGENET1K_V1 },
} as const;
