// The golden vectors of scripts/golden/optim.py, and the formulas that they were made with.
import { readFileSync } from "node:fs";
import { optim } from "wgrad";

export const optimizers = {
  Adagrad: optim.Adagrad,
  Adam: optim.Adam,
  AdamW: optim.AdamW,
  Lion: optim.Lion,
  Muon: optim.Muon,
  NAdam: optim.NAdam,
  RMSprop: optim.RMSprop,
  SGD: optim.SGD,
};

export interface Trajectory {
  readonly name: string;
  readonly kind: keyof typeof optimizers;
  readonly options: { readonly lr: number };
  readonly groups: readonly { readonly params: readonly number[] }[];
  /** Steps [from, to) in which a parameter has no gradient. */
  readonly absent: Readonly<Record<string, readonly [number, number]>>;
  /** New learning rates, by group, before a step. */
  readonly lrs: Readonly<Record<string, readonly number[]>>;
  /** Of the parameters, where they are not those of all others. */
  readonly shapes?: readonly (readonly number[])[];
  /** By step, parameter and element. */
  readonly values: readonly (readonly (readonly number[])[])[];
}

export interface Sequence {
  readonly name: string;
  readonly kind: string;
  readonly positional: readonly (string | number | readonly number[])[];
  readonly options: object;
  readonly lrs: readonly number[];
  readonly optimizer: "SGD" | "Adam";
  readonly metrics: readonly number[] | null;
  readonly byHand: Readonly<Record<string, number>>;
  /** Learning rate and momentum, by step and group. */
  readonly values: readonly (readonly (readonly [number, number])[])[];
}

export interface Golden {
  readonly steps: number;
  readonly shapes: readonly (readonly number[])[];
  readonly trajectories: readonly Trajectory[];
  readonly sequences: readonly Sequence[];
}

export const golden = JSON.parse(readFileSync(new URL("../golden/optim.json", import.meta.url), "utf8")) as Golden;

export const shapesOf = (t: Trajectory): readonly (readonly number[])[] => t.shapes ?? golden.shapes;

export const initial = (k: number, i: number): number => Math.cos(3 * k + 1.3 * i);
export const gradient = (step: number, k: number, i: number): number =>
  Math.sin(1.7 * i + 0.9 * step + 2.1 * k) * 10 ** (((i + k) % 4) - 2);
