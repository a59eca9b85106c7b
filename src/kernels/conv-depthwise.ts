// Depthwise convolution, its input gradient and its weight gradient: in general, and by rows for kernels that keep the map.
import type { Run } from "../autograd/run.ts";
import type { DeviceInfo } from "../gpu/device.ts";
import type { Storage } from "../tensor/storage.ts";
import type { ConvAlgorithm, ForwardIo, InputGradientIo, WeightGradientIo } from "./conv-algorithm.ts";
import { area, type ConvGeometry, isDepthwise } from "./conv-geometry.ts";
import { inSplits, splitBatch } from "./conv-weight-gradient.ts";
import { type Epilogue, epilogueBuffers, epilogueOverrides, epilogueParams, noEpilogue } from "./epilogue.ts";
import { Kernel } from "./kernel.ts";
import type { Way } from "./variants.ts";
import plainWgsl, { WG } from "./wgsl/depthwise.wgsl";
import rowWgsl, { ROWS } from "./wgsl/depthwise-row.wgsl";
import smallWgsl, { WG as SMALL_WG } from "./wgsl/depthwise-small.wgsl";
import weightWgsl from "./wgsl/depthwise-weight.wgsl";
import weightRowWgsl from "./wgsl/depthwise-weight-row.wgsl";
import weightTapsWgsl, { WG as TAPS_WG } from "./wgsl/depthwise-weight-taps.wgsl";

const plain = new Kernel(plainWgsl);
const small = new Kernel(smallWgsl);
const byRow = new Kernel(rowWgsl);
const weight = new Kernel(weightWgsl);
const weightByRow = new Kernel(weightRowWgsl);
const weightByTap = new Kernel(weightTapsWgsl);

/** Weights of a filter that a lane holds in registers. */
const MOST_TAPS = 121;
const supports = (g: ConvGeometry): boolean => isDepthwise(g) && area(g.kernel) <= MOST_TAPS;

/** On maps of so many positions, at most, a weight gradient is best taken tap by tap. */
const SMALL_MAP = 256;

/** On inputs of so many positions, at most, kernels wider than 3x3 have taps that lie outside of it nearly everywhere. */
const SMALL_SIZE = 64;

/** Invocations of the kernel for small maps, at most, each of which goes on by as many elements. */
const SMALL_STEP = 2 ** 20;

/** Kernels that a window of three vectors holds, and that keep the width of the map. */
const supportsRows = (g: ConvGeometry): boolean =>
  supports(g) &&
  g.filters === g.channels &&
  g.kernel.every((k) => k % 2 === 1 && k <= 7) &&
  [...g.stride, ...g.dilation].every((n) => n === 1) &&
  g.padding[1] === (g.kernel[1] - 1) / 2 &&
  g.size[1] % 4 === 0;

/** Undilated, of one filter a channel: what the kernel for small maps takes. */
const supportsSmall = (g: ConvGeometry): boolean =>
  supports(g) && g.filters === g.channels && g.dilation.every((d) => d === 1);

/** `given` with the way for small maps: first where it is best. */
function withSmall<Io>(g: ConvGeometry, given: readonly Way<Io>[], launch: Way<Io>["launch"]): Way<Io>[] {
  if (!supportsSmall(g)) return [...given];
  const extra = way("depthwise small", launch);
  return area(g.size) <= SMALL_SIZE && area(g.kernel) > 9 ? [extra, ...given] : [...given, extra];
}

const sized = (g: ConvGeometry) => ({ KH: `${g.kernel[0]}u`, KW: `${g.kernel[1]}u` });
const tagOf = (g: ConvGeometry, ...more: readonly string[]): string =>
  [g.kernel.join("x"), ...more].filter(Boolean).join(" ");

/** Parameters of a kernel whose source and dest have these maps, and dest so many channels. */
const paramsOf = (g: ConvGeometry, source: ConvGeometry["size"], dest: ConvGeometry["size"], channels: number) => ({
  planes: g.batch * channels,
  channels,
  multiplier: g.filters / g.channels,
  source,
  dest,
  stride: g.stride,
  padding: g.padding,
  dilation: g.dilation,
});

/** Workgroups for the items of a plane, and for planes: few, with several each, where starting one is dear. */
function planeGrid(items: number, planes: number, { isSoftware, limits }: DeviceInfo) {
  const groups = Math.ceil(items / WG);
  const most = isSoftware
    ? Math.ceil(256 / groups)
    : Math.min(65_535, limits.maxComputeWorkgroupsPerDimension ?? 65_535);
  const plane_step = Math.max(1, Math.min(planes, most));
  return { plane_step, grid: [groups, plane_step] as const };
}

function launchPlain(
  run: Run,
  g: ConvGeometry,
  w: Storage,
  source: Storage,
  dest: Storage,
  end: Epilogue | null,
): void {
  const [from, to] = end ? [g.size, g.out] : [g.out, g.size];
  const params = paramsOf(g, from, to, end ? g.filters : g.channels);
  const { plane_step, grid } = planeGrid(area(to), params.planes, run.device.info);
  const given = end ?? noEpilogue;
  const { overrides, tag } = epilogueOverrides(given);
  const steps = end || g.dilation.some((d) => d > 1) ? [1, 1] : g.stride;
  const single = !end && g.filters === g.channels;
  const backward = {
    BACKWARD: !end,
    STEP_ROWS: `${steps[0]}u`,
    STEP_COLUMNS: `${steps[1]}u`,
    SINGLE: single,
  } as const;
  const kind = end ? "forward" : `backward ${steps.join("x")}${single ? " single" : ""}`;
  plain
    .variant({ ...sized(g), ...backward, ...overrides }, tagOf(g, kind, tag))
    .launch(
      run,
      { weight: w, source, dest, ...epilogueBuffers(given) },
      { ...params, plane_step, ...epilogueParams(given) },
      grid,
    );
}

function launchRows(run: Run, g: ConvGeometry, w: Storage, source: Storage, dest: Storage, end: Epilogue | null): void {
  const [from, to] = end ? [g.size, g.out] : [g.out, g.size];
  const params = paramsOf(g, from, to, g.channels);
  const items = (to[1] / 4) * Math.ceil(to[0] / ROWS);
  const { plane_step, grid } = planeGrid(items, params.planes, run.device.info);
  const given = end ?? noEpilogue;
  const { overrides, tag } = epilogueOverrides(given);
  // Backwards the taps are reversed, and so is the padding.
  const padding = end ? g.padding : ([g.kernel[0] - 1 - g.padding[0], g.padding[1]] as const);
  byRow
    .variant({ ...sized(g), FLIP: !end, ...overrides }, tagOf(g, end ? "forward" : "backward", tag))
    .launch(
      run,
      { weight: w, source, dest, ...epilogueBuffers(given) },
      { ...params, padding, plane_step, ...epilogueParams(given) },
      grid,
    );
}

function launchSmall(
  run: Run,
  g: ConvGeometry,
  w: Storage,
  source: Storage,
  dest: Storage,
  end: Epilogue | null,
): void {
  const [from, to] = end ? [g.size, g.out] : [g.out, g.size];
  const params = paramsOf(g, from, to, g.channels);
  const groups = Math.ceil(Math.min(params.planes * area(to), SMALL_STEP) / SMALL_WG);
  const given = end ?? noEpilogue;
  const { overrides, tag } = epilogueOverrides(given);
  small
    .variant({ ...sized(g), BACKWARD: !end, ...overrides }, tagOf(g, end ? "forward" : "backward", tag))
    .launch(
      run,
      { weight: w, source, dest, ...epilogueBuffers(given) },
      { ...params, plane_step: groups * SMALL_WG, ...epilogueParams(given) },
      [groups, 1],
    );
}

const way = <Io>(name: string, launch: Way<Io>["launch"]): Way<Io> => ({ name, launch });

export const depthwiseForward: ConvAlgorithm<ForwardIo> = {
  name: "depthwise",
  supports,
  ways: (g) => {
    const rows = way<ForwardIo>("depthwise rows", (run, io) => launchRows(run, g, io.weight, io.x, io.y, io.end));
    const plain = way<ForwardIo>("depthwise", (run, io) => launchPlain(run, g, io.weight, io.x, io.y, io.end));
    const given = supportsRows(g) ? [rows, plain] : [plain];
    return withSmall(g, given, (run, io) => launchSmall(run, g, io.weight, io.x, io.y, io.end));
  },
};

export const depthwiseInputGradient: ConvAlgorithm<InputGradientIo> = {
  name: "depthwise",
  supports,
  ways: (g) => {
    const rows = way<InputGradientIo>("depthwise rows", (run, io) => launchRows(run, g, io.weight, io.dy, io.dx, null));
    const plain = way<InputGradientIo>("depthwise", (run, io) => launchPlain(run, g, io.weight, io.dy, io.dx, null));
    const given = supportsRows(g) ? [rows, plain] : [plain];
    return withSmall(g, given, (run, io) => launchSmall(run, g, io.weight, io.dy, io.dx, null));
  },
};

export const depthwiseWeightGradient: ConvAlgorithm<WeightGradientIo> = {
  name: "depthwise",
  supports,
  ways: (g) => {
    const launch = (run: Run, io: WeightGradientIo, by: "row" | "tap" | "position"): void => {
      const size = g.filters * area(g.kernel);
      const columns = by === "tap" ? Math.ceil(size / TAPS_WG) : g.filters;
      const { images, splits } = splitBatch(g.batch, area(g.out), size, columns, run.device.info);
      const params = { ...paramsOf(g, g.size, g.out, g.filters), plane_step: images, act: [0, 0] as const, eps: 0 };
      inSplits(run, io, size, splits, false, (dw) => {
        const grid = [columns, splits] as const;
        const { dy, x } = io;
        if (by === "row") weightByRow.variant(sized(g), tagOf(g)).launch(run, { dy, source: x, dw }, params, grid);
        else (by === "tap" ? weightByTap : weight).variant(sized(g), tagOf(g)).launch(run, { dy, x, dw }, params, grid);
      });
    };
    const byTap = way<WeightGradientIo>("depthwise taps", (run, io) => launch(run, io, "tap"));
    const first = area(g.out) <= SMALL_MAP;
    return [
      ...(first ? [byTap] : []),
      ...(supportsRows(g) ? [way<WeightGradientIo>("depthwise rows", (run, io) => launch(run, io, "row"))] : []),
      way<WeightGradientIo>("depthwise", (run, io) => launch(run, io, "position")),
      ...(first ? [] : [byTap]),
    ];
  },
};
