// Written by scripts/weights-table.py from torchvision 0.14.1a0.
import type { WeightsEntry } from "../weights-entry.ts";

const vgg11_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/vgg11-8a719046.pth",
  parameters: 132863336,
  top1: 69.02,
  top5: 88.628,
  minSize: 32,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const vgg11_bn_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/vgg11_bn-6002323d.pth",
  parameters: 132868840,
  top1: 70.37,
  top5: 89.81,
  minSize: 32,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const vgg13_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/vgg13-19584684.pth",
  parameters: 133047848,
  top1: 69.928,
  top5: 89.246,
  minSize: 32,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const vgg13_bn_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/vgg13_bn-abd245e5.pth",
  parameters: 133053736,
  top1: 71.586,
  top5: 90.374,
  minSize: 32,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const vgg16_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/vgg16-397923af.pth",
  parameters: 138357544,
  top1: 71.592,
  top5: 90.382,
  minSize: 32,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const vgg16_bn_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/vgg16_bn-6c64b313.pth",
  parameters: 138365992,
  top1: 73.36,
  top5: 91.516,
  minSize: 32,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const vgg19_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
  parameters: 143667240,
  top1: 72.376,
  top5: 90.876,
  minSize: 32,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const vgg19_bn_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/vgg19_bn-c79401a0.pth",
  parameters: 143678248,
  top1: 74.218,
  top5: 91.842,
  minSize: 32,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};

/** torchvision's published ImageNet weights by model and name. @see https://pytorch.org/vision/stable/models.html */
export const vggWeights = {
  vgg11: { IMAGENET1K_V1: vgg11_IMAGENET1K_V1, DEFAULT: vgg11_IMAGENET1K_V1 },
  vgg11_bn: { IMAGENET1K_V1: vgg11_bn_IMAGENET1K_V1, DEFAULT: vgg11_bn_IMAGENET1K_V1 },
  vgg13: { IMAGENET1K_V1: vgg13_IMAGENET1K_V1, DEFAULT: vgg13_IMAGENET1K_V1 },
  vgg13_bn: { IMAGENET1K_V1: vgg13_bn_IMAGENET1K_V1, DEFAULT: vgg13_bn_IMAGENET1K_V1 },
  vgg16: { IMAGENET1K_V1: vgg16_IMAGENET1K_V1, DEFAULT: vgg16_IMAGENET1K_V1 },
  vgg16_bn: { IMAGENET1K_V1: vgg16_bn_IMAGENET1K_V1, DEFAULT: vgg16_bn_IMAGENET1K_V1 },
  vgg19: { IMAGENET1K_V1: vgg19_IMAGENET1K_V1, DEFAULT: vgg19_IMAGENET1K_V1 },
  vgg19_bn: { IMAGENET1K_V1: vgg19_bn_IMAGENET1K_V1, DEFAULT: vgg19_bn_IMAGENET1K_V1 },
} as const;
