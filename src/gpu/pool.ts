// GPU buffers by size class: released buffers serve later requests, so that a steady step allocates nothing, and go back to
// the device when none comes.
import { LimitError, OutOfMemoryError } from "../errors.ts";
import type { GlobalType } from "./global-type.ts";

/** A pooled GPU buffer. */
export interface PooledBuffer {
  /** Names it in bind-group keys. Never given again. */
  readonly id: number;
  /** Another one after a second try to allocate it. */
  gpu: GlobalType<"GPUBuffer">;
  /** Where it lives: one of another device is refused. */
  readonly device: GlobalType<"GPUDevice">;
  readonly size: number;
  /** The newest recorded command batch that uses it; of a free one, no older than its release. */
  lastUse: number;
  /** It was free for long, or could not be allocated, and is of no use any more. */
  destroyed?: boolean;
  /** The device had no memory for it, also after all that was idle went back. */
  failed?: OutOfMemoryError;
}

/** From so many bytes on the device is asked whether it had them; smaller buffers come out of what a platform holds already. */
const ASKED = 2 ** 20;

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
  /** Resolves when the device has said of all buffers made so far whether it has them; null where nobody has to wait. */
  checking: Promise<void> | null = null;
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

  /** Throws for more bytes than one buffer holds; also by whoever asks for them only later. */
  checkSize(bytes: number): void {
    if (bytes <= this.#maxSize) return;
    throw new LimitError(
      `[memory] a tensor of ${bytes} bytes was asked for, but this adapter's buffers hold at most ${this.#maxSize}: split it`,
    );
  }

  /** A buffer of at least `bytes`. With `idleAfter`, only one that no batch newer than that uses (safe to write now). */
  acquire(bytes: number, idleAfter = Number.POSITIVE_INFINITY): PooledBuffer {
    this.checkSize(bytes);
    const size = Math.min(sizeClass(bytes), this.#maxSize);
    this.usedBytes += size;
    this.#peak = Math.max(this.#peak, this.usedBytes);
    return this.#take(size, idleAfter) ?? this.#create(size);
  }

  /** Gives a buffer back. Commands already recorded keep their order, so it may be lent again at once. */
  release(buffer: PooledBuffer): void {
    this.usedBytes -= buffer.size;
    if (buffer.failed) return;
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
    return this.make(size, usage, () => {
      this.allocatedBytes -= size;
    });
  }

  /**
   * A buffer of its own, for whatever use. Where the device has no memory for it, all idle buffers go back and it is asked once
   * more; where that fails, too, `failed` is set and `onFailure` called. Either is known when `checking` resolves.
   */
  make(size: number, usage: number, onFailure = () => {}): PooledBuffer {
    const device = this.#device;
    if (size < ASKED) {
      const gpu = device.createBuffer({ size, usage });
      return { id: this.#nextId++, gpu, device, size, lastUse: 0, destroyed: false };
    }
    const [gpu, problem] = this.#ask(size, usage);
    const buffer: PooledBuffer = { id: this.#nextId++, gpu, device, size, lastUse: 0, destroyed: false };
    const checking = Promise.all([
      this.checking,
      problem.then((error) => error && this.#retry(buffer, usage, onFailure)),
    ]).then(() => {
      if (this.checking === checking) this.checking = null;
    });
    this.checking = checking;
    return buffer;
  }

  /** A new buffer, and what the device says of it: null where it has the memory. */
  #ask(size: number, usage: GPUBufferUsageFlags): [GPUBuffer, Promise<GPUError | null>] {
    const device = this.#device;
    device.pushErrorScope("out-of-memory");
    const gpu = device.createBuffer({ size, usage });
    // A lost device tells whoever uses it.
    return [gpu, device.popErrorScope().catch(() => null)];
  }

  async #retry(buffer: PooledBuffer, usage: GPUBufferUsageFlags, onFailure: () => void): Promise<void> {
    const { size } = buffer;
    this.trim();
    // Memory of destroyed buffers comes back when the device is done with them.
    await this.#device.queue.onSubmittedWorkDone().catch(() => {});
    const [gpu, problem] = this.#ask(size, usage);
    const error = await problem;
    if (!error) {
      buffer.gpu = gpu;
      return;
    }
    buffer.destroyed = true;
    this.#destroyed = true;
    onFailure();
    buffer.failed = new OutOfMemoryError(
      `[memory] the device has no memory for a buffer of ${size} bytes beside the ${this.allocatedBytes} that are in use: dispose what is not needed, or use a smaller batch`,
      { cause: error },
    );
  }

  /** Gives all free buffers back to the device, but for those that recorded commands have yet to use. */
  trim(): void {
    for (const buffer of [...this.#free.values()].flat()) {
      if (buffer.lastUse <= this.#submitted) this.#destroy(buffer);
    }
    this.#allowance = 0;
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
