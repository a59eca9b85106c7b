// run: the one way in which work reaches the device. It names the operation in errors and profiles, and watches what it
// reads and writes.
import { context } from "../context.ts";
import { check, DeviceError, told, ValueError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import { forwardOf } from "../kernels/divide.ts";
import { Run } from "../kernels/run.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Inputs, Op, Outputs } from "./op.ts";

export { Run } from "../kernels/run.ts";

/** Throws unless `value` is a tensor. `what` says which argument it is. */
export function checkTensor(name: string, what: string | number, value: unknown): asserts value is Tensor {
  check(
    value instanceof Tensor,
    () =>
      `[${name}] ${typeof what === "number" ? `input ${what}` : what} must be a tensor, got ${told(value)}: make one with tensor(...)`,
    ValueError,
  );
}

/** The device of all tensors; throws `DeviceError` where they live on several. Those before `required` are not null. */
export function deviceOf(name: string, tensors: Inputs, required = tensors.length): Device | null {
  let device: Device | null = null;
  for (const [i, t] of tensors.entries()) {
    if (t === null && i >= required) continue;
    checkTensor(name, i, t);
    device ??= t.device;
    check(
      t.device === device,
      () => `[${name}] inputs live on two devices: tensors of an earlier init() cannot be mixed with new ones`,
      DeviceError,
    );
  }
  return device;
}

/** Tells a capture in progress which leaves an operation reads. */
export function noteLeaves(inputs: Inputs): void {
  const { capture } = context;
  if (capture) for (const input of inputs) if (input?.isLeaf) capture.read(input);
}

/** Records the kernels of `op`, which fill `outputs`. */
export function record<In extends Inputs, A, Out extends Outputs, Kept extends Outputs>(
  op: Op<In, A, Out, Kept>,
  device: Device,
  inputs: In,
  outputs: readonly [...Out, ...Kept],
  attrs: A,
): void {
  context.pending?.run();
  for (const input of inputs) input?.storage.settle();
  const { origin } = context;
  context.origin = { name: op.name, inputs };
  const run = new Run(device);
  try {
    forwardOf(op, run, inputs, outputs, attrs);
  } finally {
    context.origin = origin;
    run.release();
  }
}

/**
 * Runs an operation that writes into tensors that exist: fills, random numbers, updates in place. `into` are its outputs;
 * what was there before counts as changed. Off the tape.
 */
export function runInto<In extends Inputs, A, Out extends Outputs>(
  op: Op<In, A, Out>,
  inputs: In,
  attrs: A,
  into: Out,
): void {
  const device = deviceOf(op.name, [...inputs, ...into], op.required);
  if (!device) return;
  noteLeaves(inputs);
  context.trace?.write(op, inputs, into);
  record(op, device, inputs, [...into], attrs);
  for (const t of into) t.storage.version++;
}
