// torchvision's transforms in f64, one image [C, H, W] at a time: the reference that golden vectors pin.
import type { Step } from "../../src/vision/transform-steps.ts";
import { type HostArray, host } from "../support/host.ts";
import * as extra from "./augment.ts";
import { resample, sizeFor } from "./resample.ts";

type Factors = readonly number[];

const dims = (x: HostArray) => x.shape as readonly [number, number, number];

/** A picture of another size, each value from a function of channel, row and column. */
function picture(
  channels: number,
  height: number,
  width: number,
  f: (c: number, y: number, x: number) => number,
): HostArray {
  const out = host([channels, height, width]);
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) out.data[(c * height + y) * width + x] = f(c, y, x);
  return out;
}

/** The value there, or 0 outside. */
function at(image: HostArray, c: number, y: number, x: number): number {
  const [, height, width] = dims(image);
  return y >= 0 && y < height && x >= 0 && x < width ? image.data[(c * height + y) * width + x]! : 0;
}

export function crop(image: HostArray, top: number, left: number, [h, w]: readonly number[], padding = 0): HostArray {
  return picture(dims(image)[0], h!, w!, (c, y, x) => at(image, c, y + top - padding, x + left - padding));
}

export function centerCrop(image: HostArray, size: readonly number[]): HostArray {
  const [, height, width] = dims(image);
  const even = (v: number) => (v % 1 === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));
  // Where it lacks pixels it is padded, the odd one at the end.
  const begin = (has: number, wants: number) =>
    wants > has ? -Math.floor((wants - has) / 2) : even((has - wants) / 2);
  return crop(image, begin(height, size[0]!), begin(width, size[1]!), size);
}

export function hflip(image: HostArray): HostArray {
  const [channels, height, width] = dims(image);
  return picture(channels, height, width, (c, y, x) => at(image, c, y, width - 1 - x));
}

/** Where an output pixel of a rotation comes from, before rounding. */
function rotated([, height, width]: readonly number[], degrees: number, y: number, x: number): [number, number] {
  const angle = (degrees * Math.PI) / 180;
  const [cy, cx] = [(height! - 1) / 2, (width! - 1) / 2];
  const [dy, dx] = [y - cy, x - cx];
  return [Math.sin(angle) * dx + Math.cos(angle) * dy + cy, Math.cos(angle) * dx - Math.sin(angle) * dy + cx];
}

export function rotate(image: HostArray, degrees: number): HostArray {
  const [channels, height, width] = dims(image);
  return picture(channels, height, width, (c, y, x) => {
    const [sy, sx] = rotated(image.shape, degrees, y, x);
    return at(image, c, Math.round(sy), Math.round(sx));
  });
}

/** How near the rotation comes to a tie between two pixels: f32 may decide ties otherwise. */
export function nearestTie(shape: readonly number[], degrees: number): number {
  let least = 1;
  for (let y = 0; y < shape[1]!; y++)
    for (let x = 0; x < shape[2]!; x++)
      for (const s of rotated(shape, degrees, y, x)) least = Math.min(least, Math.abs(s - Math.floor(s) - 0.5));
  return least;
}

type Pixel = [number, number, number];
const clamp = (x: number) => Math.min(Math.max(x, 0), 1);
const gray = ([r, g, b]: Readonly<Pixel>) => 0.2989 * r + 0.587 * g + 0.114 * b;

function eachPixel(image: HostArray, f: (pixel: Pixel) => Pixel): HostArray {
  const n = image.data.length / 3;
  const out = host(image.shape);
  for (let i = 0; i < n; i++) {
    const pixel = f([image.data[i]!, image.data[n + i]!, image.data[2 * n + i]!]);
    for (let c = 0; c < 3; c++) out.data[c * n + i] = pixel[c]!;
  }
  return out;
}

function turnHue([r, g, b]: Pixel, turn: number): Pixel {
  const high = Math.max(r, g, b);
  const range = high - Math.min(r, g, b);
  const [rc, gc, bc] = [r, g, b].map((v) => (range === 0 ? 0 : (high - v) / range)) as Pixel;
  const raw = high === r ? bc - gc : high === g ? 2 + rc - bc : 4 + gc - rc;
  const h = ((((raw / 6 + 1) % 1) + turn + 1) % 1) * 6;
  const s = range === 0 ? 0 : range / high;
  const i = Math.floor(h);
  const f = h - i;
  const [p, q, t] = [1 - s, 1 - s * f, 1 - s * (1 - f)].map((k) => clamp(high * k)) as Pixel;
  const sectors: Pixel[] = [
    [high, t, p],
    [q, high, p],
    [p, high, t],
    [p, q, high],
    [t, p, high],
    [high, p, q],
  ];
  return sectors[i % 6]!;
}

/** kind: 0 brightness, 1 contrast, 2 saturation, 3 hue. */
export function adjust(image: HostArray, kind: number, factor: number): HostArray {
  const [channels] = dims(image);
  const blend = (v: number, other: number) => clamp(factor * v + (1 - factor) * other);
  if (kind <= 1) {
    const grays = channels === 1 ? image.data : eachPixel(image, (v) => [gray(v), 0, 0]).data;
    const n = image.data.length / channels;
    const mean = kind === 0 ? 0 : grays.slice(0, n).reduce((a, b) => a + b, 0) / n;
    return host(
      image.shape,
      image.data.map((v) => blend(v, mean)),
    );
  }
  if (channels === 1) return image;
  if (kind === 2) return eachPixel(image, (v) => v.map((x) => blend(x, gray(v))) as Pixel);
  return eachPixel(image, (v) => turnHue(v, factor));
}

export const jitter = (image: HostArray, order: readonly number[], factors: Factors): HostArray =>
  order.reduce((x, kind) => adjust(x, kind, factors[kind]!), image);

export function normalize(image: HostArray, mean: readonly number[], std: readonly number[]): HostArray {
  const plane = image.data.length / image.shape[0]!;
  const pick = (values: readonly number[], i: number) => values[Math.min(Math.floor(i / plane), values.length - 1)]!;
  return host(
    image.shape,
    image.data.map((v, i) => (v - pick(mean, i)) / pick(std, i)),
  );
}

/** The permutation of 0..3 that a random number chooses: the digits of floor(24 u) in the factorial system. */
export function orderOf(u: number): number[] {
  let rest = Math.floor(u * 24);
  const pool = [0, 1, 2, 3];
  return [6, 2, 1, 1].map((base) => {
    const pick = Math.floor(rest / base);
    rest -= pick * base;
    return pool.splice(pick, 1)[0]!;
  });
}

/** The window of a resizedCrop in an image of this shape, from its random numbers; and how near it came to a tie. */
export function resizedWindow(step: Step & { kind: "resizedCrop" }, shape: readonly number[], u: readonly number[]) {
  const size = [shape[1]!, shape[2]!] as const;
  const { place, tie } = extra.windowOf(u, size, size, 1, step.scale, step.ratio);
  return { place: place ?? extra.middleWindow(size, step.ratio), tie };
}

/** The rectangle that is erased, null for none. */
export function erasedWindow(step: Step & { kind: "erase" }, shape: readonly number[], u: readonly number[]) {
  const size = [shape[1]!, shape[2]!] as const;
  // Height by width there, width by height here.
  const ratio = [1 / step.ratio[0], 1 / step.ratio[1]] as const;
  const { place, tie } = extra.windowOf(u.slice(1), size, [size[0] - 1, size[1] - 1], 0, step.scale, ratio);
  return { place: u[0]! < step.p ? place : null, tie: Math.min(tie, Math.abs(u[0]! - step.p)) };
}

const between = ([low, high]: readonly [number, number], u: number) => low + (high - low) * u;

/** The matrix of an affine step on an image of this shape, and how near its shifts came to a tie. */
export function affineMatrix(step: Step & { kind: "affine" }, shape: readonly number[], u: readonly number[]) {
  const [, height, width] = shape as [number, number, number];
  const exact = [(2 * u[1]! - 1) * step.translate[0] * width, (2 * u[2]! - 1) * step.translate[1] * height] as const;
  const [cx, cy] = step.center ?? [width / 2, height / 2];
  const shear = [between(step.shear[0], u[4]!), between(step.shear[1], u[5]!)] as const;
  const matrix = extra.inverseMatrix(
    between(step.degrees, u[0]!),
    shear,
    between(step.scale, u[3]!),
    [Math.round(exact[0]), Math.round(exact[1])],
    [cx - width / 2, cy - height / 2],
  );
  return { matrix, tie: Math.min(...exact.map((v) => Math.abs(v - Math.floor(v) - 0.5))) };
}

/** The operation of an augment step and its strength. */
export function augmentation(step: Step & { kind: "augment" }, u: readonly number[]) {
  const bin = step.bin ?? Math.floor(u[2]! * step.bins);
  const strength = bin / (step.bins - 1);
  return { operation: Math.floor(u[0]! * 14), strength: u[1]! < 0.5 ? -strength : strength };
}

/** What the steps make of an image [C, H, W], one after the other, with these random numbers. */
export function applySteps(
  steps: readonly Step[],
  image: HostArray,
  draws: ArrayLike<number>,
  levels = false,
): HostArray {
  let next = 0;
  let whole = levels;
  const draw = () => draws[next++]!;
  const several = (n: number) => Array.from({ length: n }, draw);
  const apply = (x: HostArray, step: Step): HostArray => {
    const [channels, height, width] = dims(x);
    switch (step.kind) {
      case "crop": {
        const [left, top, right, bottom] = step.margins;
        const more = (has: number, wants: number) => (step.padIfNeeded ? Math.max(0, wants - has) : 0);
        const [my, mx] = [more(height + top + bottom, step.size[0]), more(width + left + right, step.size[1])];
        const y0 = Math.floor(draw() * (height + top + bottom + 2 * my - step.size[0] + 1)) - top - my;
        const x0 = Math.floor(draw() * (width + left + right + 2 * mx - step.size[1] + 1)) - left - mx;
        const at = extra.padded(x, step.mode, step.fill);
        return picture(channels, step.size[0], step.size[1], (c, py, px) => at(c, py + y0, px + x0));
      }
      case "pad": {
        const [left, top, right, bottom] = step.margins;
        const at = extra.padded(x, step.mode, step.fill);
        return picture(channels, height + top + bottom, width + left + right, (c, py, px) =>
          at(c, py - top, px - left),
        );
      }
      case "centerCrop":
        return centerCrop(x, step.size);
      case "flip":
        if (draw() >= step.p) return x;
        return step.rows ? picture(channels, height, width, (c, y, px) => at(x, c, height - 1 - y, px)) : hflip(x);
      case "rotate": {
        const angle = between(step.degrees, draw());
        return extra.warp(x, extra.inverseMatrix(-angle, [0, 0], 1, [0, 0], [0, 0]), false, step.fill);
      }
      case "jitter": {
        const order = orderOf(draw());
        const factors = step.ranges.map((range) => between(range ?? [0, 0], draw()));
        return jitter(
          x,
          order.filter((kind) => step.ranges[kind]),
          factors,
        );
      }
      case "resize": {
        const size = typeof step.size === "number" ? sizeFor(step.size, step.maxSize, height, width) : step.size;
        return resample(x, size, { ...step, levels: whole });
      }
      case "resizedCrop":
        return resample(extra.cut(x, resizedWindow(step, x.shape, several(22)).place), step.size, {
          ...step,
          levels: whole,
        });
      case "affine":
        return extra.warp(x, affineMatrix(step, x.shape, several(6)).matrix, step.bilinear, step.fill);
      case "gray": {
        const turned = step.p === null || draw() < step.p;
        return turned ? extra.gray(x, step.p === null ? step.channels : channels) : x;
      }
      case "blur":
        return extra.blur(x, step.size, between(step.sigma, draw()));
      case "erase": {
        const { place } = erasedWindow(step, x.shape, several(23));
        if (!place) return x;
        const [top, left, h, w] = place;
        const value = step.value === "random" ? Number.NaN : step.value;
        return picture(channels, height, width, (c, y, px) =>
          y >= top && y < top + h && px >= left && px < left + w ? extra.fillOf(value, c) : at(x, c, y, px),
        );
      }
      case "augment":
        return extra.augment(x, { ...augmentation(step, several(3)), ...step }, adjust);
      case "normalize":
        whole = false;
        return normalize(x, step.mean, step.std);
      case "toTensor":
        whole = false;
        return x;
    }
  };
  return steps.reduce(apply, image);
}
