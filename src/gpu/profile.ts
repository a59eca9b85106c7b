// Device time per kernel, from timestamp queries: one pass a dispatch while a profiler is attached.
import type { DispatchCommand } from "./commands.ts";
import type { GlobalType } from "./global-type.ts";

const MAX_QUERIES = 4096;

export interface KernelTime {
  readonly kernel: string;
  readonly op: string;
  /** Nanoseconds on the device. */
  readonly ns: number;
  /** When it began, in nanoseconds after the first. */
  readonly start: number;
}

/** A GPUComputePassDescriptor with the timestamps that the profiler asks for. */
interface TimedPass {
  readonly timestampWrites: {
    readonly querySet: GlobalType<"GPUQuerySet">;
    readonly beginningOfPassWriteIndex: number;
    readonly endOfPassWriteIndex: number;
  };
}

export class Profiler {
  readonly #device: GPUDevice;
  readonly #set: GPUQuerySet;
  readonly #labels: { kernel: string; op: string }[] = [];
  readonly #reads: { resolved: GPUBuffer; buffer: GPUBuffer; labels: { kernel: string; op: string }[] }[] = [];

  constructor(device: GlobalType<"GPUDevice">) {
    this.#device = device;
    this.#set = device.createQuerySet({ type: "timestamp", count: MAX_QUERIES });
  }

  /** The pass descriptor that times this dispatch. */
  pass(command: DispatchCommand): TimedPass {
    const index = this.#labels.length * 2;
    this.#labels.push({ kernel: command.pipeline.key, op: command.origin?.name ?? "" });
    if (index + 1 >= MAX_QUERIES) throw new RangeError("more dispatches in one batch than the profiler has queries");
    return {
      timestampWrites: { querySet: this.#set, beginningOfPassWriteIndex: index, endOfPassWriteIndex: index + 1 },
    };
  }

  /** Ends a batch: copies its timestamps out. */
  resolve(encoder: GlobalType<"GPUCommandEncoder">): void {
    const labels = this.#labels.splice(0);
    if (labels.length === 0) return;
    const size = labels.length * 16;
    const resolved = this.#device.createBuffer({ size, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    const buffer = this.#device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    encoder.resolveQuerySet(this.#set, 0, labels.length * 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, buffer, 0, size);
    this.#reads.push({ resolved, buffer, labels });
  }

  /** The times of everything submitted since the last call. */
  async times(): Promise<KernelTime[]> {
    const out: KernelTime[] = [];
    let first: bigint | null = null;
    for (const { resolved, buffer, labels } of this.#reads.splice(0)) {
      await buffer.mapAsync(GPUMapMode.READ);
      const stamps = new BigUint64Array(buffer.getMappedRange());
      for (const [i, label] of labels.entries()) {
        const [begin = 0n, end = 0n] = stamps.subarray(2 * i, 2 * i + 2);
        first ??= begin;
        out.push({ ...label, ns: Number(end - begin), start: Number(begin - first) });
      }
      for (const done of [resolved, buffer]) done.destroy();
    }
    return out;
  }

  destroy(): void {
    this.#set.destroy();
  }
}
