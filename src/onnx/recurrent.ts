// LSTM, GRU and the plain recurrent layer as ONNX nodes, whose gates come in another order than PyTorch's.
import type { CellKind } from "../ops/recurrent.ts";
import type { Graph } from "./graph.ts";
import { checkForm, type Given, given, type Mapped, type Mapping } from "./mapping.ts";
import { linearOf } from "./products.ts";
import type { Attribute } from "./proto.ts";
import { isFixed, type Sizes } from "./sizes.ts";

interface Attrs {
  readonly kind: CellKind;
  readonly reversed: boolean;
}

/** PyTorch's gates in the order that ONNX has them: i f g o as i o f c, r z n as z r h. */
const ORDER: Readonly<Record<CellKind, readonly number[]>> = {
  lstm: [0, 3, 1, 2],
  gru: [1, 0, 2],
  tanh: [0],
  relu: [0],
};

/** A list of gates one below the other, [gates * hidden, ...], in ONNX's order. */
function turned(g: Graph, name: string, order: readonly number[], hidden: number): string {
  if (order.length === 1) return name;
  const parts = g.several("Split", [name, g.integers(order.map(() => hidden))], order.length, { axis: 0 });
  return g.node(
    "Concat",
    order.map((gate) => parts[gate] ?? ""),
    { axis: 0 },
  );
}

/** The linear layer that made x: [steps, batch, rows], which ONNX's operators hold themselves: its input, weight and bias. */
function linearIn(call: Mapped<unknown>, x: Given, rows: number) {
  const made = x.made?.type === "view" ? x.made.inputs[0]?.made : x.made;
  const linear = made?.type === "matmul" ? linearOf(made) : null;
  const [height, width] = linear?.weight.sizes ?? [];
  checkForm(call, linear !== null && height === rows && isFixed(width), () => "inputs of no linear layer");
  // Of one element either way is the same.
  checkForm(call, linear.transposed || rows * width === 1, () => "weights the other way round");
  return { ...linear, width };
}

const recurrent = (g: Graph, call: Mapped<Attrs>): readonly string[] => {
  const { kind, reversed } = call.attrs;
  const [x, weight, h0, bias, c0] = [given(call), given(call, 1), given(call, 2), call.inputs[3], call.inputs[4]];
  const [rows = 0, hidden = 0] = weight.shapes[0];
  const order = ORDER[kind];
  const { input, weight: weightIn, bias: biasIn, width } = linearIn(call, x, rows);
  /** In one direction. */
  const alone = (name: string, sizes: Sizes) => g.reshape({ name, sizes }, [1, ...sizes]);
  const gates = (name: string, ...sizes: number[]) => alone(turned(g, name, order, hidden), [rows, ...sizes]);
  const nothing = () => g.floats(new Float32Array(rows), [rows]);
  const biases = [biasIn, bias].map((t) => (t ? turned(g, t.name, order, hidden) : nothing()));
  const inputs = [
    g.reshape(input, [...x.sizes.slice(0, 2), width]),
    gates(weightIn.name, width),
    gates(weight.name, hidden),
    biasIn || bias ? alone(g.node("Concat", biases, { axis: 0 }), [2 * rows]) : "",
    "",
    g.reshape(h0, [1, ...h0.sizes]),
    ...(c0 ? [g.reshape(c0, [1, ...c0.sizes])] : []),
  ];
  const common = { hidden_size: hidden, direction: reversed ? "reverse" : "forward" };
  const own: Record<CellKind, Readonly<Record<string, Attribute>>> = {
    lstm: {},
    gru: { linear_before_reset: 1 },
    tanh: { activations: { texts: ["Tanh"] } },
    relu: { activations: { texts: ["Relu"] } },
  };
  const type = kind === "lstm" ? "LSTM" : kind === "gru" ? "GRU" : "RNN";
  const results = g.several(type, inputs, c0 ? 3 : 1, { ...common, ...own[kind] });
  return call.outputs.map(({ sizes }, i) => {
    // y: [steps, directions, batch, hidden]; the last cells: [directions, batch, hidden].
    const name = results[i === 0 ? 0 : 2] ?? "";
    return g.reshape({ name, sizes: i === 0 ? [sizes[0] ?? 1, 1, ...sizes.slice(1)] : [1, ...sizes] }, sizes);
  });
};

// The table has it under the name of the operation that has these attributes.
export const recurrentLayers: Readonly<Record<string, Mapping>> = {
  recurrent: (g, call) => recurrent(g, call as Mapped<Attrs>),
};
