// MNIST, FashionMNIST and KMNIST from a folder, the cache or the official servers.
import { basename, dirname, join, resolve } from "node:path";
import { check, checkOptions, DataError, told, ValueError } from "../errors.ts";
import type { GlobalType } from "../gpu/global-type.ts";
import type { ImageDataset } from "../vision/datasets/image-dataset.ts";
import { MNIST_LAYOUT, type MnistName, readMnist } from "../vision/datasets/mnist.ts";
import { cachePath } from "./cache.ts";
import { checksumMismatch } from "./checksum.ts";
import { type DownloadProgress, download } from "./download.ts";
import { kindOf, readOrThrow } from "./files.ts";
import { parseAddress } from "./http.ts";

/** What `MNIST`, `FashionMNIST` and `KMNIST` take: which part, and where it is or comes from. */
export interface MnistSource {
  /** The 60,000 training images, or else the 10,000 test images. */
  train: boolean;
  /**
   * Data that is there already: the folder of the IDX files (`train-images-idx3-ubyte`, with `.gz` or without), or a root of
   * torchvision's. It is not checked against the official checksums.
   */
  data?: string;
  /** Where downloads are kept, laid out as torchvision's root; the folder `datasets` of the cache by default. */
  root?: string;
  /** Whether to download what is not there; true by default. */
  download?: boolean;
  /** The address of a folder with the `.gz` files, if not the official ones: a mirror. */
  url?: string;
  /** The md5 of the files at `url` by name, if they are not the official files. */
  md5?: Readonly<Record<string, string>>;
  /** Called as a download goes on. Default: nobody is told. */
  onProgress?: (progress: DownloadProgress) => void;
  /** Stops a download, with its reason. Default: none. */
  signal?: GlobalType<"AbortSignal">;
}

interface Origin {
  readonly mirrors: readonly string[];
  /** The md5 of the files, in the order of FILES. */
  readonly md5: readonly [string, string, string, string];
}

const FILES = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
];

/** Addresses and md5 sums of torchvision/datasets/mnist.py. MNIST's own site has stopped answering: the mirror comes first. */
const ORIGINS: Readonly<Record<MnistName, Origin>> = {
  mnist: {
    mirrors: ["https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"],
    md5: [
      "f68b3c2dcbeaaa9fbdd348bbdeb94873",
      "d53e105ee54ea40749a09fcbcd1e9432",
      "9fb629c4189551a2d022fa330f9573f3",
      "ec29112dd5afa0611ce80d1b7f02629c",
    ],
  },
  fashionMnist: {
    mirrors: ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"],
    md5: [
      "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
      "25c81989df183df01b3e8a0aad5dffbe",
      "bef4ecab320f06d8554ea6380940ec79",
      "bb300cfdad3c16e7a12a480ee83cd310",
    ],
  },
  kmnist: {
    mirrors: ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"],
    md5: [
      "bdb82020997e1d708af4cf47b453dcf7",
      "e144d726b3acfaa3e44228e80efcd344",
      "5c965bf0a639b31b8f53240b1b52f4d7",
      "7320c461ea6c1c855c0b718fb2a4b134",
    ],
  },
};

/**
 * MNIST: `[1, 28, 28]` pictures of handwritten digits in ten classes, 60,000 for training and 10,000 for testing.
 *
 * ```ts
 * const train = await MNIST({ train: true });
 * ```
 *
 * @throws DataError where it cannot be had; FormatError where a file is damaged
 * @see https://pytorch.org/vision/stable/generated/torchvision.datasets.MNIST.html
 */
export const MNIST = (source: MnistSource): Promise<ImageDataset> => load("mnist", source);

/**
 * FashionMNIST: pictures of clothes in MNIST's form. Errors as for `MNIST`.
 * @see https://pytorch.org/vision/stable/generated/torchvision.datasets.FashionMNIST.html
 */
export const FashionMNIST = (source: MnistSource): Promise<ImageDataset> => load("fashionMnist", source);

/**
 * KMNIST: handwritten hiragana in MNIST's form. Errors as for `MNIST`.
 * @see https://pytorch.org/vision/stable/generated/torchvision.datasets.KMNIST.html
 */
export const KMNIST = (source: MnistSource): Promise<ImageDataset> => load("kmnist", source);

const OPTIONS = ["train", "data", "root", "download", "url", "md5", "onProgress", "signal"];

async function load(name: MnistName, source: MnistSource): Promise<ImageDataset> {
  const { title } = MNIST_LAYOUT[name];
  checkSource(title, source, OPTIONS);
  const { train, data } = source;
  const [first = "", second = ""] = train ? FILES.slice(0, 2) : FILES.slice(2);
  const find = (file: string) =>
    data === undefined ? fetchFile(name, file, source) : locate(title, data, file, FILES);
  const images = await find(first);
  const labels = await find(second);
  return readMnist(name, await readOrThrow(title, images), await readOrThrow(title, labels), dirname(images));
}

/** Throws where an option is unknown, or of another type. */
export function checkSource(
  title: string,
  source: Pick<MnistSource, "train" | "data" | "root" | "url">,
  known: readonly string[],
): void {
  checkOptions(title, source, known);
  const { train } = source;
  check(typeof train === "boolean", () => `[${title}] train must be true or false, got ${told(train)}`, ValueError);
  for (const key of ["data", "root", "url"] as const) {
    const value: unknown = source[key];
    check(
      value === undefined || typeof value === "string",
      () => `[${title}] ${key} is a text, got ${told(value)}`,
      ValueError,
    );
  }
}

/** Where a file of given data lies; undefined where it is not there. */
export async function locateIn(title: string, data: string, file: string): Promise<string | undefined> {
  const folder = resolve(data);
  for (const inner of [folder, join(folder, "raw"), join(folder, title, "raw")]) {
    for (const ending of [".gz", ""]) {
      const path = join(inner, file + ending);
      if ((await kindOf(path)) === "file") return path;
    }
  }
  return undefined;
}

/** The same, where it must be there. `files`: what the folder should hold. */
export async function locate(title: string, data: string, file: string, files: readonly string[]): Promise<string> {
  const path = await locateIn(title, data, file);
  if (path !== undefined) return path;
  const folder = resolve(data);
  const what =
    (await kindOf(folder)) === undefined ? `there is nothing at ${folder}` : `the folder ${folder} holds no ${file}`;
  throw new DataError(
    `[${title}] ${what}; expected the folder of its IDX files (${files.join(", ")}), with .gz or without`,
  );
}

/** Where a data set's files are kept in `root`. */
export const rawFolder = (title: string, { root }: { root?: string }): string =>
  join(root === undefined ? cachePath("datasets") : resolve(root), title, "raw");

/** Where a file lies in `root`, downloaded where it is not there yet. */
async function fetchFile(name: MnistName, file: string, source: MnistSource): Promise<string> {
  const { title } = MNIST_LAYOUT[name];
  const { mirrors, md5: official } = ORIGINS[name];
  const archive = `${file}.gz`;
  const md5 = source.md5?.[archive] ?? official[FILES.indexOf(file)] ?? "";
  const folders = source.url === undefined ? mirrors : [source.url];
  const path = join(rawFolder(title, source), archive);
  return fetchFirst(
    title,
    path,
    md5,
    source,
    folders.map(
      (folder) => () => new URL(archive, parseAddress(title, folder.endsWith("/") ? folder : `${folder}/`)).href,
    ),
  );
}

/** The file at `path`, if its checksum is right, or else from the first of the addresses that gives it. */
export async function fetchFirst(
  title: string,
  path: string,
  md5: string,
  source: Pick<MnistSource, "download" | "onProgress" | "signal">,
  addresses: readonly (() => string)[],
): Promise<string> {
  if ((await kindOf(path)) === "file" && !(await checksumMismatch(path, { md5 }))) return path;
  const archive = basename(path);
  if (source.download === false) {
    throw new DataError(
      `[${title}] ${archive} is not in ${dirname(path)}, and downloading it is switched off; allow the download, or pass the folder that holds it as data`,
    );
  }
  const { onProgress, signal } = source;
  const failures: unknown[] = [];
  for (const address of addresses) {
    try {
      return await download(address(), path, { md5, ...(onProgress && { onProgress }), ...(signal && { signal }) });
    } catch (error) {
      if (!(error instanceof DataError) || addresses.length === 1) throw error;
      failures.push(error);
    }
  }
  throw new DataError(
    `[${title}] no server gives ${archive}: ${failures.map((e) => (e as Error).message).join("; ")}`,
    {
      cause: failures[0],
    },
  );
}
