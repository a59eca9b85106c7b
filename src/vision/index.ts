// What is exported as `vision`: data sets, their batches on the device, transforms, models and their weights.

export {
  DataLoader,
  type DataLoaderOptions,
  type DataLoaderState,
  type IndexBatch,
  type LoadedBatch,
} from "./data-loader.ts";
export {
  type CifarName,
  type CifarOptions,
  type CifarRecords,
  parseCifarRecords,
  type ReadCifarFile,
  readCifar,
  readCifarArchive,
} from "./datasets/cifar.ts";
export { ImageDataset, type ImageDatasetParts } from "./datasets/image-dataset.ts";
export { GpuDataset, type GpuDatasetOptions, type ImageBatch } from "./gpu-dataset.ts";
export { AlexNet, type AlexNetOptions, adaptAlexnetWeights, alexnet, cifarAlexnet } from "./models/alexnet.ts";
export { type Classifier, loadPretrained, withoutHead } from "./models/pretrained.ts";
export { BasicBlock, Bottleneck, ResNet, type ResNetOptions, resnet18, resnet34, resnet50 } from "./models/resnet.ts";
export {
  CIFAR10_MEAN,
  CIFAR10_STD,
  type ColorJitterOptions,
  centerCrop,
  colorJitter,
  compose,
  IMAGENET_MEAN,
  IMAGENET_STD,
  normalize,
  randomCrop,
  randomHorizontalFlip,
  randomRotation,
  resize,
  Transform,
  toTensor,
} from "./transforms.ts";
