// The context: all state that code reads without being handed it. There is one, since JavaScript runs one thing at a time.
import type { AnyOp, Inputs, Outputs } from "./autograd/op.ts";
import type { Pending } from "./autograd/pending.ts";
import type { Trace } from "./autograd/trace.ts";
import type { CaptureInProgress } from "./capture/recording.ts";
import type { Device } from "./gpu/device.ts";
import type { Origin } from "./gpu/queue.ts";
import type { LaunchListener } from "./kernels/variants.ts";
import type { Disposable } from "./tensor/scope.ts";

interface Context {
  /** The device that new tensors live on, null before `init()`. */
  device: Device | null;
  /** Whether operations are recorded on the tape (see autograd/mode.ts). */
  grad: boolean;
  /** What takes the place of the gradients' own kernels while gradients of gradients are recorded (see backward/grad.ts). */
  differentiable: ((op: AnyOp, inputs: Inputs, attrs: unknown) => Outputs | null) | null;
  /** What the open scopes have to free, innermost last (see tensor/scope.ts). */
  readonly scopes: Set<Disposable>[];
  /** The recording of a captured step in progress (see capture/). */
  capture: CaptureInProgress | null;
  /** The operation that waits for the next one (see autograd/pending.ts). */
  pending: Pending | null;
  /** The operation that runs, for error messages and profiles. */
  origin: Origin | null;
  /** The module whose forward runs, innermost (see nn/calls.ts). */
  module: object | null;
  /** Hears of every launch that has variants (see kernels/tune.ts). */
  onLaunch: LaunchListener | null;
  /** Takes operations in the place of the device (see autograd/trace.ts). */
  trace: Trace | null;
  /** All that random numbers depend on (see tensor/random-state.ts). */
  readonly random: { seed: number; streams: number };
}

export const context: Context = {
  device: null,
  grad: true,
  differentiable: null,
  scopes: [],
  capture: null,
  pending: null,
  origin: null,
  module: null,
  onLaunch: null,
  trace: null,
  // As in PyTorch a program without a seed differs from run to run.
  random: { seed: Math.floor(Math.random() * 2 ** 32), streams: 0 },
};

type Settable = Pick<Context, "device" | "grad" | "differentiable" | "capture" | "origin" | "onLaunch" | "trace">;

/** Runs `fn` with some of the context changed, and puts back what was there before, whatever happens. */
export function within<T>(change: Partial<Settable>, fn: () => T): T {
  const before = { ...context };
  Object.assign(context, change);
  try {
    return fn();
  } finally {
    for (const key of Object.keys(change) as (keyof Settable)[]) Object.assign(context, { [key]: before[key] });
  }
}
