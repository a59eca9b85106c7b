// The pictures to learn: CIFAR-10 from a folder, an archive, the cache or the network, or emoji where none can be had.
import { DataError, vision } from "wgrad";
import { CIFAR10 } from "wgrad/node";
import { loadEmoji } from "./emoji.ts";
import type { Given } from "./options.ts";

export interface Pictures {
  readonly name: string;
  readonly train: vision.ImageDataset;
  readonly test: vision.ImageDataset;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Loads the training and test pictures that the options ask for, cut to their sizes. */
export async function loadPictures({ options, isGiven }: Given, log: (line: string) => void): Promise<Pictures> {
  const pictures = await choose();
  const cut = (set: vision.ImageDataset, n: number | undefined) => (n === undefined ? set : set.subset(n));
  return { ...pictures, train: cut(pictures.train, options.trainSize), test: cut(pictures.test, options.testSize) };

  async function choose(): Promise<Pictures> {
    if (options.dataset === "emoji") return emoji();
    const source = options.data === undefined ? {} : { data: options.data };
    try {
      const onProgress = progressLine("CIFAR-10", log);
      const train = await CIFAR10({ ...source, train: true, onProgress });
      const test = await CIFAR10({ ...source, train: false });
      return { name: "CIFAR-10", train, test, mean: vision.CIFAR10_MEAN, std: vision.CIFAR10_STD };
    } catch (error) {
      // Asked for explicitly, missing data is an error; otherwise the example goes on with what it brings along.
      if (!(error instanceof DataError) || options.data !== undefined || isGiven("dataset")) throw error;
      log(`CIFAR-10 is neither in the cache nor can it be downloaded (${firstLine(error)}).`);
      log("Going on with emoji (--dataset emoji). For CIFAR-10, pass --data with its folder or archive.");
      return emoji();
    }
  }

  async function emoji(): Promise<Pictures> {
    const { train, test } = await loadEmoji({ log });
    return { name: "emoji", train, test, mean: vision.IMAGENET_MEAN, std: vision.IMAGENET_STD };
  }
}

const firstLine = (error: Error): string => error.message.split("\n", 1).join();

/** A download's progress, a line each ten percent. */
export function progressLine(what: string, log: (line: string) => void) {
  let shown = -1;
  return ({ received, total }: { received: number; total?: number | undefined }) => {
    const tenth = total ? Math.floor((received / total) * 10) : 0;
    if (tenth === shown) return;
    shown = tenth;
    const megabytes = (n: number) => `${(n / 1e6).toFixed(0)} MB`;
    log(`downloading ${what}: ${megabytes(received)}${total ? ` of ${megabytes(total)}` : ""}`);
  };
}
