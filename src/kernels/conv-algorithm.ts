// A convolution algorithm as a value: what it supports, and its variants, which say how it is launched and with what scratch.
import type { DeviceInfo } from "../gpu/device.ts";
import type { Storage } from "../tensor/storage.ts";
import type { ConvGeometry } from "./conv-geometry.ts";
import type { Epilogue } from "./epilogue.ts";
import type { Way } from "./variants.ts";

/** y from x and weight, with an epilogue. */
export interface ForwardIo {
  readonly x: Storage;
  readonly weight: Storage;
  readonly y: Storage;
  readonly end: Epilogue;
}
/** dx from dy and weight. */
export interface InputGradientIo {
  readonly dy: Storage;
  readonly weight: Storage;
  readonly dx: Storage;
}
/** dw from dy and x. */
export interface WeightGradientIo {
  readonly dy: Storage;
  readonly x: Storage;
  readonly dw: Storage;
}

export interface ConvAlgorithm<Io> {
  readonly name: string;
  supports(g: ConvGeometry, info: DeviceInfo): boolean;
  /** Its variants on this adapter, best guess first. */
  ways(g: ConvGeometry, info: DeviceInfo): readonly Way<Io>[];
}

/** The variants of all algorithms that support a geometry, in the algorithms' order. */
export const waysOf = <Io>(
  algorithms: readonly ConvAlgorithm<Io>[],
  g: ConvGeometry,
  info: DeviceInfo,
): readonly Way<Io>[] => algorithms.filter((a) => a.supports(g, info)).flatMap((a) => a.ways(g, info));
