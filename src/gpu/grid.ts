// Grid: how many workgroups a launch starts.

/** Workgroups of a launch along each dimension; those left out are 1. */
export type Grid = readonly [x: number, y?: number, z?: number];

/** Workgroups for `n` invocations of `size` each, folded into two dimensions where one is too few. */
export function grid1d(n: number, size: number): Grid {
  const groups = Math.ceil(n / size);
  if (groups <= 65_535) return [groups];
  const y = Math.ceil(groups / 65_535);
  return [Math.ceil(groups / y), y];
}
