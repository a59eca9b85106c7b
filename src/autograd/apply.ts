// apply: the one way in which operations run, whether anyone differentiates them or not.
import { DeviceError } from "../errors.ts";
import { currentDevice } from "../gpu/device.ts";
import { leafWatcher } from "../tensor/leaf-watch.ts";
import { empty, type Spec, Tensor } from "../tensor/tensor.ts";
import { gradEnabled } from "./mode.ts";
import { type Edge, Node } from "./node.ts";
import type { Op } from "./op.ts";

/** Runs `op` and returns its visible outputs, recorded on the tape where an input requires a gradient. */
export function apply<A>(op: Op<A>, inputs: readonly Tensor[], attrs: A): Tensor[] {
  const specs = op.infer(inputs, attrs);
  const device = inputs[0]?.device ?? currentDevice();
  for (const input of inputs) {
    if (input.device !== device) {
      throw new DeviceError(
        `[${op.name}] inputs live on two devices: tensors of an earlier init() cannot be mixed with new ones`,
      );
    }
  }
  const watcher = leafWatcher();
  if (watcher) for (const input of inputs) if (input.isLeaf) watcher.read(input);
  const recorded = op.vjp !== "not differentiable" && gradEnabled() && inputs.some((t) => t.requiresGrad);
  const node = recorded ? new Node(op, attrs, inputs.map(edgeTo), inputs.map(specOf), specs) : null;
  // Integer outputs (indices) carry no gradient.
  const outputs = specs.map((s, i) => {
    const from = s.dtype === "f32" ? node : null;
    if (op.alias) return new Tensor(inputs[0]!.storage.retain(), s.shape, s.dtype, from?.retain() ?? null, i);
    return empty(s.shape, s.dtype, device, from, i);
  });
  const { queue } = device;
  const outer = queue.origin;
  queue.origin = { name: op.name, inputs };
  try {
    op.forward(queue, inputs, outputs, attrs);
  } finally {
    queue.origin = outer;
  }
  if (node) {
    const saves = op.saves(node.needs, attrs);
    for (const i of saves.inputs) node.save(i, inputs[i]!);
    for (const i of saves.outputs) node.save(-1 - i, outputs[i]!);
  }
  for (const extra of outputs.splice(outputs.length - (op.aux ?? 0))) extra.dispose();
  return outputs;
}

const edgeTo = (t: Tensor): Edge => {
  if (!t.requiresGrad) return null;
  return t.gradFn ? { node: t.gradFn, index: t.outputIndex } : { leaf: t };
};

// The tape outlives its inputs' handles: it keeps specs, not the tensors.
const specOf = ({ shape, dtype }: Tensor): Spec => ({ shape, dtype });

/** `apply` for ops with one visible output. */
export function apply1<A>(op: Op<A>, inputs: readonly Tensor[], attrs: A): Tensor {
  return apply(op, inputs, attrs)[0]!;
}
