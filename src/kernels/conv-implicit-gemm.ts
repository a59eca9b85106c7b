// Convolution as implicit GEMM, forward and input gradient: in general, and by map rows for kernels three wide.
import type { Run } from "../autograd/run.ts";
import type { DeviceInfo } from "../gpu/device.ts";
import type { Storage } from "../tensor/storage.ts";
import type { ConvAlgorithm, ForwardIo, InputGradientIo } from "./conv-algorithm.ts";
import { area, byRows, type ConvGeometry, negated } from "./conv-geometry.ts";
import { type Epilogue, epilogueBuffers, epilogueOverrides, epilogueParams, noEpilogue } from "./epilogue.ts";
import { Kernel } from "./kernel.ts";
import { Lists, subgroupTiles, type Tile, tilesOf, type Way } from "./variants.ts";
import rowWgsl from "./wgsl/conv-row-subgroup.wgsl";
import subgroupWgsl from "./wgsl/conv-subgroup.wgsl";
import workgroupWgsl from "./wgsl/conv-workgroup.wgsl";

const kernels = { subgroup: new Kernel(subgroupWgsl), workgroup: new Kernel(workgroupWgsl) };
const rowKernel = new Kernel(rowWgsl);
type ConvTile = Tile<Parameters<typeof rowKernel.launch>[1], Parameters<typeof rowKernel.launch>[2]>;
type Params = Parameters<typeof rowKernel.launch>[2];

/**
 * Up to so many positions a map is small: its columns run over the images first. Beyond, the skipped taps are fewer than
 * what the strided loads cost: whole images apart, a power of two, they share a few lines of the first-level cache.
 */
const SMALL_MAP = 4;
/** Up to so many positions high tiles are best; they compile in a third of the time, too. */
const MEDIUM_MAP = 16;
/** Whether a tile of columns should hold many images at few positions, so that it can skip the taps that miss them all. */
const imagesFirst = (batch: number, positions: number): boolean => batch >= 8 && positions <= SMALL_MAP;

/** Rows by vectors of four positions that a lane accumulates in the kernel that works by map rows. */
const ROW_SIZES = [
  [8, 2],
  [16, 1],
  [8, 1],
] as const;

const lists = new Lists<ConvTile>();

/** The tiles of the general kernels, whose sums run over k channels. */
function generalTiles(g: ConvGeometry, k: number, info: DeviceInfo): readonly ConvTile[] {
  // The few channels of an image: taking them in twos would waste part of the last two.
  const few = k < 8;
  const high = few || area(g.out) <= MEDIUM_MAP;
  return lists.get(`${info.subgroupSize} ${few} ${high}`, () =>
    tilesOf(kernels, info, few ? { U: "1u" } : {}, high ? [32, 2] : [16, 4]),
  );
}

function rowTiles(g: ConvGeometry, info: DeviceInfo): readonly ConvTile[] {
  // Whether the vectors that the lanes hold side by side may end inside a row of the map.
  const edges = (4 * info.subgroupSize) % g.out[1] !== 0;
  return lists.get(`rows ${info.subgroupSize} ${edges}`, () =>
    subgroupTiles(rowKernel, info, ROW_SIZES, 4, "rows", edges ? { EDGES: "true" } : {}),
  );
}

/** From one tap that lands on the source's grid to the next: taps, and positions of the source. */
function tapSteps(div: readonly [number, number], dil: readonly [number, number]) {
  const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));
  const steps = [div[0] / gcd(div[0], dil[0]), div[1] / gcd(div[1], dil[1])] as const;
  return { tap_step: steps, off_step: [(steps[0] * dil[0]) / div[0], (steps[1] * dil[1]) / div[1]] as const };
}

interface Plan {
  readonly params: Params;
  /** Columns of the product, its rows, and its planes: groups, and phases of an input gradient. */
  readonly columns: number;
  readonly planes: number;
}

/** y from x and weight. */
function planForward(g: ConvGeometry, end: Epilogue): Plan {
  const rows = g.filters / g.groups;
  const k = g.channels / g.groups;
  const taps = area(g.kernel);
  return {
    params: {
      rows,
      k,
      batch: g.batch,
      images_first: Number(imagesFirst(g.batch, area(g.out))),
      kernel: g.kernel,
      source: g.size,
      dest: g.out,
      step: g.stride,
      base: negated(g.padding),
      dil: g.dilation,
      div: [1, 1],
      source_channels: g.channels,
      dest_channels: g.filters,
      w_row: k * taps,
      w_k: taps,
      w_group: rows * k * taps,
      ...tapSteps([1, 1], g.dilation),
      ...epilogueParams(end),
    },
    columns: g.batch * area(g.out),
    planes: g.groups,
  };
}

/** dx from dy and weight: the same kernel, its rows the input channels, one phase of dx for each step of the stride. */
function planInputGradient(g: ConvGeometry): Plan {
  const rows = g.channels / g.groups;
  const k = g.filters / g.groups;
  // Phase 0 is the largest; smaller phases leave their last workgroups idle.
  const positions = Math.ceil(g.size[0] / g.stride[0]) * Math.ceil(g.size[1] / g.stride[1]);
  const taps = area(g.kernel);
  return {
    params: {
      rows,
      k,
      batch: g.batch,
      images_first: Number(imagesFirst(g.batch, positions)),
      kernel: g.kernel,
      source: g.out,
      dest: g.size,
      step: [1, 1],
      base: g.padding,
      dil: negated(g.dilation),
      div: g.stride,
      source_channels: g.filters,
      dest_channels: g.channels,
      w_row: taps,
      w_k: rows * taps,
      w_group: k * rows * taps,
      ...tapSteps(g.stride, negated(g.dilation)),
      ...epilogueParams(noEpilogue),
    },
    columns: g.batch * positions,
    planes: g.groups * area(g.stride),
  };
}

function launch(
  run: Run,
  tile: ConvTile,
  { params, columns, planes }: Plan,
  [weight, source, dest]: readonly [weight: Storage, source: Storage, dest: Storage],
  end: Epilogue,
): void {
  const { overrides, tag } = epilogueOverrides(end);
  const grid = [Math.ceil(columns / tile.columns), Math.ceil(params.rows / tile.rows), planes] as const;
  tile
    .variant(overrides as Record<string, string>, tag)
    .launch(run, { weight, source, dest, ...epilogueBuffers(end) }, params, grid);
}

const forwardWay = (g: ConvGeometry, tile: ConvTile): Way<ForwardIo> => ({
  name: tile.name,
  launch: (run, { x, weight, y, end }) => launch(run, tile, planForward(g, end), [weight, x, y], end),
});
const inputGradientWay = (g: ConvGeometry, tile: ConvTile): Way<InputGradientIo> => ({
  name: tile.name,
  launch: (run, { dy, weight, dx }) => launch(run, tile, planInputGradient(g), [weight, dy, dx], noEpilogue),
});

const supportsRows = (g: ConvGeometry, { subgroupSize }: DeviceInfo): boolean =>
  subgroupSize >= 4 && byRows(g) && !imagesFirst(g.batch, area(g.out));

/** Any geometry, any number of groups. */
export const generalForward: ConvAlgorithm<ForwardIo> = {
  name: "general",
  supports: () => true,
  ways: (g, info) => generalTiles(g, g.channels / g.groups, info).map((tile) => forwardWay(g, tile)),
};
export const generalInputGradient: ConvAlgorithm<InputGradientIo> = {
  name: "general",
  supports: () => true,
  ways: (g, info) => generalTiles(g, g.filters / g.groups, info).map((tile) => inputGradientWay(g, tile)),
};

/** Kernels three wide of stride 1, by vectors of four positions of a map's row. */
export const rowsForward: ConvAlgorithm<ForwardIo> = {
  name: "rows",
  supports: supportsRows,
  ways: (g, info) => rowTiles(g, info).map((tile) => forwardWay(g, tile)),
};
export const rowsInputGradient: ConvAlgorithm<InputGradientIo> = {
  name: "rows",
  supports: supportsRows,
  ways: (g, info) => rowTiles(g, info).map((tile) => inputGradientWay(g, tile)),
};
