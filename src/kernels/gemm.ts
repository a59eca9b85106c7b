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

/** The tile for this adapter: subgroup shuffles where lanes have one known size, else workgroup memory. */
export function gemmTile(kernels: GemmKernels, { subgroupSize }: DeviceInfo): Tile {
  const tile = ROWS[subgroupSize];
  if (!tile) return { rows: 32, columns: 32, shader: kernels.workgroup.variant() };
  const [R, V] = tile;
  const shader = kernels.subgroup.variant({ SG: `${subgroupSize}u`, R: `${R}u`, V: `${V}u` });
  return { rows: R, columns: V * subgroupSize, shader };
}
