// The geometry of a convolution, and classes of geometries for which one variant is best.
import { magnitude } from "./variants.ts";

type Pair = readonly [number, number];

/** x: [batch, channels, ...size], weight: [filters, channels / groups, ...kernel], y: [batch, filters, ...out]. */
export interface ConvGeometry {
  readonly batch: number;
  readonly channels: number;
  readonly filters: number;
  readonly groups: number;
  readonly size: Pair;
  readonly kernel: Pair;
  readonly out: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
}

/** The class of shapes for which one variant of y, dx or dw is best: rows and k of its products, batch and map. */
export function convClass(g: ConvGeometry, rows: number, k: number): string {
  const map = g.out[1] % 4 === 0 ? "q" : "";
  const sizes = [rows, k, g.batch, g.out[0] * g.out[1]].map(magnitude).join(".");
  const groups = g.groups > 1 ? ` ${magnitude(g.groups)} groups` : "";
  return `${g.kernel.join("x")}/${g.stride.join()} ${sizes}${map}${groups}`;
}

/** Positions of a map, [rows, columns]. */
export const area = ([rows, columns]: Pair): number => rows * columns;
export const negated = ([a, b]: Pair): Pair => [-a, -b];

/** Whether a kernel is three wide, of stride and padding 1, on maps whose rows are whole vectors of four. */
export const byRows = (g: ConvGeometry): boolean =>
  g.kernel[1] === 3 &&
  g.padding[1] === 1 &&
  g.dilation[1] === 1 &&
  g.stride[0] === 1 &&
  g.stride[1] === 1 &&
  g.out[1] % 4 === 0;

/** Every channel is a group: one filter or several of it, none of others. */
export const isDepthwise = (g: ConvGeometry): boolean => g.groups === g.channels && g.groups > 1;
