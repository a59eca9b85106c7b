// Written by scripts/weights-table.py from torchvision 0.14.1a0.
import type { WeightsEntry } from "../weights-entry.ts";

const googlenet_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/googlenet-1378be20.pth",
  parameters: 6624904,
  top1: 69.778,
  top5: 89.53,
  minSize: 15,
  transforms: { cropSize: 224, resizeSize: 256, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
  options: { transformInput: true, initWeights: false },
};
const inception_v3_IMAGENET1K_V1: WeightsEntry = {
  url: "https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth",
  parameters: 27161264,
  top1: 77.294,
  top5: 93.45,
  minSize: 75,
  transforms: { cropSize: 299, resizeSize: 342, interpolation: "bilinear" },
  license: "https://github.com/pytorch/vision#pre-trained-model-license",
  options: { transformInput: true, initWeights: false },
};

/** torchvision's published ImageNet weights by model and name. @see https://pytorch.org/vision/stable/models.html */
export const inceptionWeights = {
  googlenet: { IMAGENET1K_V1: googlenet_IMAGENET1K_V1, DEFAULT: googlenet_IMAGENET1K_V1 },
  inception_v3: { IMAGENET1K_V1: inception_v3_IMAGENET1K_V1, DEFAULT: inception_v3_IMAGENET1K_V1 },
} as const;
