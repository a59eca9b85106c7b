// What code inside a captured step needs of the capture: host work before each replay, work that is not recorded, and guards.
import { context, within } from "../context.ts";

/**
 * While a step is being captured: `fn` will run on the host before each replay (not now). Otherwise nothing happens.
 * For what changes from step to step: step counts, a new learning rate.
 */
export function beforeReplay(fn: () => void): void {
  context.capture?.hooks.push(fn);
}

/**
 * Runs `fn` outside of a capture in progress: its commands are not replayed, its tensors live in the device's pool. For
 * state that is created at the first step and outlives it.
 */
export function unrecorded<T>(fn: () => T): T {
  // What waits is part of the step.
  context.pending?.run();
  return within({ capture: null }, () => {
    const result = fn();
    context.pending?.run();
    return result;
  });
}

/**
 * While a step is being captured: it depends on what `read` gives now, and must be recorded again where that is another.
 * `key` names the thing that is read. `returns`: it may become what it was, and the recording good again.
 */
export function guard(key: object, read: () => unknown, { returns = false } = {}): void {
  const { capture } = context;
  if (!capture) return;
  const was = read();
  capture.guards.add(key, { holds: () => read() === was, returns });
}
