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
export { type EmnistSplit, type ReadEmnistOptions, readEmnist } from "./datasets/emnist.ts";
export { ImageDataset, type ImageDatasetParts } from "./datasets/image-dataset.ts";
export { type IdxArray, type MnistName, parseIdx, readMnist } from "./datasets/mnist.ts";
export { GpuDataset, type GpuDatasetOptions, type ImageBatch } from "./gpu-dataset.ts";
export { type GridOptions, makeGrid } from "./make-grid.ts";
export { AlexNet, type AlexNetOptions, adaptAlexnetWeights, alexnet, cifarAlexnet } from "./models/alexnet.ts";
export {
  type Beit,
  type BeitForMaskedImages,
  beitBasePatch16_224,
  beitForMaskedImages,
  beitLargePatch16_224,
  type MaskedBeitOptions,
} from "./models/beit.ts";
export {
  type ConvNeXt,
  type ConvNeXtOptions,
  convnextBase,
  convnextLarge,
  convnextSmall,
  convnextTiny,
} from "./models/convnext.ts";
export {
  type DeiT,
  type DistilledDeiT,
  deitBaseDistilledPatch16_224,
  deitBasePatch16_224,
  deitSmallDistilledPatch16_224,
  deitSmallPatch16_224,
  deitTinyDistilledPatch16_224,
  deitTinyPatch16_224,
  vitBasePatch16_224,
  vitLargePatch16_224,
  vitSmallPatch16_224,
  vitTinyPatch16_224,
} from "./models/deit.ts";
export { type DenseNet, densenet121, densenet161, densenet169, densenet201 } from "./models/densenet.ts";
export {
  type EfficientNet,
  type EfficientNetOptions,
  efficientnetB0,
  efficientnetB1,
  efficientnetB2,
  efficientnetB3,
  efficientnetB4,
  efficientnetB5,
  efficientnetB6,
  efficientnetB7,
  efficientnetV2L,
  efficientnetV2M,
  efficientnetV2S,
} from "./models/efficientnet.ts";
export {
  type ExtraFPNBlock,
  type FeatureMaps,
  FeaturePyramidNetwork,
  type FeaturePyramidOptions,
  LastLevelMaxPool,
  LastLevelP6P7,
} from "./models/feature-pyramid.ts";
export {
  type GoogLeNet,
  type GoogLeNetOptions,
  type GoogLeNetOutputs,
  googlenet,
  type PlainGoogLeNet,
} from "./models/googlenet.ts";
export type { InceptionOptions } from "./models/inception-parts.ts";
export { type InceptionResnetV2, inceptionResnetV2 } from "./models/inception-resnet-v2.ts";
export { type Inception3, type InceptionOutputs, inceptionV3, type PlainInception3 } from "./models/inception-v3.ts";
export { LeNet5, type LeNetOptions, lenet5 } from "./models/lenet.ts";
export { MobileNetV2, type MobileNetV2Options, mobilenetV2 } from "./models/mobilenet-v2.ts";
export {
  type MobileNetV3,
  type MobileNetV3Options,
  mobilenetV3Large,
  mobilenetV3Small,
} from "./models/mobilenet-v3.ts";
export { MoCoV3, type MoCoV3Options, mocoV3Resnet50, mocoV3VitBase, mocoV3VitSmall } from "./models/moco-v3.ts";
export type { DropoutOptions, ModelOptions } from "./models/options.ts";
export { interpolatePosEmbedding, type Positioned } from "./models/pos-embedding.ts";
export { type Classifier, loadPretrained, withoutHead } from "./models/pretrained.ts";
export { createModel, listModels, type ModelName, type WeightsNameOf } from "./models/registry.ts";
export {
  BasicBlock,
  type BlockWidth,
  Bottleneck,
  ResNet,
  type ResNetOptions,
  resnet18,
  resnet34,
  resnet50,
  resnet101,
  resnet152,
  resnext50_32x4d,
  resnext101_32x8d,
  resnext101_64x4d,
  wideResnet50_2,
  wideResnet101_2,
} from "./models/resnet.ts";
export {
  type ShuffleNetV2,
  shufflenetV2X0_5,
  shufflenetV2X1_0,
  shufflenetV2X1_5,
  shufflenetV2X2_0,
} from "./models/shufflenet-v2.ts";
export { type SqueezeNet, squeezenet1_0, squeezenet1_1 } from "./models/squeezenet.ts";
export { type SwinTransformer, swinB, swinS, swinT } from "./models/swin.ts";
export type { ModelPadding, PaddingOptions } from "./models/tensorflow-padding.ts";
export {
  type VGG,
  vgg11,
  vgg11Bn,
  vgg13,
  vgg13Bn,
  vgg16,
  vgg16Bn,
  vgg19,
  vgg19Bn,
} from "./models/vgg.ts";
export { type VisionTransformer, vitB16, vitB32, vitH14, vitL16, vitL32 } from "./models/vit.ts";
export type { TransformerModelOptions, VitOptions } from "./models/vit-parts.ts";
export {
  type FromPixelsOptions,
  fromPixels,
  type PixelCanvas,
  type PixelData,
  type PixelSource,
  toPixels,
} from "./pixels.ts";
export { type RandomAffineOptions, randomAffine } from "./transform-affine.ts";
export {
  type RandAugmentOptions,
  randAugment,
  type TrivialAugmentOptions,
  trivialAugmentWide,
} from "./transform-augment.ts";
export { type GaussianBlurOptions, gaussianBlur } from "./transform-blur.ts";
export { type ColorJitterOptions, colorJitter, grayscale, randomGrayscale } from "./transform-color.ts";
export { type RandomErasingOptions, randomErasing } from "./transform-erase.ts";
export { type BatchMix, cutmix, type MixOptions, mixup } from "./transform-mix.ts";
export { type ImageClassificationOptions, imageClassification } from "./transform-preset.ts";
export {
  type InterpolationOptions,
  type RandomResizedCropOptions,
  type ResizeOptions,
  randomResizedCrop,
  resize,
} from "./transform-resize.ts";
export type { Fill, Interpolation, PaddingMode } from "./transform-steps.ts";
export {
  centerCrop,
  normalize,
  type PadOptions,
  pad,
  type RandomCropOptions,
  type RandomRotationOptions,
  randomCrop,
  randomHorizontalFlip,
  randomRotation,
  randomVerticalFlip,
  toTensor,
} from "./transform-warp.ts";
export {
  CIFAR10_MEAN,
  CIFAR10_STD,
  compose,
  IMAGENET_MEAN,
  IMAGENET_STD,
  Transform,
} from "./transforms.ts";
