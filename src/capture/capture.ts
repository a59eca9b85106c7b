// capture(step): records a training step's commands once and replays them with new inputs, as CUDA graphs do.
import { deviceOf } from "../autograd/run.ts";
import { context } from "../context.ts";
import { check, checkFunction, StateError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import { scope } from "../tensor/scope.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import {
  detachedResult,
  free,
  keyOf,
  type Memory,
  mapResult,
  type Recording,
  record,
  replay,
  type StepResult,
} from "./recording.ts";

/** What `capture` returns: the step as a function that replays it. */
export interface CapturedStep<A extends readonly Tensor[], R extends StepResult> {
  (...inputs: A): R;
  /** How often the step was recorded; more than once where shapes, frozen parameters or modes changed. */
  readonly recordings: number;
  /** Commands of the newest recording that a replay submits. */
  readonly commands: number;
  /** Frees the recordings and their buffers. The next call records again. */
  dispose(): void;
}

/** Recordings kept by one captured step: full batches and a smaller last one, say, in training and in evaluation mode. */
const MAX_RECORDINGS = 4;

/** The recordings of one captured step, the least recently used first. */
class Recordings {
  readonly list: Recording[] = [];
  /** What they hold on the device. */
  readonly memories = new Set<Memory>();
  count = 0;

  /** The one that may be replayed for these inputs, or null. Frees those that never can be again. */
  find(device: Device, key: string): Recording | null {
    let found: Recording | null = null;
    for (const r of [...this.list]) {
      const state = r.guards.check();
      if (state === "lost") this.#forget(r);
      else if (state === "held" && r.device === device && r.key === key) found = r;
    }
    return found;
  }

  /** Puts `r`, new or known, at the end. */
  use(r: Recording): void {
    const at = this.list.indexOf(r);
    if (at >= 0) this.list.splice(at, 1);
    else this.count++;
    this.memories.add(r.memory);
    this.list.push(r);
    const [oldest] = this.list;
    if (this.list.length > MAX_RECORDINGS && oldest) this.#forget(oldest);
  }

  #forget(r: Recording): void {
    this.list.splice(this.list.indexOf(r), 1);
    this.memories.delete(r.memory);
    free(r.memory);
  }

  clear(): void {
    for (const r of [...this.list]) this.#forget(r);
  }
}

// A captured step that nobody can call any more lets its device memory go. No more than that is held here: guards and hooks
// know models and optimizers, which may know the captured step.
const forgotten = new FinalizationRegistry<Set<Memory>>((memories) => memories.forEach(free));

/**
 * A step that is recorded at its first call and replayed at later ones: the same device commands on new inputs, without
 * running `step` again. `step` must be synchronous and depend on nothing on the host but what wgrad watches: shapes of the
 * inputs, `requiresGrad` of parameters, training mode, layers and parameters of modules, parameters and hyper-parameters of
 * optimizers, random numbers. When one of the first four changes, or an optimizer gets other parameters, it records again;
 * recordings for a few sets of shapes and modes are kept. Gradients that the step does not reset are added to those from before the call. Results are new
 * tensors each call, outside the graph; a step without any returns []. A captured step that another one calls is part of
 * that one.
 * @throws StateError where the step makes a tensor of data from the host (`tensor`, `randperm`), reads gradients that it does not reset and that earlier calls have added to, where it
 * returns a promise or anything but tensors, or for a disposed input; DeviceError for tensors of two devices.
 * @see https://pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
 */
export function capture<A extends readonly Tensor[], R extends StepResult>(
  step: (...inputs: A) => R,
): CapturedStep<A, R> {
  checkFunction("capture", "the step", step);
  const recordings = new Recordings();
  const call = (...inputs: A): R => {
    // Casting is safe: results mirror what step returns, tensor for tensor.
    if (context.capture) return scope(() => detachedResult(step(...inputs))) as R;
    const device = deviceOf("capture", inputs);
    check(device !== null, () => "[capture] the step needs at least one input tensor", StateError);
    const known = recordings.find(device, keyOf(inputs));
    if (known) replay(known, inputs);
    const recording = known ?? record(device, step, inputs);
    recordings.use(recording);
    return mapResult(recording.memory.outputs, (t) => {
      const copy = empty(t.shape, t.dtype, device);
      device.queue.copy(t.storage, copy.storage);
      return copy;
    }) as R;
  };
  forgotten.register(call, recordings.memories);
  return Object.defineProperties(call as CapturedStep<A, R>, {
    recordings: { get: () => recordings.count },
    commands: { get: () => recordings.list.at(-1)?.program.commands.length ?? 0 },
    dispose: { value: () => recordings.clear() },
  });
}
