// Node: one recorded operation of the tape. Freed when neither a tensor nor a later node refers to it.
import { StateError } from "../errors.ts";
import { keep } from "../tensor/scope.ts";
import type { GradHook, Spec, Tensor } from "../tensor/tensor.ts";
import type { AnyOp, Inputs, Outputs, VjpContext } from "./op.ts";

/** Where an input's gradient goes: to an earlier node's output, or to a leaf. */
export type Edge = { readonly node: Node; readonly index: number } | { readonly leaf: Tensor } | null;

export class Node implements VjpContext<Inputs, unknown, Outputs> {
  readonly op: AnyOp;
  readonly attrs: unknown;
  readonly edges: readonly Edge[];
  readonly needs: readonly boolean[];
  readonly inputSpecs: readonly (Spec | null)[];
  readonly outputSpecs: readonly Spec[];
  /** Hooks on outputs, by output index. */
  hooks: Map<number, GradHook[]> | null = null;
  /** Handles that this node owns, by input index, or by -1 - output index. */
  #saved: Map<number, { readonly tensor: Tensor; readonly version: number } | null> | null = new Map();
  #refs = 0;

  constructor(
    op: AnyOp,
    attrs: unknown,
    edges: readonly Edge[],
    inputSpecs: readonly (Spec | null)[],
    outputSpecs: readonly Spec[],
  ) {
    this.op = op;
    this.attrs = attrs;
    this.edges = edges;
    this.needs = edges.map((e) => e !== null);
    this.inputSpecs = inputSpecs;
    this.outputSpecs = outputSpecs;
    for (const edge of edges) if (edge && "node" in edge) edge.node.retain();
  }

  get name(): string {
    return this.op.name;
  }

  /** True once backward or the last reference has let the saved tensors go. */
  get freed(): boolean {
    return this.#saved === null;
  }

  /** Keeps a tensor's storage alive for vjp. `key`: an input index, or -1 - an output index. */
  save(key: number, tensor: Tensor | null): void {
    const saved = tensor && { tensor: keep(tensor.detach()), version: tensor.storage.version };
    this.#saved?.set(key, saved);
  }

  input(index: number): Tensor | null {
    return this.#get(index, `input ${index}`);
  }

  output(index: number): Tensor {
    const what = `output ${index}`;
    const tensor = this.#get(-1 - index, what);
    if (!tensor) throw new StateError(`[${this.name}] has no ${what}`);
    return tensor;
  }

  #get(key: number, what: string): Tensor | null {
    if (!this.#saved) {
      throw new StateError(
        `[backward] the graph through ${this.name} was already freed: call backward({ retainGraph: true }) the first time`,
      );
    }
    const saved = this.#saved.get(key);
    if (saved === null) return null;
    if (!saved) throw new StateError(`[${this.name}] vjp reads ${what}, which its \`saves\` does not keep`);
    if (saved.tensor.storage.version !== saved.version) {
      throw new StateError(
        `[backward] ${what} of ${this.name}, shape [${saved.tensor.shape.join(", ")}], was changed in place after ${this.name} used it: change a clone(), or call backward() first`,
      );
    }
    return saved.tensor;
  }

  retain(): this {
    this.#refs++;
    return this;
  }

  release(): void {
    if (--this.#refs > 0) return;
    this.free();
    for (const edge of this.edges) if (edge && "node" in edge) edge.node.release();
  }

  /** Lets the saved tensors go; the edges stay. */
  free(): void {
    for (const saved of this.#saved?.values() ?? []) saved?.tensor.dispose();
    this.#saved = null;
  }
}
