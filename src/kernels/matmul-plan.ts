// Plan of the matrix products: operands and result as strided batches of matrices, tiles, and an epilogue.
import type { Run } from "../autograd/run.ts";
import type { DeviceInfo } from "../gpu/device.ts";
import { type Epilogue, epilogueBuffers, epilogueOverrides, epilogueParams } from "./epilogue.ts";
import { type Buffer, Kernel } from "./kernel.ts";
import type { MatmulShape } from "./matmul-shape.ts";
import { Lists, subgroupTiles, type Tile, tilesOf } from "./variants.ts";
import { inFours } from "./vectors.ts";
import subgroupWgsl from "./wgsl/matmul-subgroup.wgsl";
import vectorWgsl from "./wgsl/matmul-vector.wgsl";
import workgroupWgsl from "./wgsl/matmul-workgroup.wgsl";

const kernels = { subgroup: new Kernel(subgroupWgsl), workgroup: new Kernel(workgroupWgsl) };
export type MatmulTile = Tile<
  Parameters<typeof kernels.subgroup.launch>[1],
  Parameters<typeof kernels.subgroup.launch>[2]
>;

const AT_START = [0, 0, 0, 0] as const;
const vectorKernel = new Kernel(vectorWgsl);

/** Multiply-adds below which a product counts little in any step. */
const SMALL_PRODUCT = 2 ** 20;
const lists = new Lists<MatmulTile>();

/** Whether there are tiles that read vectors of four for subgroups of this size. */
export const readsVectors = ({ subgroupSize: lanes }: DeviceInfo): boolean => lanes >= 4 && lanes <= 16;

/** How an operand is read in vectors: along k, along its rows or columns, or null where it is not. */
function vectorsOf([along, k, outer, inner]: readonly number[], from: number): "k" | "side" | null {
  if (k === 1 && inFours(along ?? 0, outer ?? 0, inner ?? 0, from)) return "k";
  return along === 1 && inFours(k ?? 0, outer ?? 0, inner ?? 0, from) ? "side" : null;
}

/** Tiles that read vectors of four, where both operands allow it. */
function vectorTiles({ n, a, b, offset = AT_START }: MatmulShape, info: DeviceInfo): readonly MatmulTile[] {
  const [bRow, bColumn, ...bBatch] = b;
  const [left, right] = [vectorsOf(a, offset[0]), vectorsOf([bColumn, bRow, ...bBatch], offset[1])];
  const lanes = info.subgroupSize;
  if (!left || !right || !readsVectors(info)) return [];
  // As few columns past the end as possible.
  const vectors = right === "k" && Math.ceil(n / (3 * lanes)) * 3 < Math.ceil(n / (4 * lanes)) * 4 ? 3 : 4;
  // A vector along k is four steps; without one, two steps keep less alive.
  const steps = left === "side" && right === "side" ? 2 : 4;
  return lists.get(`${lanes} ${left} ${right} ${vectors}`, () =>
    subgroupTiles(vectorKernel, info, [[16, vectors]], 1, `vector ${left} ${right}`, {
      ...{ U: `${steps}u`, A_ROWS: `${left === "side"}`, B_COLUMNS: `${right === "side"}` },
      // Four lanes have four rows each, and hand them round.
      ...(left === "side" && { H: "4u" }),
    }),
  );
}

/** The tiles for a product, best guess first. */
export function matmulTiles(shape: MatmulShape, info: DeviceInfo): readonly MatmulTile[] {
  const { m, n, k, outer, inner } = shape;
  // A classifier's head: no variant is faster than another there, but the small one compiles in half the time.
  const small = m * n * k * outer * inner < SMALL_PRODUCT;
  const usual = lists.get(`${info.subgroupSize} ${small}`, () => tilesOf(kernels, info, {}, small ? [16, 2] : [16, 4]));
  const vectors = vectorTiles(shape, info);
  return small ? [...usual, ...vectors] : [...vectors, ...usual];
}

/** Steps along k that one accumulator takes at most: longer sums lose digits. */
export const LONG = 2 ** 14;
/** Steps of each part of a longer one. */
const DEPTH = 2 ** 12;
/** Elements that the parts' results may take up together. */
const PARTS = 2 ** 24;

/** Parts in which a product sums along k, for the digits' sake; more than one are added up by the caller. */
export function partsOf({ m, n, k, outer, inner }: MatmulShape): number {
  if (k <= LONG) return 1;
  return Math.max(1, Math.min(Math.ceil(k / DEPTH), Math.floor(PARTS / (m * n * outer * inner))));
}

/** Tiles that a grid has along one dimension. */
const MOST = 65_535;

/** A grid as launches of at most MOST workgroups along each dimension: where each begins, and its size. */
function* launchesOf(grid: readonly [number, number, number]) {
  const [x, y, z] = grid;
  for (let k = 0; k < z; k += MOST)
    for (let j = 0; j < y; j += MOST)
      for (let i = 0; i < x; i += MOST)
        yield {
          first: [i, j, k, 0] as const,
          size: [Math.min(MOST, x - i), Math.min(MOST, y - j), Math.min(MOST, z - k)] as const,
        };
}

/**
 * C = A B with an epilogue, whose channels are columns or, `byRow`, rows. `parts` of the sum along k, which take no epilogue, come to
 * lie behind each other in c, `part` elements apart.
 */
export function launchMatmul(
  run: Run,
  tile: MatmulTile,
  { m, n, k, outer, inner, a, b, c, offset = AT_START }: MatmulShape,
  buffers: { readonly a: Buffer; readonly b: Buffer; readonly c: Buffer },
  end: Epilogue,
  { byRow = false, parts = 1, part = 0 } = {},
): void {
  const { overrides, tag } = epilogueOverrides(end);
  const variant = byRow
    ? tile.variant({ BY_ROW: "true", ...(overrides as Record<string, string>) }, `by row ${tag}`.trim())
    : tile.variant(overrides as Record<string, string>, tag);
  const batch = outer * inner;
  // Parts begin where vectors of four do.
  const shape = { m, n, k, inner, depth: 4 * Math.ceil(k / parts / 4), part, batch };
  for (const { first, size } of launchesOf([Math.ceil(n / tile.columns), Math.ceil(m / tile.rows), batch * parts])) {
    const params = { ...shape, a_at: a, b_at: b, c_at: c, first, offset, ...epilogueParams(end) };
    variant.launch(run, { ...buffers, ...epilogueBuffers(end) }, params, size);
  }
}
