// apply: runs an operation that gives new tensors, whether anyone differentiates it or not.
import { context } from "../context.ts";
import { currentDevice } from "../gpu/device.ts";
import { empty, type Spec, Tensor } from "../tensor/tensor.ts";
import { type Edge, Node } from "./node.ts";
import type { Inputs, OldOp, Op, Outputs, Saved, SpecsOf } from "./op.ts";
import { deviceOf, record } from "./run.ts";

/** Runs `op` and returns its visible outputs, recorded on the tape where an input requires a gradient. */
export function apply<In extends Inputs, A, Out extends Outputs, Kept extends Outputs>(
  op: Op<In, A, Out, Kept>,
  inputs: In,
  attrs: A,
): Out;
export function apply<A>(op: OldOp<A>, inputs: readonly Tensor[], attrs: A): Tensor[];
// biome-ignore lint/suspicious/noExplicitAny: the overloads are the types
export function apply(op: any, inputs: Inputs, attrs: unknown): any {
  const device = deviceOf(op.name, inputs) ?? currentDevice();
  const given = specsOf(inputs);
  const specs = op.infer(given, attrs, device.info) as readonly Spec[];
  const recorded = op.vjp !== "not differentiable" && context.grad && inputs.some((t) => t?.requiresGrad);
  const node = recorded ? new Node(op, attrs, inputs.map(edgeTo), given, specs) : null;
  // Integer outputs (indices) carry no gradient.
  const outputs = specs.map((s, i) => {
    const from = s.dtype === "f32" ? node : null;
    const [first] = inputs;
    if (op.alias && first) return new Tensor(first.storage.retain(), s.shape, s.dtype, from?.retain() ?? null, i);
    return empty(s.shape, s.dtype, device, from, i);
  });
  try {
    record(op, device, inputs, outputs, attrs);
  } catch (error) {
    for (const output of outputs) output.dispose();
    throw error;
  }
  if (node) save(node, op.saves(node.needs, attrs), inputs, outputs);
  for (const extra of outputs.splice(outputs.length - (op.aux ?? 0))) extra.dispose();
  return outputs;
}

function save(node: Node, saves: Saved, inputs: Inputs, outputs: Outputs): void {
  for (const i of saves.inputs) node.save(i, inputs[i] ?? null);
  for (const i of saves.outputs) node.save(-1 - i, outputs[i] ?? null);
}

const edgeTo = (t: Tensor | null): Edge => {
  if (!t?.requiresGrad) return null;
  return t.gradFn ? { node: t.gradFn, index: t.outputIndex } : { leaf: t };
};

// The tape outlives its inputs' handles: it keeps specs, not the tensors.
const specsOf = <In extends Inputs>(inputs: In): SpecsOf<In> =>
  inputs.map((t) => t && { shape: t.shape, dtype: t.dtype }) as readonly (Spec | null)[] as SpecsOf<In>;

/** `apply` for ops with one visible output. */
export function apply1<In extends Inputs, A, Kept extends Outputs>(
  op: Op<In, A, readonly [Tensor], Kept>,
  inputs: In,
  attrs: A,
): Tensor;
export function apply1<A>(op: OldOp<A>, inputs: readonly Tensor[], attrs: A): Tensor;
// biome-ignore lint/suspicious/noExplicitAny: the overloads are the types
export function apply1(op: any, inputs: Inputs, attrs: unknown): Tensor {
  return apply(op, inputs, attrs)[0] as Tensor;
}
