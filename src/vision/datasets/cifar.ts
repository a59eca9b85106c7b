// CIFAR-10 and CIFAR-100 from the bytes of their official binary version: record files, folder or archive.
import { check, checkFunction, checkOptions, DataError, FormatError, told, ValueError } from "../../errors.ts";
import { readTarGzip } from "../../io/tar.ts";
import { ImageDataset } from "./image-dataset.ts";

/** Which of the two data sets. */
export type CifarName = "cifar10" | "cifar100";

/** Which part of a data set, and which of its labels. */
export interface CifarOptions {
  /** The 50,000 training images, or else the 10,000 test images. */
  train: boolean;
  /** CIFAR-100's 100 classes ("fine", the default, as in torchvision) or its 20 superclasses ("coarse"). */
  labels?: "fine" | "coarse";
}

/** The bytes of one file of the data set by its name without a folder, or undefined where there is no such file. */
export type ReadCifarFile = (name: string) => Promise<Uint8Array | undefined>;

interface CifarLayout {
  title: string;
  /** The folder that the official archive unpacks to. */
  folder: string;
  train: readonly string[];
  test: readonly string[];
  /** One class name a line, by kind of label. */
  names: { fine: string; coarse?: string };
  /** Bytes before the pixels of each record, and how many classes each of them tells apart. */
  labelBytes: readonly { kind: "fine" | "coarse"; classes: number }[];
}

/** The files of each data set. Source: https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version". */
export const CIFAR_LAYOUT: Readonly<Record<CifarName, CifarLayout>> = {
  cifar10: {
    title: "CIFAR-10",
    folder: "cifar-10-batches-bin",
    train: [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`),
    test: ["test_batch.bin"],
    names: { fine: "batches.meta.txt" },
    labelBytes: [{ kind: "fine", classes: 10 }],
  },
  cifar100: {
    title: "CIFAR-100",
    folder: "cifar-100-binary",
    train: ["train.bin"],
    test: ["test.bin"],
    names: { fine: "fine_label_names.txt", coarse: "coarse_label_names.txt" },
    labelBytes: [
      { kind: "coarse", classes: 20 },
      { kind: "fine", classes: 100 },
    ],
  },
};

function layoutOf(name: CifarName): CifarLayout {
  check(
    typeof name === "string" && Object.hasOwn(CIFAR_LAYOUT, name),
    () => `[readCifar] the data set must be one of ${Object.keys(CIFAR_LAYOUT).join(", ")}, got ${told(name)}`,
    ValueError,
  );
  return CIFAR_LAYOUT[name];
}

function checkSource(name: string, source: unknown): void {
  check(typeof source === "string", () => `[${name}] the source's name is a text, got ${told(source)}`, ValueError);
}

function checkBytes(name: string, bytes: unknown): asserts bytes is Uint8Array {
  check(
    bytes instanceof Uint8Array,
    () => `[${name}] takes the bytes of a file as a Uint8Array, got ${told(bytes)}`,
    ValueError,
  );
}
/** What the official archives unpack to, rounded up. */
const ARCHIVE_BYTES = 190e6;

const SHAPE = [3, 32, 32] as const;
const PIXEL_BYTES = 3 * 32 * 32;

/**
 * Reads one part of CIFAR from its files, wherever they lie.
 *
 * @param read gives a file's bytes by name
 * @param source where the files come from, for error messages
 * @returns `[3, 32, 32]` images, in the order of the files
 * @throws DataError for a missing file; FormatError for a truncated one, a wrong record size or a label out of range
 */
export async function readCifar(
  name: CifarName,
  read: ReadCifarFile,
  source: string,
  options: CifarOptions,
): Promise<ImageDataset> {
  const layout = layoutOf(name);
  checkFunction(name, "read", read);
  checkSource(name, source);
  checkOptions(name, options, ["train", "labels"]);
  const kind = options.labels ?? "fine";
  const namesFile = layout.names[kind];
  const label = layout.labelBytes.findIndex((byte) => byte.kind === kind);
  const classCount = layout.labelBytes[label]?.classes;
  check(
    namesFile !== undefined && classCount !== undefined,
    () => `[${name}] ${layout.title} has no ${told(kind)} labels; leave the option labels out`,
    DataError,
  );

  const files = options.train ? layout.train : layout.test;
  const parts: CifarRecords[] = [];
  for (const file of files) {
    parts.push(parseCifarRecords(name, await required(layout, read, file, source), `${source}: ${file}`));
  }
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const images = new Uint8Array(count * PIXEL_BYTES);
  const labels = new Int32Array(count);
  let start = 0;
  for (const part of parts) {
    images.set(part.images, start * PIXEL_BYTES);
    const partLabels = part.labels[kind];
    if (partLabels) labels.set(partLabels, start);
    start += part.count;
  }
  const text = new TextDecoder().decode(await required(layout, read, namesFile, source));
  const classes = text.split("\n").flatMap((line) => line.trim() || []);
  check(
    classes.length === classCount,
    () => `[${name}] ${source}: ${namesFile} names ${classes.length} classes; expected ${classCount}, one a line`,
    FormatError,
  );
  return new ImageDataset({ images, labels, classes, shape: SHAPE });
}

/**
 * Reads one part of CIFAR from the official archive (`cifar-10-binary.tar.gz`, `cifar-100-binary.tar.gz`).
 *
 * @param archive the bytes of the `.tar.gz`
 * @param source the archive's name, for error messages
 * @throws FormatError for a damaged or truncated archive; DataError for one that lacks a file
 */
export async function readCifarArchive(
  name: CifarName,
  archive: Uint8Array,
  options: CifarOptions,
  source = "the archive",
): Promise<ImageDataset> {
  const files = await unpackCifar(name, archive, source);
  return readCifar(name, async (file) => files.get(file), source, options);
}

/** The files of the data set that the official archive holds, by name without the folder. */
export async function unpackCifar(
  name: CifarName,
  archive: Uint8Array,
  source: string,
): Promise<Map<string, Uint8Array>> {
  const { folder } = layoutOf(name);
  checkBytes(name, archive);
  checkSource(name, source);
  const files = new Map<string, Uint8Array>();
  for (const [path, bytes] of await readTarGzip(archive, source, ARCHIVE_BYTES)) {
    const steps = path.split("/").filter((step) => step !== ".");
    if (steps.length === 2 && steps[0] === folder && steps[1]) files.set(steps[1], bytes);
  }
  return files;
}

/** The records of one file. */
export interface CifarRecords {
  /** How many images. */
  count: number;
  /** count*3*32*32 bytes, CHW: the file's own order. */
  images: Uint8Array;
  /** Class indices of each kind that the data set has. */
  labels: { fine?: Int32Array; coarse?: Int32Array };
}

/**
 * Parses one record file: for each image its label byte (CIFAR-100: coarse, then fine), then 3072 bytes of red, green and
 * blue planes by rows.
 *
 * @param source the file's name, for error messages
 * @throws FormatError where the file is not a whole number of records, or a label is out of range
 */
export function parseCifarRecords(name: CifarName, bytes: Uint8Array, source: string): CifarRecords {
  const { labelBytes, title } = layoutOf(name);
  checkBytes(name, bytes);
  checkSource(name, source);
  const recordBytes = labelBytes.length + PIXEL_BYTES;
  const count = bytes.length / recordBytes;
  check(
    count > 0 && Number.isInteger(count),
    () =>
      `[${name}] ${source} has ${bytes.length} bytes; expected a whole number of ${recordBytes}-byte records: it is ` +
      `truncated, or not ${title}'s binary version. Fetch it again`,
    FormatError,
  );
  const images = new Uint8Array(count * PIXEL_BYTES);
  const labels: CifarRecords["labels"] = {};
  for (const { kind } of labelBytes) labels[kind] = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const start = i * recordBytes;
    labelBytes.forEach(({ kind, classes }, at) => {
      const label = bytes[start + at] ?? 0;
      check(
        label < classes,
        () =>
          `[${name}] ${source}: record ${i} has ${kind} label ${label}; expected 0..${classes - 1}. The file is damaged, or ` +
          `not ${title}'s binary version`,
        FormatError,
      );
      const into = labels[kind];
      if (into) into[i] = label;
    });
    images.set(bytes.subarray(start + labelBytes.length, start + recordBytes), i * PIXEL_BYTES);
  }
  return { count, images, labels };
}

async function required(layout: CifarLayout, read: ReadCifarFile, file: string, source: string): Promise<Uint8Array> {
  const bytes = await read(file);
  if (bytes) return bytes;
  throw new DataError(
    `[${layout.title}] ${source} has no ${file}; expected the files of ${layout.title}'s binary version ` +
      `(${[...layout.train, ...layout.test, layout.names.fine].join(", ")}). Check that it is the binary version, not the ` +
      "Python or Matlab one, and complete",
  );
}
