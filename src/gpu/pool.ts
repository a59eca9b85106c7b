// GPU buffers by size class: released buffers serve later requests, so that a steady step allocates nothing, and go back to
// the device when none comes.
import { LimitError } from "../errors.ts";
import type { GlobalType } from "./global-type.ts";

/** A pooled GPU buffer. */
export interface PooledBuffer {
  /** Names it in bind-group keys. Never given again. */
  readonly id: number;
  readonly gpu: GlobalType<"GPUBuffer">;
  /** Where it lives: one of another device is refused. */
  readonly device: GlobalType<"GPUDevice">;
  readonly size: number;
  /** The newest recorded command batch that uses it; of a free one, no older than its release. */
  lastUse: number;
  /** It was free for long and is of no use any more. */
  destroyed?: boolean;
}

/** Rounds up to an eighth of the next power of two: at most 12.5 % waste, and few enough classes to hit. */
export function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = Math.max(256, 2 ** (Math.ceil(Math.log2(bytes)) - 3));
  return Math.ceil(bytes / step) * step;
}

/** Batches after which a look is taken at what was not used meanwhile. A training step is a few batches. */
const PERIOD = 256;
/** What the pool may hold for each byte that was lent at the recent peak, before a new buffer makes idle ones go. */
const ROOM = 1.5;
/** What it may hold in any case. */
const LEAST = 4 * 2 ** 20;

/**
 * Lends buffers, and gives back to the device what is long unused: free buffers that no batch of the last two periods used,
 * and, when a new one has to be made, those idle for longest beyond `ROOM` times what was lent at the recent peak. A step
 * whose buffers of one size after the other take more than that pays once: what it has to make again is allowed from then on.
 */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #maxSize: number;
  readonly #free = new Map<number, PooledBuffer[]>();
  #nextId = 1;
  /** Batches up to this one are submitted: destroying a buffer that no newer one uses is safe. */
  #submitted = 0;
  #periodEnd = PERIOD;
  /** The most bytes lent at a time, in this period and in the one before. */
  #peak = 0;
  #peakBefore = 0;
  /** Bytes that may be held beyond those of the peak, and the buffers, by size, that were lately destroyed to make room. */
  #allowance = 0;
  readonly #missed = new Map<number, number>();
  /** Whether buffers were destroyed since `advance` last told. */
  #destroyed = false;
  /** Bytes of all buffers that this pool holds or has lent. */
  allocatedBytes = 0;
  /** Bytes lent at the moment. */
  usedBytes = 0;
  /** Buffers created so far: flat in a steady state. */
  created = 0;

  constructor(device: GlobalType<"GPUDevice">) {
    this.#device = device;
    this.#maxSize = device.limits.maxBufferSize;
  }

  /** A buffer of at least `bytes`. With `idleAfter`, only one that no batch newer than that uses (safe to write now). */
  acquire(bytes: number, idleAfter = Number.POSITIVE_INFINITY): PooledBuffer {
    const size = sizeClass(bytes);
    // An Infinity of bytes comes as NaN.
    if (!(size <= this.#maxSize)) {
      throw new LimitError(
        `[memory] a tensor of ${bytes} bytes was asked for, but this adapter's buffers hold at most ${this.#maxSize}: split it`,
      );
    }
    this.usedBytes += size;
    this.#peak = Math.max(this.#peak, this.usedBytes);
    return this.#take(size, idleAfter) ?? this.#create(size);
  }

  /** Gives a buffer back. Commands already recorded keep their order, so it may be lent again at once. */
  release(buffer: PooledBuffer): void {
    this.usedBytes -= buffer.size;
    buffer.lastUse = Math.max(buffer.lastUse, this.#submitted);
    const list = this.#free.get(buffer.size);
    if (list) list.push(buffer);
    else this.#free.set(buffer.size, [buffer]);
  }

  /** Batches up to `submitted` have been submitted. True when buffers were destroyed since the last call. */
  advance(submitted: number): boolean {
    this.#submitted = submitted;
    if (submitted >= this.#periodEnd) this.#endPeriod();
    const destroyed = this.#destroyed;
    this.#destroyed = false;
    return destroyed;
  }

  /**
   * Of all that fit the oldest: whatever order they came back in, a step like the one before gets the same buffers, and
   * finds the same bind groups.
   */
  #take(size: number, idleAfter: number): PooledBuffer | null {
    const list = this.#free.get(size) ?? [];
    let oldest: PooledBuffer | null = null;
    for (const buffer of list) {
      if (buffer.lastUse <= idleAfter && (!oldest || buffer.id < oldest.id)) oldest = buffer;
    }
    if (oldest) list.splice(list.indexOf(oldest), 1);
    return oldest;
  }

  #create(size: number): PooledBuffer {
    const missed = this.#missed.get(size) ?? 0;
    if (missed > 0) {
      this.#missed.set(size, missed - 1);
      this.#allowance += size;
    }
    this.#makeRoom(size);
    this.allocatedBytes += size;
    this.created++;
    // Uniform: hyper-parameters of optimizers are tensors, too.
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const device = this.#device;
    const gpu = device.createBuffer({ size, usage });
    return { id: this.#nextId++, gpu, device, size, lastUse: 0, destroyed: false };
  }

  #makeRoom(size: number): void {
    const allowed = Math.max(LEAST, ROOM * Math.max(this.#peak, this.#peakBefore)) + this.#allowance;
    let over = this.allocatedBytes + size - allowed;
    if (over <= 0) return;
    const idle = [...this.#free.values()].flat().filter(({ lastUse }) => lastUse <= this.#submitted);
    for (const buffer of idle.sort((a, b) => a.lastUse - b.lastUse)) {
      if (over <= 0) break;
      over -= buffer.size;
      this.#missed.set(buffer.size, (this.#missed.get(buffer.size) ?? 0) + 1);
      this.#destroy(buffer);
    }
  }

  #endPeriod(): void {
    const unusedSince = this.#submitted - 2 * PERIOD;
    for (const buffer of [...this.#free.values()].flat()) {
      if (buffer.lastUse >= unusedSince) continue;
      this.#allowance = Math.max(0, this.#allowance - buffer.size);
      this.#destroy(buffer);
    }
    this.#periodEnd = this.#submitted + PERIOD;
    this.#peakBefore = this.#peak;
    this.#peak = this.usedBytes;
    this.#missed.clear();
  }

  #destroy(buffer: PooledBuffer): void {
    const list = this.#free.get(buffer.size) ?? [];
    list.splice(list.indexOf(buffer), 1);
    if (list.length === 0) this.#free.delete(buffer.size);
    this.allocatedBytes -= buffer.size;
    buffer.destroyed = true;
    buffer.gpu.destroy();
    this.#destroyed = true;
  }
}
