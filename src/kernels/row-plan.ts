// Plan of kernels that reduce each row of [rows, length] (softmax, losses, layer norm): lanes a row, rows a workgroup.
import { type Grid, grid1d } from "../gpu/queue.ts";

const WG = 64;

export interface RowPlan {
  readonly rows: number;
  readonly length: number;
  /** Invocations that share a row: a power of two. */
  readonly lanes: number;
  /** Times that a workgroup takes WG / lanes rows. */
  readonly rounds: number;
  readonly groups: number;
  readonly grid: Grid;
}

/** How to walk the rows. A software adapter has few cores and pays dearly for a workgroup: it gets few, with many rows. */
export function planRows(rows: number, length: number, software: boolean): RowPlan {
  let lanes = 1;
  const perLane = software ? 16 : 4;
  while (lanes < WG && lanes * perLane < length) lanes *= 2;
  const perRound = WG / lanes;
  // Elements that a workgroup should have before another one is worth it.
  const enough = software ? 8192 : 1024;
  const rounds = Math.max(1, Math.min(Math.ceil(rows / perRound), Math.floor(enough / Math.max(1, perRound * length))));
  const groups = Math.ceil(rows / (perRound * rounds));
  return { rows, length, lanes, rounds, groups, grid: grid1d(groups, 1) };
}

/** The words with which the kernels' `Params` begin: rows, length, lanes, log2(lanes), rounds. */
export const rowWords = ({ rows, length, lanes, rounds }: RowPlan): number[] => [
  rows,
  length,
  lanes,
  Math.log2(lanes),
  rounds,
];
