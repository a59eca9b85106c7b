// EMNIST, letters and digits in MNIST's form, from the bytes of its IDX files. Paper: https://arxiv.org/abs/1702.05373
import { check, checkOptions, told, ValueError } from "../../errors.ts";
import { ImageDataset } from "./image-dataset.ts";
import { readPair } from "./mnist.ts";

/** How the pictures are divided and labelled: 62 classes, 47 with like letters merged (all, or as many of each), letters, digits. */
export type EmnistSplit = "byclass" | "bymerge" | "balanced" | "letters" | "digits" | "mnist";

const DIGITS = [..."0123456789"];
const UPPER = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
const LOWER = UPPER.map((letter) => letter.toLowerCase());
/** Letters whose small form is like the capital. */
const MERGED = "cijklmopsuvwxyz";
const merged = [...DIGITS, ...UPPER, ...LOWER.filter((letter) => !MERGED.includes(letter))];

/** Names as in torchvision/datasets/mnist.py. Labels of letters start at 1. */
export const EMNIST_CLASSES: Readonly<Record<EmnistSplit, readonly string[]>> = {
  byclass: [...DIGITS, ...UPPER, ...LOWER],
  bymerge: merged,
  balanced: merged,
  letters: ["N/A", ...LOWER],
  digits: DIGITS,
  mnist: DIGITS,
};

/** Throws `ValueError` unless it is a split. */
export function checkSplit(name: string, split: unknown): asserts split is EmnistSplit {
  check(
    typeof split === "string" && Object.hasOwn(EMNIST_CLASSES, split),
    () => `[${name}] split must be one of ${Object.keys(EMNIST_CLASSES).join(", ")}, got ${told(split)}`,
    ValueError,
  );
}

/** What `readEmnist` takes beside the files. */
export interface ReadEmnistOptions {
  /** Where the files come from, for error messages. Default "the files". */
  source?: string;
  /** Turn the pictures, which the files hold with rows and columns exchanged, upright. Default false: as torchvision has them. */
  upright?: boolean;
}

/** What the largest of the official files unpacks to, rounded up. */
const MOST_BYTES = 600e6;

/**
 * Reads one part of EMNIST from the bytes of its two files, gzipped or not: `emnist-<split>-train-images-idx3-ubyte` and
 * `emnist-<split>-train-labels-idx1-ubyte`, or those of `test`. Pictures: [1, 28, 28].
 * @throws FormatError for damaged files, or ones that do not belong together
 */
export async function readEmnist(
  split: EmnistSplit,
  images: Uint8Array,
  labels: Uint8Array,
  options: ReadEmnistOptions = {},
): Promise<ImageDataset> {
  checkOptions("readEmnist", options, ["source", "upright"]);
  const { source = "the files", upright = false } = options;
  checkSplit("readEmnist", split);
  const set = await readPair("readEmnist", {
    classes: EMNIST_CLASSES[split],
    images,
    labels,
    source,
    limit: MOST_BYTES,
  });
  return upright ? exchanged(set) : set;
}

/** The pictures with rows and columns exchanged. */
function exchanged({ images, labels, classes, shape }: ImageDataset): ImageDataset {
  const [channels, height, width] = shape;
  const turned = new Uint8Array(images.length);
  const area = height * width;
  for (let first = 0; first < images.length; first += area) {
    for (let i = 0; i < area; i++) {
      turned[first + (i % width) * height + Math.floor(i / width)] = images[first + i] ?? 0;
    }
  }
  return new ImageDataset({ images: turned, labels, classes, shape: [channels, width, height] });
}
