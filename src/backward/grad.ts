// grad: gradients as results, and, where asked for, as results that can be differentiated again.
import type { Node } from "../autograd/node.ts";
import { type Inputs, type Outputs, type VjpContext, visibleOutputs } from "../autograd/op.ts";
import { pendingOf } from "../autograd/pending.ts";
import { deviceOf } from "../autograd/run.ts";
import { context, within } from "../context.ts";
import { check, checkOptions, ShapeError, StateError, ValueError } from "../errors.ts";
import { reshape } from "../ops/view.ts";
import { full } from "../tensor/create.ts";
import { scope } from "../tensor/scope.ts";
import { sameShape, show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { compositionOf, type Linked, noSecond, ruleOf } from "./compositions.ts";
import { deriveOf, propagate, type Root, runHooks, sameAs, sum, topological } from "./propagate.ts";

/** What `grad` takes. */
export interface GradOptions {
  /** d(objective)/d(output) for each output, of its shape; null and default: 1, for outputs of one element. */
  gradOutputs?: Tensor | readonly (Tensor | null)[] | null;
  /** Keep the tape, so that it can be differentiated again. Default: `createGraph`. */
  retainGraph?: boolean;
  /** Record the gradients themselves, so that they can be differentiated. Default false. */
  createGraph?: boolean;
  /** Inputs that no output depends on get null instead of an error. Default false. */
  allowUnused?: boolean;
}

type GradientsOf<T extends readonly Tensor[], O> = {
  -readonly [K in keyof T]: O extends { readonly allowUnused: true } ? Tensor | null : Tensor;
};

/**
 * The gradients of `outputs`, added up, in each of `inputs`, which may be leaves or results. Nobody's `.grad` changes. With
 * `createGraph` they are results of operations on the tape, so that a loss may contain them:
 *
 *     const [g] = grad(critic(x).sum(), [x], { createGraph: true });
 *     const penalty = g.norm(1).sub(1).square().mean();   // penalty.backward() reaches the critic's weights
 *
 * @throws StateError where an output requires no gradient, the tape was freed, an input was not used, or an operation on the way
 * has no gradient of its gradient; ShapeError for `gradOutputs` that do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.autograd.grad.html
 */
export function grad<const T extends readonly Tensor[], const O extends GradOptions>(
  outputs: Tensor | readonly Tensor[],
  inputs: T,
  options?: O,
): GradientsOf<T, O>;
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  options: GradOptions = {},
): (Tensor | null)[] {
  checkOptions("grad", options, ["gradOutputs", "createGraph", "retainGraph", "allowUnused"]);
  const { createGraph = false, retainGraph = createGraph, allowUnused = false } = options;
  check(
    Array.isArray(inputs) && inputs.length > 0,
    () => "[grad] inputs must be a list of at least one tensor: grad(loss, [x])",
    ValueError,
  );
  const results = outputs instanceof Tensor ? [outputs] : outputs;
  const seeds = seedsOf(results, options.gradOutputs);
  for (const [i, input] of inputs.entries()) checkInput(i, input);
  const differentiable = createGraph ? compositionOf : null;
  const found = within({ grad: createGraph, differentiable }, () =>
    scope(() => gradients(results, seeds, inputs, { createGraph, retainGraph })),
  );
  for (const [i, gradient] of found.entries()) {
    check(
      gradient !== null || allowUnused,
      () =>
        `[grad] input ${i}, ${String(inputs[i])}, was not used for the outputs: leave it out, or take null with { allowUnused: true }`,
      StateError,
    );
  }
  return found;
}

function seedsOf(outputs: readonly Tensor[], given: GradOptions["gradOutputs"]): (Tensor | null)[] {
  const seeds = given instanceof Tensor ? [given] : (given ?? outputs.map(() => null));
  check(
    outputs.length > 0 && seeds.length === outputs.length,
    () => `[grad] takes a gradient for each output: ${outputs.length} outputs, ${seeds.length} gradOutputs`,
    ValueError,
  );
  for (const [i, output] of outputs.entries()) {
    const seed = seeds[i] ?? null;
    check(output.requiresGrad, () => `[grad] output ${i}, ${String(output)}, does not require a gradient`, StateError);
    check(
      seed !== null || output.numel === 1,
      () => `[grad] output ${i} has shape ${show(output.shape)}: give gradOutputs, or sum() it to one element`,
      ShapeError,
    );
    check(
      seed === null || sameShape(seed.shape, output.shape),
      () => `[grad] gradOutputs[${i}] has shape ${show(seed?.shape ?? [])} but the output has ${show(output.shape)}`,
      ShapeError,
    );
    deviceOf("grad", [output, seed], 1);
  }
  return [...seeds];
}

function checkInput(i: number, input: Tensor): void {
  deviceOf("grad", [input]);
  check(
    input.requiresGrad,
    () => `[grad] input ${i}, ${String(input)}, does not require a gradient: requiresGrad_() it before it is used`,
    StateError,
  );
  check(
    !pendingOf(input)?.taken,
    () =>
      `[grad] input ${i}, ${String(input)}, was computed in one pass with what followed, so its gradient is not: call its retainGrad() before it is used`,
    StateError,
  );
}

function gradients(
  outputs: readonly Tensor[],
  seeds: readonly (Tensor | null)[],
  inputs: readonly Tensor[],
  { createGraph, retainGraph }: { createGraph: boolean; retainGraph: boolean },
): (Tensor | null)[] {
  const order = topological(outputs.flatMap((t) => t.gradFn ?? []));
  const leaves = new Map<Tensor, Tensor | null>();
  const results = new Map<Node, Map<number, Tensor | null>>();
  for (const t of inputs) {
    const node = t.gradFn;
    if (!node) leaves.set(t, null);
    else results.set(node, (results.get(node) ?? new Map()).set(t.outputIndex, null));
  }
  const leads = leading(order, leaves, results);
  const roots = outputs.map((t, i): Root => [t, sameAs(seeds[i] ?? full(t.shape, 1, { device: t.device }))]);
  propagate(roots, order, {
    retainGraph,
    derive: (node, given) =>
      leads.has(node) ? derive(new Place(node, leads, leaves, results), given, createGraph) : null,
    atLeaf(leaf, gradient) {
      const before = leaves.get(leaf);
      if (before === undefined) gradient.dispose();
      else leaves.set(leaf, before ? sum(before, gradient) : gradient);
    },
    atNode(node, given) {
      for (const i of results.get(node)?.keys() ?? []) {
        const gradient = given[i];
        if (gradient) results.get(node)?.set(i, sameAs(gradient));
      }
    },
  });
  // A tensor that is asked for twice is given twice.
  return inputs.map((t) => {
    const { gradFn: node } = t;
    const found = node ? results.get(node)?.get(t.outputIndex) : leaves.get(t);
    if (!found) return null;
    return runHooks(node ? null : t.leafHooks, sameAs(found));
  });
}

type Wanted<K> = ReadonlyMap<K, unknown>;

/** The nodes from which a gradient that is asked for is reached. */
function leading(order: readonly Node[], leaves: Wanted<Tensor>, results: Wanted<Node>): Set<Node> {
  const leads = new Set<Node>();
  for (const node of [...order].reverse()) {
    if (node.edges.some((edge) => reaches(edge, leads, leaves, results))) leads.add(node);
  }
  return leads;
}

const reaches = (edge: Node["edges"][number], leads: Set<Node>, leaves: Wanted<Tensor>, results: Wanted<Node>) =>
  edge !== null && ("leaf" in edge ? leaves.has(edge.leaf) : leads.has(edge.node) || results.has(edge.node));

/** A node as its derivative sees it: only what is asked for is needed, and what was saved is where it was in the graph. */
class Place implements VjpContext<Inputs, unknown, Outputs>, Linked {
  readonly node: Node;
  readonly needs: readonly boolean[];

  constructor(node: Node, leads: Set<Node>, leaves: Wanted<Tensor>, results: Wanted<Node>) {
    this.node = node;
    this.needs = node.edges.map((edge) => reaches(edge, leads, leaves, results));
  }

  get attrs(): unknown {
    return this.node.attrs;
  }

  get inputSpecs() {
    return this.node.inputSpecs;
  }

  get outputSpecs() {
    return this.node.outputSpecs;
  }

  input(index: number): Tensor | null {
    const saved = this.node.input(index);
    return saved && this.link(index, saved);
  }

  output(index: number): Tensor {
    const { node } = this;
    const saved = node.output(index);
    if (!context.grad || saved.dtype !== "f32") return saved;
    const kept = index >= visibleOutputs(node.op, node.outputSpecs.length, node.attrs);
    check(!kept || node.op.connectsKept === true, () => noSecond(node.name), StateError);
    return new Tensor(saved.storage.retain(), saved.shape, saved.dtype, node.retain(), index);
  }

  link(index: number, value: Tensor): Tensor {
    const edge = this.node.edges[index];
    if (!edge || !context.grad) return value;
    if ("leaf" in edge) return edge.leaf.disposed ? value : edge.leaf;
    return new Tensor(value.storage.retain(), value.shape, value.dtype, edge.node.retain(), edge.index);
  }

  value(index: number): Tensor {
    return this.node.output(index);
  }
}

function derive(place: Place, given: readonly Tensor[], createGraph: boolean): readonly (Tensor | null)[] {
  const [dy] = given;
  const rule = createGraph && dy ? ruleOf(place.node.op) : null;
  if (rule && dy) return rule(dy, place, partials);
  return deriveOf(place.node, given, place);
}

/** The gradients of f in each of its arguments alone, recorded. */
function partials(f: (args: readonly Tensor[]) => Tensor, args: readonly Tensor[], dy: Tensor): (Tensor | null)[] {
  // Copies of the handles in the graph: an argument may depend on another one.
  const fresh = args.map((t) => (t.requiresGrad ? reshape(t, [...t.shape]) : t));
  const wanted = fresh.filter((t) => t.requiresGrad);
  if (wanted.length === 0) return args.map(() => null);
  const found = grad(f(fresh), wanted, { gradOutputs: dy, createGraph: true, allowUnused: true }).values();
  return fresh.map((t) => (t.requiresGrad ? (found.next().value ?? null) : null));
}
