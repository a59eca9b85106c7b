// PrivatePool: the buffers of one recording, used again within the step and given to nobody else while it may be replayed.
import type { Device } from "../gpu/device.ts";
import { type PooledBuffer, sizeClass } from "../gpu/pool.ts";
import type { BufferSource } from "../tensor/storage.ts";

export class PrivatePool implements BufferSource {
  readonly #device: Device;
  readonly #free = new Map<number, PooledBuffer[]>();
  #retired = false;

  constructor(device: Device) {
    this.#device = device;
  }

  acquire(bytes: number, idleAfter = Number.POSITIVE_INFINITY): PooledBuffer {
    const list = this.#free.get(sizeClass(bytes));
    const at = list?.findLastIndex((b) => b.lastUse <= idleAfter) ?? -1;
    const [found] = at >= 0 && list ? list.splice(at, 1) : [];
    return found ?? this.#device.pool.acquire(bytes, idleAfter);
  }

  release(buffer: PooledBuffer): void {
    if (this.#retired) {
      this.#device.pool.release(buffer);
      return;
    }
    const list = this.#free.get(buffer.size);
    if (list) list.push(buffer);
    else this.#free.set(buffer.size, [buffer]);
  }

  /** The recording is over with: what is free now or later goes back to the device. */
  retire(): void {
    this.#retired = true;
    for (const list of this.#free.values()) for (const buffer of list) this.#device.pool.release(buffer);
    this.#free.clear();
  }
}
