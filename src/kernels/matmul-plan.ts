// Plan of the matrix products: operands and result as strided batches of matrices, tiles, and an epilogue.
import type { Run } from "../autograd/run.ts";
import type { DeviceInfo } from "../gpu/device.ts";
import { type Epilogue, epilogueBuffers, epilogueOverrides, epilogueParams } from "./epilogue.ts";
import { type Buffer, Kernel } from "./kernel.ts";
import { Lists, type Tile, tilesOf } from "./variants.ts";
import subgroupWgsl from "./wgsl/matmul-subgroup.wgsl";
import workgroupWgsl from "./wgsl/matmul-workgroup.wgsl";

const kernels = { subgroup: new Kernel(subgroupWgsl), workgroup: new Kernel(workgroupWgsl) };
export type MatmulTile = Tile<
  Parameters<typeof kernels.subgroup.launch>[1],
  Parameters<typeof kernels.subgroup.launch>[2]
>;

/** Strides, in elements, of a row, a column, and a matrix by the outer and the inner level of the batch. */
export type MatrixStrides = readonly [row: number, column: number, outer: number, inner: number];

export interface MatmulShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly outer: number;
  readonly inner: number;
  readonly a: MatrixStrides;
  readonly b: MatrixStrides;
  readonly c: MatrixStrides;
}

/** Multiply-adds below which a product counts little in any step. */
const SMALL_PRODUCT = 2 ** 20;
const lists = new Lists<MatmulTile>();

/** The tiles for a product, best guess first. */
export function matmulTiles({ m, n, k }: MatmulShape, info: DeviceInfo): readonly MatmulTile[] {
  // A classifier's head: no variant is faster than another there, but the small one compiles in half the time.
  const small = m * n * k < SMALL_PRODUCT;
  return lists.get(`${info.subgroupSize} ${small}`, () => tilesOf(kernels, info, {}, small ? [16, 2] : [16, 4]));
}

/** C = A B with an epilogue, whose channels are columns or, `byRow`, rows. */
export function launchMatmul(
  run: Run,
  tile: MatmulTile,
  { m, n, k, outer, inner, a, b, c }: MatmulShape,
  buffers: { readonly a: Buffer; readonly b: Buffer; readonly c: Buffer },
  end: Epilogue,
  byRow = false,
): void {
  const { overrides, tag } = epilogueOverrides(end);
  const variant = byRow
    ? tile.variant({ BY_ROW: "true", ...(overrides as Record<string, string>) }, `by row ${tag}`.trim())
    : tile.variant(overrides as Record<string, string>, tag);
  variant.launch(
    run,
    { ...buffers, ...epilogueBuffers(end) },
    { m, n, k, inner, a_at: a, b_at: b, c_at: c, ...epilogueParams(end) },
    [Math.ceil(n / tile.columns), Math.ceil(m / tile.rows), outer * inner],
  );
}
