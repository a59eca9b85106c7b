// A graph in the making: nodes, constants, and names that are there once.
import type { Shape } from "../tensor/shape.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Attribute, ElementType, Initializer, NodeInfo } from "./proto.ts";
import { isFixed, type Size, type Sizes, sameSizes } from "./sizes.ts";

type Attributes = Readonly<Record<string, Attribute>>;

/** What a node takes or gives, with its sizes. */
export interface Ref {
  readonly name: string;
  readonly sizes: Sizes;
}

export class Graph {
  nodes: NodeInfo[] = [];
  initializers: Initializer[] = [];
  /** Path of the module whose call is written, which nodes are named after. */
  path = "";
  readonly #names = new Map<string, number>();
  readonly #constants = new Map<string, string>();
  readonly #input: string;
  #batch: string | null = null;

  /** `input` names the tensor whose first size is the batch; `reserved` are names that others have. */
  constructor(input: string, reserved: Iterable<string>) {
    this.#input = input;
    for (const name of reserved) this.#names.set(name, 1);
  }

  /** This name, with a number where it is taken. */
  name(wanted: string): string {
    const count = this.#names.get(wanted) ?? 0;
    this.#names.set(wanted, count + 1);
    return count === 0 ? wanted : this.name(`${wanted}_${count}`);
  }

  /** Adds a node of one output, and gives its name. "" stands for an input that is left out. */
  node(type: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.several(type, inputs, 1, attributes)[0] ?? "";
  }

  /** Adds a node of several outputs. */
  several(type: string, inputs: readonly string[], count: number, attributes: Attributes = {}): string[] {
    const name = this.name(`${this.path ? `${this.path}/` : ""}${type}`);
    const outputs = Array.from({ length: count }, (_, i) => this.name(`${name}_output_${i}`));
    this.nodes.push({ type, name, inputs, outputs, attributes });
    return outputs;
  }

  /** A constant of f32, once for equal ones. */
  floats(values: readonly number[] | Float32Array<ArrayBuffer>, shape: Shape = []): string {
    return this.constant("f32", shape, new Uint8Array(Float32Array.from(values).buffer));
  }

  /** A list of whole numbers, as shapes and axes are given. */
  integers(values: readonly number[]): string {
    return this.constant("i64", [values.length], new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
  }

  /** A constant of i32. */
  indices(values: readonly number[], shape: Shape = [values.length]): string {
    return this.constant("i32", shape, new Uint8Array(Int32Array.from(values).buffer));
  }

  /** A constant, once for equal ones. */
  constant(type: ElementType, shape: Shape, bytes: Uint8Array): string {
    const small = bytes.length <= 64;
    const key = `${type} ${shape} ${bytes}`;
    const known = small ? this.#constants.get(key) : undefined;
    if (known !== undefined) return known;
    const name = this.name("constant");
    this.initializers.push({ name, type, shape, bytes });
    if (small) this.#constants.set(key, name);
    return name;
  }

  /** Leaves out what nothing of `wanted` follows from: results that a model does not use. */
  prune(wanted: readonly string[]): void {
    const names = new Set(wanted);
    const kept: NodeInfo[] = [];
    for (const node of [...this.nodes].reverse()) {
      if (!node.outputs.some((name) => names.has(name))) continue;
      for (const name of node.inputs) names.add(name);
      kept.push(node);
    }
    this.nodes = kept.reverse();
    this.initializers = this.initializers.filter(({ name }) => names.has(name));
  }

  /** Whether a node reads it. */
  reads(name: string): boolean {
    return this.nodes.some(({ inputs }) => inputs.includes(name));
  }

  /** The batch as a list of one whole number. */
  #batchSize(): string {
    this.#batch ??= this.node("Slice", [this.node("Shape", [this.#input]), this.integers([0]), this.integers([1])]);
    return this.#batch;
  }

  #size(size: Size): string {
    if (isFixed(size)) return this.integers([size]);
    return size.times === 1 ? this.#batchSize() : this.node("Mul", [this.#batchSize(), this.integers([size.times])]);
  }

  /** A list of sizes, some of which may be known at run time alone. */
  shape(sizes: Sizes): string {
    if (sizes.every(isFixed)) return this.integers(sizes);
    return this.node(
      "Concat",
      sizes.map((size) => this.#size(size)),
      { axis: 0 },
    );
  }

  /** The same elements under other sizes. */
  reshape(x: Ref, sizes: Sizes): string {
    if (sameSizes(x.sizes, sizes)) return x.name;
    const open = sizes.filter((size) => !isFixed(size)).length;
    // One unknown size follows from the others, unless there are no elements.
    const fixed = open <= 1 && sizeOf(sizes.filter(isFixed)) > 0;
    const to = fixed ? this.integers(sizes.map((size) => (isFixed(size) ? size : -1))) : this.shape(sizes);
    return this.node("Reshape", [x.name, to]);
  }

  transpose(x: string, order: readonly number[]): string {
    return order.every((d, i) => d === i) ? x : this.node("Transpose", [x], { perm: order });
  }

  /** Elements `start` to `end` (not included) of some axes. */
  slice(x: string, parts: readonly { axis: number; start: number; end: number; step?: number }[]): string {
    if (parts.length === 0) return x;
    const list = (of: (part: (typeof parts)[number]) => number) => this.integers(parts.map(of));
    return this.node("Slice", [
      x,
      list(({ start }) => start),
      list(({ end }) => end),
      list(({ axis }) => axis),
      list(({ step = 1 }) => step),
    ]);
  }

  /** By the truth of `x` as booleans. */
  truth(x: string): string {
    return this.node("Cast", [x], { to: 9 });
  }
}
