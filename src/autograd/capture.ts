// capture(step): records a training step's commands once and replays them with new inputs, as CUDA graphs do.
import { check, StateError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import type { PooledBuffer } from "../gpu/pool.ts";
import { sizeClass } from "../gpu/pool.ts";
import { type Command, type Program, programOf } from "../gpu/queue.ts";
import { structureVersion, watchLeaves } from "../tensor/leaf-watch.ts";
import { advanceStreams, rngShift, streamCount } from "../tensor/rng.ts";
import { keep, scope } from "../tensor/scope.ts";
import { show } from "../tensor/shape.ts";
import { type BufferSource, setBufferSource } from "../tensor/storage.ts";
import { empty, Tensor } from "../tensor/tensor.ts";
import { setReplayRecorder } from "./capture-hooks.ts";

/** What a step may return: a tensor, or an array or plain object of tensors. */
export type StepResult = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

export interface CapturedStep<A extends readonly Tensor[], R extends StepResult> {
  (...inputs: A): R;
  /** How often the step was recorded; more than once where shapes, frozen parameters or modes changed. */
  readonly recordings: number;
  /** Commands of the newest recording that a replay submits. */
  readonly commands: number;
  /** Frees the recording and its buffers. The next call records again. */
  dispose(): void;
}

/** Buffers of one recording: reused within the step, given to nobody else while it may be replayed. */
class PrivatePool implements BufferSource {
  readonly #device: Device;
  readonly #free = new Map<number, PooledBuffer[]>();
  #retired = false;

  constructor(device: Device) {
    this.#device = device;
  }

  acquire(bytes: number, idleAfter = Number.POSITIVE_INFINITY): PooledBuffer {
    const list = this.#free.get(sizeClass(bytes));
    const at = list?.findLastIndex((b) => b.lastUse <= idleAfter) ?? -1;
    return at >= 0 ? list!.splice(at, 1)[0]! : this.#device.pool.acquire(bytes, idleAfter);
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

/** Recordings kept, one for each set of input shapes: full batches and a smaller last one, say. */
const MAX_RECORDINGS = 4;

interface LeafState {
  readonly leaf: Tensor;
  readonly requiresGrad: boolean;
}

interface Recording {
  readonly device: Device;
  readonly key: string;
  readonly version: number;
  readonly pool: PrivatePool;
  readonly inputs: readonly Tensor[];
  readonly program: Program;
  readonly hooks: readonly (() => void)[];
  readonly leaves: readonly LeafState[];
  /** Gradients that the step leaves on parameters, to be put there again after a replay. */
  readonly gradients: readonly { leaf: Tensor; grad: Tensor }[];
  readonly outputs: StepResult;
  readonly firstStream: number;
  readonly streams: number;
}

const keyOf = (inputs: readonly Tensor[]) => inputs.map((t) => `${t.dtype}${show(t.shape)}${t.requiresGrad}`).join();

function mapResult(result: StepResult, f: (t: Tensor) => Tensor): StepResult {
  if (result instanceof Tensor) return f(result);
  if (Array.isArray(result)) return result.map(f);
  return Object.fromEntries(Object.entries(result).map(([name, t]) => [name, f(t)]));
}

function record<A extends readonly Tensor[]>(step: (...inputs: A) => StepResult, given: A): Recording {
  const { device } = given[0]!;
  const { queue } = device;
  const pool = new PrivatePool(device);
  const commands: Command[] = [];
  const hooks: (() => void)[] = [];
  const leaves = new Map<Tensor, boolean>();
  const zeroed = new Set<Tensor>();
  const accumulated = new Set<Tensor>();
  const version = structureVersion();
  const firstStream = streamCount();

  const outerSource = setBufferSource(pool);
  const inputs = given.map((t) => {
    const own = keep(empty(t.shape, t.dtype, device));
    own.requiresGrad = t.requiresGrad;
    queue.copy(t.storage, own.storage);
    return own;
  });
  queue.flush();
  const outerRecorder = queue.recorder;
  queue.recorder = (command) => commands.push(command);
  const outerHooks = setReplayRecorder((fn) => hooks.push(fn));
  const outerWatcher = watchLeaves({
    read: (leaf) => leaves.set(leaf, leaf.requiresGrad),
    zeroed: (leaf) => zeroed.add(leaf),
    accumulated(leaf) {
      check(
        zeroed.has(leaf) || inputs.includes(leaf),
        () =>
          "[capture] the step adds to gradients that it does not reset: call optimizer.zeroGrad() inside the step, before backward()",
        StateError,
      );
      accumulated.add(leaf);
    },
  });
  try {
    // Casting is safe: `inputs` mirrors `given` element by element.
    const outputs = scope(() =>
      mapResult(step(...(inputs as readonly Tensor[] as A)), (t) => t.detach()),
    ) as StepResult;
    mapResult(outputs, keep);
    const gradients = [...accumulated].flatMap((leaf) => (leaf.grad ? [{ leaf, grad: keep(leaf.grad.detach()) }] : []));
    return {
      ...{ device, key: keyOf(given), version, pool, inputs, hooks, gradients, outputs, firstStream },
      leaves: [...leaves].filter(([leaf]) => !leaf.disposed).map(([leaf, requiresGrad]) => ({ leaf, requiresGrad })),
      program: programOf(commands),
      streams: streamCount() - firstStream,
    };
  } catch (error) {
    for (const t of inputs) t.dispose();
    pool.retire();
    throw error;
  } finally {
    setBufferSource(outerSource);
    queue.recorder = outerRecorder;
    setReplayRecorder(outerHooks);
    watchLeaves(outerWatcher);
    queue.flush();
  }
}

function replay(r: Recording, given: readonly Tensor[]): void {
  const { queue } = r.device;
  for (const hook of r.hooks) hook();
  for (const [i, t] of given.entries()) queue.copy(t.storage, r.inputs[i]!.storage);
  const shift = streamCount() - r.firstStream;
  const rng = r.streams > 0 ? rngShift(r.device) : null;
  if (rng) queue.write(rng.buffer, Uint32Array.of(shift));
  queue.replay(r.program);
  if (rng) {
    queue.write(rng.buffer, Uint32Array.of(0));
    advanceStreams(r.streams);
  }
  for (const { leaf, grad } of r.gradients) {
    if (leaf.grad?.disposed !== false || leaf.grad.storage !== grad.storage) leaf.grad = keep(grad.detach());
  }
}

/** Whether something that the recording depends on, other than its inputs' shapes, has changed. */
const isStale = (r: Recording, device: Device): boolean =>
  r.device !== device ||
  r.version !== structureVersion() ||
  r.leaves.some(({ leaf, requiresGrad }) => leaf.disposed || leaf.requiresGrad !== requiresGrad);

function free(r: Recording): void {
  for (const t of r.inputs) t.dispose();
  mapResult(r.outputs, (t) => {
    t.dispose();
    return t;
  });
  for (const { grad } of r.gradients) grad.dispose();
  r.pool.retire();
}

/**
 * A step that is recorded at its first call and replayed at later ones: the same device commands on new inputs, without
 * running `step` again. `step` must be synchronous, reset the gradients it accumulates, and depend on nothing on the host
 * but what wgrad watches: shapes of the inputs, `requiresGrad` of parameters, training mode, hyper-parameters of
 * optimizers, random numbers. When one of the first three changes, it records again; recordings for a few sets of shapes
 * are kept. Results are new tensors each call,
 * outside the graph.
 * @throws StateError where the step accumulates gradients that it does not reset.
 * @see https://pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
 */
export function capture<A extends readonly Tensor[], R extends StepResult>(
  step: (...inputs: A) => R,
): CapturedStep<A, R> {
  const recordings = new Map<string, Recording>();
  let count = 0;
  let newest: Recording | null = null;
  const forget = (r: Recording) => {
    recordings.delete(r.key);
    if (newest === r) newest = null;
    free(r);
  };
  const call = (...inputs: A): R => {
    check(inputs.length > 0, () => "[capture] the step needs at least one input tensor", StateError);
    const { device } = inputs[0]!;
    const key = keyOf(inputs);
    const known = recordings.get(key);
    if (known && !isStale(known, device)) {
      replay(known, inputs);
      newest = known;
    } else {
      // What was recorded before a release or a change of mode will not be replayed again.
      for (const r of [...recordings.values()]) if (isStale(r, device)) forget(r);
      const oldest = recordings.values().next().value;
      if (recordings.size >= MAX_RECORDINGS && oldest) forget(oldest);
      newest = record(step, inputs);
      recordings.set(key, newest);
      count++;
    }
    const results = mapResult(newest.outputs, (t) => {
      const copy = empty(t.shape, t.dtype, device);
      device.queue.copy(t.storage, copy.storage);
      return copy;
    });
    // Results mirror what step returns, tensor for tensor.
    return results as R;
  };
  return Object.defineProperties(call as CapturedStep<A, R>, {
    recordings: { get: () => count },
    commands: { get: () => newest?.program.commands.length ?? 0 },
    dispose: { value: () => [...recordings.values()].forEach(forget) },
  });
}
