// Device memory of a tensor, shared by counting references; and the books that `memory()` reads.
import { context } from "../context.ts";
import type { Device } from "../gpu/device.ts";
import { currentDevice } from "../gpu/device.ts";
import type { PooledBuffer } from "../gpu/pool.ts";
import type { Binding } from "../gpu/queue.ts";

/** Where storages get their buffers: the device's pool, or a captured step's own (see capture/recording.ts). */
export interface BufferSource {
  acquire(bytes: number, idleAfter?: number): PooledBuffer;
  release(buffer: PooledBuffer): void;
}

export class Storage implements Binding {
  readonly device: Device;
  readonly buffer: PooledBuffer;
  readonly offset: number;
  readonly bytes: number;
  /** Counts writes in place: the tape notices when what it saved has changed since. */
  version = 0;
  /** Whom the memory goes back to: a source of buffers, or the storage that this is a part of. */
  readonly #owner: BufferSource | Storage;
  #refs = 1;

  /** With `whole`: a part of it from byte `offset` (a multiple of 256) on, which keeps all of it alive. */
  constructor(device: Device, bytes: number, idleAfter?: number, whole?: Storage, offset = 0) {
    this.device = device;
    this.bytes = Math.max(bytes, 4);
    this.offset = offset;
    if (whole) {
      this.#owner = whole.retain();
      this.buffer = whole.buffer;
      return;
    }
    const { capture } = context;
    this.#owner = capture?.device === device ? capture.buffers : device.pool;
    this.buffer = this.#owner.acquire(this.bytes, idleAfter);
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
    if (this.#owner instanceof Storage) {
      this.#owner.release();
      return;
    }
    books.bytes -= this.bytes;
    this.#owner.release(this.buffer);
  }
}

/** Live tensors (handles), and bytes of live storage; `peakBytes` is the most since the last `resetPeak`. */
export const books = { tensors: 0, bytes: 0, peakBytes: 0 };

export interface MemoryInfo {
  /** Tensor handles that are neither disposed nor collected. */
  readonly tensors: number;
  /** Bytes of storage that live tensors and the tape hold. */
  readonly bytes: number;
  readonly peakBytes: number;
  /** Bytes of GPU buffers, lent or waiting in the pool for reuse. */
  readonly pooledBytes: number;
}

/** What is alive on the device now. `resetPeak: true` starts a new peak afterwards. */
export function memory(options: { resetPeak?: boolean } = {}): MemoryInfo {
  const info = { ...books, pooledBytes: currentDevice().pool.allocatedBytes };
  if (options.resetPeak) books.peakBytes = books.bytes;
  return info;
}
