// Written by scripts/weights-table.py from torchvision 0.14.1a0.
import type { WeightsEntry } from "../weights-entry.ts";

const vit_b_16_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/vit_b_16-c867db91.pth",
  parameters: 86567656,
  top1: 81.072,
  top5: 95.318,
  minSize: 224,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const vit_b_16_IMAGENET1K_SWAG_E2E_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/vit_b_16_swag-9ac1b537.pth",
  parameters: 86859496,
  top1: 85.304,
  top5: 97.65,
  minSize: 384,
  transforms: { cropSize: 384, resizeSize: 384, interpolation: "bicubic" },
  license: "https://github.com/facebookresearch/SWAG/blob/main/LICENSE",
  options: { imageSize: 384 },
};
const vit_b_16_IMAGENET1K_SWAG_LINEAR_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/vit_b_16_lc_swag-4e70ced5.pth",
  parameters: 86567656,
  top1: 81.886,
  top5: 96.18,
  minSize: 224,
  transforms: { cropSize: 224, resizeSize: 224, interpolation: "bicubic" },
  license: "https://github.com/facebookresearch/SWAG/blob/main/LICENSE",
};
const vit_b_32_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/vit_b_32-d86f8d99.pth",
  parameters: 88224232,
  top1: 75.912,
  top5: 92.466,
  minSize: 224,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const vit_l_16_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/vit_l_16-852ce7e3.pth",
  parameters: 304326632,
  top1: 79.662,
  top5: 94.638,
  minSize: 224,
  transforms: { cropSize: 224, resizeSize: 242, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const vit_l_16_IMAGENET1K_SWAG_E2E_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/vit_l_16_swag-4f3808c9.pth",
  parameters: 305174504,
  top1: 88.064,
  top5: 98.512,
  minSize: 512,
  transforms: { cropSize: 512, resizeSize: 512, interpolation: "bicubic" },
  license: "https://github.com/facebookresearch/SWAG/blob/main/LICENSE",
  options: { imageSize: 512 },
};
const vit_l_16_IMAGENET1K_SWAG_LINEAR_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/vit_l_16_lc_swag-4d563306.pth",
  parameters: 304326632,
  top1: 85.146,
  top5: 97.422,
  minSize: 224,
  transforms: { cropSize: 224, resizeSize: 224, interpolation: "bicubic" },
  license: "https://github.com/facebookresearch/SWAG/blob/main/LICENSE",
};
const vit_l_32_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/vit_l_32-c7638314.pth",
  parameters: 306535400,
  top1: 76.972,
  top5: 93.07,
  minSize: 224,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const vit_h_14_IMAGENET1K_SWAG_E2E_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/vit_h_14_swag-80465313.pth",
  parameters: 633470440,
  top1: 88.552,
  top5: 98.694,
  minSize: 518,
  transforms: { cropSize: 518, resizeSize: 518, interpolation: "bicubic" },
  license: "https://github.com/facebookresearch/SWAG/blob/main/LICENSE",
  options: { imageSize: 518 },
};
const vit_h_14_IMAGENET1K_SWAG_LINEAR_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/vit_h_14_lc_swag-c1eb923e.pth",
  parameters: 632045800,
  top1: 85.708,
  top5: 97.73,
  minSize: 224,
  transforms: { cropSize: 224, resizeSize: 224, interpolation: "bicubic" },
  license: "https://github.com/facebookresearch/SWAG/blob/main/LICENSE",
};

/** torchvision's published ImageNet weights by model and name. @see https://pytorch.org/vision/stable/models.html */
export const vitWeights = {
  vit_b_16: {
    IMAGENET1K_V1: vit_b_16_IMAGENET1K_V1,
    IMAGENET1K_SWAG_E2E_V1: vit_b_16_IMAGENET1K_SWAG_E2E_V1,
    IMAGENET1K_SWAG_LINEAR_V1: vit_b_16_IMAGENET1K_SWAG_LINEAR_V1,
    DEFAULT: vit_b_16_IMAGENET1K_V1,
  },
  vit_b_32: { IMAGENET1K_V1: vit_b_32_IMAGENET1K_V1, DEFAULT: vit_b_32_IMAGENET1K_V1 },
  vit_l_16: {
    IMAGENET1K_V1: vit_l_16_IMAGENET1K_V1,
    IMAGENET1K_SWAG_E2E_V1: vit_l_16_IMAGENET1K_SWAG_E2E_V1,
    IMAGENET1K_SWAG_LINEAR_V1: vit_l_16_IMAGENET1K_SWAG_LINEAR_V1,
    DEFAULT: vit_l_16_IMAGENET1K_V1,
  },
  vit_l_32: { IMAGENET1K_V1: vit_l_32_IMAGENET1K_V1, DEFAULT: vit_l_32_IMAGENET1K_V1 },
  vit_h_14: {
    IMAGENET1K_SWAG_E2E_V1: vit_h_14_IMAGENET1K_SWAG_E2E_V1,
    IMAGENET1K_SWAG_LINEAR_V1: vit_h_14_IMAGENET1K_SWAG_LINEAR_V1,
    DEFAULT: vit_h_14_IMAGENET1K_SWAG_E2E_V1,
  },
} as const;
