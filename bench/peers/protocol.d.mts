// Types of protocol.mjs.
import type { Spec } from "../support/figures.ts";

/** A figure that is set up. */
export interface Work {
  /** Does the work so many times, and resolves when the device is done. */
  run(times: number): Promise<void>;
  /** What it computed, in PyTorch's order. */
  values?(): Promise<ArrayLike<number>>;
  /** Trains a step; resolves to its loss. Instead of `values`. */
  step?(): Promise<number>;
  dispose(): void;
}

export function serve(
  figures: {
    [K in Spec["kind"]]?: (spec: Extract<Spec, { kind: K }>) => Promise<Work>;
  },
): Promise<void>;
