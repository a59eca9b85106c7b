// Pictures of a browser to tensors and back. A 2D canvas reads every source that can be drawn; its pixels are bytes on the host.
import { checkTensor } from "../autograd/run.ts";
import { check, checkOptions, StateError, told, ValueError } from "../errors.ts";
import type { GlobalType } from "../gpu/global-type.ts";
import { tensor } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Pixels on the host, as an `ImageData` has them. */
export interface PixelData {
  /** Red, green, blue and alpha of each pixel by rows, 0..255. */
  readonly data: Uint8Array | Uint8ClampedArray;
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
}

/** What `fromPixels` reads: pixels, or whatever a 2D canvas draws. */
export type PixelSource =
  | PixelData
  | GlobalType<"HTMLImageElement">
  | GlobalType<"HTMLCanvasElement">
  | GlobalType<"HTMLVideoElement">
  | GlobalType<"ImageBitmap">
  | GlobalType<"OffscreenCanvas">
  | GlobalType<"VideoFrame">;

/** A canvas, as far as `toPixels` needs it: an `HTMLCanvasElement` or an `OffscreenCanvas`. */
export interface PixelCanvas {
  /** Pixels in a row. */
  width: number;
  /** Rows. */
  height: number;
  /** Its 2D context, or null where it has another one. */
  getContext(kind: "2d"): {
    createImageData(width: number, height: number): { readonly data: { set(values: ArrayLike<number>): void } };
    putImageData(pixels: never, x: number, y: number): void;
  } | null;
}

/** What `fromPixels` takes beside the source. */
export interface FromPixelsOptions {
  /** "f32": values in [0, 1], as models take them. "i32": 0..255, an 8-bit picture as transforms take it. Default "f32". */
  dtype?: "f32" | "i32";
  /** 3: red, green, blue; 4: alpha, too (neither multiplied by it). Default 3. */
  channels?: 3 | 4;
}

/**
 * The pixels of a picture as a tensor [C, H, W]: of an `ImageData` (or what looks like one), an image that has loaded, a canvas, a
 * video's current frame, an `ImageBitmap` or a `VideoFrame`.
 *
 * @throws ValueError for what is no such source, or one without pixels yet; StateError where the source must not be read
 *   (another origin's picture without CORS) or there is no canvas to draw it on (outside browsers pass pixels)
 */
export function fromPixels(source: PixelSource, options: FromPixelsOptions = {}): Tensor {
  checkOptions("fromPixels", options, ["dtype", "channels"]);
  const { dtype = "f32", channels = 3 } = options;
  checkDtype("fromPixels", "dtype", dtype, "f32", "i32");
  check(
    channels === 3 || channels === 4,
    () => `[fromPixels] channels must be 3 or 4, got ${told(channels)}`,
    ValueError,
  );
  const { data, width, height } = isPixels(source) ? source : drawn(source);
  const plane = width * height;
  check(
    Number.isSafeInteger(plane) && width > 0 && height > 0 && data.length === 4 * plane,
    () => `[fromPixels] ${data.length} values for ${told(width)} x ${told(height)} pixels; expected four a pixel`,
    ValueError,
  );
  const values = new (dtype === "f32" ? Float32Array : Int32Array)(channels * plane);
  const scale = dtype === "f32" ? 255 : 1;
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < plane; i++) values[c * plane + i] = (data[4 * i + c] ?? 0) / scale;
  }
  return tensor(values, { shape: [channels, height, width] });
}

/**
 * The pixels of a picture [C, H, W] or [H, W], which it also shows on `canvas` where one is given, in its size. C is 1 (gray), 3 or
 * 4 (with alpha); f32 values are in [0, 1], i32 and u32 ones in 0..255, others are clamped. An `ImageData` is
 * `new ImageData(data, width, height)` of the result.
 *
 * @throws ShapeError, DtypeError; ValueError for a canvas that has no 2D context
 */
export async function toPixels(
  image: Tensor,
  canvas?: PixelCanvas,
): Promise<{ data: Uint8ClampedArray<ArrayBuffer>; width: number; height: number }> {
  const data = await rgbaOf("toPixels", image);
  const [height = 0, width = 0] = image.shape.slice(-2);
  if (canvas !== undefined) {
    check(
      typeof canvas === "object" && canvas !== null && typeof canvas.getContext === "function",
      () => `[toPixels] got ${told(canvas)} in the place of a canvas`,
      ValueError,
    );
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    check(
      context !== null,
      () => "[toPixels] the canvas has no 2D context: it is used for WebGL or WebGPU",
      ValueError,
    );
    const pixels = context.createImageData(width, height);
    pixels.data.set(data);
    context.putImageData(pixels as never, 0, 0);
  }
  return { data, width, height };
}

/** Red, green, blue and alpha of each pixel. */
async function rgbaOf(name: string, image: Tensor): Promise<Uint8ClampedArray<ArrayBuffer>> {
  const { levels, channels } = await levelsOf(name, image);
  const plane = levels.length / channels;
  const rgba = new Uint8ClampedArray(4 * plane).fill(255);
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < Math.max(3, channels); c++) {
      rgba[4 * i + c] = levels[(channels === 1 ? 0 : c) * plane + i] ?? 0;
    }
  }
  return rgba;
}

/** A picture's values as whole numbers 0..255 in planes. f32 in [0, 1] is rounded as torchvision's save_image does. */
export async function levelsOf(
  name: string,
  image: Tensor,
): Promise<{ levels: Uint8Array<ArrayBuffer>; channels: 1 | 3 | 4 }> {
  checkTensor(name, "the picture", image);
  checkDtype(name, "the picture", image.dtype, "f32", "i32", "u32");
  const channels = image.ndim === 2 ? 1 : image.shape[0];
  check(
    (image.ndim === 2 || image.ndim === 3) && (channels === 1 || channels === 3 || channels === 4) && image.numel > 0,
    () => `[${name}] a picture has shape [C, H, W] with 1, 3 or 4 channels, or [H, W]; got ${show(image.shape)}`,
  );
  const isFloat = image.dtype === "f32";
  const values = await image.data();
  const levels = new Uint8Array(values.length);
  for (const [i, value] of values.entries()) {
    const level = isFloat ? Math.floor(value * 255 + 0.5) : value;
    levels[i] = Math.min(255, Math.max(0, level));
  }
  return { levels, channels };
}

const isPixels = (source: unknown): source is PixelData => {
  const data: unknown = typeof source === "object" && source !== null ? Reflect.get(source, "data") : undefined;
  return data instanceof Uint8Array || data instanceof Uint8ClampedArray;
};

/** What of a 2D context drawing needs. */
interface Drawing {
  drawImage(source: object, x: number, y: number, width: number, height: number): void;
  getImageData(x: number, y: number, width: number, height: number): PixelData;
}

/** The pixels of what a canvas draws. */
function drawn(source: unknown): PixelData {
  check(
    typeof source === "object" && source !== null,
    () => `[fromPixels] takes an ImageData, image, canvas, video, ImageBitmap or VideoFrame, got ${told(source)}`,
    ValueError,
  );
  const [width, height] = sizeOf(source);
  check(
    Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0,
    () =>
      `[fromPixels] ${told(source)} is ${told(width)} x ${told(height)} pixels large: expected an image that has loaded (await image.decode()), a canvas, video, ImageBitmap or VideoFrame`,
    ValueError,
  );
  const context = contextOf(width, height);
  try {
    context.drawImage(source, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  } catch (cause) {
    throw new StateError(
      `[fromPixels] ${told(source)} cannot be read: ${cause instanceof Error ? cause.message : cause}`,
      {
        cause,
      },
    );
  }
}

/** In pixels of the picture itself, not of where it is shown. */
function sizeOf(source: object): [width: number, height: number] {
  for (const kind of ["natural", "video", "display"]) {
    const [width, height] = [Reflect.get(source, `${kind}Width`), Reflect.get(source, `${kind}Height`)];
    if (typeof width === "number" && typeof height === "number") return [width, height];
  }
  return [Number(Reflect.get(source, "width")), Number(Reflect.get(source, "height"))];
}

function contextOf(width: number, height: number): Drawing {
  const Canvas: unknown = Reflect.get(globalThis, "OffscreenCanvas");
  check(
    typeof Canvas === "function",
    () => "[fromPixels] there is no canvas here to draw on: pass pixels, { data, width, height }",
    StateError,
  );
  const canvas: unknown = Reflect.construct(Canvas, [width, height]);
  // Read once and thrown away: better kept in memory than on the graphics card.
  const context = (canvas as { getContext(kind: "2d", options: object): Drawing | null }).getContext("2d", {
    willReadFrequently: true,
  });
  check(context !== null, () => "[fromPixels] the browser gives no 2D context", StateError);
  return context;
}
