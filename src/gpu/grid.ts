// Grid: how many workgroups a launch starts.
import { checkWhole } from "../errors.ts";

/** Workgroups of a launch along each dimension; those left out are 1. */
export type Grid = readonly [x: number, y?: number, z?: number];

/** Workgroups for `n` invocations of `size` each, folded into two dimensions where one is too few. */
export function grid1d(n: number, size: number): Grid {
  checkWhole("grid1d", "the number of invocations", n, 0);
  checkWhole("grid1d", "the workgroup's size", size, 1);
  const groups = Math.ceil(n / size);
  if (groups <= 65_535) return [groups];
  const y = Math.ceil(groups / 65_535);
  return [Math.ceil(groups / y), y];
}
