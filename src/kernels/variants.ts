// Variants: several ways to compute one thing, each a value with a name; and the choice among them on an adapter.
import type { Run } from "../autograd/run.ts";
import { context } from "../context.ts";
import type { DeviceInfo } from "../gpu/device.ts";
import type { Storage } from "../tensor/storage.ts";
import { defaultVariants } from "./default-variants.ts";
import type { Kernel, Variant } from "./kernel.ts";

/** A way to compute something from and into `Io`. */
export interface Way<Io> {
  /** Names it among the variants of one launch: in the table of defaults, in what tuning found, in tests. */
  readonly name: string;
  /** Records it. Memory that it needs meanwhile is `run.scratch`. */
  launch(run: Run, io: Io): void;
}

/** A launch that tuning may repeat with other variants. */
export interface TunableLaunch<Io = unknown> {
  /** Best guess first. */
  readonly ways: readonly Way<Io>[];
  readonly io: Io;
  /** What it reads and writes. Whoever keeps the launch retains them. */
  readonly storages: readonly Storage[];
}

/**
 * Records a launch with the variant that is best for its class of shapes, `kind` and `shape`, on this adapter: what tuning
 * found (see tune.ts), else the table of defaults, else the first. A variant may also be set for all shapes of a kind.
 */
export function launchBest<Io>(run: Run, kind: string, shape: string, launch: TunableLaunch<Io>): void {
  const key = `${kind} ${shape}`;
  const { variants, info } = run.device;
  const name = variants.get(key) ?? variants.get(kind) ?? defaultVariants[adapterClass(info)]?.[key];
  const way = launch.ways.find((candidate) => candidate.name === name) ?? launch.ways[0];
  way?.launch(run, launch.io);
  // Whoever listens hands the launch's `io` back to its ways, and to nothing else.
  context.onLaunch?.(key, launch as TunableLaunch);
}

/** Hears of every launch with its class. */
export type LaunchListener = (key: string, launch: TunableLaunch) => void;

/** Adapters that share defaults: vendor, architecture and subgroup size. */
export const adapterClass = ({ vendor, architecture, subgroupSize }: DeviceInfo): string =>
  `${vendor} ${architecture} ${subgroupSize}`;

/** A number's place in a class of shapes: its power of two. */
export const magnitude = (n: number): number => Math.round(Math.log2(Math.max(1, n)));

/** A kernel for results of `rows` by `columns` a workgroup. */
export interface Tile<B, P> {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** Its variant with further declarations replaced, which `tag` names. */
  variant(overrides: Readonly<Record<string, string>>, tag: string): Variant<B, P>;
}

type Size = readonly [rows: number, vectors: number];
type Overrides = Readonly<Record<string, string>>;

/** Rows and vectors of columns that a lane accumulates: few enough for its registers, and many for each load. */
const SIZES: readonly Size[] = [
  [16, 4],
  [32, 2],
  [8, 8],
  [16, 2],
  [8, 4],
];

function tileOf<B, P>(kernel: Kernel<B, P>, own: Overrides, name: string, rows: number, columns: number): Tile<B, P> {
  const tagged = Object.entries(own).join(" ");
  return {
    name,
    rows,
    columns,
    variant: (more, tag) => kernel.variant({ ...own, ...more }, tagged && tag ? `${tagged} ${tag}` : tagged + tag),
  };
}

/** Sizes in which wide subgroups have rows to hand round. */
const usable = (sizes: readonly Size[], lanes: number): readonly Size[] =>
  sizes.filter(([rows]) => rows % Math.min(rows, lanes) === 0);

/** The tiles of a kernel for subgroups: `width` is how many columns a lane's vector holds. None without subgroups. */
export function subgroupTiles<B, P>(
  kernel: Kernel<B, P>,
  { subgroupSize: lanes }: DeviceInfo,
  sizes: readonly Size[],
  width: number,
  label: string,
  overrides: Overrides = {},
): Tile<B, P>[] {
  if (lanes < 4 || lanes > 64) return [];
  return usable(sizes, lanes).map(([rows, vectors]) => {
    const sized = { SG: `${lanes}u`, R: `${rows}u`, V: `${vectors}u`, ...overrides };
    return tileOf(kernel, sized, `${label} ${rows}x${vectors}`, rows, vectors * lanes * width);
  });
}

/** A pair of kernels with the same bindings and formula: lanes that hand elements round, and tiles in workgroup memory. */
export interface TiledKernels<B, P> {
  readonly subgroup: Kernel<B, P>;
  readonly workgroup: Kernel<B, P>;
}

/**
 * The tiles for this adapter, `usual` first, with `overrides` in those for subgroups: subgroup shuffles where lanes have
 * one known size, and workgroup memory.
 */
export function tilesOf<B, P>(
  { subgroup, workgroup }: TiledKernels<B, P>,
  info: DeviceInfo,
  overrides: Overrides = {},
  usual: Size = [16, 4],
): Tile<B, P>[] {
  const { subgroupSize } = info;
  // Wide subgroups need rows to hand round.
  const first: Size = subgroupSize === 64 ? [64, 1] : subgroupSize === 32 ? [32, 2] : usual;
  const sizes = [first, ...SIZES.filter((size) => String(size) !== String(first))];
  return [
    ...subgroupTiles(subgroup, info, sizes, 1, "subgroup", overrides),
    tileOf(workgroup, {}, "workgroup", 32, 32),
  ];
}

/** Lists that every launch asks for, made once for each key. */
export class Lists<T> {
  readonly #made = new Map<string, readonly T[]>();

  get(key: string, make: () => readonly T[]): readonly T[] {
    const known = this.#made.get(key);
    if (known) return known;
    const list = make();
    this.#made.set(key, list);
    return list;
  }
}
