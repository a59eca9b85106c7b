// MNIST and the data sets of its form, from the bytes of their IDX files. Format: http://yann.lecun.com/exdb/mnist/
import { check, FormatError, told, ValueError } from "../../errors.ts";
import { gunzip } from "../../io/gunzip.ts";
import { ImageDataset } from "./image-dataset.ts";

/** Which of the data sets. */
export type MnistName = "mnist" | "fashionMnist" | "kmnist";

interface MnistLayout {
  readonly title: string;
  readonly classes: readonly string[];
}

/** Names as in torchvision/datasets/mnist.py. */
export const MNIST_LAYOUT: Readonly<Record<MnistName, MnistLayout>> = {
  mnist: {
    title: "MNIST",
    classes: "zero one two three four five six seven eight nine".split(" ").map((word, i) => `${i} - ${word}`),
  },
  fashionMnist: {
    title: "FashionMNIST",
    classes: "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot".split(","),
  },
  kmnist: { title: "KMNIST", classes: "o ki su tsu na ha ma ya re wo".split(" ") },
};

/** The content of an IDX file. */
export interface IdxArray {
  /** Sizes of the dimensions, outermost first. */
  readonly shape: readonly number[];
  /** The bytes, row-major; a view of the file's. */
  readonly data: Uint8Array;
}

/** What the official files hold, rounded up. */
const MOST_BYTES = 200e6;

/**
 * Parses an IDX file of unsigned bytes: two zero bytes, 8, the number of dimensions, their sizes as big-endian words, the values.
 *
 * @param source the file's name, for error messages
 * @throws FormatError where it is no such file, or has another length than it says
 */
export function parseIdx(bytes: Uint8Array, source = "the file"): IdxArray {
  checkFile("parseIdx", bytes);
  const [zero, zero1, type, rank = 0] = bytes;
  check(
    bytes.length >= 4 && zero === 0 && zero1 === 0 && type === 8 && rank > 0 && rank <= 8,
    () =>
      `[parseIdx] ${source} starts with ${told([...bytes.subarray(0, 4)])}; expected [0, 0, 8, dimensions]: it is no IDX file of bytes`,
    FormatError,
  );
  const start = 4 + 4 * rank;
  check(bytes.length >= start, () => `[parseIdx] ${source} is truncated: it ends in its header`, FormatError);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const shape = Array.from({ length: rank }, (_, d) => view.getUint32(4 + 4 * d));
  const size = shape.reduce((a, b) => a * b, 1);
  check(
    bytes.length === start + size,
    () =>
      `[parseIdx] ${source} has ${bytes.length - start} values; expected ${size} for shape [${shape.join(", ")}]: fetch it again`,
    FormatError,
  );
  return { shape, data: bytes.subarray(start) };
}

/**
 * Reads one part of MNIST, FashionMNIST or KMNIST from the bytes of its two files, gzipped or not.
 *
 * @param images `train-images-idx3-ubyte` or `t10k-images-idx3-ubyte`, with `.gz` or without
 * @param labels `train-labels-idx1-ubyte` or `t10k-labels-idx1-ubyte`
 * @param source where the files come from, for error messages
 * @returns `[1, 28, 28]` images
 * @throws FormatError for damaged files, or ones that do not belong together
 */
export async function readMnist(
  name: MnistName,
  images: Uint8Array,
  labels: Uint8Array,
  source = "the files",
): Promise<ImageDataset> {
  check(
    typeof name === "string" && Object.hasOwn(MNIST_LAYOUT, name),
    () => `[readMnist] the data set must be one of ${Object.keys(MNIST_LAYOUT).join(", ")}, got ${told(name)}`,
    ValueError,
  );
  return readPair("readMnist", { classes: MNIST_LAYOUT[name].classes, images, labels, source, limit: MOST_BYTES });
}

/** Two IDX files, gzipped or not, as a data set; `limit`: what one of them may unpack to. */
export async function readPair(
  name: string,
  given: { classes: readonly string[]; images: Uint8Array; labels: Uint8Array; source: string; limit: number },
): Promise<ImageDataset> {
  const { classes, source, limit } = given;
  const pictures = parseIdx(await unpacked(name, given.images, source, limit), `${source}: images`);
  const numbers = parseIdx(await unpacked(name, given.labels, source, limit), `${source}: labels`);
  const [count, height = 0, width = 0] = pictures.shape;
  check(
    pictures.shape.length === 3 && numbers.shape.length === 1 && numbers.shape[0] === count && height * width > 0,
    () =>
      `[${name}] ${source}: images of shape [${pictures.shape.join(", ")}] and labels of shape [${numbers.shape.join(", ")}]; expected [N, height, width] and [N]`,
    FormatError,
  );
  const wrong = numbers.data.findIndex((label) => label >= classes.length);
  check(
    wrong < 0,
    () =>
      `[${name}] ${source}: label ${numbers.data[wrong]} of image ${wrong} is out of range; expected 0..${classes.length - 1}`,
    FormatError,
  );
  return new ImageDataset({
    images: pictures.data,
    labels: Int32Array.from(numbers.data),
    classes,
    shape: [1, height, width],
  });
}

async function unpacked(name: string, bytes: Uint8Array, source: string, limit: number): Promise<Uint8Array> {
  checkFile(name, bytes);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  return new Uint8Array(await gunzip(name, bytes, source, limit));
}

function checkFile(name: string, bytes: unknown): asserts bytes is Uint8Array {
  check(
    bytes instanceof Uint8Array,
    () => `[${name}] takes the bytes of a file as a Uint8Array, got ${told(bytes)}`,
    ValueError,
  );
}
