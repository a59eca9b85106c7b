// Cross-entropy of logits that no binding holds: some samples at a time. What the pieces keep for the tape is put together.
import type { Run } from "../autograd/run.ts";
import { alignedCount, bindingElements, partOf } from "../kernels/binding-parts.ts";
import { Pieces } from "../kernels/divide.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Some of the samples of dimension 0, while they are worked on. */
export class SamplePiece extends Pieces {
  /** Of the kept rows of four numbers, one for each sample: the first, and how many. */
  readonly firstRow: number;
  readonly rows: number;
  readonly #first: number;
  readonly #count: number;

  constructor({ device }: Run, first: number, count: number, rowsEach: number) {
    super(device);
    this.#first = first;
    this.#count = count;
    this.firstRow = first * rowsEach;
    this.rows = count * rowsEach;
  }

  /** What `t` holds for these samples, to read. */
  of(t: Tensor): Tensor {
    return this.read(t, [this.#count, ...t.shape.slice(1)], this.#first * sizeOf(t.shape.slice(1)));
  }

  /** Room for what these samples give to `t`. */
  room(t: Tensor): Tensor {
    return this.scratch([this.#count, ...t.shape.slice(1)]);
  }

  /** Copies what was written to `room(t)` to its place in `t`. */
  put(piece: Tensor, t: Tensor): void {
    const at = this.#first * sizeOf(t.shape.slice(1));
    this.queue.copy(piece.storage, partOf(t.storage, at, piece.numel));
  }
}

/** Calls `work` for so many samples of x at a time as a binding holds (at least one). */
export function bySamples(run: Run, x: Tensor, rows: number, work: (piece: SamplePiece) => void): void {
  const [samples = 1] = x.shape;
  const each = x.numel / samples;
  const count = Math.max(1, alignedCount(Math.floor(bindingElements(run.device.info) / each), each));
  for (let first = 0; first < samples; first += count) {
    const piece = new SamplePiece(run, first, Math.min(count, samples - first), rows / samples);
    try {
      work(piece);
    } finally {
      piece.release();
    }
  }
}
