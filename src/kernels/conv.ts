// Plans of the convolution kernels: geometry to parameters and grid.

import type { DeviceInfo } from "../gpu/device.ts";
import type { Shader } from "../gpu/pipeline.ts";
import { f32Bits, type Grid } from "../gpu/queue.ts";
import { OldKernel as Kernel } from "./specialize.ts";
import { gemmKernels, gemmTiles, magnitude, subgroupTiles, type Tile } from "./variants.ts";
import rowWgsl from "./wgsl/conv-row-subgroup.wgsl";
import subgroupWgsl from "./wgsl/conv-subgroup.wgsl";
import weightRowWgsl from "./wgsl/conv-weight-row-subgroup.wgsl";
import weightSubgroupWgsl from "./wgsl/conv-weight-subgroup.wgsl";
import weightWorkgroupWgsl from "./wgsl/conv-weight-workgroup.wgsl";
import workgroupWgsl from "./wgsl/conv-workgroup.wgsl";

const convKernels = gemmKernels("conv", subgroupWgsl, workgroupWgsl);
const rowKernel = new Kernel("conv_row_subgroup", rowWgsl);
const weightRowKernel = new Kernel("conv_weight_row_subgroup", weightRowWgsl);
const convWeightKernels = gemmKernels("conv_weight", weightSubgroupWgsl, weightWorkgroupWgsl);

/** x: [batch, channels, ...size], weight: [filters, channels / groups, ...kernel], y: [batch, filters, ...out]. */
export interface ConvGeometry {
  readonly batch: number;
  readonly channels: number;
  readonly filters: number;
  readonly groups: number;
  readonly size: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly out: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
}

export interface Launch {
  readonly params: readonly number[];
  readonly grid: Grid;
}

const tiles = (columns: number, rows: number, tile: Tile): [number, number] => [
  Math.ceil(columns / tile.columns),
  Math.ceil(rows / tile.rows),
];
/**
 * Up to so many positions a map is small: its columns run over the images first. Beyond, the skipped taps are fewer than
 * what the strided loads cost: whole images apart, a power of two, they share a few lines of the first-level cache.
 */
const SMALL_MAP = 4;
/** Up to so many positions high tiles are best; they compile in a third of the time, too. */
const MEDIUM_MAP = 16;
/** From so many positions on the weight gradient's columns run over the taps first. */
const LARGE_MAP = 256;
/** Whether a tile of columns should hold many images at few positions, so that it can skip the taps that miss them all. */
const imagesFirst = (batch: number, positions: number) => (batch >= 8 && positions <= SMALL_MAP ? 1 : 0);
const neg = ([a, b]: readonly [number, number]) => [-a, -b] as const;

/** Rows by vectors of four positions, or by input channels, that a lane accumulates in the kernels that work by map rows. */
const ROW_SIZES = [
  [8, 2],
  [16, 1],
  [8, 1],
] as const;
const WEIGHT_ROW_SIZES = [ROW_SIZES[1], ROW_SIZES[0], ROW_SIZES[2]] as const;

/** Whether a kernel is three wide, of stride and padding 1, on maps whose rows are whole vectors of four. */
const byRows = (g: ConvGeometry): boolean =>
  g.kernel[1] === 3 &&
  g.padding[1] === 1 &&
  g.dilation[1] === 1 &&
  g.stride[0] === 1 &&
  g.stride[1] === 1 &&
  g.out[1] % 4 === 0;

/** The variants for y or dx, whose sums run over k channels. */
export function convTiles(g: ConvGeometry, k: number, info: DeviceInfo): Tile[] {
  const [height, width] = g.out;
  const small = height * width <= MEDIUM_MAP;
  // The few channels of an image: taking them in twos would waste part of the last two.
  const few = k < 8;
  const general = gemmTiles(convKernels, info, few ? { U: "1u" } : {}, few || small ? [32, 2] : [16, 4]);
  if (!byRows(g) || imagesFirst(g.batch, height * width)) return general;
  // Whether the vectors that the lanes hold side by side may end inside a row of the map.
  const edges = (4 * info.subgroupSize) % width !== 0;
  return [...subgroupTiles(rowKernel, info, ROW_SIZES, 4, "rows", edges ? { EDGES: "true" } : {}), ...general];
}

/** The variants for dw. A tile of the kernel that works by map rows is columns of one kernel row. */
export function convWeightTiles(g: ConvGeometry, info: DeviceInfo): Tile[] {
  const general = gemmTiles(convWeightKernels, info, {}, g.filters / g.groups > 16 ? [32, 2] : [16, 4]);
  return byRows(g) ? [...subgroupTiles(weightRowKernel, info, WEIGHT_ROW_SIZES, 1, "rows"), ...general] : general;
}

/** The class of shapes for which one variant of y, dx or dw is best. */
export function convClass(g: ConvGeometry, rows: number, k: number): string {
  const map = g.out[1] % 4 === 0 ? "q" : "";
  const sizes = [rows, k, g.batch, g.out[0] * g.out[1]].map(magnitude).join(".");
  return `${g.kernel.join("x")}/${g.stride.join()} ${sizes}${map}`;
}

/** What becomes of each sum before it is stored. */
export interface Epilogue {
  readonly bias?: boolean;
  readonly relu?: boolean;
  readonly residual?: boolean;
  /** Batch norm's; with `normShader` alone. */
  readonly eps?: number;
}
const words = ({ bias, relu, residual }: Epilogue) =>
  Number(!!bias) | (Number(!!relu) << 1) | (Number(!!residual) << 2);

/** A tile's shader that applies batch norm by running statistics, and adds a residual where the epilogue says so. */
export const normShader = (tile: Tile): Shader =>
  tile.with(
    {
      affine: `fn affine(channel: u32) -> vec2f {
  let scale = gamma[channel] / sqrt(variance[channel] + p.eps);
  return vec2f(scale, bias[channel] - mean[channel] * scale);
}`,
      beside: `fn beside(at: u32) -> Value {
  if ((p.flags & RESIDUAL) == 0u) { return Value(); }
  return residual[at];
}`,
    },
    "batch norm",
  );

/** From one tap that lands on the source's grid to the next: taps, and positions of the source. */
function tapSteps(div: readonly [number, number], dil: readonly [number, number]): number[] {
  const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));
  const steps = div.map((d, i) => d / gcd(d, dil[i]!));
  return [...steps, ...steps.map((step, i) => (step * dil[i]!) / div[i]!)];
}

/** y from x and weight. */
export function planForward(g: ConvGeometry, epilogue: Epilogue, tile: Tile): Launch {
  const rows = g.filters / g.groups;
  const k = g.channels / g.groups;
  const taps = g.kernel[0] * g.kernel[1];
  const params = [
    ...[rows, k, g.batch, words(epilogue)],
    ...[...g.kernel, ...g.size, ...g.out, ...g.stride, ...neg(g.padding), ...g.dilation, 1, 1],
    ...[g.channels, g.filters, k * taps, taps, rows * k * taps, imagesFirst(g.batch, g.out[0] * g.out[1])],
    ...tapSteps([1, 1], g.dilation),
    f32Bits(epilogue.eps ?? 0),
  ];
  return { params, grid: [...tiles(g.batch * g.out[0] * g.out[1], rows, tile), g.groups] };
}

/** dx from dy and weight: the same kernel, its rows the input channels, one phase of dx for each step of the stride. */
export function planInputGradient(g: ConvGeometry, tile: Tile): Launch {
  const rows = g.channels / g.groups;
  const k = g.filters / g.groups;
  // Phase 0 is the largest; smaller phases leave their last workgroups idle.
  const positions = Math.ceil(g.size[0] / g.stride[0]) * Math.ceil(g.size[1] / g.stride[1]);
  const taps = g.kernel[0] * g.kernel[1];
  const params = [
    ...[rows, k, g.batch, 0],
    ...[...g.kernel, ...g.out, ...g.size, 1, 1, ...g.padding, ...neg(g.dilation), ...g.stride],
    ...[g.filters, g.channels, taps, rows * taps, k * rows * taps, imagesFirst(g.batch, positions)],
    ...tapSteps(g.stride, neg(g.dilation)),
    0,
  ];
  return { params, grid: [...tiles(g.batch * positions, rows, tile), g.groups * g.stride[0] * g.stride[1]] };
}

/** Taps of one dimension, first and last, that some output position reaches inside the input; first > last: none. */
function liveTaps(g: ConvGeometry, i: 0 | 1): [first: number, last: number] {
  const reaches = (t: number) => {
    const low = t * g.dilation[i] - g.padding[i];
    // Some o in [0, out) has 0 <= low + o * stride < size.
    const o = Math.max(0, Math.ceil(-low / g.stride[i]));
    return o < g.out[i] && low + o * g.stride[i] < g.size[i];
  };
  const live = Array.from({ length: g.kernel[i] }, (_, t) => t).filter(reaches);
  return [live[0] ?? 0, live.at(-1) ?? -1];
}

/** So many workgroups keep a GPU busy. */
const BUSY = 512;

/** A launch for dw from x and dy. */
export interface WeightLaunch extends Launch {
  /** Some taps are dead, the kernel does not write their gradient. */
  readonly clear: boolean;
  /** How many parts of the batch are summed apart, one after the other in the result. */
  readonly splits: number;
}

export function planWeightGradient(g: ConvGeometry, tile: Tile, info: DeviceInfo): WeightLaunch {
  const rows = g.filters / g.groups;
  const k = g.channels / g.groups;
  const [top, bottom] = liveTaps(g, 0);
  const [left, right] = liveTaps(g, 1);
  const kernel = [bottom - top + 1, right - left + 1] as const;
  const live = kernel[0] * kernel[1];
  const byRow = tile.name.startsWith("rows");
  const [x, y] = tiles(byRow ? k : k * live, rows, tile);
  const planes = g.groups * (byRow ? kernel[0] : 1);
  const wanted = info.isSoftware ? 1 : Math.max(1, Math.min(g.batch, Math.floor(BUSY / (x * y * planes))));
  const images = Math.ceil(g.batch / wanted);
  const splits = Math.ceil(g.batch / images);
  const params = [
    ...[rows, k, g.batch, g.channels],
    ...[...kernel, ...g.size, ...g.out, ...g.stride],
    ...[g.padding[0] - top * g.dilation[0], g.padding[1] - left * g.dilation[1], ...g.dilation],
    ...[...g.kernel, top, left, g.filters, g.out[0] * g.out[1] >= LARGE_MAP ? 1 : 0],
    ...[images, planes, g.filters * k * g.kernel[0] * g.kernel[1]],
  ];
  return { params, grid: [x, y, planes * splits], clear: live < g.kernel[0] * g.kernel[1], splits };
}
