// propagate: gradients from results back through the tape, each node once. What a node's derivative is given, and what becomes of
// the gradients of leaves, is the caller's: see backward.ts and grad.ts.
import type { Node } from "../autograd/node.ts";
import { type Inputs, type Outputs, type VjpContext, visibleOutputs } from "../autograd/op.ts";
import { context } from "../context.ts";
import { StateError } from "../errors.ts";
import { binary } from "../ops/binary.ts";
import * as binaries from "../ops/binary-rows.ts";
import { full } from "../tensor/create.ts";
import { scope } from "../tensor/scope.ts";
import { type GradHook, Tensor } from "../tensor/tensor.ts";

/** A result and the gradient of the objective in it, which `propagate` takes over. */
export type Root = readonly [result: Tensor, gradient: Tensor];

export interface Propagation {
  readonly retainGraph: boolean;
  /** Gradients of a node's inputs, from those of its outputs; null: nobody asks for them. */
  derive(node: Node, given: readonly Tensor[]): readonly (Tensor | null)[] | null;
  /** Takes over the gradient of a leaf. */
  atLeaf(leaf: Tensor, gradient: Tensor): void;
  /** Sees the gradients of a node's outputs. */
  atNode?(node: Node, given: readonly Tensor[]): void;
}

/** Another handle on the same storage, at the same place of the graph. */
export const sameAs = (t: Tensor): Tensor =>
  new Tensor(t.storage.retain(), t.shape, t.dtype, t.gradFn?.retain() ?? null, t.outputIndex);

export function propagate(roots: readonly Root[], order: readonly Node[], p: Propagation): void {
  // Gradients of each node's outputs, gathered from the nodes after it.
  const pending = new Map<Node, (Tensor | undefined)[]>();
  const give = (node: Node, index: number, gradient: Tensor): void => {
    const slots = pending.get(node) ?? [];
    pending.set(node, slots);
    const before = slots[index];
    slots[index] = before ? sum(before, gradient) : gradient;
  };
  for (const [root, gradient] of roots) {
    if (root.gradFn) give(root.gradFn, root.outputIndex, gradient);
    else p.atLeaf(root, gradient);
  }
  for (const node of order) {
    const slots = pending.get(node);
    pending.delete(node);
    if (!slots) continue;
    const given = gradientsOf(node, slots);
    p.atNode?.(node, given);
    const derive = () => p.derive(node, given);
    const gradients = distinct(given, () => (context.trace?.derive ? context.trace.derive(node, derive) : derive()));
    for (const [i, gradient] of gradients.entries()) {
      const edge = node.edges[i];
      if (!edge || !gradient) continue;
      if ("leaf" in edge) p.atLeaf(edge.leaf, gradient);
      else give(edge.node, edge.index, gradient);
    }
    for (const gradient of given) gradient.dispose();
    if (!p.retainGraph) node.free();
  }
}

/** Of the outputs that the caller saw, zeros where nothing came back; and of those that were kept, where something did. */
function gradientsOf(node: Node, slots: readonly (Tensor | undefined)[]): Tensor[] {
  const { outputSpecs } = node;
  const visible = visibleOutputs(node.op, outputSpecs.length, node.attrs);
  const given: Tensor[] = [];
  for (const [i, { shape }] of outputSpecs.entries()) {
    const gradient = slots[i];
    if (!gradient && i >= visible) break;
    const device = slots.find((slot) => slot !== undefined)?.device;
    given.push(runHooks(node.hooks?.get(i), gradient ?? full(shape, 0, { device })));
  }
  return given;
}

/** The gradients that `derive` gives, as handles that are all distinct and none of `given`. */
function distinct(
  given: readonly Tensor[],
  derive: () => readonly (Tensor | null)[] | null,
): readonly (Tensor | null)[] {
  const seen = new Set(given);
  return scope(() =>
    (derive() ?? []).map((gradient) => {
      if (!gradient || !seen.has(gradient)) {
        if (gradient) seen.add(gradient);
        return gradient;
      }
      return sameAs(gradient);
    }),
  );
}

/** The gradients of a node by its own rule. */
export function deriveOf(
  node: Node,
  given: readonly Tensor[],
  context: VjpContext<Inputs, unknown, Outputs> = node,
): (Tensor | null)[] {
  const { vjp } = node.op;
  if (vjp === "not differentiable") throw new StateError(`[${node.name}] is not differentiable`);
  return vjp(given, context).map((gradient: Tensor | null, i: number) => (context.needs[i] ? gradient : null));
}

export function sum(a: Tensor, b: Tensor): Tensor {
  const total = binary(binaries.add, a, b);
  a.dispose();
  b.dispose();
  return total;
}

export function runHooks(hooks: readonly GradHook[] | null | undefined, gradient: Tensor): Tensor {
  for (const hook of hooks ?? []) {
    const replaced = hook(gradient);
    if (replaced && replaced !== gradient) {
      gradient.dispose();
      gradient = replaced;
    }
  }
  return gradient;
}

/** The nodes that lead to `starts`, each before the nodes it depends on. */
export function topological(starts: readonly Node[]): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  for (const start of starts) {
    if (seen.has(start)) continue;
    seen.add(start);
    // An explicit stack: deep networks would overflow the host's.
    const stack = [{ node: start, next: 0 }];
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const edge = top.node.edges[top.next++];
      if (edge === undefined) {
        order.push(top.node);
        stack.pop();
      } else if (edge && "node" in edge && !seen.has(edge.node)) {
        seen.add(edge.node);
        stack.push({ node: edge.node, next: 0 });
      }
    }
  }
  return order.reverse();
}
