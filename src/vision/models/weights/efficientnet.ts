// Written by scripts/weights-table.py from torchvision 0.14.1a0.
import type { WeightsEntry } from "../weights-entry.ts";

const efficientnet_b0_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/efficientnet_b0_rwightman-3dd342df.pth",
  parameters: 5288548,
  top1: 77.692,
  top5: 93.532,
  minSize: 1,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bicubic" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const efficientnet_b1_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/efficientnet_b1_rwightman-533bc792.pth",
  parameters: 7794184,
  top1: 78.642,
  top5: 94.186,
  minSize: 1,
  transforms: { cropSize: 240, resizeSize: 256, interpolation: "bicubic" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const efficientnet_b1_IMAGENET1K_V2: WeightsEntry = {
  url: "https://download.pytorch.org/models/efficientnet_b1-c27df63c.pth",
  parameters: 7794184,
  top1: 79.838,
  top5: 94.934,
  minSize: 1,
  transforms: { cropSize: 240, resizeSize: 255, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const efficientnet_b2_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/efficientnet_b2_rwightman-bcdf34b7.pth",
  parameters: 9109994,
  top1: 80.608,
  top5: 95.31,
  minSize: 1,
  transforms: { cropSize: 288, resizeSize: 288, interpolation: "bicubic" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const efficientnet_b3_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/efficientnet_b3_rwightman-cf984f9c.pth",
  parameters: 12233232,
  top1: 82.008,
  top5: 96.054,
  minSize: 1,
  transforms: { cropSize: 300, resizeSize: 320, interpolation: "bicubic" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const efficientnet_b4_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/efficientnet_b4_rwightman-7eb33cd5.pth",
  parameters: 19341616,
  top1: 83.384,
  top5: 96.594,
  minSize: 1,
  transforms: { cropSize: 380, resizeSize: 384, interpolation: "bicubic" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const efficientnet_b5_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/efficientnet_b5_lukemelas-b6417697.pth",
  parameters: 30389784,
  top1: 83.444,
  top5: 96.628,
  minSize: 1,
  transforms: { cropSize: 456, resizeSize: 456, interpolation: "bicubic" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const efficientnet_b6_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/efficientnet_b6_lukemelas-c76e70fd.pth",
  parameters: 43040704,
  top1: 84.008,
  top5: 96.916,
  minSize: 1,
  transforms: { cropSize: 528, resizeSize: 528, interpolation: "bicubic" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const efficientnet_b7_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/efficientnet_b7_lukemelas-dcc49843.pth",
  parameters: 66347960,
  top1: 84.122,
  top5: 96.908,
  minSize: 1,
  transforms: { cropSize: 600, resizeSize: 600, interpolation: "bicubic" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const efficientnet_v2_s_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/efficientnet_v2_s-dd5fe13b.pth",
  parameters: 21458488,
  top1: 84.228,
  top5: 96.878,
  minSize: 33,
  transforms: { cropSize: 384, resizeSize: 384, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const efficientnet_v2_m_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/efficientnet_v2_m-dc08266a.pth",
  parameters: 54139356,
  top1: 85.112,
  top5: 97.156,
  minSize: 33,
  transforms: { cropSize: 480, resizeSize: 480, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};
const efficientnet_v2_l_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/efficientnet_v2_l-59c71312.pth",
  parameters: 118515272,
  top1: 85.808,
  top5: 97.788,
  minSize: 33,
  transforms: { cropSize: 480, resizeSize: 480, interpolation: "bicubic", mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
};

/** torchvision's published ImageNet weights by model and name. @see https://pytorch.org/vision/stable/models.html */
export const efficientnetWeights = {
  efficientnet_b0: { IMAGENET1K_V1: efficientnet_b0_IMAGENET1K_V1, DEFAULT: efficientnet_b0_IMAGENET1K_V1 },
  efficientnet_b1: {
    IMAGENET1K_V1: efficientnet_b1_IMAGENET1K_V1,
    IMAGENET1K_V2: efficientnet_b1_IMAGENET1K_V2,
    DEFAULT: efficientnet_b1_IMAGENET1K_V2,
  },
  efficientnet_b2: { IMAGENET1K_V1: efficientnet_b2_IMAGENET1K_V1, DEFAULT: efficientnet_b2_IMAGENET1K_V1 },
  efficientnet_b3: { IMAGENET1K_V1: efficientnet_b3_IMAGENET1K_V1, DEFAULT: efficientnet_b3_IMAGENET1K_V1 },
  efficientnet_b4: { IMAGENET1K_V1: efficientnet_b4_IMAGENET1K_V1, DEFAULT: efficientnet_b4_IMAGENET1K_V1 },
  efficientnet_b5: { IMAGENET1K_V1: efficientnet_b5_IMAGENET1K_V1, DEFAULT: efficientnet_b5_IMAGENET1K_V1 },
  efficientnet_b6: { IMAGENET1K_V1: efficientnet_b6_IMAGENET1K_V1, DEFAULT: efficientnet_b6_IMAGENET1K_V1 },
  efficientnet_b7: { IMAGENET1K_V1: efficientnet_b7_IMAGENET1K_V1, DEFAULT: efficientnet_b7_IMAGENET1K_V1 },
  efficientnet_v2_s: { IMAGENET1K_V1: efficientnet_v2_s_IMAGENET1K_V1, DEFAULT: efficientnet_v2_s_IMAGENET1K_V1 },
  efficientnet_v2_m: { IMAGENET1K_V1: efficientnet_v2_m_IMAGENET1K_V1, DEFAULT: efficientnet_v2_m_IMAGENET1K_V1 },
  efficientnet_v2_l: { IMAGENET1K_V1: efficientnet_v2_l_IMAGENET1K_V1, DEFAULT: efficientnet_v2_l_IMAGENET1K_V1 },
} as const;
