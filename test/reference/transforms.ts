// torchvision's transforms in f64, one image [C, H, W] at a time: the reference that golden vectors pin.
import type { Step } from "../../src/vision/transform-steps.ts";
import { type HostArray, host } from "../support/host.ts";

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
  return crop(image, even((height - size[0]!) / 2), even((width - size[1]!) / 2), size);
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

export function resize(image: HostArray, size: readonly number[] | number): HostArray {
  const [channels, height, width] = dims(image);
  const scaled = (n: number) => Math.floor(((size as number) * Math.max(height, width)) / n);
  const [h, w] = typeof size !== "number" ? size : height <= width ? [size, scaled(height)] : [scaled(width), size];
  const taps = (i: number, from: number, to: number): [number, number, number] => {
    const s = Math.max(((i + 0.5) * from) / to - 0.5, 0);
    const low = Math.floor(s);
    return [low, Math.min(low + 1, from - 1), s - low];
  };
  return picture(channels, h!, w!, (c, y, x) => {
    const [y0, y1, fy] = taps(y, height, h!);
    const [x0, x1, fx] = taps(x, width, w!);
    const row = (y: number) => (1 - fx) * at(image, c, y, x0) + fx * at(image, c, y, x1);
    return (1 - fy) * row(y0) + fy * row(y1);
  });
}

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

/** What the steps make of an image [C, H, W], one after the other, with these random numbers. */
export function applySteps(steps: readonly Step[], image: HostArray, draws: ArrayLike<number>): HostArray {
  let next = 0;
  const draw = () => draws[next++]!;
  const between = ([low, high]: readonly [number, number], u: number) => low + (high - low) * u;
  const apply = (x: HostArray, step: Step): HostArray => {
    const [, height, width] = dims(x);
    switch (step.kind) {
      case "crop": {
        const whole = 2 * step.padding + 1;
        const top = Math.floor(draw() * (height + whole - step.size[0]));
        return crop(x, top, Math.floor(draw() * (width + whole - step.size[1])), step.size, step.padding);
      }
      case "centerCrop":
        return centerCrop(x, step.size);
      case "flip":
        return draw() < step.p ? hflip(x) : x;
      case "rotate":
        return rotate(x, between(step.degrees, draw()));
      case "jitter": {
        const order = orderOf(draw());
        const factors = step.ranges.map((range) => between(range ?? [0, 0], draw()));
        return jitter(
          x,
          order.filter((kind) => step.ranges[kind]),
          factors,
        );
      }
      case "resize":
        return resize(x, step.size);
      case "normalize":
        return normalize(x, step.mean, step.std);
    }
  };
  return steps.reduce(apply, image);
}
