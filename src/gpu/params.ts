// Uniform blocks by content: a params block that was used before is already on the device, so a steady step writes none.

const ARENA_BYTES = 256 * 1024;
/** The largest params block a kernel may declare. */
export const PARAM_BYTES = 256;

export class ParamArena {
  readonly #device: GPUDevice;
  readonly #onNewArena: () => void;
  readonly #align: number;
  #buffer: GPUBuffer;
  #used = 0;
  #slots = new Map<string, number>();

  constructor(device: GPUDevice, onNewArena: () => void) {
    this.#device = device;
    this.#onNewArena = onNewArena;
    this.#align = Math.max(16, device.limits.minUniformBufferOffsetAlignment);
    this.#buffer = this.#create();
  }

  /** What a bind group binds for the block in a slot of the present arena. */
  block(slot: number): GPUBufferBinding {
    return { buffer: this.#buffer, offset: slot, size: PARAM_BYTES };
  }

  #create(): GPUBuffer {
    return this.#device.createBuffer({ size: ARENA_BYTES, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  }

  /**
   * Where the block with these words stands, in bytes. A slot is written once, before any command can read it, and never
   * again; a full arena is left to the bind groups that still refer to it, and a new one begins.
   */
  slot(words: readonly number[]): number {
    const key = words.join();
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    if (this.#used + PARAM_BYTES > ARENA_BYTES) {
      this.#buffer = this.#create();
      this.#used = 0;
      this.#slots = new Map();
      this.#onNewArena();
    }
    const offset = this.#used;
    const data = Uint32Array.from(words, (w) => w >>> 0);
    this.#used += Math.ceil(Math.max(data.byteLength, 1) / this.#align) * this.#align;
    this.#slots.set(key, offset);
    this.#device.queue.writeBuffer(this.#buffer, offset, data);
    return offset;
  }
}
