// backward: reverse-mode differentiation over the tape, accumulating into the leaves' `.grad`.

import { noGrad } from "../autograd/mode.ts";
import type { Node } from "../autograd/node.ts";
import { visibleOutputs } from "../autograd/op.ts";
import { deviceOf } from "../autograd/run.ts";
import { context } from "../context.ts";
import { check, checkOptions, DtypeError, ShapeError, StateError } from "../errors.ts";
import { binary } from "../ops/binary.ts";
import { full } from "../tensor/create.ts";
import { keep, scope } from "../tensor/scope.ts";
import { sameShape, show } from "../tensor/shape.ts";
import type { GradHook, Tensor } from "../tensor/tensor.ts";

/** What `backward` takes. */
export interface BackwardOptions {
  /** Keep the saved tensors, so that backward can run again through the same graph. Default false. */
  retainGraph?: boolean;
}

/**
 * Adds d(root)/d(leaf) to `.grad` of every leaf that requires it; `gradient` (default 1, for one element only) is
 * d(objective)/d(root), of root's shape. Frees the tape behind it unless `retainGraph`.
 * @throws StateError where nothing requires a gradient or the tape is freed; ShapeError, DtypeError or DeviceError for a
 * `gradient` that does not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.backward.html
 */
export function backward(root: Tensor, gradient?: Tensor | null, options: BackwardOptions = {}): void {
  checkOptions("backward", options, ["retainGraph"]);
  if (gradient != null) deviceOf("backward", [root, gradient]);
  check(
    root.requiresGrad,
    () => "[backward] the tensor does not require a gradient: no input or parameter that requires one led to it",
    StateError,
  );
  check(
    gradient != null || root.numel === 1,
    () => `[backward] needs one element or a gradient argument: the tensor has shape ${show(root.shape)}`,
  );
  if (gradient) checkGradient(root, gradient);
  noGrad(() =>
    scope(() =>
      run(
        root,
        gradient ? gradient.detach() : full(root.shape, 1, { device: root.device }),
        options.retainGraph ?? false,
      ),
    ),
  );
}

function checkGradient(root: Tensor, gradient: Tensor): void {
  check(
    sameShape(gradient.shape, root.shape),
    () => `[backward] gradient has shape ${show(gradient.shape)} but the tensor has ${show(root.shape)}`,
    ShapeError,
  );
  check(
    gradient.dtype === root.dtype,
    () => `[backward] gradient is ${gradient.dtype} but the tensor is ${root.dtype}`,
    DtypeError,
  );
}

function run(root: Tensor, seed: Tensor, retainGraph: boolean): void {
  const start = root.gradFn;
  const { device } = root;
  if (!start) {
    accumulate(root, seed);
    return;
  }
  const order = topological(start);
  // Gradients of each node's outputs, gathered from the nodes after it.
  const seeds: (Tensor | undefined)[] = [];
  seeds[root.outputIndex] = seed;
  const pending = new Map<Node, (Tensor | undefined)[]>([[start, seeds]]);
  for (const node of order) {
    const grads = pending.get(node);
    pending.delete(node);
    if (!grads) continue;
    const visible = node.outputSpecs.slice(0, visibleOutputs(node.op, node.outputSpecs.length, node.attrs));
    const given = visible.map(({ shape }, i) => {
      const grad = grads[i] ?? full(shape, 0, { device });
      return runHooks(node.hooks?.get(i), grad);
    });
    for (const [i, grad] of vjpOf(node, given).entries()) {
      const edge = node.edges[i];
      if (!edge || !grad) continue;
      if ("leaf" in edge) {
        accumulate(edge.leaf, grad);
        continue;
      }
      const slots = pending.get(edge.node) ?? [];
      pending.set(edge.node, slots);
      const before = slots[edge.index];
      slots[edge.index] = before ? sum(before, grad) : grad;
    }
    for (const grad of given) grad.dispose();
    if (!retainGraph) node.free();
  }
}

/** Runs a node's vjp and returns handles that are all distinct and none of `given`. */
function vjpOf(node: Node, given: readonly Tensor[]): (Tensor | null)[] {
  const { vjp } = node.op;
  if (vjp === "not differentiable") throw new StateError(`[${node.name}] is not differentiable`);
  const seen = new Set(given);
  return scope(() =>
    vjp(given, node).map((grad, i) => {
      if (!grad || !node.needs[i]) return null;
      if (!seen.has(grad)) {
        seen.add(grad);
        return grad;
      }
      return grad.detach();
    }),
  );
}

function sum(a: Tensor, b: Tensor): Tensor {
  const total = binary("add", a, b);
  a.dispose();
  b.dispose();
  return total;
}

function runHooks(hooks: readonly GradHook[] | null | undefined, grad: Tensor): Tensor {
  for (const hook of hooks ?? []) {
    const replaced = hook(grad);
    if (replaced && replaced !== grad) {
      grad.dispose();
      grad = replaced;
    }
  }
  return grad;
}

function accumulate(leaf: Tensor, grad: Tensor): void {
  if (leaf.disposed) {
    grad.dispose();
    return;
  }
  context.capture?.accumulating(leaf);
  const hooked = runHooks(leaf.leafHooks, grad);
  const before = leaf.swapGrad(null);
  try {
    // A new handle each time: the old gradient may be shared with whoever read it.
    leaf.swapGrad(keep(before ? binary("add", before, hooked) : hooked.detach()));
  } catch (error) {
    leaf.swapGrad(before);
    throw error;
  }
  before?.dispose();
  hooked.dispose();
}

/** The nodes that lead to `start`, each before the nodes it depends on. */
function topological(start: Node): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>([start]);
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
  return order.reverse();
}
