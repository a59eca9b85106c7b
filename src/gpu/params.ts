// Uniform blocks by content: a params block that was used before is already on the device, so a steady step writes none.

const ARENA_BYTES = 256 * 1024;
/** The largest params block a kernel may declare. */
export const PARAM_BYTES = 256;

interface Block {
  readonly words: Uint32Array;
  readonly offset: number;
}

export class ParamArena {
  readonly #device: GPUDevice;
  readonly #onNewArena: () => void;
  readonly #align: number;
  #buffer: GPUBuffer;
  #used = 0;
  /** By a hash of the words. */
  #blocks = new Map<number, Block[]>();

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
  slot(given: ArrayLike<number>): number {
    const hash = hashOf(given);
    const known = this.#blocks.get(hash)?.find(({ words }) => sameWords(words, given));
    if (known) return known.offset;
    if (this.#used + PARAM_BYTES > ARENA_BYTES) {
      this.#buffer = this.#create();
      this.#used = 0;
      this.#blocks = new Map();
      this.#onNewArena();
    }
    const offset = this.#used;
    const words = Uint32Array.from(given);
    this.#used += Math.ceil(Math.max(words.byteLength, 1) / this.#align) * this.#align;
    const list = this.#blocks.get(hash);
    if (list) list.push({ words, offset });
    else this.#blocks.set(hash, [{ words, offset }]);
    this.#device.queue.writeBuffer(this.#buffer, offset, words);
    return offset;
  }
}

function hashOf(words: ArrayLike<number>): number {
  let hash = words.length;
  for (let i = 0; i < words.length; i++) {
    hash = Math.imul(hash ^ (words[i] ?? 0), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}

function sameWords(a: Uint32Array, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== (b[i] ?? 0) >>> 0) return false;
  return true;
}
