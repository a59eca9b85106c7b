// Queue: records dispatches, writes and copies in program order, and submits them in batches.
import { context, within } from "../context.ts";
import { DeviceError, KernelError, LimitError, OutOfMemoryError, type WgradError } from "../errors.ts";
import { BindGroups, checkDevice } from "./bind-groups.ts";
import { type Binding, buffersOf, type Command, type DispatchCommand, type Program, whereOf } from "./commands.ts";
import { encode } from "./encode.ts";
import { FAULT_BYTES, faultIn } from "./faults.ts";
import type { GlobalType } from "./global-type.ts";
import type { Grid } from "./grid.ts";
import { gridSize, type Limits } from "./limits.ts";
import type { PipelineCache, Shader } from "./pipeline.ts";
import type { BufferPool, PooledBuffer } from "./pool.ts";
import type { Profiler } from "./profile.ts";

export { type Binding, type Command, type DispatchCommand, type Origin, type Program, programOf } from "./commands.ts";
export { type Grid, grid1d } from "./grid.ts";

/** Commands per submission: enough to make encoding cheap, few enough for the device to start before the host is done. */
const BATCH = 128;

export class Queue {
  readonly #device: GPUDevice;
  readonly #pipelines: PipelineCache;
  readonly #bindGroups: BindGroups;
  readonly pool: BufferPool;
  readonly #limits: Limits;
  #pending: Command[] = [];
  /** The chain of batches that still wait for pipelines, or null when everything recorded earlier is submitted. */
  #waiting: Promise<void> | null = null;
  #batch = 1;
  #submitted = 0;
  #completed = 0;
  /** Of each submission that is not finished, oldest first: resolves when it is. */
  readonly #unfinished = new Map<number, Promise<void>>();
  /** Resolves when the device has said of all submissions whether it took them. */
  #checked: Promise<unknown> = Promise.resolve();
  /** What ended the queue's use. */
  #failure: WgradError | null = null;
  /** The first kernel since the last wait or read that did not compile: it was left out, all else ran. */
  #kernelError: KernelError | null = null;
  /** The first launch since the last wait or read that there was no memory for; what needs its results was left out, too. */
  #memoryError: OutOfMemoryError | null = null;
  /** What commands that were left out for that would have written, until it is told. */
  readonly #unwritten = new Map<PooledBuffer, OutOfMemoryError>();
  /** Where reads in progress get their bytes, with the reason why they will not. */
  readonly #reads = new Map<PooledBuffer, OutOfMemoryError | null>();
  #faults: PooledBuffer | null = null;
  profiler: Profiler | null = null;
  readonly #stats = { dispatches: 0, submits: 0, writes: 0 };

  constructor(device: GlobalType<"GPUDevice">, pipelines: PipelineCache, pool: BufferPool, limits: Limits) {
    this.#device = device;
    this.#pipelines = pipelines;
    this.#bindGroups = new BindGroups(device, limits);
    this.pool = pool;
    this.#limits = limits;
  }

  /** Counters for benchmarks and tests. */
  get stats() {
    return { ...this.#stats, bindGroups: this.#bindGroups.made };
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
      device: this.#device,
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
    const { origin } = context;
    const [x, y = 1, z = 1] = grid;
    if (x === 0 || y === 0 || z === 0) return;
    const most = gridSize(this.#limits);
    if (x > most || y > most || z > most) {
      throw new LimitError(
        `[${origin?.name ?? shader.key}] needs a grid of ${x} x ${y} x ${z} workgroups, but this adapter allows ${most} a dimension: use smaller tensors`,
      );
    }
    const bindGroup = this.#bindGroups.get(pipeline, storages, params, origin?.name);
    const buffers = storages.map((s) => s.buffer);
    for (const buffer of buffers) buffer.lastUse = this.#batch;
    this.#record({ kind: "dispatch", pipeline, bindGroup, x, y, z, origin, buffers });
  }

  /** Writes host data into a buffer, after everything recorded so far. The data is copied. */
  write(buffer: PooledBuffer, data: ArrayBufferView<ArrayBuffer>, offset = 0): void {
    context.pending?.run();
    this.#throwFailure();
    this.#stats.writes++;
    const { checking } = this.pool;
    if (buffer.lastUse <= this.submittedBatch && this.#waiting === null && checking === null && !this.#capture) {
      this.#device.queue.writeBuffer(buffer.gpu, offset, data.buffer, data.byteOffset, data.byteLength);
      return;
    }
    buffer.lastUse = this.#batch;
    // The caller may use the array for the next batch.
    const bytes = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
    this.#record({ kind: "write", buffer, offset, data: new Uint8Array(bytes) });
  }

  /** Copies between buffers, a multiple of four bytes. */
  copy(from: Binding, to: Binding): void {
    context.pending?.run();
    checkDevice(from.buffer, this.#device, context.origin?.name);
    checkDevice(to.buffer, this.#device, context.origin?.name);
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

  /** The capture in progress. Throws where it is of another device: it could not replay what is recorded here. */
  get #capture() {
    const { capture } = context;
    if (capture && capture.device.queue !== this) {
      throw new DeviceError(
        "[capture] the step works on two devices: that of its inputs, and another. Create tensors with { device: input.device }",
      );
    }
    return capture;
  }

  #record(command: Command): void {
    this.#throwFailure();
    this.#capture?.commands.push(command);
    this.#pending.push(command);
    if (this.#pending.length >= BATCH) this.flush();
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
    const { checking } = this.pool;
    const compiling: Promise<void>[] = checking ? [checking] : [];
    for (const command of batch) {
      if (command.kind === "dispatch" && command.pipeline.compiling) compiling.push(command.pipeline.compiling);
    }
    if (this.#waiting === null && compiling.length === 0) {
      this.#submit(batch);
      this.#advancePool();
      return;
    }
    const waiting = (this.#waiting ?? Promise.resolve())
      .then(() => Promise.all(compiling))
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

  /** Gives back to the device what the pool holds and no tensor uses. */
  trim(): void {
    context.pending?.run();
    this.flush();
    this.pool.trim();
    this.#advancePool();
  }

  /** When all batches so far are submitted. Bind groups of buffers that the pool destroys are dropped. */
  #advancePool(): void {
    if (this.pool.advance(this.submittedBatch)) this.#bindGroups.dropDestroyed();
  }

  #submit(batch: readonly Command[]): void {
    const device = this.#device;
    device.pushErrorScope("validation");
    device.pushErrorScope("out-of-memory");
    device.pushErrorScope("internal");
    encode(device, batch, this.profiler, this.#stats, (command) => this.#skips(command));
    const number = ++this.#submitted;
    const scopes = [device.popErrorScope(), device.popErrorScope(), device.popErrorScope()];
    const checks = scopes.map((scope) =>
      scope.then(
        (error) => {
          if (error) this.#fail(error, batch);
        },
        () => {},
      ),
    );
    this.#checked = Promise.all([this.#checked, ...checks]);
    // It also settles when the device is lost.
    const finished = () => {
      this.#completed = Math.max(this.#completed, number);
      this.#unfinished.delete(number);
    };
    this.#unfinished.set(number, device.queue.onSubmittedWorkDone().then(finished, finished));
  }

  /**
   * Whether a command cannot run: its kernel does not compile, it uses a buffer that there is no memory for, or needs what such
   * a command would have written. So an optimizer leaves its parameters as they are where a step failed.
   */
  #skips(command: Command): boolean {
    if (command.kind === "dispatch" && !command.pipeline.gpu) {
      this.#noteProblem(command);
      return true;
    }
    const buffers = buffersOf(command);
    const failed = buffers.find((b) => b.failed)?.failed;
    if (!failed && this.#unwritten.size === 0) return false;
    let error: OutOfMemoryError | undefined;
    if (failed) {
      const where = command.kind === "dispatch" ? `${whereOf(command.origin)}: ` : "";
      error = new OutOfMemoryError(where + failed.message, { cause: failed.cause });
      this.#memoryError ??= error;
    } else {
      const read = command.kind === "copy" ? [command.from.buffer] : command.kind === "dispatch" ? buffers : [];
      for (const b of read) error ??= this.#unwritten.get(b);
    }
    if (!error) return false;
    if (command.kind === "dispatch") {
      for (const [i, b] of buffers.entries()) if (command.pipeline.writes[i]) this.#unwritten.set(b, error);
    } else if (command.kind === "copy") {
      const { buffer } = command.to;
      if (this.#reads.has(buffer)) this.#reads.set(buffer, error);
      else this.#unwritten.set(buffer, error);
    }
    return true;
  }

  /** Notes a dispatch that cannot run, since its kernel does not compile. */
  #noteProblem({ pipeline, origin }: DispatchCommand): void {
    const { key, problem } = pipeline;
    if (this.#kernelError || !problem) return;
    const { line, column, text, cause } = problem;
    const place = line === null ? "" : ` at line ${line}, column ${column}`;
    const message = `${whereOf(origin)}: the kernel ${key} does not compile on this adapter${place}: ${text}`;
    this.#kernelError = new KernelError(message, { kernel: key, line, column, cause });
  }

  #fail(error: unknown, batch: readonly Command[]): void {
    if (this.#failure) return;
    const text = error instanceof Error || error instanceof GPUError ? error.message : String(error);
    const dispatches = batch.filter((c) => c.kind === "dispatch");
    const alone = batch.length === 1 ? dispatches[0] : undefined;
    const culprit = dispatches.find((c) => text.includes(c.pipeline.key)) ?? alone;
    const Kind = error instanceof GPUOutOfMemoryError ? OutOfMemoryError : DeviceError;
    this.#failure = new Kind(`${whereOf(culprit?.origin)}: ${text}`, { cause: error });
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

  /** Throws what went wrong so far; missing memory and a kernel that did not compile, once. */
  #throwErrors(): void {
    this.#throwFailure();
    const error = this.#memoryError ?? this.#kernelError;
    if (error === this.#memoryError) {
      this.#memoryError = null;
      // The program knows: for what it records from now on things hold what they held before.
      this.flush();
      if (this.#waiting) this.#waiting.then(() => this.#unwritten.clear());
      else this.#unwritten.clear();
    } else this.#kernelError = null;
    if (error) throw error;
  }

  /**
   * Resolves when at most `inFlight` submitted batches are unfinished (0: all done). Rejects with a reported error, and once
   * with that of a kernel that does not compile; with 0 also with a fault that a kernel reported.
   */
  async idle(inFlight = 0): Promise<void> {
    context.pending?.run();
    this.flush();
    if (this.#waiting) await this.#waiting;
    this.#throwErrors();
    while (this.#submitted - this.#completed > inFlight) {
      // The oldest: waiting for the newest would drain the device.
      const [oldest] = this.#unfinished.values();
      await oldest;
      this.#throwFailure();
    }
    if (inFlight > 0) return;
    await this.#checked;
    this.#throwErrors();
    if (this.#faults) await this.#fetch(null);
  }

  /**
   * Copies bytes back to the host. Rejects with an error of what was recorded before, as `idle` does, and with a fault that a
   * kernel reported up to here, and forgets it.
   */
  async read(from: Binding): Promise<ArrayBuffer> {
    this.#throwFailure();
    if (from.bytes === 0) return new ArrayBuffer(0);
    const { maxBufferSize = Number.POSITIVE_INFINITY } = this.#limits;
    const most = maxBufferSize - FAULT_BYTES;
    if (from.bytes <= most) return this.#fetch(from);
    // All parts are recorded now: what follows may change the tensor.
    const parts: Promise<ArrayBuffer>[] = [];
    const step = Math.floor(most / 256) * 256;
    for (let at = 0; at < from.bytes; at += step) {
      parts.push(this.#fetch({ ...from, offset: from.offset + at, bytes: Math.min(step, from.bytes - at) }));
    }
    const whole = new Uint8Array(from.bytes);
    for (const [i, part] of (await Promise.all(parts)).entries()) whole.set(new Uint8Array(part), i * step);
    return whole.buffer;
  }

  async #fetch(from: Binding | null): Promise<ArrayBuffer> {
    const bytes = from?.bytes ?? 0;
    const faults = this.#faults && this.faults;
    const at = Math.ceil(bytes / 4) * 4;
    const size = at + (faults ? FAULT_BYTES : 0);
    // The source may be released and lent again before the batch is submitted; order keeps the copy right all the same.
    const target = this.pool.make(size, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
    this.#reads.set(target, null);
    try {
      return await this.#fetchInto(target, from, faults);
    } finally {
      this.#reads.delete(target);
      target.gpu.destroy();
    }
  }

  async #fetchInto(target: PooledBuffer, from: Binding | null, faults: Binding | null): Promise<ArrayBuffer> {
    const bytes = from?.bytes ?? 0;
    const at = Math.ceil(bytes / 4) * 4;
    // A read is not part of a captured step.
    within({ capture: null }, () => {
      if (from) this.copy(from, { buffer: target, offset: 0, bytes: at });
      if (faults) this.copy(faults, { buffer: target, offset: at, bytes: FAULT_BYTES });
    });
    this.flush();
    if (this.#waiting) await this.#waiting;
    this.#throwFailure();
    const missing = this.#reads.get(target) ?? target.failed;
    if (missing) {
      // As others who read at once were told, or will be.
      this.#throwErrors();
      throw missing;
    }
    let data: ArrayBuffer;
    try {
      await target.gpu.mapAsync(GPUMapMode.READ);
      data = target.gpu.getMappedRange().slice(0);
      // The bytes of a batch that was refused are nobody's.
      await this.#checked;
    } catch (cause) {
      this.#throwFailure();
      throw new DeviceError(`[read] the device did not return the data: ${String(cause)}`, { cause });
    }
    this.#throwErrors();
    const fault = faults && faultIn(new Int32Array(data, at));
    if (fault) {
      this.write(faults.buffer, new Int32Array(FAULT_BYTES / 4));
      throw fault;
    }
    return faults || at !== bytes ? data.slice(0, bytes) : data;
  }
}
