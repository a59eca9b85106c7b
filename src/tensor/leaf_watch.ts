// Lets a capture see what a step does to leaves: which it reads, and how their gradients come about.
import type { Tensor } from "./tensor.ts";

export interface LeafWatcher {
  /** An operation read this leaf. */
  read(leaf: Tensor): void;
  /** Its gradient was set to null. */
  zeroed(leaf: Tensor): void;
  /** backward added to its gradient. */
  accumulated(leaf: Tensor): void;
}

let watcher: LeafWatcher | null = null;

/** Makes `next` the watcher, or none; returns the one before. */
export function watchLeaves(next: LeafWatcher | null): LeafWatcher | null {
  const before = watcher;
  watcher = next;
  return before;
}

export const leafWatcher = (): LeafWatcher | null => watcher;

let version = 0;
/**
 * Counts changes that make a recorded step stale though its inputs look the same: a module switched between training and
 * evaluation, an optimizer given other parameters or state.
 */
export const structureVersion = (): number => version;
export function structureChanged(): void {
  version++;
}
