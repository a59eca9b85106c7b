// Pictures in files: read to tensors and written from them.
import { extname } from "node:path";
import { check, checkOptions, checkWhole, DataError, told, ValueError } from "../errors.ts";
import { fromHost } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type GridOptions, makeGrid } from "../vision/make-grid.ts";
import { levelsOf } from "../vision/pixels.ts";
import { writeFileAtomic } from "./atomic.ts";
import { loadSharp } from "./sharp.ts";

/** A picture's red, green and blue planes, 0..255. */
export interface Decoded {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly shape: readonly [channels: 3, height: number, width: number];
}

/** An i32 tensor [3, H, W] of a picture's levels. */
export const tensorOf = ({ data, shape }: Decoded): Tensor => fromHost(Int32Array.from(data), shape, "i32");

/**
 * Decodes a file, or the bytes of one: its first frame, turned as its EXIF orientation says, as red, green and blue without
 * alpha, 8 bits each.
 *
 * @param shrink shorter sides that are longer than this become this long
 * @throws DataError where it cannot be decoded
 */
export async function decodePicture(name: string, source: string | Uint8Array, shrink?: number): Promise<Decoded> {
  const sharp = await loadSharp(name);
  const what = typeof source === "string" ? source : `the picture of ${source.length} bytes`;
  try {
    // Damaged files are errors, as Pillow has it; what decoders merely warn of is not.
    // Levels stay as they are stored, whatever profile says what they mean: weights were trained on such.
    let picture = sharp(source, { failOn: "error", ignoreIcc: true }).rotate();
    if (shrink !== undefined) {
      picture = picture.resize({ width: shrink, height: shrink, fit: "outside", withoutEnlargement: true });
    }
    const { data, info } = await picture
      .toColourspace("srgb")
      .removeAlpha()
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    return { data: planesOf(data, width * height, channels), shape: [3, height, width] };
  } catch (cause) {
    // Of the decoder's lines the first one says what is wrong.
    const [why = ""] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
    throw new DataError(`[${name}] ${what} cannot be decoded: ${why}`, { cause });
  }
}

function planesOf(pixels: Uint8Array, plane: number, channels: number): Uint8Array<ArrayBuffer> {
  const planes = new Uint8Array(3 * plane);
  for (let c = 0; c < 3; c++) {
    let at = channels < 3 ? 0 : c;
    for (let i = c * plane; i < (c + 1) * plane; i++) {
      planes[i] = pixels[at] ?? 0;
      at += channels;
    }
  }
  return planes;
}

/**
 * Reads a picture (JPEG, PNG, WebP, AVIF, TIFF, or the first frame of a GIF) as i32 [3, H, W] in 0..255, which transforms take: red,
 * green and blue, turned as its EXIF orientation says, gray ones in three channels, without alpha. It needs the package `sharp`.
 *
 * @param source a path, or the file's bytes
 * @throws DataError where the file cannot be read or decoded, or sharp is not installed
 * @see https://pytorch.org/vision/stable/generated/torchvision.io.read_image.html
 */
export async function readImage(source: string | Uint8Array): Promise<Tensor> {
  check(
    typeof source === "string" || source instanceof Uint8Array,
    () => `[readImage] takes a path or the bytes of a file, got ${told(source)}`,
    ValueError,
  );
  return tensorOf(await decodePicture("readImage", source));
}

/** What `saveImage` takes beside the pictures. */
export interface SaveImageOptions extends GridOptions {
  /** Of JPEG, WebP and AVIF, 1..100. Default: sharp's for the format, 80 for JPEG. */
  quality?: number;
}

const FORMATS: Readonly<Record<string, "png" | "jpeg" | "webp" | "avif" | "tiff" | "gif">> = {
  ".png": "png",
  ".jpg": "jpeg",
  ".jpeg": "jpeg",
  ".webp": "webp",
  ".avif": "avif",
  ".tif": "tiff",
  ".tiff": "tiff",
  ".gif": "gif",
};

/**
 * Writes a picture [C, H, W], or several as a grid (see `makeGrid`), to a file whose ending says the format: png, jpg, webp, avif,
 * tif, gif. f32 values are in [0, 1], i32 and u32 ones in 0..255; others are clamped. It needs the package `sharp`.
 *
 * @throws ShapeError, DtypeError; ValueError for another ending; DataError where it cannot be written, or sharp is not installed
 * @see https://pytorch.org/vision/stable/generated/torchvision.utils.save_image.html
 */
export async function saveImage(
  images: Tensor | readonly Tensor[],
  path: string,
  options: SaveImageOptions = {},
): Promise<void> {
  check(typeof path === "string", () => `[saveImage] the path is a text, got ${told(path)}`, ValueError);
  const format = FORMATS[extname(path).toLowerCase()];
  check(
    format !== undefined,
    () => `[saveImage] ${told(path)} must end in one of ${Object.keys(FORMATS).join(", ")}`,
    ValueError,
  );
  checkOptions("saveImage", options, [
    "quality",
    "nrow",
    "padding",
    "normalize",
    "valueRange",
    "scaleEach",
    "padValue",
  ]);
  const { quality, ...grid } = options;
  if (quality !== undefined) checkWhole("saveImage", "quality", quality, 1, 100);
  const image = makeGrid(images, grid);
  const [, height = 0, width = 0] = image.shape;
  // Recorded before the first await, so that later writes to the pictures are not seen.
  const reading = levelsOf("saveImage", image).finally(() => image.dispose());
  const { levels, channels } = await reading;
  const sharp = await loadSharp("saveImage");
  const pixels = new Uint8Array(levels.length);
  const plane = width * height;
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < channels; c++) pixels[i * channels + c] = levels[c * plane + i] ?? 0;
  }
  // sharp's own TIFF is a JPEG inside.
  const settings = { ...(format === "tiff" && { compression: "lzw" }), ...(quality !== undefined && { quality }) };
  const file = await sharp(pixels, { raw: { width, height, channels } }).toFormat(format, settings).toBuffer();
  await writeFileAtomic(path, file);
}
