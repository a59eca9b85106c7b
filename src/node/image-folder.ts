// ImageFolder: a folder of pictures by class as a data set.
import { readdirSync, statSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import type { Dataset } from "../data/dataset.ts";
import type { ToTensor } from "../data/host-tensor.ts";
import { check, checkNumber, checkOptions, checkWhole, DataError, listed, told, ValueError } from "../errors.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkTransform, type Transform } from "../vision/transforms.ts";
import { type Decoded, decodePicture, tensorOf } from "./pictures.ts";
import { loadSharp } from "./sharp.ts";

/** What `ImageFolder` takes beside the folder. */
export interface ImageFolderOptions {
  /**
   * What is done to each picture on the device when its batch is made, such as `vision.imageClassification({ cropSize: 224 })`: pictures of
   * several sizes need one that brings them to one. Default: none; pictures are i32 [3, H, W] in 0..255.
   */
  transform?: Transform;
  /** Endings of files that are pictures. Default: jpg, jpeg, png, webp, avif, tif, tiff. A GIF's first frame is read where given. */
  extensions?: readonly string[];
  /**
   * What happens to a picture that cannot be decoded. "throw": reading it is an error that names it, as in torchvision. "skip":
   * its batch goes without it, and `broken` names it. Default "throw".
   */
  onError?: "throw" | "skip";
  /**
   * Pictures whose shorter side is longer than this are shrunk to it as they are decoded: less memory, also of the cache, and for
   * large photographs less time. The filter is the decoder's, not Pillow's. Default: none are.
   */
  shrink?: number;
  /** Decoded pictures are kept in memory up to so many bytes, three a pixel: the first ones that are read. Default 0. */
  cacheBytes?: number;
}

/** A picture of an `ImageFolder`. */
export interface FolderSample {
  /** Where it lies. */
  readonly path: string;
  /** Its class, an index into `classes`. */
  readonly label: number;
}

/** An item of an `ImageFolder`. */
export interface FolderItem {
  /** The picture, decoded; a tensor [C, H, W] once its batch is made. */
  readonly image: ToTensor;
  /** Its class, an index into `classes`. */
  readonly label: number;
}

const OPTIONS = ["transform", "extensions", "onError", "shrink", "cacheBytes"];
const EXTENSIONS = ["jpg", "jpeg", "png", "webp", "avif", "tif", "tiff"];
const PARTS = ["train", "training", "val", "valid", "validation", "test"];

/**
 * A folder of pictures, `root/class/.../name.jpg`, as a data set: for `data.DataLoader`, which gives
 * `{ image: [N, C, H, W], label: i32 [N] }`. Classes are the folders' names, sorted. It needs the package `sharp`.
 *
 * ```ts
 * const train = new ImageFolder("photos/train", { transform: vision.imageClassification({ cropSize: 224 }) });
 * for await (const { image, label } of new data.DataLoader(train, { batchSize: 32, shuffle: true })) ...
 * ```
 *
 * Pictures are red, green and blue, 8 bits each, as Pillow converts them; gray ones get three channels, alpha is left out, CMYK
 * becomes sRGB, colour profiles are left out of account, and EXIF orientation is applied (torchvision leaves them as the camera was held).
 *
 * @see https://pytorch.org/vision/stable/generated/torchvision.datasets.ImageFolder.html
 */
export class ImageFolder implements Dataset<FolderItem | null> {
  /** The folder. */
  readonly root: string;
  /** Class names, sorted; a label is an index into it. */
  readonly classes: readonly string[];
  /** The label of each class name. */
  readonly classToIdx: ReadonlyMap<string, number>;
  /** All pictures, by class and then by path. */
  readonly samples: readonly FolderSample[];
  /** Files that are no pictures by their ending, or lie in no class. */
  readonly strays: readonly string[];
  readonly #options: ImageFolderOptions;
  readonly #cache = new Map<number, Decoded>();
  #cached = 0;
  readonly #broken = new Map<string, string>();

  /**
   * Looks at the folder, but into no file.
   * @throws DataError where there is no such folder, a class has no pictures, or the folder holds parts (train, val) in the place
   *   of classes; ValueError for options out of range
   */
  constructor(root: string, options: ImageFolderOptions = {}) {
    check(typeof root === "string", () => `[ImageFolder] the folder is a path, got ${told(root)}`, ValueError);
    checkOptions("ImageFolder", options, OPTIONS);
    const { transform, extensions = EXTENSIONS, onError = "throw", shrink, cacheBytes = 0 } = options;
    if (transform !== undefined) checkTransform("ImageFolder", transform);
    if (shrink !== undefined) checkWhole("ImageFolder", "shrink", shrink, 1);
    checkNumber("ImageFolder", "cacheBytes", cacheBytes, 0);
    check(
      onError === "throw" || onError === "skip",
      () => `[ImageFolder] onError must be "throw" or "skip", got ${told(onError)}`,
      ValueError,
    );
    const endings = listed("ImageFolder", "endings of files: pass an array of them", extensions).map((ending) => {
      check(typeof ending === "string", () => `[ImageFolder] an ending is a text, got ${told(ending)}`, ValueError);
      return `.${ending.replace(/^\./, "").toLowerCase()}`;
    });
    this.root = resolve(root);
    this.#options = { ...options };
    const { classes, samples, strays } = lookAt(this.root, endings);
    this.classes = classes;
    this.classToIdx = new Map(classes.map((name, i) => [name, i]));
    this.samples = samples;
    this.strays = strays;
  }

  /** How many pictures there are. */
  get length(): number {
    return this.samples.length;
  }

  /** With `onError: "skip"`, the pictures that could not be decoded so far, and why. */
  get broken(): readonly { path: string; message: string }[] {
    return Array.from(this.#broken, ([path, message]) => ({ path, message }));
  }

  /**
   * Decodes the picture at a position; null for one that cannot be decoded and is skipped.
   * @throws ValueError where there is no such position; DataError for a picture that cannot be decoded
   */
  async get(index: number): Promise<FolderItem | null> {
    const sample = this.samples[index];
    check(
      sample !== undefined,
      () => `[ImageFolder] there is no picture ${told(index)}; expected 0..${this.length - 1}`,
      ValueError,
    );
    const { transform } = this.#options;
    // Of that no picture is to blame.
    await loadSharp("ImageFolder");
    try {
      const decoded = this.#cache.get(index) ?? (await this.#decode(index, sample.path));
      return { image: { toTensor: () => picture(decoded, transform) }, label: sample.label };
    } catch (error) {
      if (this.#options.onError !== "skip" || !(error instanceof DataError)) throw error;
      this.#broken.set(sample.path, error.message);
      return null;
    }
  }

  async #decode(index: number, path: string): Promise<Decoded> {
    const { shrink, cacheBytes = 0 } = this.#options;
    const decoded = await decodePicture("ImageFolder", path, shrink);
    if (this.#cached + decoded.data.length <= cacheBytes && !this.#cache.has(index)) {
      this.#cache.set(index, decoded);
      this.#cached += decoded.data.length;
    }
    return decoded;
  }
}

const picture = (decoded: Decoded, transform: Transform | undefined): Tensor =>
  scope(() => {
    const levels = tensorOf(decoded);
    return transform ? transform.forward(levels) : levels;
  });

function lookAt(root: string, endings: readonly string[]) {
  const isPicture = (path: string) => endings.includes(extname(path).toLowerCase());
  const { folders: classes, files: strays } = entriesOf(root);
  check(classes.length > 0, () => `[ImageFolder] ${root} holds no folders; expected one for each class`, DataError);
  const samples: FolderSample[] = [];
  const without: string[] = [];
  for (const [label, name] of classes.entries()) {
    const files = filesBelow(join(root, name));
    const pictures = files.filter(isPicture);
    samples.push(...pictures.map((path) => ({ path, label })));
    strays.push(...files.filter((path) => !isPicture(path)));
    if (pictures.length === 0) without.push(name);
  }
  const parts = classes.filter((name) => PARTS.includes(name.toLowerCase()));
  check(
    parts.length < classes.length || !parts.every((name) => entriesOf(join(root, name)).folders.length > 0),
    () =>
      `[ImageFolder] ${root} holds ${parts.join(", ")}, which are parts, not classes: open each by itself, new ImageFolder(${told(join(root, parts[0] ?? ""))})`,
    DataError,
  );
  check(
    without.length === 0,
    () =>
      `[ImageFolder] no pictures are in ${without.slice(0, 5).join(", ")} of ${root}; expected files ending in ${endings.join(", ")}`,
    DataError,
  );
  return { classes, samples, strays };
}

/** Names of folders, and paths of files, each sorted as Python sorts them. Links count as what they lead to. */
function entriesOf(path: string): { folders: string[]; files: string[] } {
  const folders: string[] = [];
  const files: string[] = [];
  let names: string[];
  try {
    names = readdirSync(path);
  } catch (cause) {
    throw new DataError(
      `[ImageFolder] ${path} is no folder that can be read: ${cause instanceof Error ? cause.message : cause}`,
      {
        cause,
      },
    );
  }
  for (const name of names.sort()) {
    const inner = join(path, name);
    if (isFolder(inner)) folders.push(name);
    else files.push(inner);
  }
  return { folders, files };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // a link that leads nowhere, or in circles
  }
}

/** All files in a folder and those below it, sorted. */
function filesBelow(path: string): string[] {
  const { folders, files } = entriesOf(path);
  return [...files, ...folders.flatMap((name) => filesBelow(join(path, name)))];
}
