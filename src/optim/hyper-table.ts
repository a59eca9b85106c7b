// HyperTable: hyper-parameters on the device, a row for parameters that share them.
import { unrecorded } from "../capture/hooks.ts";
import type { Device } from "../gpu/device.ts";
import type { Binding } from "../gpu/queue.ts";
import { partOf } from "../kernels/binding-parts.ts";
import { keep } from "../tensor/scope.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";

/** Numbers in a row: a binding starts at a multiple of 256 bytes. */
const ROW = 64;

/**
 * The numbers that an update reads: learning rate, bias corrections and so on. They live in a buffer, not in the launch, so
 * that a captured step follows a scheduler; the host computes them in f64 and writes only when a value changed.
 */
export class HyperTable {
  readonly tensor: Tensor;
  readonly #uploaded: Float32Array;

  constructor(device: Device, rows: number) {
    this.tensor = unrecorded(() => keep(empty([rows, ROW], "f32", device)));
    this.#uploaded = new Float32Array(rows * ROW).fill(Number.NaN);
  }

  /** Uploads the first rows, where they differ from what the device has. Takes effect after everything recorded so far. */
  write(rows: readonly (readonly number[])[]): void {
    const data = new Float32Array(rows.length * ROW);
    for (const [i, row] of rows.entries()) data.set(row, i * ROW);
    if (data.every((value, i) => value === this.#uploaded[i])) return;
    this.#uploaded.set(data);
    unrecorded(() => this.tensor.device.queue.write(this.tensor.storage.buffer, data));
  }

  /** Where a launch finds the numbers of one row. */
  row(i: number): Binding {
    return partOf(this.tensor.storage, i * ROW, ROW);
  }

  dispose(): void {
    this.tensor.dispose();
  }
}
