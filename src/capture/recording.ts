// A recording: the commands of one run of a step, the buffers they use, and what must hold for them to be run again.

import { noGrad } from "../autograd/mode.ts";
import { context, within } from "../context.ts";
import { check, checkSynchronous, StateError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import { type Command, type Program, programOf } from "../gpu/queue.ts";
import { binary } from "../ops/binary.ts";
import * as binaries from "../ops/binary-rows.ts";
import { clone } from "../ops/clone.ts";
import { advanceStreams, rngShift, seedWords, streamCount } from "../tensor/random-state.ts";
import { keep, scope } from "../tensor/scope.ts";
import { show } from "../tensor/shape.ts";
import type { BufferSource } from "../tensor/storage.ts";
import { empty, internalHandle, Tensor } from "../tensor/tensor.ts";
import { Guards } from "./guards.ts";
import { PrivatePool } from "./private-pool.ts";
import { guardStructure } from "./structure.ts";

/** What a step may return: a tensor, or an array or plain object of tensors. */
export type StepResult = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

/** A capture while its step runs: what tensors, operations and the queue tell it. */
export interface CaptureInProgress {
  readonly device: Device;
  readonly buffers: BufferSource;
  readonly commands: Command[];
  /** Host work before each replay. */
  readonly hooks: (() => void)[];
  readonly guards: Guards;
  /** An operation is about to read this leaf, or the step to change whether it requires a gradient. */
  read(leaf: Tensor): void;
  /** Keeps what a tensor that is no part of the step holds for as long as the recording. */
  hold(t: Tensor): void;
  /** Somebody asks for a leaf's gradient, which is `grad`. */
  gradientRead(leaf: Tensor, grad: Tensor | null): void;
  /** A leaf's gradient is set, to null or to another. */
  gradientSet(leaf: Tensor): void;
  /** backward is about to add to a leaf's gradient. */
  accumulating(leaf: Tensor): void;
}

/** What happens to the gradient of a leaf that the step touches. */
interface Touched {
  /** The gradient from before the step, set aside until it ends: replays do not read it. */
  before: Tensor | null;
  /** The step set the gradient before it added to it. */
  set: boolean;
}

export class Capture implements CaptureInProgress {
  readonly device: Device;
  readonly buffers: PrivatePool;
  readonly commands: Command[] = [];
  readonly hooks: (() => void)[] = [];
  readonly guards = new Guards();
  /** The step's inputs, which get a gradient of their own at each call. */
  inputs: readonly Tensor[] = [];
  readonly touched = new Map<Tensor, Touched>();
  readonly #leaves = new Map<Tensor, boolean>();
  readonly held: Tensor[] = [];

  constructor(device: Device) {
    this.device = device;
    this.buffers = new PrivatePool(device);
    const { tunings } = device;
    this.guards.add(device, { holds: () => device.tunings === tunings, returns: false });
  }

  read(leaf: Tensor): void {
    // The first time: the step may change it, and must find it as it was.
    if (!this.#leaves.has(leaf)) this.#leaves.set(leaf, leaf.requiresGrad);
  }

  hold(t: Tensor): void {
    this.held.push(internalHandle(t.storage, t));
  }

  /** Guards the leaves that the step read and did not make itself, and the models that have them. */
  guardLeaves(): void {
    for (const [leaf, requiresGrad] of this.#leaves) {
      if (leaf.disposed) continue;
      const holds = () => !leaf.disposed && leaf.requiresGrad === requiresGrad;
      this.guards.add(leaf, { holds, returns: false });
    }
    guardStructure(this.guards, this.#leaves);
  }

  gradientRead(leaf: Tensor, grad: Tensor | null): void {
    const known = this.touched.get(leaf) ?? { before: grad, set: false };
    if (known.set || this.inputs.includes(leaf)) return;
    check(
      known.before === null,
      () =>
        `[capture] the step reads a gradient, of a leaf ${show(leaf.shape)}, that holds what earlier calls added: call optimizer.zeroGrad() inside the step before backward(), or update outside of it`,
      StateError,
    );
    this.touched.set(leaf, known);
    this.guards.add(known, { holds: () => !leaf.hasGrad, returns: true });
  }

  gradientSet(leaf: Tensor): void {
    const known = this.touched.get(leaf);
    if (!known) this.touched.set(leaf, { before: null, set: true });
    else {
      // What was set aside is replaced, too.
      known.before?.dispose();
      known.before = null;
      known.set = true;
    }
  }

  accumulating(leaf: Tensor): void {
    if (this.touched.has(leaf)) return;
    this.touched.set(leaf, { before: leaf.swapGrad(null), set: false });
  }

  /** Gives the leaves back the gradients that were set aside, in place of those that they have. */
  putBack(): void {
    for (const [leaf, { before }] of this.touched) {
      leaf.swapGrad(leaf.disposed ? null : before)?.dispose();
      if (leaf.disposed) before?.dispose();
    }
  }
}

/** How a call leaves the gradient of a leaf: the step's own, the step's added to the one before, or none. */
interface Left {
  readonly leaf: Tensor;
  readonly grad: Tensor | null;
  readonly added: boolean;
}

/** What a recording holds on the device. It refers to nothing that could refer to the captured step. */
export interface Memory {
  readonly pool: PrivatePool;
  readonly inputs: readonly Tensor[];
  readonly outputs: StepResult;
  readonly gradients: readonly Tensor[];
  readonly held: readonly Tensor[];
}

export interface Recording {
  readonly device: Device;
  /** Grad mode, shapes and dtypes of the inputs. */
  readonly key: string;
  readonly guards: Guards;
  readonly memory: Memory;
  readonly program: Program;
  readonly hooks: readonly (() => void)[];
  readonly left: readonly Left[];
  /** Random streams: the first that the step took, and how many; and the seed's words. */
  readonly firstStream: number;
  readonly streams: number;
  readonly seed: readonly [low: number, high: number];
}

export const keyOf = (inputs: readonly Tensor[]): string =>
  `${context.grad} ${inputs.map((t) => `${t.dtype}${show(t.shape)}${t.requiresGrad}`).join()}`;

export function mapResult(result: StepResult, f: (t: Tensor) => Tensor): StepResult {
  if (result instanceof Tensor) return f(result);
  if (Array.isArray(result)) return result.map(f);
  return Object.fromEntries(Object.entries(result).map(([name, t]) => [name, f(t)]));
}

/** What a step returned, outside the graph. Throws for anything but tensors. */
export function detachedResult(result: unknown): StepResult {
  checkSynchronous("capture", "a step", result);
  const isPlain = typeof result === "object" && result !== null && Object.getPrototypeOf(result) === Object.prototype;
  const list: readonly unknown[] = Array.isArray(result) ? result : isPlain ? Object.values(result) : [result];
  check(
    list.every((t) => t instanceof Tensor),
    () =>
      `[capture] the step returned ${String(list.find((t) => !(t instanceof Tensor)))}: it must return a tensor, or an array or plain object of tensors ([] where there is none)`,
    StateError,
  );
  return mapResult(result as StepResult, (t) => t.detach());
}

/** Runs the step once and records it. The inputs' gradients and those of leaves are left as after a replay. */
export function record<A extends readonly Tensor[]>(
  device: Device,
  step: (...inputs: A) => StepResult,
  given: A,
): Recording {
  const { queue } = device;
  context.pending?.run(); // it is not part of the step
  const capture = new Capture(device);
  const { buffers: pool, guards, hooks, commands, touched } = capture;
  const firstStream = streamCount();
  // Inputs live in the recording's memory, but copying them is not part of the step.
  const inputs = within({ capture }, () =>
    given.map((t) => {
      const input = keep(empty(t.shape, t.dtype, device));
      queue.copy(t.storage, input.storage);
      return input;
    }),
  );
  for (const [i, input] of inputs.entries()) input.requiresGrad = given[i]?.requiresGrad ?? false;
  commands.length = 0;
  queue.flush();
  capture.inputs = inputs;
  try {
    const outputs = within({ capture }, () => {
      const results = scope((): StepResult => {
        // Casting is safe: `inputs` mirrors `given` element by element.
        return detachedResult(step(...(inputs as readonly Tensor[] as A)));
      });
      // What still waits is part of the step.
      mapResult(results, (t) => {
        t.storage.settle();
        return keep(t);
      });
      context.pending?.run();
      return results;
    });
    const left = [...touched].map(([leaf, { set }]): Left => {
      const grad = leaf.hasGrad ? leaf.swapGrad(null) : null;
      return { leaf, grad, added: !set };
    });
    capture.putBack();
    capture.guardLeaves();
    const memory = { pool, inputs, outputs, gradients: left.flatMap(({ grad }) => grad ?? []), held: capture.held };
    const streams = { firstStream, streams: streamCount() - firstStream, seed: seedWords() };
    const program = programOf(commands);
    // Of tensors that the step did not make and that were disposed since: recording again says which.
    guards.add(program, { holds: () => !program.buffers.some((b) => b.destroyed), returns: false });
    const recording = { device, key: keyOf(given), guards, memory, program, hooks, left, ...streams };
    leaveGradients(recording, given);
    return recording;
  } catch (error) {
    capture.putBack();
    for (const t of [...inputs, ...capture.held]) t.dispose();
    pool.retire();
    throw error;
  } finally {
    queue.flush();
  }
}

/** Runs the recorded commands on new inputs. */
export function replay(r: Recording, given: readonly Tensor[]): void {
  const { queue } = r.device;
  for (const hook of r.hooks) hook();
  for (const [i, input] of r.memory.inputs.entries()) {
    const from = given[i];
    if (from) queue.copy(from.storage, input.storage);
  }
  const rng = r.streams > 0 ? rngShift(r.device) : null;
  if (rng) {
    // The words of the seed as those of the recording, changed: see rngShift.
    const [low, high] = seedWords();
    queue.write(rng.buffer, Uint32Array.of(streamCount() - r.firstStream, low ^ r.seed[0], high ^ r.seed[1]));
  }
  queue.replay(r.program);
  if (rng) {
    queue.write(rng.buffer, new Uint32Array(3));
    advanceStreams(r.streams);
  }
  leaveGradients(r, given);
}

/** Puts the step's gradients where the step itself would have left them. */
function leaveGradients({ left, memory: { inputs } }: Recording, given: readonly Tensor[]): void {
  for (const { leaf, grad, added } of left) {
    const at = inputs.indexOf(leaf);
    const target = given[at] ?? leaf;
    if (target.disposed) continue;
    if (!grad) target.grad = null;
    else if (added) {
      const before = target.grad;
      target.grad = keep(noGrad(() => (before ? binary(binaries.add, before, grad) : clone(grad))));
    } else if (target.grad?.disposed !== false || target.grad.storage !== grad.storage) {
      target.grad = keep(grad.detach());
    }
  }
}

export function free({ inputs, outputs, gradients, held, pool }: Memory): void {
  for (const t of [...inputs, ...gradients, ...held]) t.dispose();
  mapResult(outputs, (t) => {
    t.dispose();
    return t;
  });
  pool.retire();
}
