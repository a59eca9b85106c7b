// Plan of kernels that walk the positions of [planes, rows, columns] and need to know each one's row and column (pooling).
import type { DeviceInfo } from "../gpu/device.ts";
import { type Grid, grid1d } from "../gpu/queue.ts";
import { WG } from "./wgsl/max-pool.wgsl";

/** Parameters of lib/planes.wgsl, and workgroups. */
export interface PlaneWalk {
  readonly params: {
    readonly positions: number;
    /** Positions an invocation takes. */
    readonly per: number;
    /** What WG positions further on means in planes, rows and columns. */
    readonly step: readonly [number, number, number];
    /** Rows and columns. */
    readonly span: readonly [number, number];
  };
  readonly grid: Grid;
}

/**
 * Invocations take several positions where workgroups are dear (a software adapter), one where they are not; always
 * enough workgroups for a few cores.
 */
export function walkPlanes(
  planes: number,
  [rows, columns]: readonly [number, number],
  { isSoftware }: Pick<DeviceInfo, "isSoftware">,
): PlaneWalk {
  const plane = rows * columns;
  const positions = planes * plane;
  const per = isSoftware ? Math.min(Math.max(Math.ceil(positions / (WG * 16)), 1), 32) : 1;
  const within = plane > 0 ? WG % plane : 0;
  const step: PlaneWalk["params"]["step"] =
    plane > 0 ? [Math.floor(WG / plane), Math.floor(within / columns), within % columns] : [0, 0, 0];
  return { params: { positions, per, step, span: [rows, columns] }, grid: grid1d(positions, WG * per) };
}
