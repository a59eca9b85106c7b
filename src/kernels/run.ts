// Run: what an operation's kernels are launched on.
import type { Device } from "../gpu/device.ts";
import type { Queue } from "../gpu/queue.ts";
import type { Dtype } from "../tensor/dtype.ts";
import type { Shape } from "../tensor/shape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";

/** What an operation's `forward` runs on: the device, its queue, and memory that it needs only meanwhile. */
export class Run {
  readonly device: Device;
  readonly queue: Queue;
  readonly #scratch: Tensor[] = [];

  constructor(device: Device) {
    this.device = device;
    this.queue = device.queue;
  }

  /** A tensor of undefined content, freed when the operation has been recorded. */
  scratch(shape: Shape, dtype: Dtype = "f32"): Tensor {
    const t = empty(shape, dtype, this.device);
    this.#scratch.push(t);
    return t;
  }

  release(): void {
    for (const t of this.#scratch.splice(0)) t.dispose();
  }
}
