// CIFAR-10 and CIFAR-100 from a folder, an archive, the cache or the official server.
import { mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { check, checkOptions, DataError } from "../errors.ts";
import type { GlobalType } from "../gpu/global-type.ts";
import { CIFAR_LAYOUT, type CifarName, readCifar, readCifarArchive, unpackCifar } from "../vision/datasets/cifar.ts";
import type { ImageDataset } from "../vision/datasets/image-dataset.ts";
import { cachePath, makeFolder } from "./cache.ts";
import { checksumMismatch } from "./checksum.ts";
import { type DownloadProgress, download } from "./download.ts";

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

/** The official archives. Source of the checksums: torchvision's datasets/cifar.py and the site itself. */
const ARCHIVES: Readonly<Record<CifarName, { url: string; file: string; md5: string }>> = {
  cifar10: {
    url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    file: "cifar-10-binary.tar.gz",
    md5: "c32a1d4ab5d03f1284b67883e8d87530",
  },
  cifar100: {
    url: "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
    file: "cifar-100-binary.tar.gz",
    md5: "03b5dce01913d631647c71ecec9e9cb8",
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
  if (place.archive) return readCifarArchive(name, await readOrThrow(place.path), part, place.path);
  return readCifar(name, (file) => readIfThere(join(place.path, file)), place.path, part);
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

  const { file } = ARCHIVES[name];
  const md5 = source.md5 ?? ARCHIVES[name].md5;
  const url = source.url ?? ARCHIVES[name].url;
  const archive = join(root, source.url === undefined ? file : basename(new URL(url).pathname) || file);
  const present = (await kindOf(archive)) === "file" && !(await checksumMismatch(archive, { md5 }));
  if (!present) {
    if (source.download === false) {
      throw new DataError(
        `[${name}] ${title} is not in ${root}, and downloading it is switched off; allow the download, or pass the folder ` +
          `${folder} or the archive ${file} as data`,
      );
    }
    const { onProgress, signal } = source;
    await download(url, archive, { md5, ...(onProgress && { onProgress }), ...(signal && { signal }) });
  }
  await unpack(name, archive, root);
  // What the download brought is in the folder now; an archive that someone put there stays.
  if (!present) await rm(archive, { force: true });
  return { path: unpacked, archive: false };
}

/** Unpacks beside the place and renames, so that the folder is complete whenever it is there. */
async function unpack(name: CifarName, archive: string, root: string): Promise<void> {
  const { folder } = CIFAR_LAYOUT[name];
  const files = await unpackCifar(name, await readFile(archive), archive);
  await makeFolder(root);
  const temporary = await mkdtemp(join(root, `.${folder}-`));
  try {
    for (const [file, bytes] of files) await writeFile(join(temporary, file), bytes, { flush: true });
    await rename(temporary, join(root, folder));
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true });
    // Another process may have been faster; its folder is as good.
    if ((await kindOf(join(root, folder))) === "folder") return;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(
      `[${name}] ${archive} cannot be unpacked into ${root}: ${why}. Make room, or choose another root`,
      {
        cause,
      },
    );
  }
}

async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  const info = await stat(path).catch(() => undefined);
  return info?.isFile() ? "file" : info?.isDirectory() ? "folder" : undefined;
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  return (await kindOf(path)) === "file" ? readOrThrow(path) : undefined;
}

async function readOrThrow(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new DataError(`[cifar] ${path} cannot be read: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
