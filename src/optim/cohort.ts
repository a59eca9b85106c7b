// Cohort: hyper-parameters on the device for parameters that have taken equally many steps.
import { unrecorded } from "../capture/hooks.ts";
import { zeros } from "../tensor/create.ts";
import { keep } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Room for the largest `Hyper` block of the optimizer kernels. */
const WORDS = 16;

/**
 * The numbers that an update kernel reads: learning rate, bias corrections and so on. They depend on the group and on
 * how many steps a parameter has taken, so parameters of one group that were released at the same time share them.
 * They live in a buffer, not in the dispatch, so that a captured step follows a scheduler; the host computes them in
 * f64 and writes only when a value changed.
 */
export class Cohort {
  /** Steps taken by each parameter in it. */
  steps = 0;
  readonly tensor: Tensor = unrecorded(() => keep(zeros([WORDS])));
  #uploaded: readonly number[] = [];

  /** Uploads `values`, where they differ from what the device has. Takes effect after everything recorded so far. */
  sync(values: readonly number[]): void {
    if (values.length === this.#uploaded.length && values.every((value, i) => value === this.#uploaded[i])) return;
    this.#uploaded = values;
    unrecorded(() => this.tensor.device.queue.write(this.tensor.storage.buffer, Float32Array.from(values)));
  }

  dispose(): void {
    this.tensor.dispose();
  }
}
