// BindGroups: bind groups by layout, buffers and parameters, each made once.
import { DeviceError, LimitError } from "../errors.ts";
import type { Binding, BoundGroup } from "./commands.ts";
import { bindingBytes, type Limits } from "./limits.ts";
import { ParamArena } from "./params.ts";
import type { Pipeline } from "./pipeline.ts";
import type { PooledBuffer } from "./pool.ts";

/** A pool in a steady state needs a few hundred; far more means shapes that keep changing: then the cache starts afresh. */
const MOST = 20_000;

export class BindGroups {
  readonly #device: GPUDevice;
  readonly #params: ParamArena;
  readonly #known = new Map<string, { readonly group: BoundGroup; readonly buffers: readonly PooledBuffer[] }>();
  readonly #limits: Limits;
  /** Bind groups made so far: flat in a steady state. */
  made = 0;

  constructor(device: GPUDevice, limits: Limits) {
    this.#device = device;
    this.#params = new ParamArena(device, () => this.#known.clear());
    this.#limits = limits;
  }

  /** `storages` in the order of the pipeline's bindings; `params` are the words of its `Params` block. `op` names errors. */
  get(
    pipeline: Pipeline,
    storages: readonly Binding[],
    params: ArrayLike<number> | null,
    op: string | undefined,
  ): BoundGroup {
    const slot = params === null || pipeline.params === null ? 0 : this.#params.slot(params);
    let key = `${pipeline.layout.label}|${slot}`;
    const most = bindingBytes(this.#limits);
    for (const { buffer, offset, bytes } of storages) {
      // Ids are unique on a device alone.
      checkDevice(buffer, this.#device, op);
      if (bytes > most) throw tooLarge(op ?? pipeline.key, bytes, most);
      key += `|${buffer.id},${offset},${bytes}`;
    }
    const known = this.#known.get(key);
    if (known) return known.group;
    const group = this.#make(pipeline, storages, slot);
    if (this.#known.size > MOST) this.#known.clear();
    this.#known.set(key, { group, buffers: storages.map(({ buffer }) => buffer) });
    return group;
  }

  /** Forgets those of buffers that the pool has destroyed. */
  dropDestroyed(): void {
    for (const [key, { buffers }] of this.#known) {
      if (buffers.some((buffer) => buffer.destroyed)) this.#known.delete(key);
    }
  }

  #make(pipeline: Pipeline, storages: readonly Binding[], slot: number): BoundGroup {
    const { bindings, layout, key: label, params } = pipeline;
    if (storages.length !== bindings.length) {
      throw new DeviceError(`[${label}] takes ${bindings.length} buffers, got ${storages.length}`);
    }
    const block = params === null ? null : { binding: params, resource: this.#params.block(slot) };
    this.made++;
    let group: GPUBindGroup | null = null;
    return {
      get: () => {
        if (group) return group;
        // Whole vectors of four words: a pooled buffer is at least that large, and what lies past the tensor is nobody's.
        const entries: GPUBindGroupEntry[] = storages.map(({ buffer, offset, bytes }, i) => ({
          binding: bindings[i] ?? i,
          resource: { buffer: buffer.gpu, offset, size: Math.ceil(bytes / 16) * 16 },
        }));
        if (block) entries.push(block);
        group = this.#device.createBindGroup({ label, layout, entries });
        return group;
      },
    };
  }
}

const tooLarge = (op: string, bytes: number, most: number): LimitError =>
  new LimitError(
    `[${op}] works on ${bytes} bytes at once, but this adapter binds at most ${most} (maxStorageBufferBindingSize) and the operation cannot be divided any further: use a smaller batch or tensor, or divide it with split()`,
  );

/** Throws for a buffer of another device. */
export function checkDevice({ device }: PooledBuffer, expected: GPUDevice, op = "device"): void {
  if (device === expected) return;
  throw new DeviceError(
    `[${op}] uses memory of two devices: tensors of an earlier init() cannot be mixed with new ones`,
  );
}
