// What --engine torchrun hands over to Python: a folder with recipe.json, the pictures, their order and the first weights.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { data, saveSafetensors, type vision } from "wgrad";
import { writeFileAtomic } from "wgrad/node";
import { AUGMENTATION, batching, type Run, SCHEDULE } from "./recipe.ts";
import { HANDOVER } from "./run-folder.ts";

/** Raw pictures u8 [count, C, H, W] and labels i32 [count]. */
interface PictureFiles {
  readonly images: string;
  readonly labels: string;
  readonly count: number;
}

/** `recipe.json`. Names of files are relative to its folder. */
export interface Recipe {
  /** torchvision's name. */
  readonly model: string;
  readonly numClasses: number;
  /** The path of the layer that learns while the rest is frozen. */
  readonly head: string;
  /** safetensors: every weight that training starts from. */
  readonly weights: string;
  readonly shape: readonly number[];
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly train: PictureFiles;
  readonly test: PictureFiles;
  /** i32 [epochs, train.count]: the order of the training images in each epoch. */
  readonly order: string;
  /** Null: none. */
  readonly augmentation: typeof AUGMENTATION | null;
  readonly epochs: number;
  readonly freezeEpochs: number;
  /** Of all processes together. */
  readonly batchSize: number;
  /** Batches an epoch. */
  readonly batches: number;
  readonly optimizer: { readonly lr: number; readonly unfreezeLr: number; readonly weightDecay: number };
  readonly schedule: typeof SCHEDULE;
  /** Of augmentation and dropout. */
  readonly seed: number;
  /** On all machines together. */
  readonly processes: number;
  /** Where last.safetensors and best.safetensors go. */
  readonly out: string;
}

const FILES = {
  weights: "initial.safetensors",
  order: "order.i32",
  train: { images: "train-images.u8", labels: "train-labels.i32" },
  test: { images: "test-images.u8", labels: "test-labels.i32" },
} as const;

/** The size of what is handed over beside the weights, in bytes. */
export const handoverBytes = ({ pictures, given }: Run): number =>
  pictures.train.images.length + pictures.test.images.length + 4 * given.options.epochs * pictures.train.length;

/** Writes everything to the run's folder. Returns the recipe's path. */
export async function writeRecipe({ given, folder, pictures, model }: Run): Promise<string> {
  const { options } = given;
  const { epochs, freezeEpochs, batchSize, lr, unfreezeLr, weightDecay, seed } = options;
  const { train, test, mean, std } = pictures;
  const processes = options.nproc * options.nnodes;
  const { dropLast } = batching(options, train.length, processes);
  const file = (name: string) => folder.file(join(HANDOVER, name));

  const dict = model.stateDict();
  await writeFileAtomic(file(FILES.weights), await saveSafetensors(dict));
  for (const tensor of Object.values(dict)) tensor.dispose();
  const writePictures = async (set: vision.ImageDataset, { images, labels }: Omit<PictureFiles, "count">) => {
    await writeFileAtomic(file(images), set.images);
    await writeFileAtomic(file(labels), bytesOf(set.labels));
    return { images, labels, count: set.length };
  };
  const sampler = new data.RandomSampler(train, { seed });
  const order = new Int32Array(epochs * train.length);
  for (let epoch = 0; epoch < epochs; epoch++) order.set(sampler.order(epoch), epoch * train.length);
  await writeFileAtomic(file(FILES.order), bytesOf(order));

  const recipe: Recipe = {
    ...{ model: options.model, numClasses: train.classes.length, head: model.head, weights: FILES.weights },
    ...{ shape: train.shape, mean, std },
    train: await writePictures(train, FILES.train),
    test: await writePictures(test, FILES.test),
    order: FILES.order,
    augmentation: options.augment === "none" ? null : AUGMENTATION,
    ...{ epochs, freezeEpochs, batchSize },
    batches: dropLast ? Math.floor(train.length / batchSize) : Math.ceil(train.length / batchSize),
    optimizer: { lr, unfreezeLr, weightDecay },
    schedule: SCHEDULE,
    ...{ seed, processes, out: ".." },
  };
  await writeFileAtomic(file("recipe.json"), `${JSON.stringify(recipe, null, 2)}\n`);
  return file("recipe.json");
}

/** Removes the large files: the recipe stays, to be read. */
export async function clearHandover({ folder }: Run): Promise<void> {
  const { weights, order, train, test } = FILES;
  for (const name of [weights, order, train.images, train.labels, test.images, test.labels])
    await rm(folder.file(join(HANDOVER, name)), { force: true });
}

const bytesOf = (values: Int32Array): Uint8Array => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
