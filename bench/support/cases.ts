// A kernel to measure: what it is called, how much work it does, and how to set it up.
import { rand, type Tensor } from "wgrad";

/** Keeps something until the case has been measured. */
export type Hold = <T extends { dispose(): void }>(held: T) => T;

export interface KernelCase {
  /** Kernel and layer, e.g. "conv forward, resnet18@32 layer1". */
  readonly name: string;
  readonly shape: string;
  /** Arithmetic that must be done, for kernels that arithmetic bounds; else bytes that must be moved. */
  readonly work: { readonly flop: number } | { readonly bytes: number };
  /** Makes the inputs; returns what is measured. */
  readonly setup: (hold: Hold) => () => void;
}

/** Batch sizes: a software adapter gets fewer large images. */
export interface Batches {
  readonly small: number;
  readonly large: number;
}

export const F32 = 4;

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** A leaf that wants a gradient. */
export function leaf(hold: Hold, shape: readonly number[]): Tensor {
  const t = hold(rand(shape));
  t.requiresGrad = true;
  return t;
}

/** The measured part is the backward pass of `forward` alone. */
export function backwardOf(hold: Hold, forward: () => Tensor): () => void {
  const y = hold(forward());
  const dy = hold(rand(y.shape));
  return () => y.backward(dy);
}
