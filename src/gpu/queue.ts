// Records dispatches, writes and copies in program order and submits them in batches: one encoder and one pass for many.
import { context, within } from "../context.ts";
import { DeviceError, LimitError, OutOfMemoryError, type WgradError } from "../errors.ts";
import { FAULT_BYTES, faultIn } from "./faults.ts";
import { ParamArena } from "./params.ts";
import type { Pipeline, PipelineCache, Shader } from "./pipeline.ts";
import type { BufferPool, PooledBuffer } from "./pool.ts";
import type { Profiler } from "./profile.ts";

/** A range of a pooled buffer, in bytes; `offset` is a multiple of 256. */
export interface Binding {
  readonly buffer: PooledBuffer;
  readonly offset: number;
  readonly bytes: number;
}

export type Grid = readonly [x: number, y?: number, z?: number];

export interface DispatchCommand {
  readonly kind: "dispatch";
  readonly pipeline: Pipeline;
  readonly bindGroup: GPUBindGroup;
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** The op on whose behalf it runs, for error messages and profiles. */
  readonly origin: Origin | null;
  readonly buffers: readonly PooledBuffer[];
}
export interface WriteCommand {
  readonly kind: "write";
  readonly buffer: PooledBuffer;
  readonly offset: number;
  readonly data: ArrayBufferView<ArrayBuffer>;
}
export interface CopyCommand {
  readonly kind: "copy";
  readonly from: Binding;
  readonly to: Binding;
}
export interface ClearCommand {
  readonly kind: "clear";
  readonly range: Binding;
}
export type Command = DispatchCommand | WriteCommand | CopyCommand | ClearCommand;

/** Commands to be replayed, and the buffers that they use. */
export interface Program {
  readonly commands: readonly Command[];
  readonly buffers: readonly PooledBuffer[];
}

function buffersOf(command: Command): readonly PooledBuffer[] {
  switch (command.kind) {
    case "dispatch":
      return command.buffers;
    case "clear":
      return [command.range.buffer];
    case "write":
      return [command.buffer];
    case "copy":
      return [command.from.buffer, command.to.buffer];
  }
}

export const programOf = (commands: readonly Command[]): Program => ({
  commands,
  buffers: [...new Set(commands.flatMap(buffersOf))],
});

/** What `apply` knows of a running op: enough to name it when the device reports an error later. */
export interface Origin {
  readonly name: string;
  readonly inputs: readonly ({ readonly shape: readonly number[]; readonly dtype: string } | null)[];
}

/** Commands per submission: enough to make encoding cheap, few enough for the device to start before the host is done. */
const BATCH = 128;

export class Queue {
  readonly #device: GPUDevice;
  readonly #pipelines: PipelineCache;
  readonly #params: ParamArena;
  readonly pool: BufferPool;
  readonly #bindGroups = new Map<string, { readonly group: GPUBindGroup; readonly buffers: readonly PooledBuffer[] }>();
  readonly #maxBinding: number;
  readonly #maxGrid: number;
  #pending: Command[] = [];
  /** The chain of batches that still wait for pipelines, or null when everything recorded earlier is submitted. */
  #waiting: Promise<void> | null = null;
  #batch = 1;
  #submitted = 0;
  #completed = 0;
  /** Of each submission that is not finished, oldest first: resolves when it is. */
  readonly #unfinished = new Map<number, Promise<void>>();
  #failure: WgradError | null = null;
  #faults: PooledBuffer | null = null;
  profiler: Profiler | null = null;
  /** Counters for benchmarks and tests. */
  readonly stats = { dispatches: 0, submits: 0, bindGroups: 0, writes: 0 };

  constructor(device: GPUDevice, pipelines: PipelineCache, pool: BufferPool) {
    this.#device = device;
    this.#pipelines = pipelines;
    this.pool = pool;
    this.#params = new ParamArena(device, () => this.#bindGroups.clear());
    this.#maxBinding = device.limits.maxStorageBufferBindingSize;
    this.#maxGrid = device.limits.maxComputeWorkgroupsPerDimension;
  }

  /** Batches up to this one are submitted: a buffer whose `lastUse` is not newer may be written at once. */
  get submittedBatch(): number {
    return this.#batch - 1;
  }

  /** Where kernels report bad input (see faults.ts). Made, empty, at the first request. */
  get faults(): Binding {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    // Not from the pool: no recording may own it.
    this.#faults ??= {
      id: -3,
      gpu: this.#device.createBuffer({ size: FAULT_BYTES, usage }),
      size: FAULT_BYTES,
      lastUse: 0,
    };
    return { buffer: this.#faults, offset: 0, bytes: FAULT_BYTES };
  }

  /**
   * Records one kernel launch. `storages` in binding order; `params` are the words of the WGSL `Params` block; `grid` counts
   * workgroups. See `Kernel.launch`, which takes them by name.
   */
  dispatch(shader: Shader, storages: readonly Binding[], params: ArrayLike<number> | null, grid: Grid): void {
    const pipeline = this.#pipelines.get(shader);
    const [x, y = 1, z = 1] = grid;
    if (x === 0 || y === 0 || z === 0) return;
    if (x > this.#maxGrid || y > this.#maxGrid || z > this.#maxGrid) {
      throw new LimitError(
        `[${context.origin?.name ?? shader.key}] needs a grid of ${x} x ${y} x ${z} workgroups, but this adapter allows ${this.#maxGrid} a dimension: use smaller tensors`,
      );
    }
    const bindGroup = this.#bindGroup(
      pipeline,
      storages,
      params === null || pipeline.params === null ? 0 : this.#params.slot(params),
    );
    const buffers = storages.map((s) => s.buffer);
    for (const buffer of buffers) buffer.lastUse = this.#batch;
    this.#record({ kind: "dispatch", pipeline, bindGroup, x, y, z, origin: context.origin, buffers });
  }

  /** Writes host data into a buffer, after everything recorded so far. The data is copied by then, not now. */
  write(buffer: PooledBuffer, data: ArrayBufferView<ArrayBuffer>, offset = 0): void {
    context.pending?.run();
    this.stats.writes++;
    if (buffer.lastUse <= this.submittedBatch && this.#waiting === null && !this.#capture) {
      this.#device.queue.writeBuffer(buffer.gpu, offset, data.buffer, data.byteOffset, data.byteLength);
      return;
    }
    buffer.lastUse = this.#batch;
    this.#record({ kind: "write", buffer, offset, data });
  }

  /** Copies between buffers, a multiple of four bytes. */
  copy(from: Binding, to: Binding): void {
    context.pending?.run();
    from.buffer.lastUse = this.#batch;
    to.buffer.lastUse = this.#batch;
    this.#record({ kind: "copy", from, to });
  }

  /** Fills a range with zero bytes. */
  clear(range: Binding): void {
    context.pending?.run();
    range.buffer.lastUse = this.#batch;
    this.#record({ kind: "clear", range });
  }

  /** Records a captured step's commands again, and submits them with what is recorded so far. */
  replay({ commands, buffers }: Program): void {
    context.pending?.run();
    this.#throwFailure();
    for (const buffer of buffers) buffer.lastUse = this.#batch;
    const before = this.#pending;
    this.#pending = [];
    this.#enqueue([...before, ...commands]);
  }

  /** The capture in progress, if it is of this device. */
  get #capture() {
    const { capture } = context;
    return capture && capture.device.queue === this ? capture : null;
  }

  #record(command: Command): void {
    this.#throwFailure();
    this.#capture?.commands.push(command);
    this.#pending.push(command);
    if (this.#pending.length >= BATCH) this.flush();
  }

  #bindGroup(pipeline: Pipeline, storages: readonly Binding[], slot: number): GPUBindGroup {
    let key = `${pipeline.layout.label}|${slot}`;
    for (const s of storages) key += `|${s.buffer.id},${s.offset},${s.bytes}`;
    const known = this.#bindGroups.get(key);
    if (known) return known.group;
    if (storages.length !== pipeline.bindings.length) {
      throw new DeviceError(`[${pipeline.key}] takes ${pipeline.bindings.length} buffers, got ${storages.length}`);
    }
    const entries: GPUBindGroupEntry[] = storages.map(({ buffer, offset, bytes }, i) => {
      if (bytes > this.#maxBinding) {
        throw new LimitError(
          `[${context.origin?.name ?? pipeline.key}] binds ${bytes} bytes, but this adapter allows ${this.#maxBinding}: split the tensor`,
        );
      }
      // Whole vectors of four words: a pooled buffer is at least that large, and what lies past the tensor is nobody's.
      return {
        binding: pipeline.bindings[i]!,
        resource: { buffer: buffer.gpu, offset, size: Math.ceil(bytes / 16) * 16 },
      };
    });
    if (pipeline.params !== null) entries.push({ binding: pipeline.params, resource: this.#params.block(slot) });
    const group = this.#device.createBindGroup({ label: pipeline.key, layout: pipeline.layout, entries });
    this.stats.bindGroups++;
    // A pool in a steady state needs a few hundred; far more means shapes that keep changing: start afresh.
    if (this.#bindGroups.size > 20_000) this.#bindGroups.clear();
    this.#bindGroups.set(key, { group, buffers: storages.map(({ buffer }) => buffer) });
    return group;
  }

  /** Submits what is recorded. Batches wait in order for pipelines that are still compiling; the host does not. */
  flush(): void {
    if (this.#pending.length === 0) return;
    const batch = this.#pending;
    this.#pending = [];
    this.#enqueue(batch);
  }

  #enqueue(batch: readonly Command[]): void {
    this.#batch++;
    const compiling = batch.filter((c) => c.kind === "dispatch" && !c.pipeline.gpu);
    if (this.#waiting === null && compiling.length === 0) {
      this.#submit(batch);
      this.#advancePool();
      return;
    }
    const waiting = (this.#waiting ?? Promise.resolve())
      .then(() => Promise.all(compiling.map((c) => (c.kind === "dispatch" ? c.pipeline.compiled : undefined))))
      .then(() => {
        if (!this.#failure) this.#submit(batch);
      })
      .catch((error: unknown) => this.#fail(error, batch))
      .then(() => {
        if (this.#waiting !== waiting) return;
        this.#waiting = null;
        this.#advancePool();
      });
    this.#waiting = waiting;
  }

  /** When all batches so far are submitted. Bind groups of buffers that the pool destroys are dropped. */
  #advancePool(): void {
    if (!this.pool.advance(this.submittedBatch)) return;
    for (const [key, { buffers }] of this.#bindGroups) {
      if (buffers.some((buffer) => buffer.destroyed)) this.#bindGroups.delete(key);
    }
  }

  #submit(batch: readonly Command[]): void {
    const device = this.#device;
    device.pushErrorScope("validation");
    device.pushErrorScope("out-of-memory");
    device.pushErrorScope("internal");
    let encoder = device.createCommandEncoder();
    let pass: GPUComputePassEncoder | null = null;
    let pipeline: GPUComputePipeline | null = null;
    const profiler = this.profiler;
    for (const command of batch) {
      if (command.kind === "dispatch") {
        if (profiler) {
          pass?.end();
          pass = encoder.beginComputePass(profiler.pass(command));
          pipeline = null;
        } else pass ??= encoder.beginComputePass();
        if (command.pipeline.gpu !== pipeline) {
          pipeline = command.pipeline.gpu!;
          pass.setPipeline(pipeline);
        }
        pass.setBindGroup(0, command.bindGroup);
        pass.dispatchWorkgroups(command.x, command.y, command.z);
        this.stats.dispatches++;
        continue;
      }
      pass?.end();
      pass = null;
      pipeline = null;
      if (command.kind === "copy") {
        const { from, to } = command;
        encoder.copyBufferToBuffer(
          from.buffer.gpu,
          from.offset,
          to.buffer.gpu,
          to.offset,
          Math.ceil(from.bytes / 4) * 4,
        );
      } else if (command.kind === "clear") {
        const { buffer, offset, bytes } = command.range;
        encoder.clearBuffer(buffer.gpu, offset, Math.ceil(bytes / 4) * 4);
      } else {
        // writeBuffer takes effect before commands that are submitted later: what was encoded so far must go first.
        device.queue.submit([encoder.finish()]);
        this.stats.submits++;
        encoder = device.createCommandEncoder();
        const { data } = command;
        device.queue.writeBuffer(command.buffer.gpu, command.offset, data.buffer, data.byteOffset, data.byteLength);
      }
    }
    pass?.end();
    profiler?.resolve(encoder);
    device.queue.submit([encoder.finish()]);
    this.stats.submits++;
    const number = ++this.#submitted;
    const errors = [device.popErrorScope(), device.popErrorScope(), device.popErrorScope()];
    for (const scope of errors) {
      scope.then(
        (error) => error && this.#fail(error, batch),
        () => {},
      );
    }
    // It also settles when the device is lost.
    const finished = () => {
      this.#completed = Math.max(this.#completed, number);
      this.#unfinished.delete(number);
    };
    this.#unfinished.set(number, device.queue.onSubmittedWorkDone().then(finished, finished));
  }

  #fail(error: unknown, batch: readonly Command[]): void {
    if (this.#failure) return;
    const text = error instanceof Error || error instanceof GPUError ? error.message : String(error);
    const suspects = batch.filter((c): c is DispatchCommand => c.kind === "dispatch" && text.includes(c.pipeline.key));
    const culprit = suspects[0] ?? (batch.length === 1 && batch[0]!.kind === "dispatch" ? batch[0]! : null);
    const origin = culprit?.origin;
    const where = origin
      ? `[${origin.name}] on ${origin.inputs.map((t) => (t ? `${t.dtype} [${t.shape.join(", ")}]` : "null")).join(", ")}`
      : "[device]";
    const Kind = error instanceof GPUOutOfMemoryError ? OutOfMemoryError : DeviceError;
    this.#failure = new Kind(`${where}: ${text}`, { cause: error });
  }

  /** Ends the queue's use: later commands and reads throw `reason`. */
  close(reason: DeviceError): void {
    this.#failure ??= reason;
    // What waits for it would be refused, and whoever works on another device would be told.
    if (context.pending?.device.queue === this) context.pending = null;
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure;
  }

  /**
   * Resolves when at most `inFlight` submitted batches are unfinished (0: all done). Rejects with a reported error; with
   * 0 also with a fault that a kernel reported.
   */
  async idle(inFlight = 0): Promise<void> {
    context.pending?.run();
    this.flush();
    if (this.#waiting) await this.#waiting;
    this.#throwFailure();
    while (this.#submitted - this.#completed > inFlight) {
      // The oldest: waiting for the newest would drain the device.
      const [oldest] = this.#unfinished.values();
      await oldest;
      this.#throwFailure();
    }
    this.#throwFailure();
    if (inFlight === 0 && this.#faults) await this.#fetch(null);
  }

  /** Copies bytes back to the host. Rejects with a fault that a kernel reported up to here, and forgets it. */
  async read(from: Binding): Promise<ArrayBuffer> {
    this.#throwFailure();
    return from.bytes === 0 ? new ArrayBuffer(0) : this.#fetch(from);
  }

  async #fetch(from: Binding | null): Promise<ArrayBuffer> {
    const bytes = from?.bytes ?? 0;
    const faults = this.#faults && this.faults;
    const at = Math.ceil(bytes / 4) * 4;
    const size = at + (faults ? FAULT_BYTES : 0);
    const staging = this.#device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    // The source may be released and lent again before the batch is submitted; order keeps the copy right all the same.
    const target: PooledBuffer = { id: -1, gpu: staging, size, lastUse: 0 };
    // A read is not part of a captured step.
    within({ capture: null }, () => {
      if (from) this.copy(from, { buffer: target, offset: 0, bytes: at });
      if (faults) this.copy(faults, { buffer: target, offset: at, bytes: FAULT_BYTES });
    });
    this.flush();
    if (this.#waiting) await this.#waiting;
    this.#throwFailure();
    let data: ArrayBuffer;
    try {
      await staging.mapAsync(GPUMapMode.READ);
      data = staging.getMappedRange().slice(0);
    } catch (cause) {
      this.#throwFailure();
      throw new DeviceError(`[read] the device did not return the data: ${String(cause)}`, { cause });
    } finally {
      staging.destroy();
    }
    const fault = faults && faultIn(new Int32Array(data, at));
    if (fault) {
      this.write(faults.buffer, new Int32Array(FAULT_BYTES / 4));
      throw fault;
    }
    return faults || at !== bytes ? data.slice(0, bytes) : data;
  }
}

const scratch = new DataView(new ArrayBuffer(4));
/** The bits of a float as a params word. */
export function f32Bits(x: number): number {
  scratch.setFloat32(0, x);
  return scratch.getUint32(0);
}

/** Workgroups for `n` invocations of `size` each, folded into two dimensions where one is too few. */
export function grid1d(n: number, size: number): Grid {
  const groups = Math.ceil(n / size);
  if (groups <= 65_535) return [groups];
  const y = Math.ceil(groups / 65_535);
  return [Math.ceil(groups / y), y];
}
