// Random windows, affine maps, blur and RandAugment's operations of torchvision in f64, on images [C, H, W].
import { type HostArray, host } from "../support/host.ts";

type Two = readonly [number, number];
type Three = readonly [channels: number, height: number, width: number];
type Fill = number | readonly number[];
const dims = (x: HostArray) => x.shape as unknown as Three;
const clamp = (x: number) => Math.min(Math.max(x, 0), 1);
const even = (v: number) => (v % 1 === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));
export const fillOf = (fill: Fill, c: number): number =>
  typeof fill === "number" ? fill : fill[Math.min(c, fill.length - 1)]!;

/** A picture of this size, each value from a function of channel, row and column. */
export function picture(shape: Three, f: (c: number, y: number, x: number) => number): HostArray {
  const [channels, height, width] = shape;
  const out = host(shape);
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) out.data[(c * height + y) * width + x] = f(c, y, x);
  return out;
}

const value = (image: HostArray, c: number, y: number, x: number): number => {
  const [, height, width] = dims(image);
  return image.data[(c * height + y) * width + x]!;
};

/** How near numbers come to a half or to a whole number, where f32 may decide otherwise than f64. */
const tieOf = (...values: number[]) =>
  Math.min(...values.map((v) => Math.min(Math.abs(v - Math.round(v)), Math.abs(Math.abs(v - Math.floor(v)) - 0.5))));

export interface Window {
  /** top, left, height, width; null where ten attempts do not fit */
  readonly place: readonly [number, number, number, number] | null;
  /** How near a decision came to a tie. */
  readonly tie: number;
}

/** Attempts at a window, from 22 uniform numbers. ratio: width by height. */
export function windowOf(u: readonly number[], size: Two, most: Two, least: number, area: Two, ratio: Two): Window {
  let tie = 1;
  for (let k = 0; k < 10; k++) {
    const share = size[0] * size[1] * (area[0] + u[2 * k]! * (area[1] - area[0]));
    const [low, high] = ratio.map(Math.log) as [number, number];
    const proportion = Math.exp(low + u[2 * k + 1]! * (high - low));
    const exact = [Math.sqrt(share / proportion), Math.sqrt(share * proportion)] as const;
    const [h, w] = exact.map(even) as [number, number];
    tie = Math.min(tie, ...exact.map((v) => Math.abs(v - Math.floor(v) - 0.5)));
    if (h < least || w < least || h > most[0] || w > most[1]) continue;
    const place = [u[20]! * (size[0] - h + 1), u[21]! * (size[1] - w + 1)] as const;
    return { place: [Math.floor(place[0]), Math.floor(place[1]), h, w], tie: Math.min(tie, tieOf(...place)) };
  }
  return { place: null, tie };
}

/** torchvision's window in the middle, where no attempt fits. */
export function middleWindow([height, width]: Two, ratio: Two): readonly [number, number, number, number] {
  const own = width / height;
  const h = own < ratio[0] ? even(width / ratio[0]) : height;
  const w = own > ratio[1] ? even(height * ratio[1]) : width;
  return [Math.floor((height - h) / 2), Math.floor((width - w) / 2), h, w];
}

export const cut = (image: HostArray, [top, left, h, w]: readonly [number, number, number, number]): HostArray =>
  picture([dims(image)[0], h, w], (c, y, x) => value(image, c, top + y, left + x));

/** The matrix that torchvision's affine inverts to, [x', y'] of [x, y, 1], relative to the picture's centre. */
export function inverseMatrix(angle: number, shear: Two, scale: number, shift: Two, centre: Two): number[] {
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  const [rot, sx, sy] = [radians(angle), radians(shear[0]), radians(shear[1])];
  const a = Math.cos(rot - sy) / Math.cos(sy);
  const b = (-Math.cos(rot - sy) * Math.tan(sx)) / Math.cos(sy) - Math.sin(rot);
  const c = Math.sin(rot - sy) / Math.cos(sy);
  const d = (-Math.sin(rot - sy) * Math.tan(sx)) / Math.cos(sy) + Math.cos(rot);
  const [dx, dy] = [-centre[0] - shift[0], -centre[1] - shift[1]];
  const m = [d, -b, 0, -c, a, 0].map((v) => v / scale);
  m[2] = m[0]! * dx + m[1]! * dy + centre[0];
  m[5] = m[3]! * dx + m[4]! * dy + centre[1];
  return m;
}

/** Where an output pixel comes from, [x, y] in pixels. */
function source(m: readonly number[], [, height, width]: Three, row: number, column: number): [number, number] {
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  const [x, y] = [column - cx, row - cy];
  return [m[0]! * x + m[1]! * y + m[2]! + cx, m[3]! * x + m[4]! * y + m[5]! + cy];
}

export function warp(image: HostArray, m: readonly number[], bilinear: boolean, fill: Fill | null): HostArray {
  const [, height, width] = dims(image);
  const inside = (y: number, x: number) => y >= 0 && x >= 0 && y < height && x < width;
  return picture(dims(image), (c, row, column) => {
    const [x, y] = source(m, dims(image), row, column);
    const out = fillOf(fill ?? 0, c);
    if (!bilinear) return inside(even(y), even(x)) ? value(image, c, even(y), even(x)) : out;
    let [sum, inner] = [0, 0];
    for (const dy of [0, 1])
      for (const dx of [0, 1]) {
        const [py, px] = [Math.floor(y) + dy, Math.floor(x) + dx];
        const weight = (1 - Math.abs(y - py)) * (1 - Math.abs(x - px));
        if (!inside(py, px)) continue;
        sum += weight * value(image, c, py, px);
        inner += weight;
      }
    // With a fill torchvision weighs the sum, which has zeros outside, once more.
    return fill === null ? sum : sum * inner + (1 - inner) * out;
  });
}

/** How near a map to nearest pixels comes to a tie. */
export function warpTie(shape: Three, m: readonly number[]): number {
  let least = 1;
  for (let y = 0; y < shape[1]; y++)
    for (let x = 0; x < shape[2]; x++)
      for (const s of source(m, shape, y, x)) least = Math.min(least, Math.abs(s - Math.floor(s) - 0.5));
  return least;
}

export type Mode = "constant" | "edge" | "reflect" | "symmetric";

/** The value there or, outside, what the mode has in its place. */
export function padded(image: HostArray, mode: Mode, fill: Fill): (c: number, y: number, x: number) => number {
  const [, height, width] = dims(image);
  const place = (i: number, n: number): number => {
    if (mode === "edge") return Math.min(Math.max(i, 0), n - 1);
    const again = mode === "symmetric" ? 1 : 0;
    if (i < 0) return -i - again;
    return i >= n ? 2 * n - 2 + again - i : i;
  };
  return (c, y, x) => {
    if (mode === "constant" && (y < 0 || x < 0 || y >= height || x >= width)) return fillOf(fill, c);
    return value(image, c, place(y, height), place(x, width));
  };
}

export function gray(image: HostArray, channels: number): HostArray {
  const [own, height, width] = dims(image);
  return picture([channels, height, width], (_, y, x) =>
    own === 1
      ? value(image, 0, y, x)
      : 0.2989 * value(image, 0, y, x) + 0.587 * value(image, 1, y, x) + 0.114 * value(image, 2, y, x),
  );
}

export function blur(image: HostArray, [kh, kw]: Two, sigma: number): HostArray {
  const at = padded(image, "reflect", 0);
  const kernel = (size: number) => {
    const weights = Array.from({ length: size }, (_, k) => Math.exp(-0.5 * ((k - (size - 1) / 2) / sigma) ** 2));
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((w) => w / sum);
  };
  const [rows, columns] = [kernel(kh), kernel(kw)];
  return picture(dims(image), (c, y, x) => {
    let sum = 0;
    for (const [i, a] of rows.entries())
      for (const [j, b] of columns.entries()) sum += a * b * at(c, y + i - (kh - 1) / 2, x + j - (kw - 1) / 2);
    return sum;
  });
}

const level = (v: number) => even(clamp(v) * 255);

/** torchvision's table of equalize for a channel's histogram; null: nothing to spread. */
export function equalizeTable(histogram: readonly number[]): number[] | null {
  const used = histogram.filter((count) => count > 0);
  const step = Math.floor(used.slice(0, -1).reduce((a, b) => a + b, 0) / 255);
  if (step === 0) return null;
  let below = 0;
  return histogram.map((count, k) => {
    const to = k === 0 ? 0 : Math.min(Math.floor((below + Math.floor(step / 2)) / step), 255);
    below += count;
    return to;
  });
}

function equalize(image: HostArray): HostArray {
  const tables = Array.from({ length: dims(image)[0] }, (_, c) => {
    const plane = image.data.length / dims(image)[0];
    const histogram = Array.from({ length: 256 }, () => 0);
    for (const v of image.data.slice(c * plane, (c + 1) * plane)) histogram[level(v)]!++;
    return equalizeTable(histogram);
  });
  return picture(dims(image), (c, y, x) => {
    const v = level(value(image, c, y, x));
    return (tables[c]?.[v] ?? v) / 255;
  });
}

function sharpen(image: HostArray, factor: number): HostArray {
  const [, height, width] = dims(image);
  if (height <= 2 || width <= 2) return image;
  return picture(dims(image), (c, y, x) => {
    const v = value(image, c, y, x);
    if (y === 0 || x === 0 || y === height - 1 || x === width - 1) return clamp(v);
    let sum = 4 * v;
    for (const dy of [-1, 0, 1]) for (const dx of [-1, 0, 1]) sum += value(image, c, y + dy, x + dx);
    return clamp(factor * v + (1 - factor) * (sum / 13));
  });
}

/** What the greatest strength of RandAugment, or of TrivialAugment, stands for. */
export const strengthsOf = (wide: boolean, height: number, width: number) =>
  wide
    ? { shear: 0.99, x: 32, y: 32, rotate: 135, enhance: 0.99, bits: 6 }
    : { shear: 0.3, x: (150 / 331) * width, y: (150 / 331) * height, rotate: 30, enhance: 0.9, bits: 4 };

/** The matrix of the operations that move pixels; null for others. strength: -1 to 1. */
export function augmentMatrix(operation: number, strength: number, wide: boolean, [, h, w]: Three): number[] | null {
  const most = strengthsOf(wide, h, w);
  const shear = (Math.atan(strength * most.shear) * 180) / Math.PI;
  switch (operation) {
    case 1:
      return inverseMatrix(0, [shear, 0], 1, [0, 0], [-w / 2, -h / 2]);
    case 2:
      return inverseMatrix(0, [0, shear], 1, [0, 0], [-w / 2, -h / 2]);
    case 3:
      return inverseMatrix(0, [0, 0], 1, [Math.trunc(strength * most.x), 0], [0, 0]);
    case 4:
      return inverseMatrix(0, [0, 0], 1, [0, Math.trunc(strength * most.y)], [0, 0]);
    case 5:
      return inverseMatrix(-strength * most.rotate, [0, 0], 1, [0, 0], [0, 0]);
    default:
      return null;
  }
}

export interface AugmentArgs {
  readonly operation: number;
  readonly strength: number;
  readonly wide: boolean;
  readonly bilinear: boolean;
  readonly fill: Fill | null;
}

/** The blends of brightness, contrast and saturation are another file's. */
export function augment(
  image: HostArray,
  { operation, strength, wide, bilinear, fill }: AugmentArgs,
  adjust: (image: HostArray, kind: number, factor: number) => HostArray,
): HostArray {
  const [, height, width] = dims(image);
  const matrix = augmentMatrix(operation, strength, wide, dims(image));
  if (matrix) return warp(image, matrix, bilinear, fill);
  const { enhance, bits } = strengthsOf(wide, height, width);
  const factor = 1 + strength * enhance;
  const each = (f: (v: number) => number) => host(image.shape, image.data.map(f));
  switch (operation) {
    case 6:
      return adjust(image, 0, factor);
    case 7:
      // On gray images the blend is with themselves.
      return adjust(image, 2, factor);
    case 8:
      return adjust(image, 1, factor);
    case 9:
      return sharpen(image, factor);
    case 10: {
      const keep = 2 ** even(Math.abs(strength) * bits);
      return each((v) => (Math.floor(level(v) / keep) * keep) / 255);
    }
    case 11:
      return each((v) => (v >= 1 - Math.abs(strength) ? 1 - v : v));
    case 12: {
      const plane = height * width;
      return picture(dims(image), (c, y, x) => {
        const values = image.data.subarray(c * plane, (c + 1) * plane);
        const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
        const v = value(image, c, y, x);
        return high > low ? clamp((v - low) / (high - low)) : v;
      });
    }
    case 13:
      return equalize(image);
    default:
      return image;
  }
}
