// Plan of kernels that walk the positions of [planes, rows, columns] and need to know each one's row and column (pooling).
import { type Grid, grid1d } from "../gpu/queue.ts";

const WG = 64;

export interface PlaneWalk {
  readonly positions: number;
  /** Positions an invocation takes. */
  readonly per: number;
  /** What WG positions further on means in planes, rows and columns. */
  readonly step: readonly [number, number, number];
  readonly grid: Grid;
}

/**
 * Invocations take several positions where workgroups are dear (a software adapter), one where they are not; always
 * enough workgroups for a few cores.
 */
export function walkPlanes(planes: number, rows: number, columns: number, software: boolean): PlaneWalk {
  const positions = planes * rows * columns;
  const per = software ? Math.min(Math.max(Math.ceil(positions / (WG * 16)), 1), 32) : 1;
  const plane = rows * columns;
  const within = plane > 0 ? WG % plane : 0;
  const step =
    plane > 0
      ? ([Math.floor(WG / plane), Math.floor(within / columns), within % columns] as const)
      : ([0, 0, 0] as const);
  return { positions, per, step, grid: grid1d(positions, WG * per) };
}
