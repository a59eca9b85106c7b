// What a mapping of an operation to ONNX nodes is given and gives.
import { check, ExportError } from "../errors.ts";
import type { Dtype } from "../tensor/dtype.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Graph, Ref } from "./graph.ts";
import { type Batches, type Sizes, sizesOfTwo } from "./sizes.ts";

/** An input of a call: its name and sizes, and its shape with each of the two batches. */
export interface Given extends Ref {
  readonly dtype: Dtype;
  readonly shapes: readonly [Shape, Shape];
  /** The call that it is a result of. */
  readonly made?: Mapped<unknown>;
}

/** A call as both forwards made it. */
export interface Mapped<A> {
  /** The operation's name, and how messages call this one of its calls. */
  readonly type: string;
  readonly op: string;
  readonly inputs: readonly (Given | null)[];
  /** As the first forward has them, and the second one. */
  readonly attrs: A;
  readonly other: A;
  readonly outputs: readonly {
    readonly sizes: Sizes;
    readonly shapes: readonly [Shape, Shape];
    readonly dtype: Dtype;
  }[];
  readonly batches: Batches;
}

/** Adds nodes to the graph, and gives the names of the results. */
export type Mapping = (g: Graph, call: Mapped<unknown>) => readonly string[];

/** A mapping of an operation with one result, whose attributes are `A`. */
export const mapping =
  <A = unknown>(map: (g: Graph, call: Mapped<A>) => string): Mapping =>
  // The table has it under the name of the operation that has these attributes.
  (g, call) => [map(g, call as Mapped<A>)];

/** The input at `i`, which such a call always has. */
export function given(call: Mapped<unknown>, i = 0): Given {
  const ref = call.inputs[i];
  check(!!ref, () => `[exportOnnx] ${call.op} has no input ${i}`, ExportError);
  return ref;
}

/** Sizes of the result. */
export const resultSizes = (call: Mapped<unknown>): Sizes => call.outputs[0]?.sizes ?? [];
/** The result's shape in the first forward. */
export const resultShape = (call: Mapped<unknown>): Shape => call.outputs[0]?.shapes[0] ?? [];

/** Sizes that both forwards have in an attribute. */
export const sizesIn = <A>(call: Mapped<A>, of: (attrs: A) => Shape): Sizes =>
  sizesOfTwo(of(call.attrs), of(call.other), call.batches, () => `a size in ${call.op}`);

/** Throws where `call` is of a form that no nodes are known for. */
export function checkForm(call: Mapped<unknown>, condition: boolean, form: () => string): asserts condition {
  check(condition, () => `[exportOnnx] ${call.op} with ${form()} has no mapping to ONNX`, ExportError);
}
