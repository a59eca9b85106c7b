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

let changes = 0;
let modes = 0;
/**
 * Differs when a recorded step is stale though its inputs look the same: a module was switched between training and
 * evaluation, or an optimizer given other parameters or state.
 */
export const structureVersion = (): number => changes * 2 ** 32 + (modes >>> 0);
export function structureChanged(): void {
  changes++;
}

/** Switches a mode that has two states. Switched back, what was recorded before is good again. `token`: 32 bits of its own. */
export function modeSwitched(token: number): void {
  modes ^= token;
}

let tokens = 0;
/** 32 well-mixed bits for `modeSwitched`, different at each call. */
export function modeToken(): number {
  let h = Math.imul(++tokens, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
