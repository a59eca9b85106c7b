// EMNIST from a folder, the cache or the official server: one zip archive with the files of all splits.
import { basename, dirname, join } from "node:path";
import { unzipSync } from "fflate";
import { check, FormatError, told, ValueError } from "../errors.ts";
import { checkSplit, type EmnistSplit, readEmnist } from "../vision/datasets/emnist.ts";
import type { ImageDataset } from "../vision/datasets/image-dataset.ts";
import { writeFileAtomic } from "./atomic.ts";
import { kindOf, readOrThrow } from "./files.ts";
import { parseAddress } from "./http.ts";
import { checkSource, fetchFirst, locate, locateIn, type MnistSource, rawFolder } from "./mnist.ts";

/** What `EMNIST` takes: which part, and where it is or comes from. */
export interface EmnistSource extends Omit<MnistSource, "url" | "md5"> {
  /** Which pictures, and of which classes. */
  split: EmnistSplit;
  /** Turn the pictures, which the files hold with rows and columns exchanged, upright. Default false: as torchvision has them. */
  upright?: boolean;
  /** The address of the zip archive, if not the official one. */
  url?: string;
  /** The md5 of the archive at `url`, if it is not the official one. */
  md5?: string;
}

const TITLE = "EMNIST";
const OPTIONS = ["split", "train", "data", "root", "download", "url", "md5", "onProgress", "signal", "upright"];
const ARCHIVE = "gzip.zip";
/** Addresses and md5 sum of torchvision/datasets/mnist.py, the newer address first. */
const ADDRESSES = [
  "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
  "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/gzip.zip",
];
const MD5 = "58c8d27c78d21e728a6bc7b3cc06412e";
/** What the largest of the archive's files has, rounded up. */
const MOST_BYTES = 300e6;

/**
 * EMNIST: `[1, 28, 28]` pictures of handwritten letters and digits. The archive of all splits has 562 MB; it is kept, and the files
 * of each split are unpacked beside it when they are first asked for. Labels of "letters" start at 1, for "a". The pictures have
 * rows and columns exchanged unless `upright` is true.
 *
 * ```ts
 * const train = await EMNIST({ split: "letters", train: true });
 * ```
 *
 * @throws DataError where it cannot be had; FormatError where a file is damaged; ValueError for an unknown split
 * @see https://pytorch.org/vision/stable/generated/torchvision.datasets.EMNIST.html
 */
export async function EMNIST(source: EmnistSource): Promise<ImageDataset> {
  checkSource(TITLE, source, OPTIONS);
  const { split, train, data, md5, upright = false } = source;
  checkSplit(TITLE, split);
  check(
    md5 === undefined || typeof md5 === "string",
    () => `[${TITLE}] md5 is the archive's, a text, got ${told(md5)}`,
    ValueError,
  );
  const part = `emnist-${split}-${train ? "train" : "test"}`;
  const files = [`${part}-images-idx3-ubyte`, `${part}-labels-idx1-ubyte`] as const;
  const folder = rawFolder(TITLE, source);
  const find = async (file: string) => {
    if (data !== undefined) return locate(TITLE, data, file, files);
    const kept = await locateIn(TITLE, folder, file);
    if (kept !== undefined) return kept;
    await unpack(await fetchArchive(source, join(folder, ARCHIVE)), files);
    return join(folder, `${file}.gz`);
  };
  const images = await find(files[0]);
  const labels = await find(files[1]);
  return readEmnist(split, await readOrThrow(TITLE, images), await readOrThrow(TITLE, labels), {
    source: dirname(images),
    upright,
  });
}

const fetchArchive = (source: EmnistSource, path: string): Promise<string> => {
  const addresses = source.url === undefined ? ADDRESSES : [source.url];
  return fetchFirst(
    TITLE,
    path,
    source.md5 ?? MD5,
    source,
    addresses.map((address) => () => parseAddress(TITLE, address).href),
  );
};

/** Puts files of the archive, gzipped as they are there, beside it. */
async function unpack(archive: string, files: readonly string[]): Promise<void> {
  const names = files.map((file) => `${file}.gz`);
  const bytes = await readOrThrow(TITLE, archive);
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(bytes, {
      filter: ({ name, originalSize }) => names.includes(basename(name)) && originalSize <= MOST_BYTES,
    });
  } catch (cause) {
    throw new FormatError(`[${TITLE}] ${archive} is no zip archive, or damaged: delete it, to fetch it again`, {
      cause,
    });
  }
  const found = new Map(Object.entries(entries).map(([name, content]) => [basename(name), content]));
  for (const name of names) {
    const content = found.get(name);
    check(
      content !== undefined,
      () => `[${TITLE}] ${archive} holds no ${name} of at most ${MOST_BYTES} bytes`,
      FormatError,
    );
    const path = join(dirname(archive), name);
    if ((await kindOf(path)) === undefined) await writeFileAtomic(path, content);
  }
}
