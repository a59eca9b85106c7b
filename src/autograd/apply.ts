// apply: runs an operation that gives new tensors, whether anyone differentiates it or not.
import { context } from "../context.ts";
import { currentDevice, type Device } from "../gpu/device.ts";
import { empty, type Spec, Tensor } from "../tensor/tensor.ts";
import { type Edge, Node } from "./node.ts";
import {
  type AnyOp,
  type Application,
  type Inputs,
  type Op,
  type Outputs,
  type Saved,
  type SpecsOf,
  visibleOutputs,
} from "./op.ts";
import { Pending, pendingOf } from "./pending.ts";
import { deviceOf, noteLeaves, record } from "./run.ts";

/** Runs `op` and returns its visible outputs, recorded on the tape where an input requires a gradient. */
export function apply<In extends Inputs, A, Out extends Outputs, Kept extends Outputs>(
  op: Op<In, A, Out, Kept>,
  inputs: In,
  attrs: A,
): Out {
  if (context.differentiable && op.vjp === "not differentiable") {
    const outputs = context.differentiable(op, inputs, attrs);
    // What stands for `op` gives what it would give.
    if (outputs) return outputs as Outputs as Out;
  }
  const device = deviceOf(op.name, inputs, op.required) ?? currentDevice();
  noteLeaves(inputs);
  const given = specsOf(inputs);
  // Also where another op takes it over: it is the one that the user named, and it checks what was given to it.
  const specs = op.infer(given, attrs, device.info) as readonly Spec[];
  const edges = inputs.map(edgeTo);
  const traced = context.trace?.apply(op, inputs, attrs, specs, device);
  // As many as `op` has.
  if (traced) return traced as Outputs as Out;
  // Either way as many outputs as the type of `op` says, see `infer` and `aux`.
  const outputs: Outputs =
    absorbed(op, inputs, attrs, edges, device) ?? applied(op, inputs, given, attrs, edges, specs, device);
  context.trace?.applied?.(op, inputs, outputs);
  return outputs as Out;
}

/** `apply` for ops with one visible output. */
export const apply1 = <In extends Inputs, A, Kept extends Outputs>(
  op: Op<In, A, readonly [Tensor], Kept>,
  inputs: In,
  attrs: A,
): Tensor => apply(op, inputs, attrs)[0];

const isRecorded = (op: AnyOp, edges: readonly Edge[]): boolean =>
  op.vjp !== "not differentiable" && context.grad && edges.some((edge) => edge !== null);

function applied(
  op: AnyOp,
  inputs: Inputs,
  given: readonly (Spec | null)[],
  attrs: unknown,
  edges: readonly Edge[],
  specs: readonly Spec[],
  device: Device,
): Tensor[] {
  const node = isRecorded(op, edges) ? new Node(op, attrs, edges, given, specs) : null;
  // Whatever else waits goes first: work reaches the device in the order in which it was asked for.
  context.pending?.run();
  for (const input of inputs) input?.storage.settle();
  const pending = op.absorb ? new Pending(op, inputs, attrs, edges, specs, device) : null;
  // Integer outputs (indices) carry no gradient.
  const outputs = specs.map((s, i) => {
    const from = s.dtype === "f32" ? node : null;
    const [first] = inputs;
    const storage = pending?.storages[i] ?? (op.alias && first ? first.storage.retain() : null);
    if (storage) return new Tensor(storage, s.shape, s.dtype, from?.retain() ?? null, i);
    return empty(s.shape, s.dtype, device, from, i);
  });
  try {
    if (!pending) record(op, device, inputs, outputs, attrs);
  } catch (error) {
    for (const output of outputs) output.dispose();
    throw error;
  }
  if (node) save(node, op.saves(node.needs, attrs), inputs, outputs);
  for (const extra of outputs.splice(visibleOutputs(op, outputs.length, attrs))) extra.dispose();
  if (pending) context.pending = pending;
  return outputs;
}

/** The result of `op`, computed together with what one of its inputs waits to compute; null where that is not to be. */
function absorbed(op: AnyOp, inputs: Inputs, attrs: unknown, edges: readonly Edge[], device: Device): Tensor[] | null {
  const { pending } = context;
  if (!pending) return null;
  const at = inputs.findIndex((t) => t !== null && pendingOf(t) === pending);
  const result = inputs[at];
  // A result that is wanted twice is computed first.
  if (!result || inputs.some((t, i) => i !== at && t?.storage === result.storage)) return null;
  const node = result.gradFn;
  if (node?.hooks?.size || (result.isLeaf && result.requiresGrad)) return null;
  // Behind a detached result there is nothing to differentiate.
  const before = pending.inputs.map((t, i) => [t, node ? (pending.edges[i] ?? null) : null] as const);
  const edgeOf = new Map<Tensor | null, Edge>([...inputs.map((t, i) => [t, edges[i] ?? null] as const), ...before]);
  const recorded = context.grad && [...edgeOf].some(([t, edge]) => t !== result && edge !== null);
  const mine = { inputs: pending.inputs, attrs: pending.attrs, outputs: pending.specs };
  const together: Application | null = pending.op.absorb?.(mine, { op, inputs, attrs, at }, recorded) ?? null;
  if (!together) return null;
  const edgesOf = together.inputs.map((t) => (t ? (edgeOf.get(t) ?? null) : null));
  const given = specsOf(together.inputs);
  const specs = together.op.infer(given, together.attrs, device.info) as readonly Spec[];
  pending.yield();
  return applied(together.op, together.inputs, given, together.attrs, edgesOf, specs, device);
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
