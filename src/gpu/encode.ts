// encode: recorded commands into command buffers, one compute pass for neighbouring dispatches, and on to the device.
import type { Command } from "./commands.ts";
import type { Profiler } from "./profile.ts";

/** Counters for benchmarks and tests. */
export interface Stats {
  dispatches: number;
  submits: number;
  writes: number;
}

/** Encodes and submits a batch. A command that `skips` is left out: its kernel did not compile, or there is no memory. */
export function encode(
  device: GPUDevice,
  batch: readonly Command[],
  profiler: Profiler | null,
  stats: Stats,
  skips: (command: Command) => boolean,
): void {
  let encoder = device.createCommandEncoder();
  let pass: GPUComputePassEncoder | null = null;
  let pipeline: GPUComputePipeline | null = null;
  for (const command of batch) {
    if (skips(command)) continue;
    if (command.kind === "dispatch") {
      const { gpu } = command.pipeline;
      if (!gpu) continue;
      if (profiler) {
        pass?.end();
        pass = encoder.beginComputePass(profiler.pass(command));
        pipeline = null;
      } else pass ??= encoder.beginComputePass();
      if (gpu !== pipeline) {
        pipeline = gpu;
        pass.setPipeline(gpu);
      }
      pass.setBindGroup(0, command.bindGroup.get());
      pass.dispatchWorkgroups(command.x, command.y, command.z);
      stats.dispatches++;
      continue;
    }
    pass?.end();
    pass = null;
    pipeline = null;
    if (command.kind === "copy") {
      const { from, to } = command;
      const bytes = Math.ceil(from.bytes / 4) * 4;
      encoder.copyBufferToBuffer(from.buffer.gpu, from.offset, to.buffer.gpu, to.offset, bytes);
    } else if (command.kind === "clear") {
      const { buffer, offset, bytes } = command.range;
      encoder.clearBuffer(buffer.gpu, offset, Math.ceil(bytes / 4) * 4);
    } else {
      // writeBuffer takes effect before commands that are submitted later: what was encoded so far must go first.
      device.queue.submit([encoder.finish()]);
      stats.submits++;
      encoder = device.createCommandEncoder();
      const { buffer, offset, data } = command;
      device.queue.writeBuffer(buffer.gpu, offset, data.buffer, data.byteOffset, data.byteLength);
    }
  }
  pass?.end();
  profiler?.resolve(encoder);
  device.queue.submit([encoder.finish()]);
  stats.submits++;
}
