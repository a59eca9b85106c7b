// Op: everything that wgrad knows of one operation, in one value.
import type { Queue } from "../gpu/queue.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";

/** Which inputs and outputs the tape keeps alive for vjp, no more. */
export interface Saved {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** What a vjp gets. `needs[i]` says whether input i wants a gradient: compute no other. */
export interface VjpContext<A> {
  readonly attrs: A;
  readonly needs: readonly boolean[];
  readonly inputSpecs: readonly Spec[];
  readonly outputSpecs: readonly Spec[];
  /** A saved input or output; throws for one that `saves` did not name. */
  input(index: number): Tensor;
  output(index: number): Tensor;
}

/**
 * Gradients of the inputs from those of the visible outputs, null where none is needed. May return a gradient it was
 * given, also more than once. Runs under noGrad, in a scope: temporaries are freed.
 */
export type Vjp<A> = (grads: readonly Tensor[], context: VjpContext<A>) => readonly (Tensor | null)[];

export interface Op<A = void> {
  readonly name: string;
  /** Shapes and dtypes of all outputs. The only place where those of the inputs are checked. */
  infer(inputs: readonly Spec[], attrs: A): readonly Spec[];
  /** The one output is input 0's storage under another shape: no memory is allocated and `forward` does nothing. */
  readonly alias?: boolean;
  /** Records the kernels that fill `outputs` from `inputs`. */
  forward(queue: Queue, inputs: readonly Tensor[], outputs: readonly Tensor[], attrs: A): void;
  /** How many trailing outputs exist for the tape alone (pooling indices, batch statistics). Default 0. */
  readonly aux?: number;
  saves(needs: readonly boolean[], attrs: A): Saved;
  readonly vjp: Vjp<A> | "not differentiable";
}

const NOTHING: Saved = { inputs: [], outputs: [] };
/** `saves` of an op whose vjp needs shapes only. */
export const savesNothing = (): Saved => NOTHING;
