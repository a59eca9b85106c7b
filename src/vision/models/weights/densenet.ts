// Written by scripts/weights-table.py from torchvision 0.14.1a0.
import type { WeightsEntry } from "../weights-entry.ts";

const densenet121_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/densenet121-a639ec97.pth",
  parameters: 7978856,
  top1: 74.434,
  top5: 91.972,
  minSize: 29,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const densenet161_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/densenet161-8d451a50.pth",
  parameters: 28681000,
  top1: 77.138,
  top5: 93.56,
  minSize: 29,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const densenet169_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/densenet169-b2777c0a.pth",
  parameters: 14149480,
  top1: 75.6,
  top5: 92.806,
  minSize: 29,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const densenet201_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/densenet201-c1103571.pth",
  parameters: 20013928,
  top1: 76.896,
  top5: 93.37,
  minSize: 29,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};

/** torchvision's published ImageNet weights by model and name. @see https://pytorch.org/vision/stable/models.html */
export const densenetWeights = {
  densenet121: { IMAGENET1K_V1: densenet121_IMAGENET1K_V1, DEFAULT: densenet121_IMAGENET1K_V1 },
  densenet161: { IMAGENET1K_V1: densenet161_IMAGENET1K_V1, DEFAULT: densenet161_IMAGENET1K_V1 },
  densenet169: { IMAGENET1K_V1: densenet169_IMAGENET1K_V1, DEFAULT: densenet169_IMAGENET1K_V1 },
  densenet201: { IMAGENET1K_V1: densenet201_IMAGENET1K_V1, DEFAULT: densenet201_IMAGENET1K_V1 },
} as const;
