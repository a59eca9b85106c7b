// Arithmetic, comparisons, movement, reductions and indexing as ONNX nodes.
import type { Dtype } from "../tensor/dtype.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Graph } from "./graph.ts";
import { given, type Mapped, type Mapping, mapping, resultShape, resultSizes } from "./mapping.ts";
import { elementTypes } from "./proto.ts";
import { sameSize } from "./sizes.ts";
import { truncated, unaries } from "./unary.ts";

const binary = (type: string): Mapping => mapping((g, call) => g.node(type, [given(call).name, given(call, 1).name]));

/** Comparisons give i32. */
const comparison = (type: string): Mapping =>
  mapping((g, call) =>
    g.node("Cast", [g.node(type, [given(call).name, given(call, 1).name])], { to: elementTypes.i32 }),
  );

interface Reduced {
  readonly dims: readonly number[];
}

/** Whether reduced dimensions stay, or what remains is brought into the result's shape. */
function reduced(g: Graph, call: Mapped<Reduced>, reduce: (x: string, keepdims: number) => string): string {
  const x = given(call);
  if (call.attrs.dims.length === 0)
    return g.reshape({ name: g.node("Identity", [x.name]), sizes: x.sizes }, resultSizes(call));
  const kept = x.sizes.map((n, d) => (call.attrs.dims.includes(d) ? 1 : n));
  if (resultSizes(call).length === x.sizes.length - call.attrs.dims.length) return reduce(x.name, 0);
  return g.reshape({ name: reduce(x.name, 1), sizes: kept }, resultSizes(call));
}

const reduction = (type: string): Mapping =>
  mapping<Reduced>((g, call) =>
    reduced(g, call, (x, keepdims) => g.node(type, [x], { axes: call.attrs.dims, keepdims })),
  );

interface Placed {
  readonly start: readonly number[];
  readonly step: readonly number[];
  readonly shape: Shape;
}

/** As many of `most` as `k` says, best first, with positions in i32. */
function best(g: Graph, x: string, k: number, axis: number, largest: boolean): readonly string[] {
  const [values = "", at = ""] = g.several("TopK", [x, g.integers([k])], 2, {
    axis,
    largest: Number(largest),
    sorted: 1,
  });
  return [values, g.node("Cast", [at], { to: elementTypes.i32 })];
}

export const elementwise: Readonly<Record<string, Mapping>> = {
  ...Object.fromEntries(
    Object.entries(unaries).map(([name, map]) => [
      name,
      mapping<readonly number[]>((g, call) => map(g, given(call).name, call.attrs)),
    ]),
  ),
  add: binary("Add"),
  atan2: mapping((g, call) => {
    const [y, x] = [given(call).name, given(call, 1).name];
    const [zero, pi] = [g.floats([0]), g.floats([Math.PI])];
    const negative = (t: string) => {
      // Also of -0.
      const reciprocal = g.node("Reciprocal", [t]);
      return g.node("Or", [g.node("Less", [t, zero]), g.node("Less", [reciprocal, zero])]);
    };
    const [rows, columns] = [g.node("Abs", [y]), g.node("Abs", [x])];
    const [least, most] = [g.node("Min", [rows, columns]), g.node("Max", [rows, columns])];
    const slope = g.node("Div", [least, g.node("Where", [g.node("Equal", [most, zero]), pi, most])]);
    const flat = g.node("Atan", [slope]);
    const steep = g.node("Sub", [g.floats([Math.PI / 2]), flat]);
    const first = g.node("Where", [g.node("Greater", [rows, columns]), steep, flat]);
    const left = g.node("Where", [negative(x), g.node("Sub", [pi, first]), first]);
    return g.node("Where", [negative(y), g.node("Neg", [left]), left]);
  }),
  cat: mapping<{ dim: number }>((g, { inputs, attrs }) =>
    g.node(
      "Concat",
      inputs.flatMap((input) => (input ? [input.name] : [])),
      { axis: attrs.dim },
    ),
  ),
  clone: mapping((g, call) => g.node("Identity", [given(call).name])),
  // After products of 2^k neighbours come those of 2^(k + 1).
  cumprod: mapping<{ dim: number }>((g, call) => {
    const x = given(call);
    const n = x.shapes[0][call.attrs.dim] ?? 1;
    const one = x.dtype === "f32" ? g.floats([1]) : g.node("Cast", [g.floats([1])], { to: elementTypes[x.dtype] });
    let y = x.name;
    for (let step = 1; step < n; step *= 2) {
      const pads = (at: number) => x.sizes.map((_, d) => (d === call.attrs.dim ? at : 0));
      const earlier = g.slice(y, [{ axis: call.attrs.dim, start: 0, end: n - step }]);
      y = g.node("Mul", [
        y,
        g.node("Pad", [earlier, g.integers([...pads(step), ...pads(0)]), one], { mode: "constant" }),
      ]);
    }
    return y === x.name ? g.node("Identity", [y]) : y;
  }),
  cumsum: mapping<{ dim: number; reverse: boolean }>((g, call) =>
    g.node("CumSum", [given(call).name, g.indices([call.attrs.dim])], { reverse: Number(call.attrs.reverse) }),
  ),
  div: binary("Div"),
  divFloor: mapping((g, call) => g.node("Floor", [g.node("Div", [given(call).name, given(call, 1).name])])),
  divTrunc: mapping((g, call) => {
    const quotient = g.node("Div", [given(call).name, given(call, 1).name]);
    return given(call).dtype === "f32" ? truncated(g, quotient) : quotient;
  }),
  eq: comparison("Equal"),
  expand: mapping((g, call) => {
    const x = given(call);
    const sizes = resultSizes(call);
    const added = sizes.length - x.sizes.length;
    // 1 leaves a size as it is.
    const to = sizes.map((size, d) => (sameSize(size, x.sizes[d - added]) ? 1 : size));
    return g.node("Expand", [x.name, g.shape(to)]);
  }),
  flip: mapping<{ dims: readonly number[] }>((g, call) =>
    g.slice(
      given(call).name,
      call.attrs.dims.map((axis) => ({ axis, start: -1, end: -(2 ** 31), step: -1 })),
    ),
  ),
  fmod: mapping((g, call) => g.node("Mod", [given(call).name, given(call, 1).name], { fmod: 1 })),
  gather: mapping<{ dim: number }>((g, call) =>
    g.node("GatherElements", [given(call).name, given(call, 1).name], { axis: call.attrs.dim }),
  ),
  ge: comparison("GreaterOrEqual"),
  gt: comparison("Greater"),
  indexSelect: mapping<{ dim: number }>((g, call) =>
    g.node("Gather", [given(call).name, given(call, 1).name], { axis: call.attrs.dim }),
  ),
  le: comparison("LessOrEqual"),
  lt: comparison("Less"),
  max: reduction("ReduceMax"),
  maximum: binary("Max"),
  min: reduction("ReduceMin"),
  minimum: binary("Min"),
  mul: binary("Mul"),
  ne: mapping((g, call) => {
    const equal = g.node("Equal", [given(call).name, given(call, 1).name]);
    return g.node("Cast", [g.node("Not", [equal])], { to: elementTypes.i32 });
  }),
  norm: reduction("ReduceL2"),
  pad: mapping<Placed & { value: number }>((g, call) => {
    const x = given(call);
    const { start, shape, value } = call.attrs;
    const ends = shape.map((n, d) => n - (start[d] ?? 0) - (x.shapes[0][d] ?? 0));
    const filler =
      x.dtype === "f32" ? g.floats([value]) : g.node("Cast", [g.floats([value])], { to: elementTypes[x.dtype] });
    return g.node("Pad", [x.name, g.integers([...start, ...ends]), filler], { mode: "constant" });
  }),
  permute: mapping<{ order: readonly number[] }>((g, call) =>
    g.node("Transpose", [given(call).name], { perm: call.attrs.order }),
  ),
  pow: binary("Pow"),
  prelu: binary("PRelu"),
  remainder: mapping((g, call) => {
    const [a, b] = [given(call).name, given(call, 1).name];
    return g.node("Sub", [a, g.node("Mul", [b, g.node("Floor", [g.node("Div", [a, b])])])]);
  }),
  slice: mapping<Placed>((g, call) => {
    const { start, step } = call.attrs;
    const parts = resultSizes(call).flatMap((size, axis) => {
      const [from, by, count] = [start[axis] ?? 0, step[axis] ?? 1, resultShape(call)[axis] ?? 0];
      if (from === 0 && by === 1 && sameSize(size, given(call).sizes[axis])) return [];
      return [{ axis, start: from, end: count === 0 ? from : from + (count - 1) * by + 1, step: by }];
    });
    return parts.length > 0 ? g.slice(given(call).name, parts) : g.node("Identity", [given(call).name]);
  }),
  sort: (g, call) => {
    const { dim, descending } = call.attrs as { dim: number; descending: boolean };
    return best(g, given(call).name, resultShape(call)[dim] ?? 1, dim, descending);
  },
  split: (g, call) => {
    const { dim, sizes } = call.attrs as { dim: number; sizes: readonly number[] };
    return g.several("Split", [given(call).name, g.integers(sizes)], sizes.length, { axis: dim });
  },
  sub: binary("Sub"),
  sum: mapping<Reduced & { mean: boolean }>((g, call) =>
    reduced(g, call, (x, keepdims) =>
      call.attrs.mean
        ? g.node("ReduceMean", [x], { axes: call.attrs.dims, keepdims })
        : g.node("ReduceSum", [x, g.integers(call.attrs.dims)], { keepdims }),
    ),
  ),
  to: mapping<{ dtype: Dtype }>((g, call) =>
    g.node("Cast", [given(call).name], { to: elementTypes[call.attrs.dtype] }),
  ),
  topk: (g, call) => {
    const { k, dim, largest } = call.attrs as { k: number; dim: number; largest: boolean };
    return best(g, given(call).name, k, dim, largest);
  },
  // The value comes first; what follows is for its gradient.
  var: mapping((g, call) => g.node("Identity", [given(call).name])),
  view: mapping((g, call) => {
    const name = g.reshape(given(call), resultSizes(call));
    return name === given(call).name ? g.node("Identity", [name]) : name;
  }),
  where: mapping((g, call) => g.node("Where", [g.truth(given(call).name), given(call, 1).name, given(call, 2).name])),
};
