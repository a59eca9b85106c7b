// What the matrix kernels (matmul, convolution and its gradients) share: their variants on an adapter, and the choice.
import { context } from "../context.ts";
import type { Device, DeviceInfo } from "../gpu/device.ts";
import type { Shader } from "../gpu/pipeline.ts";
import type { Storage } from "../tensor/storage.ts";
import { defaultVariants } from "./default-variants.ts";
import { OldKernel as Kernel, type Overrides } from "./specialize.ts";

/** A variant of a kernel, and the part of the result that one workgroup computes. */
export interface Tile {
  /** Names it among the variants of one launch: in the table of defaults, in what tuning found, in tests. */
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly shader: Shader;
  /** The shader with other declarations, say another epilogue, which `tag` names. */
  with(overrides: Overrides, tag: string): Shader;
}

/** A pair of files with the same bindings and formula. */
export interface GemmKernels {
  readonly subgroup: Kernel;
  readonly workgroup: Kernel;
}

type Text = { readonly text: readonly string[] };
export const gemmKernels = (name: string, subgroup: Text, workgroup: Text): GemmKernels => ({
  subgroup: new Kernel(`${name}_subgroup`, subgroup),
  workgroup: new Kernel(`${name}_workgroup`, workgroup),
});

type Size = readonly [rows: number, vectors: number];
/** Rows and vectors of columns that a lane accumulates: few enough for its registers, and many for each load. */
const SIZES: readonly Size[] = [
  [16, 4],
  [32, 2],
  [8, 8],
  [16, 2],
  [8, 4],
];
const tileOf = (kernel: Kernel, overrides: Overrides, name: string, rows: number, columns: number): Tile => ({
  name,
  rows,
  columns,
  get shader() {
    return kernel.variant(overrides);
  },
  with: (more, tag) => kernel.variant({ ...overrides, ...more }, `${Object.entries(overrides).join(" ")} ${tag}`),
});

/** The variants of a kernel for subgroups: `width` is how many columns a lane's vector holds. None without subgroups. */
export function subgroupTiles(
  kernel: Kernel,
  { subgroupSize: lanes }: DeviceInfo,
  sizes: readonly Size[],
  width: number,
  label: string,
  overrides: Readonly<Record<string, string>> = {},
): Tile[] {
  if (lanes < 4 || lanes > 64) return [];
  return remember([kernel.name, lanes, sizes, ...Object.values(overrides)].join(), () =>
    sizes
      .filter(([rows]) => rows % Math.min(rows, lanes) === 0)
      .map(([rows, vectors]) => {
        const sized = { SG: `${lanes}u`, R: `${rows}u`, V: `${vectors}u`, ...overrides };
        return tileOf(kernel, sized, `${label} ${rows}x${vectors}`, rows, vectors * lanes * width);
      }),
  );
}

/** Lists of variants, made once: every launch asks for one. */
const made = new Map<string, Tile[]>();
function remember(key: string, make: () => Tile[]): Tile[] {
  const known = made.get(key);
  if (known) return known;
  const tiles = make();
  made.set(key, tiles);
  return tiles;
}

/**
 * The variants for this adapter, `usual` first, with `overrides` in those for subgroups: subgroup shuffles where lanes have
 * one known size, and workgroup memory.
 */
export function gemmTiles(
  { subgroup, workgroup }: GemmKernels,
  info: DeviceInfo,
  overrides: Readonly<Record<string, string>> = {},
  usual: Size = SIZES[0]!,
): Tile[] {
  const { subgroupSize } = info;
  return remember([workgroup.name, subgroupSize, usual, ...Object.values(overrides)].join(), () => {
    // Wide subgroups need rows to hand round.
    const first: Size = subgroupSize === 64 ? [64, 1] : subgroupSize === 32 ? [32, 2] : usual;
    const sizes = [first, ...SIZES.filter((size) => String(size) !== String(first))];
    return [
      ...subgroupTiles(subgroup, info, sizes, 1, "subgroup", overrides),
      tileOf(workgroup, {}, "workgroup", 32, 32),
    ];
  });
}

/** A number's place in a class of shapes: its power of two. */
export const magnitude = (n: number): number => Math.round(Math.log2(Math.max(1, n)));

/** A launch that tuning may repeat with other variants: what it needs, and how to record it. */
export interface TunableLaunch {
  readonly tiles: readonly Tile[];
  /** What it reads and writes. Whoever keeps the launch retains them. */
  readonly storages: readonly Storage[];
  /** Uses storages, not tensors: their handles may be disposed by then. */
  readonly record: (tile: Tile) => void;
}

/**
 * Records a launch with the variant that is best for its class of shapes, `kind` and `shape`, on this adapter: what tuning
 * found (see tune.ts), else the table of defaults, else the first. A variant may also be set for all shapes of a kind.
 */
export function launchBest(device: Device, kind: string, shape: string, launch: TunableLaunch): void {
  const key = `${kind} ${shape}`;
  const { variants } = device;
  const name = variants.get(key) ?? variants.get(kind) ?? defaultVariants[adapterClass(device.info)]?.[key];
  launch.record(launch.tiles.find((tile) => tile.name === name) ?? launch.tiles[0]!);
  context.onLaunch?.(key, launch);
}

export type LaunchListener = (key: string, launch: TunableLaunch) => void;

/** Adapters that share defaults: vendor, architecture and subgroup size. */
export const adapterClass = ({ vendor, architecture, subgroupSize }: DeviceInfo): string =>
  `${vendor} ${architecture} ${subgroupSize}`;
