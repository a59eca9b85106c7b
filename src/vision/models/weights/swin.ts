// Written by scripts/weights-table.py from torchvision 0.14.1a0.
import type { WeightsEntry } from "../weights-entry.ts";

const swin_t_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/swin_t-704ceda3.pth",
  parameters: 28288354,
  top1: 81.474,
  top5: 95.776,
  minSize: 224,
  transforms: { cropSize: 224, resizeSize: 232, interpolation: "bicubic" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const swin_s_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/swin_s-5e29d889.pth",
  parameters: 49606258,
  top1: 83.196,
  top5: 96.36,
  minSize: 224,
  transforms: { cropSize: 224, resizeSize: 246, interpolation: "bicubic" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const swin_b_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/swin_b-68c6b09e.pth",
  parameters: 87768224,
  top1: 83.582,
  top5: 96.64,
  minSize: 224,
  transforms: { cropSize: 224, resizeSize: 238, interpolation: "bicubic" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};

/** torchvision's published ImageNet weights by model and name. @see https://pytorch.org/vision/stable/models.html */
export const swinWeights = {
  swin_t: { IMAGENET1K_V1: swin_t_IMAGENET1K_V1, DEFAULT: swin_t_IMAGENET1K_V1 },
  swin_s: { IMAGENET1K_V1: swin_s_IMAGENET1K_V1, DEFAULT: swin_s_IMAGENET1K_V1 },
  swin_b: { IMAGENET1K_V1: swin_b_IMAGENET1K_V1, DEFAULT: swin_b_IMAGENET1K_V1 },
} as const;
