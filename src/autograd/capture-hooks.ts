// What code inside a captured step needs of the capture: host work before each replay, and work that is not recorded.
import { currentDevice } from "../gpu/device.ts";
import { setBufferSource } from "../tensor/storage.ts";

type ReplayRecorder = (fn: () => void) => void;

let recorder: ReplayRecorder | null = null;

/** The capture that is recording sets itself here, and null when it ends. Returns the one before. */
export function setReplayRecorder(next: ReplayRecorder | null): ReplayRecorder | null {
  const before = recorder;
  recorder = next;
  return before;
}

/**
 * While a step is being captured: `fn` will run on the host before each replay (not now). Otherwise nothing happens.
 * For what changes from step to step: step counts, a new learning rate.
 */
export function onReplay(fn: () => void): void {
  recorder?.(fn);
}

/**
 * Runs `fn` outside of a capture in progress: its commands are not replayed, its tensors live in the device's pool. For
 * state that is created at the first step and outlives it.
 */
export function unrecorded<T>(fn: () => T): T {
  const { queue } = currentDevice();
  const outer = { commands: queue.recorder, replays: recorder, source: setBufferSource(null) };
  queue.recorder = null;
  recorder = null;
  try {
    return fn();
  } finally {
    queue.recorder = outer.commands;
    recorder = outer.replays;
    setBufferSource(outer.source);
  }
}
