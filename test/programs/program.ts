// What the programs have in common: usual PyTorch programs, ported as their users would write them.
import { type nn, type Tensor, tensor } from "wgrad";
import { labels, uniform } from "../../bench/support/formula.mjs";

export interface Program {
  /** Everything that has parameters, in the order of PyTorch's `named_parameters`. */
  readonly modules: readonly nn.AnyModule[];
  /** A batch, by a formula. */
  batch(): Tensor[];
  /** One training step: the loss. */
  step(...batch: Tensor[]): Tensor;
  /** Optimizers and what else is to be freed. */
  readonly owned: readonly { dispose(): void }[];
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Values in [-scale, scale). */
export const values = (shape: readonly number[], seed: number, scale = 1): Tensor =>
  tensor(uniform(sizeOf(shape), seed, scale), { shape: [...shape] });

/** Values in [0, 1). */
export const shares = (shape: readonly number[], seed: number): Tensor =>
  tensor(
    uniform(sizeOf(shape), seed).map((v) => v / 2 + 0.5),
    { shape: [...shape] },
  );

/** Whole numbers from 0 to below `classes`, i32. */
export const whole = (shape: readonly number[], seed: number, classes: number): Tensor =>
  tensor(labels(sizeOf(shape), seed, classes), { shape: [...shape] });
