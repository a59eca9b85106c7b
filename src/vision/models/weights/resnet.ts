// Written by scripts/weights-table.py from torchvision 0.14.1a0.
import type { WeightsEntry } from "../weights-entry.ts";

const resnet18_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/resnet18-f37072fd.pth",
  sha256: "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
  size: 46830571,
  parameters: 11689512,
  top1: 69.758,
  top5: 89.078,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const resnet34_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/resnet34-b627a593.pth",
  sha256: "b627a593bcbe140c234610266fe4f8ae95ea42fc881d091c9b6052e6b1d0590f",
  size: 87319819,
  parameters: 21797672,
  top1: 73.314,
  top5: 91.42,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const resnet50_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/resnet50-0676ba61.pth",
  parameters: 25557032,
  top1: 76.13,
  top5: 92.862,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const resnet50_IMAGENET1K_V2: WeightsEntry = {
  url: "https://download.pytorch.org/models/resnet50-11ad3fa6.pth",
  parameters: 25557032,
  top1: 80.858,
  top5: 95.434,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 232, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const resnet101_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/resnet101-63fe2227.pth",
  parameters: 44549160,
  top1: 77.374,
  top5: 93.546,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const resnet101_IMAGENET1K_V2: WeightsEntry = {
  url: "https://download.pytorch.org/models/resnet101-cd907fc2.pth",
  parameters: 44549160,
  top1: 81.886,
  top5: 95.78,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 232, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const resnet152_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/resnet152-394f9c45.pth",
  parameters: 60192808,
  top1: 78.312,
  top5: 94.046,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const resnet152_IMAGENET1K_V2: WeightsEntry = {
  url: "https://download.pytorch.org/models/resnet152-f82ba261.pth",
  parameters: 60192808,
  top1: 82.284,
  top5: 96.002,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 232, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const resnext50_32x4d_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/resnext50_32x4d-7cdf4587.pth",
  parameters: 25028904,
  top1: 77.618,
  top5: 93.698,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const resnext50_32x4d_IMAGENET1K_V2: WeightsEntry = {
  url: "https://download.pytorch.org/models/resnext50_32x4d-1a0047aa.pth",
  parameters: 25028904,
  top1: 81.198,
  top5: 95.34,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 232, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const resnext101_32x8d_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/resnext101_32x8d-8ba56ff5.pth",
  parameters: 88791336,
  top1: 79.312,
  top5: 94.526,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const resnext101_32x8d_IMAGENET1K_V2: WeightsEntry = {
  url: "https://download.pytorch.org/models/resnext101_32x8d-110c445d.pth",
  parameters: 88791336,
  top1: 82.834,
  top5: 96.228,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 232, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const resnext101_64x4d_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/resnext101_64x4d-173b62eb.pth",
  parameters: 83455272,
  top1: 83.246,
  top5: 96.454,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 232, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const wide_resnet50_2_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/wide_resnet50_2-95faca4d.pth",
  parameters: 68883240,
  top1: 78.468,
  top5: 94.086,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const wide_resnet50_2_IMAGENET1K_V2: WeightsEntry = {
  url: "https://download.pytorch.org/models/wide_resnet50_2-9ba9bcbe.pth",
  parameters: 68883240,
  top1: 81.602,
  top5: 95.758,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 232, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const wide_resnet101_2_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/wide_resnet101_2-32ee1156.pth",
  parameters: 126886696,
  top1: 78.848,
  top5: 94.284,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const wide_resnet101_2_IMAGENET1K_V2: WeightsEntry = {
  url: "https://download.pytorch.org/models/wide_resnet101_2-d733dc28.pth",
  parameters: 126886696,
  top1: 82.51,
  top5: 96.02,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 232, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};

/** torchvision's published ImageNet weights by model and name. @see https://pytorch.org/vision/stable/models.html */
export const resnetWeights = {
  resnet18: { IMAGENET1K_V1: resnet18_IMAGENET1K_V1, DEFAULT: resnet18_IMAGENET1K_V1 },
  resnet34: { IMAGENET1K_V1: resnet34_IMAGENET1K_V1, DEFAULT: resnet34_IMAGENET1K_V1 },
  resnet50: {
    IMAGENET1K_V1: resnet50_IMAGENET1K_V1,
    IMAGENET1K_V2: resnet50_IMAGENET1K_V2,
    DEFAULT: resnet50_IMAGENET1K_V2,
  },
  resnet101: {
    IMAGENET1K_V1: resnet101_IMAGENET1K_V1,
    IMAGENET1K_V2: resnet101_IMAGENET1K_V2,
    DEFAULT: resnet101_IMAGENET1K_V2,
  },
  resnet152: {
    IMAGENET1K_V1: resnet152_IMAGENET1K_V1,
    IMAGENET1K_V2: resnet152_IMAGENET1K_V2,
    DEFAULT: resnet152_IMAGENET1K_V2,
  },
  resnext50_32x4d: {
    IMAGENET1K_V1: resnext50_32x4d_IMAGENET1K_V1,
    IMAGENET1K_V2: resnext50_32x4d_IMAGENET1K_V2,
    DEFAULT: resnext50_32x4d_IMAGENET1K_V2,
  },
  resnext101_32x8d: {
    IMAGENET1K_V1: resnext101_32x8d_IMAGENET1K_V1,
    IMAGENET1K_V2: resnext101_32x8d_IMAGENET1K_V2,
    DEFAULT: resnext101_32x8d_IMAGENET1K_V2,
  },
  resnext101_64x4d: { IMAGENET1K_V1: resnext101_64x4d_IMAGENET1K_V1, DEFAULT: resnext101_64x4d_IMAGENET1K_V1 },
  wide_resnet50_2: {
    IMAGENET1K_V1: wide_resnet50_2_IMAGENET1K_V1,
    IMAGENET1K_V2: wide_resnet50_2_IMAGENET1K_V2,
    DEFAULT: wide_resnet50_2_IMAGENET1K_V2,
  },
  wide_resnet101_2: {
    IMAGENET1K_V1: wide_resnet101_2_IMAGENET1K_V1,
    IMAGENET1K_V2: wide_resnet101_2_IMAGENET1K_V2,
    DEFAULT: wide_resnet101_2_IMAGENET1K_V2,
  },
} as const;
