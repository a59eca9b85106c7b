// Convolution with 1x1 kernels as a batch of matrix products, an image each: y = W x, and dx = W^T dy.
import type { DeviceInfo } from "../gpu/device.ts";
import type { ConvAlgorithm, ForwardIo, InputGradientIo } from "./conv-algorithm.ts";
import { area, type ConvGeometry } from "./conv-geometry.ts";
import { type Epilogue, noEpilogue } from "./epilogue.ts";
import { launchMatmul, matmulTiles, readsVectors } from "./matmul-plan.ts";
import type { MatmulShape } from "./matmul-shape.ts";
import { inFours } from "./vectors.ts";

const supports = (g: ConvGeometry): boolean =>
  g.groups === 1 && area(g.kernel) === 1 && area(g.stride) === 1 && g.padding.every((n) => n === 0);

/** From so many positions on a tile's columns are an image's. */
const LARGE_MAP = 64;

/** Whether products of vectors of four are the better guess: there are such, and channels and positions are multiples of four. */
const byVectors = (g: ConvGeometry, info: DeviceInfo): boolean =>
  readsVectors(info) && area(g.size) >= LARGE_MAP && inFours(area(g.size), g.channels, g.filters);

/** [rows, columns] times an image's maps. Transposed, the weight [filters, channels] is read by columns. */
function shapeOf(g: ConvGeometry, transposed: boolean): MatmulShape {
  const n = area(g.size);
  const [m, k] = transposed ? [g.channels, g.filters] : [g.filters, g.channels];
  return {
    m,
    n,
    k,
    outer: g.batch,
    inner: 1,
    a: transposed ? [1, g.channels, 0, 0] : [g.channels, 1, 0, 0],
    b: [n, 1, k * n, 0],
    c: [n, 1, m * n, 0],
  };
}

const tiles = (g: ConvGeometry, info: DeviceInfo, transposed: boolean) => {
  const shape = shapeOf(g, transposed);
  return matmulTiles(shape, info).map((tile) => ({ tile, shape, name: `matmul ${tile.name}` }));
};

const forwardWays: ConvAlgorithm<ForwardIo>["ways"] = (g, info) =>
  tiles(g, info, false).map(({ name, tile, shape }) => ({
    name,
    launch: (run, { x, weight, y, end }) =>
      launchMatmul(run, tile, shape, { a: weight, b: x, c: y }, end satisfies Epilogue, { byRow: true }),
  }));

const inputGradientWays: ConvAlgorithm<InputGradientIo>["ways"] = (g, info) =>
  tiles(g, info, true).map(({ name, tile, shape }) => ({
    name,
    launch: (run, { dy, weight, dx }) =>
      launchMatmul(run, tile, shape, { a: weight, b: dy, c: dx }, noEpilogue, { byRow: true }),
  }));

/** Where vectors are the better guess, and everywhere else. */
export const vectorForward: ConvAlgorithm<ForwardIo> = {
  name: "pointwise by vectors",
  supports: (g, info) => supports(g) && byVectors(g, info),
  ways: forwardWays,
};
export const pointwiseForward: ConvAlgorithm<ForwardIo> = {
  name: "pointwise",
  supports: (g, info) => supports(g) && !byVectors(g, info),
  ways: forwardWays,
};
export const vectorInputGradient: ConvAlgorithm<InputGradientIo> = {
  name: "pointwise by vectors",
  supports: (g, info) => supports(g) && byVectors(g, info),
  ways: inputGradientWays,
};
export const pointwiseInputGradient: ConvAlgorithm<InputGradientIo> = {
  name: "pointwise",
  supports: (g, info) => supports(g) && !byVectors(g, info),
  ways: inputGradientWays,
};
