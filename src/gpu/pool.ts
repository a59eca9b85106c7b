// GPU buffers by size class: released buffers serve later requests, so that a steady step allocates nothing.
import { LimitError } from "../errors.ts";

/** A pooled GPU buffer. `id` names it in bind-group keys; `lastUse` is the newest recorded command batch that uses it. */
export interface PooledBuffer {
  readonly id: number;
  readonly gpu: GPUBuffer;
  /** Where it lives: one of another device is refused. */
  readonly device: GPUDevice;
  readonly size: number;
  lastUse: number;
}

/** Rounds up to an eighth of the next power of two: at most 12.5 % waste, and few enough classes to hit. */
export function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = Math.max(256, 2 ** (Math.ceil(Math.log2(bytes)) - 3));
  return Math.ceil(bytes / step) * step;
}

let nextId = 1;

export class BufferPool {
  readonly #device: GPUDevice;
  readonly #maxSize: number;
  readonly #free = new Map<number, PooledBuffer[]>();
  /** Bytes of all buffers that this pool holds or has lent. */
  allocatedBytes = 0;
  /** Bytes lent at the moment, and the most that ever were. */
  usedBytes = 0;
  peakBytes = 0;
  /** Buffers created so far: flat in a steady state. */
  created = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#maxSize = device.limits.maxBufferSize;
  }

  /** A buffer of at least `bytes`. With `idleAfter`, only one that no batch newer than that uses (safe to write now). */
  acquire(bytes: number, idleAfter = Number.POSITIVE_INFINITY): PooledBuffer {
    const size = sizeClass(bytes);
    if (size > this.#maxSize) {
      throw new LimitError(
        `[memory] a tensor of ${bytes} bytes was asked for, but this adapter's buffers hold at most ${this.#maxSize}: split it`,
      );
    }
    this.usedBytes += size;
    this.peakBytes = Math.max(this.peakBytes, this.usedBytes);
    const list = this.#free.get(size) ?? [];
    // Of all that fit the oldest: whatever order they came back in, a step like the one before gets the same buffers, and
    // finds the same bind groups.
    let oldest: PooledBuffer | null = null;
    for (const buffer of list) {
      if (buffer.lastUse <= idleAfter && (!oldest || buffer.id < oldest.id)) oldest = buffer;
    }
    if (oldest) {
      list.splice(list.indexOf(oldest), 1);
      return oldest;
    }
    this.allocatedBytes += size;
    this.created++;
    // Uniform: hyper-parameters of optimizers are tensors, too.
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const device = this.#device;
    return { id: nextId++, gpu: device.createBuffer({ size, usage }), device, size, lastUse: 0 };
  }

  /** Gives a buffer back. Commands already recorded keep their order, so it may be lent again at once. */
  release(buffer: PooledBuffer): void {
    this.usedBytes -= buffer.size;
    const list = this.#free.get(buffer.size);
    if (list) list.push(buffer);
    else this.#free.set(buffer.size, [buffer]);
  }

  /** Destroys the free buffers. Call it when nothing recorded is unsubmitted. */
  trim(): void {
    for (const list of this.#free.values()) {
      for (const buffer of list) {
        buffer.gpu.destroy();
        this.allocatedBytes -= buffer.size;
      }
    }
    this.#free.clear();
  }
}
