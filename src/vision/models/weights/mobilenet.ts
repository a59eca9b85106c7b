// Written by scripts/weights-table.py from torchvision 0.14.1a0.
import type { WeightsEntry } from "../weights-entry.ts";

const mobilenet_v2_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/mobilenet_v2-b0353104.pth",
  parameters: 3504872,
  top1: 71.878,
  top5: 90.286,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const mobilenet_v2_IMAGENET1K_V2: WeightsEntry = {
  url: "https://download.pytorch.org/models/mobilenet_v2-7ebf99e0.pth",
  parameters: 3504872,
  top1: 72.154,
  top5: 90.822,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 232, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const mobilenet_v3_large_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/mobilenet_v3_large-8738ca79.pth",
  parameters: 5483032,
  top1: 74.042,
  top5: 91.34,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const mobilenet_v3_large_IMAGENET1K_V2: WeightsEntry = {
  url: "https://download.pytorch.org/models/mobilenet_v3_large-5c1a4163.pth",
  parameters: 5483032,
  top1: 75.274,
  top5: 92.566,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 232, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const mobilenet_v3_small_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/mobilenet_v3_small-047dcff4.pth",
  parameters: 2542856,
  top1: 67.668,
  top5: 87.402,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};

/** torchvision's published ImageNet weights by model and name. @see https://pytorch.org/vision/stable/models.html */
export const mobilenetWeights = {
  mobilenet_v2: {
    IMAGENET1K_V1: mobilenet_v2_IMAGENET1K_V1,
    IMAGENET1K_V2: mobilenet_v2_IMAGENET1K_V2,
    DEFAULT: mobilenet_v2_IMAGENET1K_V2,
  },
  mobilenet_v3_large: {
    IMAGENET1K_V1: mobilenet_v3_large_IMAGENET1K_V1,
    IMAGENET1K_V2: mobilenet_v3_large_IMAGENET1K_V2,
    DEFAULT: mobilenet_v3_large_IMAGENET1K_V2,
  },
  mobilenet_v3_small: { IMAGENET1K_V1: mobilenet_v3_small_IMAGENET1K_V1, DEFAULT: mobilenet_v3_small_IMAGENET1K_V1 },
} as const;
