// Pending: an operation that waits to be computed until it is known what follows it. A batch norm followed by an addition and a
// ReLU, or a convolution followed by its batch norm, is then one pass over memory, whoever wrote the model.
//
// At most one operation waits, the last one. The next one either takes it into its own pass (`Op.absorb`) or lets it run first;
// so do reads, writes in place, and whatever else reaches the device. What was taken into another pass is not computed at
// all, unless somebody asks for its result after all: then it runs, on its own.
import { context } from "../context.ts";
import { StateError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import { bytesPerElement } from "../tensor/dtype.ts";
import { sameShape, sizeOf } from "../tensor/shape.ts";
import { type Producer, Storage } from "../tensor/storage.ts";
import { internalHandle, type Spec, type Tensor } from "../tensor/tensor.ts";
import type { Edge } from "./node.ts";
import type { AnyOp, Inputs } from "./op.ts";
import { record } from "./run.ts";

export class Pending implements Producer {
  readonly op: AnyOp;
  /** Handles of its own: the caller's may be disposed before it runs. */
  readonly inputs: Inputs;
  readonly attrs: unknown;
  /** Where the gradients of the inputs go. */
  readonly edges: readonly Edge[];
  readonly specs: readonly Spec[];
  readonly device: Device;
  /** Of the outputs, without memory until it runs. */
  readonly storages: readonly Storage[];
  readonly #versions: readonly (number | undefined)[];
  /** Results that somebody still holds. */
  #held: number;
  #state: "waits" | "taken" | "done" = "waits";

  constructor(
    op: AnyOp,
    inputs: Inputs,
    attrs: unknown,
    edges: readonly Edge[],
    specs: readonly Spec[],
    device: Device,
  ) {
    // Here, and not in the middle of whatever makes it run.
    for (const spec of specs) device.pool.checkSize(bytesOf(spec));
    this.op = op;
    this.inputs = inputs.map((t) => t && internalHandle(t.storage, t));
    this.attrs = attrs;
    this.edges = edges;
    this.specs = specs;
    this.device = device;
    this.#versions = inputs.map((t) => t?.storage.version);
    this.storages = specs.map((spec) => new Storage(device, bytesOf(spec), { producer: this }));
    this.#held = specs.length;
  }

  /** Records its kernels now, if they are not recorded yet. */
  run(): void {
    if (context.pending === this) context.pending = null;
    const state = this.#state;
    if (state === "done") return;
    this.#state = "done";
    const mine = { inputs: this.inputs, attrs: this.attrs };
    const { inputs, attrs } = state === "taken" ? (this.op.again?.(mine) ?? mine) : mine;
    if (
      state === "taken" &&
      inputs.some((t: Tensor | null, i: number) => t && t.storage.version !== this.#versions[i])
    ) {
      throw new StateError(
        `[${this.op.name}] the result was computed in one pass with what followed, and is read only now that an input has been changed in place: read it before, or use detach().clone() of it in the first place`,
      );
    }
    const outputs = this.specs.map((spec, i) => {
      const storage = this.storages[i];
      if (!storage) throw new StateError(`[${this.op.name}] has no output ${i}`);
      storage.allocate();
      return internalHandle(storage, spec);
    });
    try {
      record(this.op, this.device, inputs, outputs, attrs);
    } finally {
      for (const t of [...outputs, ...this.inputs]) t?.dispose();
    }
  }

  /** Whether another operation has computed, or will compute, what follows its result. */
  get taken(): boolean {
    return this.#state === "taken";
  }

  /** The next operation computes what this one would have. */
  yield(): void {
    context.pending = null;
    this.#state = "taken";
  }

  /** A result is not held by anybody any more. */
  released(): void {
    // What waits runs all the same: whoever asked for it may time it, or mean what else it does.
    if (--this.#held > 0 || this.#state !== "taken") return;
    this.#state = "done";
    for (const t of this.inputs) t?.dispose();
  }
}

const bytesOf = ({ shape, dtype }: Spec): number => sizeOf(shape) * bytesPerElement(dtype);

/** What waits to compute a tensor, which is its first result. */
export function pendingOf(t: Tensor): Pending | null {
  const { producer } = t.storage;
  if (!(producer instanceof Pending) || producer.storages[0] !== t.storage) return null;
  return producer.specs[0] && sameShape(producer.specs[0].shape, t.shape) ? producer : null;
}
