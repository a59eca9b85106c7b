// What the matrix kernels (matmul, convolution and its gradients) share: which variant an adapter gets, and its tile.
import type { DeviceInfo } from "../gpu/device.ts";
import type { Shader } from "../gpu/pipeline.ts";
import { Kernel } from "./specialize.ts";

/** A pair of files with the same bindings and formula, and the variants that a plan may emit. */
export interface GemmKernels {
  readonly subgroup: Kernel;
  readonly workgroup: Kernel;
}

export interface Tile {
  /** Rows and columns of the result that one workgroup computes. */
  readonly rows: number;
  readonly columns: number;
  readonly shader: Shader;
}

export const gemmKernels = (name: string, subgroup: string, workgroup: string): GemmKernels => ({
  subgroup: new Kernel(`${name}_subgroup`, subgroup),
  workgroup: new Kernel(`${name}_workgroup`, workgroup),
});

/** Rows a lane accumulates, by subgroup size: a multiple of it, and few enough for registers together with V. */
const ROWS: Readonly<Record<number, readonly [R: number, V: number]>> = {
  4: [16, 4],
  8: [16, 4],
  16: [16, 4],
  32: [32, 2],
  64: [64, 1],
};

const subgroupTile = (kernel: Kernel, subgroupSize: number): Tile | null => {
  const tile = ROWS[subgroupSize];
  if (!tile) return null;
  const [R, V] = tile;
  const shader = kernel.variant({ SG: `${subgroupSize}u`, R: `${R}u`, V: `${V}u` });
  return { rows: R, columns: V * subgroupSize, shader };
};

/** The tile for this adapter: subgroup shuffles where lanes have one known size, else workgroup memory. */
export const gemmTile = (kernels: GemmKernels, { subgroupSize }: DeviceInfo): Tile =>
  subgroupTile(kernels.subgroup, subgroupSize) ?? { rows: 32, columns: 32, shader: kernels.workgroup.variant() };

/** The tile of a kernel that exists with subgroups alone; null on adapters without, or where `fits` refuses its columns. */
export function specialTile(kernel: Kernel, info: DeviceInfo, fits: (columns: number) => boolean): Tile | null {
  const tile = subgroupTile(kernel, info.subgroupSize);
  return tile && fits(tile.columns) ? tile : null;
}
