// Device memory of a tensor, shared by counting references; and the books that `memory()` reads.
import { context } from "../context.ts";
import { checkOptions, StateError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import { checkDevice, currentDevice } from "../gpu/device.ts";
import type { PooledBuffer } from "../gpu/pool.ts";
import type { Binding } from "../gpu/queue.ts";

/** Where storages get their buffers: the device's pool, or a captured step's own (see capture/recording.ts). */
export interface BufferSource {
  acquire(bytes: number, idleAfter?: number): PooledBuffer;
  release(buffer: PooledBuffer): void;
}

/** What computes the content of a storage when it is asked for. */
export interface Producer {
  run(): void;
  released(): void;
}

export interface StorageOptions {
  /** A buffer that no batch of commands newer than this one uses. */
  readonly idleAfter?: number;
  /** It has no memory before its producer runs. */
  readonly producer?: Producer;
  /** It is a part of another one, which it keeps alive: from byte `offset` (a multiple of 256) on. */
  readonly part?: { readonly of: Storage; readonly offset: number };
}

export class Storage implements Binding {
  readonly device: Device;
  readonly offset: number;
  readonly bytes: number;
  /** Counts writes in place: the tape notices when what it saved has changed since. */
  version = 0;
  #buffer: PooledBuffer | null = null;
  #producer: Producer | null;
  /** Whom the memory goes back to: a source of buffers, or the storage that this is a part of. */
  #owner: BufferSource | Storage | null = null;
  #refs = 1;

  constructor(device: Device, bytes: number, { idleAfter, producer, part }: StorageOptions = {}) {
    this.device = device;
    this.bytes = Math.max(bytes, 4);
    this.offset = part?.offset ?? 0;
    this.#producer = producer ?? null;
    if (part) {
      this.#owner = part.of.retain();
      this.#buffer = part.of.buffer;
    } else if (!producer) this.allocate(idleAfter);
  }

  /** The buffer that holds it; computes its content where that still waits. */
  get buffer(): PooledBuffer {
    this.settle();
    if (!this.#buffer) throw new StateError("[tensor] its content could not be computed, see the error before");
    return this.#buffer;
  }

  /** What its content waits for, or null. */
  get producer(): Producer | null {
    return this.#producer;
  }

  /** Lets its content be computed, if it waits. */
  settle(): void {
    this.#producer?.run();
  }

  /** Gets memory. */
  allocate(idleAfter?: number): void {
    if (this.#buffer) return;
    const { capture } = context;
    const owner = capture?.device === this.device ? capture.buffers : this.device.pool;
    this.#owner = owner;
    this.#buffer = owner.acquire(this.bytes, idleAfter);
    this.#producer = null;
    books.bytes += this.bytes;
    books.peakBytes = Math.max(books.peakBytes, books.bytes);
  }

  /** True while someone other than the asker also holds it. */
  get shared(): boolean {
    return this.#refs > 1;
  }

  retain(): this {
    this.#refs++;
    return this;
  }

  release(): void {
    if (--this.#refs > 0) return;
    if (this.#producer) this.#producer.released();
    if (!this.#buffer) return;
    if (this.#owner instanceof Storage) {
      this.#owner.release();
      return;
    }
    books.bytes -= this.bytes;
    this.#owner?.release(this.#buffer);
  }
}

/** Live tensors (handles), and bytes of live storage; `peakBytes` is the most since the last `resetPeak`. */
export const books = { tensors: 0, bytes: 0, peakBytes: 0 };

/** What `memory` tells. */
export interface MemoryInfo {
  /** Tensor handles that are neither disposed nor collected. */
  readonly tensors: number;
  /** Bytes of storage that live tensors and the tape hold. */
  readonly bytes: number;
  /** The most `bytes` since the start, or since the last `memory({ resetPeak: true })`. */
  readonly peakBytes: number;
  /** Bytes of GPU buffers, lent or waiting in the pool for reuse. */
  readonly pooledBytes: number;
}

/** What is alive on the device now. `resetPeak: true` starts a new peak afterwards. */
export function memory(
  options: {
    /** Start a new `peakBytes` after this answer. Default false. */
    resetPeak?: boolean;
  } = {},
): MemoryInfo {
  checkOptions("memory", options, ["resetPeak"]);
  const info = { ...books, pooledBytes: currentDevice().pool.allocatedBytes };
  if (options.resetPeak) books.peakBytes = books.bytes;
  return info;
}

/**
 * Gives the memory that tensors have left, and the pool keeps for later ones, back to the device, for other programs or a larger
 * buffer. What live tensors, the tape and captured steps hold stays. Nothing else needs it: where the device has no memory left
 * this happens by itself. Default: the device that `init` opened last.
 * @see https://pytorch.org/docs/stable/generated/torch.cuda.empty_cache.html
 */
export function emptyCache(device: Device = currentDevice()): void {
  checkDevice("emptyCache", device);
  device.queue.trim();
}
