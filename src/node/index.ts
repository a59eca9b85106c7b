// The public API for Node alone (`wgrad/node`): files, cache, downloads, data sets.
export { writeFileAtomic } from "./atomic.ts";
export { cachePath } from "./cache.ts";
export { loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
export { CIFAR10, CIFAR100, type Cifar100Source, type CifarSource } from "./datasets.ts";
export { type DownloadOptions, type DownloadProgress, download } from "./download.ts";
export { EMNIST, type EmnistSource } from "./emnist.ts";
export { type FolderItem, type FolderSample, ImageFolder, type ImageFolderOptions } from "./image-folder.ts";
export { FashionMNIST, KMNIST, MNIST, type MnistSource } from "./mnist.ts";
export { readImage, type SaveImageOptions, saveImage } from "./pictures.ts";
export { pretrainedWeights, type WeightsName, type WeightsOptions, weightsFromUrl } from "./weights.ts";
