// Repeats what some code recorded on a queue, without the host's part of it: what is left to measure is the device.
import { Capture } from "../../src/capture/recording.ts";
import { context, within } from "../../src/context.ts";
import type { Device } from "../../src/gpu/device.ts";
import { type Command, programOf } from "../../src/gpu/queue.ts";
import type { Run } from "./measure.ts";

/** Commands in one submission: a profiler has queries for twice as many. */
const PER_SUBMIT = 1024;

/**
 * What `fn` records. Its inputs and outputs must stay alive until the last replay; buffers that it borrows on the way may
 * be lent again as long as nothing else is computed meanwhile.
 */
export async function record(device: Device, fn: () => void): Promise<readonly Command[]> {
  device.queue.flush();
  const capture = new Capture(device);
  within({ capture }, () => {
    fn();
    // The last operation may still wait for what it could take in.
    context.pending?.run();
  });
  capture.buffers.retire();
  await device.sync();
  return capture.commands;
}

export function replayer(device: Device, commands: readonly Command[]): Run {
  const perSubmit = Math.max(1, Math.floor(PER_SUBMIT / Math.max(1, commands.length)));
  return async (times) => {
    for (let left = times; left > 0; left -= perSubmit) {
      const batch: Command[] = [];
      for (let i = 0; i < Math.min(left, perSubmit); i++) batch.push(...commands);
      device.queue.replay(programOf(batch));
    }
    await device.sync();
  };
}

/** The kernels of some commands, in order, each once. */
export function kernelsOf(commands: readonly Command[]): string[] {
  return [...new Set(commands.flatMap((c) => (c.kind === "dispatch" ? [c.pipeline.key] : [c.kind])))];
}
