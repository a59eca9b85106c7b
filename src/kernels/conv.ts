// Plans of the convolution kernels: geometry to parameters and grid.
import type { Grid } from "../gpu/queue.ts";
import { gemmKernels, type Tile } from "./gemm.ts";
import subgroupWgsl from "./wgsl/conv_subgroup.wgsl";
import weightSubgroupWgsl from "./wgsl/conv_weight_subgroup.wgsl";
import weightWorkgroupWgsl from "./wgsl/conv_weight_workgroup.wgsl";
import workgroupWgsl from "./wgsl/conv_workgroup.wgsl";

export const convKernels = gemmKernels("conv", subgroupWgsl, workgroupWgsl);
export const convWeightKernels = gemmKernels("conv_weight", weightSubgroupWgsl, weightWorkgroupWgsl);

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
const neg = ([a, b]: readonly [number, number]) => [-a, -b];

/** y from x and weight. */
export function planForward(g: ConvGeometry, hasBias: boolean, tile: Tile): Launch {
  const rows = g.filters / g.groups;
  const k = g.channels / g.groups;
  const taps = g.kernel[0] * g.kernel[1];
  const params = [
    ...[rows, k, g.batch, hasBias ? 1 : 0],
    ...[...g.kernel, ...g.size, ...g.out, ...g.stride, ...neg(g.padding), ...g.dilation, 1, 1],
    ...[g.channels, g.filters, k * taps, taps, rows * k * taps],
  ];
  return { params, grid: [...tiles(g.batch * g.out[0] * g.out[1], rows, tile), g.groups] };
}

/** dx from dy and weight: the same kernel, its rows the input channels, one phase of dx for each step of the stride. */
export function planInputGradient(g: ConvGeometry, tile: Tile): Launch {
  const rows = g.channels / g.groups;
  const k = g.filters / g.groups;
  const taps = g.kernel[0] * g.kernel[1];
  const params = [
    ...[rows, k, g.batch, 0],
    ...[...g.kernel, ...g.out, ...g.size, 1, 1, ...g.padding, ...neg(g.dilation), ...g.stride],
    ...[g.filters, g.channels, taps, rows * taps, k * rows * taps],
  ];
  // Phase 0 is the largest; smaller phases leave their last workgroups idle.
  const columns = g.batch * Math.ceil(g.size[0] / g.stride[0]) * Math.ceil(g.size[1] / g.stride[1]);
  return { params, grid: [...tiles(columns, rows, tile), g.groups * g.stride[0] * g.stride[1]] };
}

/** dw from x and dy. */
export function planWeightGradient(g: ConvGeometry, tile: Tile): Launch {
  const rows = g.filters / g.groups;
  const k = g.channels / g.groups;
  const params = [
    ...[rows, k, g.batch, g.channels],
    ...[...g.kernel, ...g.size, ...g.out, ...g.stride, ...g.padding, ...g.dilation],
    g.filters,
  ];
  return { params, grid: [...tiles(k * g.kernel[0] * g.kernel[1], rows, tile), g.groups] };
}
