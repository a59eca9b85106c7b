// Images sampled at the points of a grid, and grids of affine maps (spatial transformers).
import { apply1 } from "../autograd/apply.ts";
import { type Op, withoutGradient } from "../autograd/op.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, checkOptions, ShapeError, told, ValueError } from "../errors.ts";
import { grid1d } from "../gpu/queue.ts";
import type { Division } from "../kernels/divide.ts";
import { Kernel } from "../kernels/kernel.ts";
import { walkPlanes } from "../kernels/plane-plan.ts";
import sampleWgsl, { GROUP } from "../kernels/wgsl/grid-sample.wgsl";
import gridWgsl from "../kernels/wgsl/grid-sample-grid.wgsl";
import inputWgsl from "../kernels/wgsl/grid-sample-input.wgsl";
import placesWgsl, { BLOCK, WG } from "../kernels/wgsl/grid-sample-places.wgsl";
import { checkRoom, constantFrom } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { checkShape, type Shape, show, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { matmul } from "./matmul.ts";
import { transpose } from "./movement.ts";
import { view } from "./view.ts";

/** What `gridSample` takes. */
export interface GridSampleOptions {
  /** Between four pixels, or the nearest one, whose gradient in the grid is 0. Default "bilinear". */
  mode?: "bilinear" | "nearest";
  /** What lies outside of the image: 0, the edge's pixels, or the mirror image. Default "zeros". */
  paddingMode?: "zeros" | "border" | "reflection";
  /** Whether -1 and 1 are the centres of the first and last pixels, rather than the image's edges. Default false. */
  alignCorners?: boolean;
}

/** As the kernels have them. */
const BEYOND = { zeros: 0, border: 1, reflection: 2 };

interface SampleAttrs {
  readonly nearest: boolean;
  readonly beyond: keyof typeof BEYOND;
  readonly align: boolean;
}

const sampleKernel = new Kernel(sampleWgsl);
const gridKernel = new Kernel(gridWgsl);
const placesKernel = new Kernel(placesWgsl);
const inputKernel = new Kernel(inputWgsl);

/** The parameters of lib/grid-place.wgsl. */
const placing = ({ beyond, align }: SampleAttrs, height: number, width: number) => ({
  size: [height, width] as const,
  beyond: BEYOND[beyond],
  align: Number(align),
});
const four = ([a = 0, b = 0, c = 0, d = 0]: Shape) => [a, b, c, d] as const;
/** Each image goes with its grid; channels go by themselves. */
const byImage: Division<never> = { inputs: [0, 0], outputs: [0] };
const byChannel: Division<never> = { inputs: [1, null], outputs: [1] };

const sampleOp: Op<readonly [x: Tensor, grid: Tensor], SampleAttrs> = {
  name: "gridSample",
  infer([x, grid]) {
    checkDtype("gridSample", "input", x.dtype, "f32");
    checkDtype("gridSample", "grid", grid.dtype, "f32");
    const [n, channels, height, width] = four(x.shape);
    check(
      x.shape.length === 4 && grid.shape.length === 4 && grid.shape[0] === n && grid.shape[3] === 2,
      () =>
        `[gridSample] input ${show(x.shape)} must be [N, C, H, W] and grid ${show(grid.shape)} then [N, rows, columns, 2]`,
    );
    check(
      height > 0 && width > 0,
      () => `[gridSample] input ${show(x.shape)} has no pixels: only the batch may be empty`,
    );
    return [{ shape: [n, channels, ...grid.shape.slice(1, 3)], dtype: "f32" }];
  },
  forward(run, [x, grid], [y], attrs) {
    const [n, channels, height, width] = four(x.shape);
    const groups = Math.ceil(channels / GROUP);
    const [, , rows, columns] = four(y.shape);
    const { params, grid: launched } = walkPlanes(n * groups, [rows, columns], run.device.info);
    const sizes = { turns: [1, 1], channels, groups, ...placing(attrs, height, width) } as const;
    sampleKernel.variant({ NEAREST: attrs.nearest }).launch(run, { x, grid, y }, { ...params, ...sizes }, launched);
  },
  *divisions() {
    yield byImage;
    yield byChannel;
  },
  saves: ([x, grid]) => ({ inputs: [...(grid ? [0] : []), ...(x || grid ? [1] : [])], outputs: [] }),
  vjp: ([dy], c) => [
    c.needs[0] ? inputGradient(dy, c.input(1), c.inputSpecs[0].shape, c.attrs) : null,
    c.needs[1] ? apply1(gridGradientOp, [dy, c.input(0), c.input(1)], c.attrs) : null,
  ],
};

const gridGradientOp: Op<readonly [dy: Tensor, x: Tensor, grid: Tensor], SampleAttrs> = {
  name: "gridSampleGridGradient",
  infer: ([, , grid]) => [grid],
  forward(run, [dy, x, grid], [dgrid], attrs) {
    const [n, channels, height, width] = four(x.shape);
    const [, rows, columns] = four(grid.shape);
    const { params, grid: launched } = walkPlanes(n, [rows, columns], run.device.info);
    // The nearest pixel stays the same however little the grid moves.
    const sizes = { turns: [1, 1], channels: attrs.nearest ? 0 : channels, ...placing(attrs, height, width) } as const;
    gridKernel.launch(run, { dy, x, grid, dgrid }, { ...params, ...sizes }, launched);
  },
  *divisions() {
    yield { inputs: [0, 0, 0], outputs: [0] };
    yield { inputs: [1, 1, null], outputs: ["sum"] };
  },
  ...withoutGradient,
};

const inputGradientOp: Op<readonly [dy: Tensor, grid: Tensor], SampleAttrs & { readonly shape: Shape }> = {
  name: "gridSampleInputGradient",
  infer: (_, { shape }) => [{ shape, dtype: "f32" }],
  forward(run, [dy, grid], [dx], attrs) {
    const [n, channels, height, width] = four(dx.shape);
    const points = sizeOf(grid.shape.slice(1, 3));
    const blocks = Math.ceil(points / BLOCK);
    const [places, boxes] = [run.scratch([n, points, 2]), run.scratch([n, blocks, 4])];
    const sizes = { n: n * blocks, points, blocks, ...placing(attrs, height, width) };
    placesKernel
      .variant({ NEAREST: attrs.nearest })
      .launch(run, { grid, places, boxes }, sizes, grid1d(n * blocks, WG));
    const groups = Math.ceil(channels / GROUP);
    const { params, grid: launched } = walkPlanes(n * groups, [height, width], run.device.info);
    const counts = { turns: [1, 1], channels, groups, points, blocks } as const;
    inputKernel
      .variant({ NEAREST: attrs.nearest })
      .launch(run, { dy, places, boxes, dx }, { ...params, ...counts }, launched);
  },
  divisions: (_, [dx], attrs) =>
    // Pieces have shapes of their own.
    [byImage, byChannel].map((division, d) => ({
      ...division,
      attrs: (_first: number, count: number) => ({
        ...attrs,
        shape: dx.shape.map((size, i) => (i === d ? count : size)),
      }),
    })),
  saves: ([dy, grid]) => ({ inputs: [...(grid ? [0] : []), ...(dy || grid ? [1] : [])], outputs: [] }),
  // It is linear in dy, and the adjoint of sampling.
  vjp: ([g], c) => [
    c.needs[0] ? apply1(sampleOp, [g, c.input(1)], c.attrs) : null,
    c.needs[1] ? apply1(gridGradientOp, [c.input(0), g, c.input(1)], c.attrs) : null,
  ],
};

const inputGradient = (dy: Tensor, grid: Tensor, shape: Shape, attrs: SampleAttrs): Tensor =>
  apply1(inputGradientOp, [dy, grid], { ...attrs, shape });

/**
 * Samples x: [N, C, H, W] at the points grid: [N, rows, columns, 2], columns first, from -1 to 1 over the image; result: [N, C, rows,
 * columns]. The gradient in x costs a search of the grid by each pixel: quick where neighbouring points lie near each other.
 * @throws ShapeError where grid and input do not fit, ValueError for an unknown mode.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html
 */
export function gridSample(x: Tensor, grid: Tensor, options: GridSampleOptions = {}): Tensor {
  checkOptions("gridSample", options, ["mode", "paddingMode", "alignCorners"]);
  const { mode = "bilinear", paddingMode = "zeros", alignCorners = false } = options;
  check(
    mode === "bilinear" || mode === "nearest",
    () => `[gridSample] mode must be "bilinear" or "nearest", got ${told(mode)}`,
    ValueError,
  );
  check(
    typeof paddingMode === "string" && Object.hasOwn(BEYOND, paddingMode),
    () => `[gridSample] paddingMode must be "zeros", "border" or "reflection", got ${told(paddingMode)}`,
    ValueError,
  );
  const attrs = { nearest: mode === "nearest", beyond: paddingMode, align: alignCorners === true };
  return apply1(sampleOp, [x, grid], attrs);
}

/** What `affineGrid` takes. */
export interface AffineGridOptions {
  /** Whether -1 and 1 are the centres of the first and last pixels, rather than the image's edges. Default false. */
  alignCorners?: boolean;
}

/**
 * The points that affine maps theta: [N, 2, 3] send the pixels of images to, for `gridSample`: [N, H, W, 2]. `size`: [N, C, H, W].
 * With theta: [N, 3, 4] and size [N, C, D, H, W] of volumes: [N, D, H, W, 3].
 * @throws ShapeError where theta and size do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.affine_grid.html
 */
export function affineGrid(theta: Tensor, size: readonly number[], options: AffineGridOptions = {}): Tensor {
  checkOptions("affineGrid", options, ["alignCorners"]);
  checkTensor("affineGrid", "theta", theta);
  checkShape("affineGrid", size);
  const [n = 0, , ...sizes] = size;
  const dims = sizes.length;
  const [batch, rows, columns] = theta.shape;
  check(
    (dims === 2 || dims === 3) && theta.ndim === 3 && batch === n && rows === dims && columns === dims + 1,
    () =>
      `[affineGrid] theta ${show(theta.shape)} and size ${show(size)} must be [N, 2, 3] and [N, C, H, W], or [N, 3, 4] and [N, C, D, H, W]`,
    ShapeError,
  );
  const count = sizeOf(sizes);
  checkRoom("affineGrid", count * (dims + 1), theta.device);
  const from = options.alignCorners === true ? (n: number) => n - 1 : (n: number) => n;
  const centre = (i: number, n: number) => (n > 1 ? (2 * i - (n - 1)) / from(n) : 0);
  const points = new Float32Array(count * (dims + 1));
  for (let i = 0; i < count; i++) {
    let rest = i;
    for (let d = 0; d < dims; d++) {
      // The last dimension comes first.
      const length = sizes[dims - 1 - d] ?? 1;
      points[i * (dims + 1) + d] = centre(rest % length, length);
      rest = Math.floor(rest / length);
    }
    points[i * (dims + 1) + dims] = 1;
  }
  return scope(() => {
    const base = constantFrom(points, [count, dims + 1], "f32", { device: theta.device });
    return view("affineGrid", matmul(base, transpose(theta, 1, 2)), [n, ...sizes, dims]);
  });
}
