// Plan of kernels that reduce each row of [outer, length, inner] (softmax, losses, norms): lanes, rows a workgroup.
import type { DeviceInfo } from "../gpu/device.ts";
import { type Grid, grid1d } from "../gpu/queue.ts";
import { WG } from "./wgsl/softmax.wgsl";

export interface RowPlan {
  /** What lib/row.wgsl and lib/rows.wgsl want in `Params`. */
  readonly params: {
    readonly rows: number;
    readonly length: number;
    /** Elements of a row are that far apart. */
    readonly inner: number;
    /** Invocations that share a row: a power of two. */
    readonly lanes: number;
    readonly log_lanes: number;
    /** Times that a workgroup takes WG / lanes rows. */
    readonly rounds: number;
  };
  readonly groups: number;
  readonly grid: Grid;
}

/** Rows that keep a software adapter busy, an invocation each. */
const MANY = 256;

/**
 * How to walk the rows. A software adapter has few cores and pays dearly for a workgroup: it gets few, with many rows.
 */
export function planRows(
  rows: number,
  length: number,
  { isSoftware }: Pick<DeviceInfo, "isSoftware">,
  inner = 1,
): RowPlan {
  let lanes = 1;
  // There a load costs the same wherever its neighbours' are, and sharing a row costs barriers: with rows for all, few share one.
  const perLane = !isSoftware ? 4 : rows >= MANY ? 256 : 16;
  while (lanes < WG && lanes * perLane < length) lanes *= 2;
  const perRound = WG / lanes;
  // Elements that a workgroup should have before another one is worth it.
  const enough = isSoftware ? 8192 : 1024;
  const rounds = Math.max(1, Math.min(Math.ceil(rows / perRound), Math.floor(enough / Math.max(1, perRound * length))));
  const groups = Math.ceil(rows / (perRound * rounds));
  const params = { rows, length, inner, lanes, log_lanes: Math.log2(lanes), rounds };
  return { params, groups, grid: grid1d(groups, 1) };
}

/** As many rounds as one workgroup takes for all rows. */
export const roundsOfOne = ({ params: { rows, lanes } }: RowPlan): number => Math.ceil((rows * lanes) / WG);
