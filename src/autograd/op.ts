// Op: everything that wgrad knows of one operation, in one value, typed in what it takes and gives.
import type { DeviceInfo } from "../gpu/device.ts";
import type { Division } from "../kernels/divide.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";
import type { Run } from "./run.ts";

/** What an operation takes: a tuple of tensors, null in the place of an optional one that was not given. */
export type Inputs = readonly (Tensor | null)[];
export type Outputs = readonly Tensor[];

/** Shapes and dtypes in place of tensors. */
export type SpecsOf<T extends Inputs> = {
  readonly [K in keyof T]: T[K] extends Tensor ? Spec : Spec | null;
};
/** A gradient, or none, for each input. */
export type Gradients<T extends Inputs> = { readonly [K in keyof T]: Tensor | null };
export type Needs<T extends Inputs> = { readonly [K in keyof T]: boolean };

/** Which inputs and outputs, by position, the tape keeps alive for vjp, no more. */
export interface Saved {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** What a vjp gets. `needs[i]` says whether input i wants a gradient: compute no other. */
export interface VjpContext<In extends Inputs, A, All extends Outputs> {
  readonly attrs: A;
  readonly needs: Needs<In>;
  readonly inputSpecs: SpecsOf<In>;
  readonly outputSpecs: SpecsOf<All>;
  /** A saved input (null: it was not given) or output; throws for one that `saves` did not name. */
  input<K extends number>(index: K): In[K];
  output<K extends number>(index: K): All[K];
}

/**
 * Gradients of the inputs from those of the visible outputs, null where none is needed. May return a gradient it was
 * given, also more than once. Runs in a scope: temporaries are freed. Under noGrad, unless gradients of gradients are wanted;
 * then what was kept may have gradients as well, where `connectsKept` says so.
 */
export type Vjp<In extends Inputs, A, Out extends Outputs, Kept extends Outputs> = (
  grads: readonly [...Out, ...{ readonly [K in keyof Kept]?: Tensor }],
  context: VjpContext<In, A, readonly [...Out, ...Kept]>,
) => Gradients<In>;

/** An operation with what it is applied to. */
export interface Application<In extends Inputs = Inputs, A = unknown> {
  readonly op: AnyOp;
  readonly inputs: In;
  readonly attrs: A;
}

/** An operation that is about to be applied, `at` saying which of its inputs is the result in question. */
export interface Following extends Application {
  readonly at: number;
}

// Attributes differ from op to op; the tape only hands them back to the op they came from.
// biome-ignore lint/suspicious/noExplicitAny: existential type
export type AnyOp = Op<any, any, any, any>;

/**
 * `In`: its inputs, optional ones `Tensor | null`. `A`: its attributes. `Out`: what the caller gets. `Kept`: further outputs
 * that exist for the tape alone (pooling indices, batch statistics).
 */
export interface Op<
  In extends Inputs = readonly [Tensor],
  A = void,
  Out extends Outputs = readonly [Tensor],
  Kept extends Outputs = readonly [],
> {
  readonly name: string;
  /** How many of the inputs may not be null: the first so many. Default: all. */
  readonly required?: number;
  /** Shapes and dtypes of all outputs. The only place where those of the inputs are checked. */
  infer(inputs: SpecsOf<In>, attrs: A, device: DeviceInfo): SpecsOf<readonly [...Out, ...Kept]>;
  /** The one output is input 0's storage under another shape: no memory is allocated and `forward` does nothing. */
  readonly alias?: boolean;
  /** Records the kernels that fill `outputs` from `inputs`. */
  forward(run: Run, inputs: In, outputs: readonly [...Out, ...Kept], attrs: A): void;
  /**
   * How it is computed in pieces where a tensor is larger than a binding may be, best first (see kernels/divide.ts). Left out by
   * those that need none, or launch their kernels for parts themselves.
   */
  divisions?(inputs: In, outputs: readonly [...Out, ...Kept], attrs: A, device: DeviceInfo): Iterable<Division<A>>;
  /** Whether a division's `most` is exceeded. */
  crowded?(inputs: In, outputs: readonly [...Out, ...Kept], device: DeviceInfo): boolean;
  /** How many trailing outputs are `Kept`. Default 0. */
  readonly aux?: number | ((attrs: A) => number);
  saves(needs: Needs<In>, attrs: A): Saved;
  /** Kept outputs are functions of the inputs whose gradients `vjp` takes in. Default false. */
  readonly connectsKept?: boolean;
  readonly vjp: Vjp<In, A, Out, Kept> | "not differentiable";
  /**
   * The one application that gives what `next` gives of this one's result, in one pass over memory; null where there is none.
   * Operations that have this wait, when applied, for the next one (see autograd/pending.ts). `recorded`: the tape will
   * differentiate it.
   */
  absorb?(
    mine: { readonly inputs: In; readonly attrs: A; readonly outputs: readonly Spec[] },
    next: Following,
    recorded: boolean,
  ): Application | null;
  /** What gives the same result again without what else it does: batch norm in training moves the running statistics once. */
  again?(mine: { readonly inputs: In; readonly attrs: A }): { readonly inputs: In; readonly attrs: A };
}

/** How many of an op's outputs the caller gets. */
export const visibleOutputs = (op: AnyOp, outputs: number, attrs: unknown): number =>
  outputs - (typeof op.aux === "function" ? op.aux(attrs) : (op.aux ?? 0));

const NOTHING: Saved = { inputs: [], outputs: [] };
/** `saves` of an op whose vjp needs shapes only. */
export const savesNothing = (): Saved => NOTHING;

/** An op that ends the tape: gradients of other ops, random numbers, updates in place. */
export const withoutGradient = { saves: savesNothing, vjp: "not differentiable" } as const;
