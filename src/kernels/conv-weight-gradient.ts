// The weight gradient of a convolution as implicit GEMM: in general, and by map rows for kernels three wide.
import type { Run } from "../autograd/run.ts";
import type { DeviceInfo } from "../gpu/device.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { ConvAlgorithm, WeightGradientIo } from "./conv-algorithm.ts";
import { area, byRows, type ConvGeometry } from "./conv-geometry.ts";
import { Kernel } from "./kernel.ts";
import { reduceInto } from "./reduction-plan.ts";
import * as reductions from "./reductions.ts";
import { Lists, subgroupTiles, type Tile, tilesOf, type Way } from "./variants.ts";
import rowWgsl from "./wgsl/conv-weight-row-subgroup.wgsl";
import subgroupWgsl from "./wgsl/conv-weight-subgroup.wgsl";
import workgroupWgsl from "./wgsl/conv-weight-workgroup.wgsl";

const kernels = { subgroup: new Kernel(subgroupWgsl), workgroup: new Kernel(workgroupWgsl) };
const rowKernel = new Kernel(rowWgsl);
type WeightTile = Tile<Parameters<typeof rowKernel.launch>[1], Parameters<typeof rowKernel.launch>[2]>;

/** From so many positions on the columns run over the taps first. */
const LARGE_MAP = 256;
/** So many workgroups keep a GPU busy. */
const BUSY = 512;
/** Rows by input channels that a lane accumulates in the kernel that works by map rows. */
const ROW_SIZES = [
  [16, 1],
  [8, 2],
  [8, 1],
] as const;

const lists = new Lists<WeightTile>();

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

/** Products that one accumulator sums up, at most, unless an image has more. */
const LONG = 2 ** 17;
/** Elements that the parts' results may take up together for that. */
const PARTS = 2 ** 24;

/** Parts of the batch of images with this many positions that are summed apart into `size` elements each, so that the grid of `groups` workgroups fills a GPU; and images of each. */
export function splitBatch(batch: number, positions: number, size: number, groups: number, { isSoftware }: DeviceInfo) {
  const wanted = isSoftware ? 1 : Math.max(1, Math.min(batch, Math.floor(BUSY / groups)));
  // A sum too long for its digits is split, too. Of an empty batch there is one part, of zeros.
  const least = Math.max(Math.floor(LONG / positions), Math.ceil((batch * size) / PARTS));
  const images = Math.max(1, Math.min(Math.ceil(batch / wanted), least));
  return { images, splits: Math.max(1, Math.ceil(batch / images)) };
}

/** Runs `launch` into dw, or into `splits` parts of it that are then added up. `clear`: it leaves some elements out. */
export function inSplits(
  run: Run,
  { dw }: WeightGradientIo,
  size: number,
  splits: number,
  clear: boolean,
  launch: (into: Tensor) => void,
): void {
  const whole = new Tensor(dw.retain(), [size], "f32");
  const into = splits === 1 ? whole : run.scratch([splits, size]);
  if (clear) run.queue.clear(into.storage);
  launch(into);
  if (splits > 1) reduceInto(run, reductions.sum, into, whole, [0], 1);
  whole.dispose();
}

/** `tapRows`: a tile's columns are channels of one row of taps, not channels and taps. */
function way(g: ConvGeometry, tile: WeightTile, tapRows: boolean): Way<WeightGradientIo> {
  return {
    name: tile.name,
    launch(run, io) {
      const rows = g.filters / g.groups;
      const k = g.channels / g.groups;
      const [top, bottom] = liveTaps(g, 0);
      const [left, right] = liveTaps(g, 1);
      const kernel = [bottom - top + 1, right - left + 1] as const;
      const x = Math.ceil((tapRows ? k : k * area(kernel)) / tile.columns);
      const y = Math.ceil(rows / tile.rows);
      const planes = g.groups * (tapRows ? kernel[0] : 1);
      const size = g.filters * k * area(g.kernel);
      const { images, splits } = splitBatch(g.batch, area(g.out), size, x * y * planes, run.device.info);
      const params = {
        rows,
        channels: k,
        batch: g.batch,
        x_channels: g.channels,
        kernel,
        x_size: g.size,
        y_size: g.out,
        stride: g.stride,
        dilation: g.dilation,
        padding: [g.padding[0] - top * g.dilation[0], g.padding[1] - left * g.dilation[1]] as const,
        full: g.kernel,
        origin: [top, left] as const,
        y_channels: g.filters,
        taps_first: Number(area(g.out) >= LARGE_MAP),
        images,
        planes,
        size,
      };
      inSplits(run, io, size, splits, area(kernel) < area(g.kernel), (dw) =>
        tile.variant({}, "").launch(run, { dy: io.dy, x: io.x, dw }, params, [x, y, planes * splits]),
      );
    },
  };
}

/** Any geometry, any number of groups. */
export const generalWeightGradient: ConvAlgorithm<WeightGradientIo> = {
  name: "general",
  supports: () => true,
  ways: (g, info) => {
    const high = g.filters / g.groups > 16;
    const tiles = lists.get(`${info.subgroupSize} ${high}`, () => tilesOf(kernels, info, {}, high ? [32, 2] : [16, 4]));
    return tiles.map((tile) => way(g, tile, false));
  },
};

/** Kernels three wide of stride 1, by vectors of four positions of a map's row. */
export const rowsWeightGradient: ConvAlgorithm<WeightGradientIo> = {
  name: "rows",
  supports: (g, { subgroupSize }) => subgroupSize >= 4 && byRows(g),
  ways: (g, info) =>
    lists
      .get(`rows ${info.subgroupSize}`, () => subgroupTiles(rowKernel, info, ROW_SIZES, 1, "rows"))
      .map((tile) => way(g, tile, true)),
};
