// CIFAR-10 and CIFAR-100 from a folder, an archive, the cache or the official server.
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { check, checkOptions, DataError } from "../errors.ts";
import type { GlobalType } from "../gpu/global-type.ts";
import { CIFAR_LAYOUT, type CifarName, readCifar, readCifarArchive, unpackCifar } from "../vision/datasets/cifar.ts";
import type { ImageDataset } from "../vision/datasets/image-dataset.ts";
import { cachePath, makeFolder } from "./cache.ts";
import { checksumMismatch } from "./checksum.ts";
import { onDisk } from "./disk.ts";
import { type DownloadProgress, download } from "./download.ts";
import { kindOf, readIfThere, readOrThrow } from "./files.ts";
import { fileNameOf } from "./http.ts";
import { sweep, temporaryPath } from "./temporary.ts";

/** What `CIFAR10` takes: which part, and where it is or comes from. */
export interface CifarSource {
  /** The training images, or else the test images. */
  train: boolean;
  /**
   * Data that is there already: the folder of the binary version (`cifar-10-batches-bin`), one that holds it or its
   * archive, or the archive (`cifar-10-binary.tar.gz`). It is not checked against the official checksum.
   */
  data?: string;
  /** Where downloads are kept; the folder `datasets` of the cache by default. */
  root?: string;
  /** Whether to download what is not there; true by default. */
  download?: boolean;
  /** The archive's address, if not the official one: a mirror. */
  url?: string;
  /** The md5 of the archive at `url`, if it is not the official archive. */
  md5?: string;
  /** Called as a download goes on. Default: nobody is told. */
  onProgress?: (progress: DownloadProgress) => void;
  /** Stops a download, with its reason. Default: none. */
  signal?: GlobalType<"AbortSignal">;
}

/** What `CIFAR100` takes: as `CIFAR10`, and which labels. */
export interface Cifar100Source extends CifarSource {
  /** The 100 classes ("fine", the default) or their 20 superclasses ("coarse"). */
  labels?: "fine" | "coarse";
}

/** The official archives. The site gives md5 sums; sizes and sha256 are of the archives that have these. */
const ARCHIVES: Readonly<Record<CifarName, { url: string; file: string; size: number; sha256: string }>> = {
  cifar10: {
    url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    file: "cifar-10-binary.tar.gz",
    size: 170_052_171,
    sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
  },
  cifar100: {
    url: "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
    file: "cifar-100-binary.tar.gz",
    size: 168_513_733,
    sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
  },
};

/**
 * CIFAR-10: `[3, 32, 32]` images in ten classes, 50,000 for training and 10,000 for testing.
 *
 * ```ts
 * const train = await CIFAR10({ train: true });
 * ```
 *
 * @throws DataError where it cannot be had; FormatError where a file is damaged
 */
export function CIFAR10(source: CifarSource): Promise<ImageDataset> {
  return load("cifar10", source);
}

/** CIFAR-100: `[3, 32, 32]` images in 100 classes or 20 superclasses. Errors as for `CIFAR10`. */
export function CIFAR100(source: Cifar100Source): Promise<ImageDataset> {
  return load("cifar100", source);
}

const OPTIONS = ["train", "labels", "data", "root", "download", "url", "md5", "onProgress", "signal"];

async function load(name: CifarName, source: Cifar100Source): Promise<ImageDataset> {
  checkOptions(name, source, OPTIONS);
  const { train, labels } = source;
  check(
    labels === undefined || name === "cifar100",
    () => `[${name}] has labels of one kind: leave the option labels out`,
    DataError,
  );
  const part = labels === undefined ? { train } : { train, labels };
  const place = source.data === undefined ? await fetchData(name, source) : await locate(name, resolve(source.data));
  if (place.archive) return readCifarArchive(name, await readOrThrow(name, place.path), part, place.path);
  return readCifar(name, (file) => readIfThere(name, join(place.path, file)), place.path, part);
}

/** Where given data lies. */
async function locate(name: CifarName, path: string): Promise<{ path: string; archive: boolean }> {
  const { title, folder, train, test } = CIFAR_LAYOUT[name];
  const kind = await kindOf(path);
  if (kind === "file") return { path, archive: true };
  if (kind === undefined) {
    throw new DataError(`[${name}] there is nothing at ${path}; expected ${title}'s folder ${folder} or its archive`);
  }
  const inner = join(path, folder);
  if ((await kindOf(inner)) === "folder") return { path: inner, archive: false };
  for (const file of [...train, ...test]) {
    if ((await kindOf(join(path, file))) === "file") return { path, archive: false };
  }
  const archive = join(path, ARCHIVES[name].file);
  if ((await kindOf(archive)) === "file") return { path: archive, archive: true };
  throw new DataError(
    `[${name}] the folder ${path} holds no ${title}; expected ${folder}/, its files (${test.join(", ")}, ...), or ` +
      `${ARCHIVES[name].file}: the binary version, not the Python or Matlab one`,
  );
}

/** The data set in `root`, downloaded and unpacked where it is not there yet. */
async function fetchData(name: CifarName, source: CifarSource): Promise<{ path: string; archive: false }> {
  const { title, folder } = CIFAR_LAYOUT[name];
  const root = source.root === undefined ? cachePath("datasets") : resolve(source.root);
  const unpacked = join(root, folder);
  if ((await kindOf(unpacked)) === "folder") return { path: unpacked, archive: false };

  const { file, size, sha256 } = ARCHIVES[name];
  const expected = source.md5 === undefined ? { size, sha256 } : { md5: source.md5 };
  const url = source.url ?? ARCHIVES[name].url;
  const archive = join(root, source.url === undefined ? file : fileNameOf(name, url));
  const present = (await kindOf(archive)) === "file" && !(await checksumMismatch(archive, expected));
  if (!present) {
    if (source.download === false) {
      throw new DataError(
        `[${name}] ${title} is not in ${root}, and downloading it is switched off; allow the download, or pass the folder ` +
          `${folder} or the archive ${file} as data`,
      );
    }
    const { onProgress, signal } = source;
    await download(url, archive, { ...expected, ...(onProgress && { onProgress }), ...(signal && { signal }) });
  }
  await unpack(name, archive, root);
  // What the download brought is in the folder now; an archive that someone put there stays.
  if (!present) await rm(archive, { force: true });
  return { path: unpacked, archive: false };
}

const ENDING = "unpacking";

/** Unpacks beside the place and renames, so that the folder is complete whenever it is there. */
async function unpack(name: CifarName, archive: string, root: string): Promise<void> {
  const { folder } = CIFAR_LAYOUT[name];
  const files = await unpackCifar(name, await readFile(archive), archive);
  await makeFolder(root);
  await sweep(join(root, folder), ENDING);
  const temporary = temporaryPath(join(root, folder), ENDING);
  try {
    await onDisk(name, join(root, folder), async () => {
      await mkdir(temporary);
      for (const [file, bytes] of files) await writeFile(join(temporary, file), bytes, { flush: true });
      await rename(temporary, join(root, folder));
    });
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    // Another process may have been faster; its folder is as good.
    if ((await kindOf(join(root, folder))) !== "folder") throw error;
  }
}
