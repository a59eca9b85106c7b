// The end of a matrix product or convolution, computed before its sums are stored: see wgsl/lib/epilogue.wgsl.
import { type Activation, unaryBody } from "./elementwise.ts";
import type { Buffer } from "./kernel.ts";

/** What is applied by channel and beside the sums, each null where it is not. */
export interface EpilogueBuffers {
  readonly bias: Buffer | null;
  /** Of batch norm by running statistics, whose bias is `bias`. */
  readonly gamma: Buffer | null;
  readonly mean: Buffer | null;
  readonly variance: Buffer | null;
  /** Added before the activation. */
  readonly residual: Buffer | null;
  /** Gets what the activation is given. */
  readonly pre: Buffer | null;
}

export interface Epilogue extends EpilogueBuffers {
  readonly activation: Activation | null;
  /** Batch norm's. */
  readonly eps: number;
}

export const noEpilogue = {
  bias: null,
  gamma: null,
  mean: null,
  variance: null,
  residual: null,
  pre: null,
  activation: null,
  eps: 0,
} as const satisfies Epilogue;

export const epilogueBuffers = ({ bias, gamma, mean, variance, residual, pre }: EpilogueBuffers): EpilogueBuffers => ({
  bias,
  gamma,
  mean,
  variance,
  residual,
  pre,
});

interface EpilogueVariant {
  readonly overrides: { readonly activate?: string };
  readonly tag: string;
}
const plain: EpilogueVariant = { overrides: {}, tag: "" };
/** Of each activation's row: every launch asks. */
const variants = new WeakMap<object, EpilogueVariant>();

/** The declarations and the tag of the variant with this activation. */
export function epilogueOverrides({ activation }: Epilogue): EpilogueVariant {
  if (!activation) return plain;
  const { name, row } = activation;
  const known = variants.get(row);
  if (known) return known;
  const activate = `fn activate(x: f32) -> f32 { ${unaryBody(row, row.f, ["p.act.x", "p.act.y"])} }`;
  const variant = { overrides: { activate }, tag: name };
  variants.set(row, variant);
  return variant;
}

/** The parameters that the part reads. */
export const epilogueParams = ({ activation, eps }: Epilogue): { act: readonly [number, number]; eps: number } => ({
  act: [activation?.scalars[0] ?? 0, activation?.scalars[1] ?? 0],
  eps,
});
