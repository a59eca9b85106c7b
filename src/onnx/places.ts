// What reads or writes at places of its own as ONNX nodes: windows, sampling by a grid, scatter, diagonals.
import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Graph } from "./graph.ts";
import {
  checkForm,
  type Given,
  given,
  type Mapped,
  type Mapping,
  mapping,
  resultShape,
  resultSizes,
} from "./mapping.ts";
import { elementTypes } from "./proto.ts";
import { isFixed, type Sizes } from "./sizes.ts";

type Pair = readonly [number, number];

interface Windows {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly out: Pair;
}

/** Where windows read along an axis: [kernel, out]. */
function readAt(g: Graph, { kernel, stride, dilation, out }: Windows, i: 0 | 1): string {
  const values = Array.from({ length: kernel[i] * out[i] }, (_, k) => {
    const [tap, at] = [Math.floor(k / out[i]), k % out[i]];
    return tap * dilation[i] + at * stride[i];
  });
  return g.indices(values, [kernel[i], out[i]]);
}

const unfold = mapping<Windows>((g, call) => {
  const { kernel, padding, out } = call.attrs;
  const x = given(call);
  const padded = padding.some((n) => n > 0)
    ? g.node("Pad", [x.name, g.integers([0, 0, ...padding, 0, 0, ...padding]), g.floats([0])], { mode: "constant" })
    : x.name;
  // [N, C, kernel rows, rows, W], then the same of columns.
  const rows = g.node("Gather", [padded, readAt(g, call.attrs, 0)], { axis: 2 });
  const both = g.node("Gather", [rows, readAt(g, call.attrs, 1)], { axis: 4 });
  const name = g.transpose(both, [0, 1, 2, 4, 3, 5]);
  const [n = 1, channels = 1] = x.sizes;
  return g.reshape({ name, sizes: [n, channels, ...kernel, ...out] }, resultSizes(call));
});

/** Each element of a window to its place: the transposed convolution by windows of one 1. */
const fold = mapping<Windows>((g, call) => {
  const { kernel, stride, padding, dilation, out } = call.attrs;
  const [n = 1, channels = 1, ...size] = resultSizes(call);
  const area = kernel[0] * kernel[1];
  checkForm(call, isFixed(channels), () => "channels that follow the batch");
  const planes = isFixed(n) ? n * Number(channels) : { times: n.times * Number(channels) };
  const columns = g.reshape(given(call), [planes, area, ...out]);
  const ones = Float32Array.from({ length: area * area }, (_, i) => Number(i % (area + 1) === 0));
  const more = ([0, 1] as const).map(
    (i) => Number(size[i]) - ((out[i] - 1) * stride[i] - 2 * padding[i] + dilation[i] * (kernel[i] - 1) + 1),
  );
  const name = g.node("ConvTranspose", [columns, g.floats(ones, [area, 1, ...kernel])], {
    strides: stride,
    pads: [...padding, ...padding],
    dilations: dilation,
    output_padding: more,
  });
  return g.reshape({ name, sizes: [planes, 1, ...size] }, resultSizes(call));
});

interface Sampled {
  readonly nearest: boolean;
  readonly beyond: string;
  readonly align: boolean;
}

const gridSample = mapping<Sampled>((g, call) => {
  const { nearest, beyond, align } = call.attrs;
  return g.node("GridSample", [given(call).name, given(call, 1).name], {
    mode: nearest ? "nearest" : "bilinear",
    padding_mode: beyond,
    align_corners: Number(align),
  });
});

interface Scattered {
  readonly dim: number;
  readonly sum: boolean;
  readonly oneList: boolean;
  readonly value: number;
}

/** An index for each element of slices along `dim`, of one for each slice. */
function indexOfAll(g: Graph, index: Given, sizes: Sizes, dim: number): string {
  const column = sizes.map((_, d) => (d === dim ? (index.sizes[0] ?? 1) : 1));
  return g.node("Expand", [g.reshape(index, column), g.shape(sizes)]);
}

const scatter = mapping<Scattered>((g, call) => {
  const { dim, sum, oneList, value } = call.attrs;
  const [x, index, source] = [given(call), given(call, 1), call.inputs[2]];
  const count = sizeOf(index.shapes[0]);
  if (count === 0) return g.node("Identity", [x.name]);
  const sizes = oneList ? x.sizes.map((n, d) => (d === dim ? count : n)) : index.sizes;
  const at = oneList ? indexOfAll(g, index, sizes, dim) : index.name;
  const number = () => g.node("Cast", [g.floats([value])], { to: elementTypes[x.dtype] });
  const from = source ? source.name : g.node("Expand", [number(), g.shape(sizes)]);
  return g.node("ScatterElements", [x.name, at, from], { axis: dim, reduction: sum ? "add" : "none" });
});

interface Diagonal {
  readonly offset: number;
  readonly dims: Pair;
}

/** Positions of the diagonal's elements in a matrix of this size. */
function placesOf([rows = 0, columns = 0]: Shape, offset: number): number[] {
  const length = Math.max(0, Math.min(rows - Math.max(0, -offset), columns - Math.max(0, offset)));
  return Array.from({ length }, (_, i) => (i + Math.max(0, -offset)) * columns + i + Math.max(0, offset));
}

/** The order that brings the two dimensions to the end, and the fixed sizes of their matrices. */
function matrices(call: Mapped<Diagonal>, sizes: Sizes): { order: number[]; matrix: number[] } {
  const { dims } = call.attrs;
  const matrix = dims.map((d) => sizes[d]).filter(isFixed);
  checkForm(call, matrix.length === 2, () => "a diagonal through the batch");
  return { order: [...[...sizes.keys()].filter((d) => !dims.includes(d)), ...dims], matrix };
}

const diagonal = mapping<Diagonal>((g, call) => {
  const x = given(call);
  const { order, matrix } = matrices(call, x.sizes);
  const sizes = order.map((d) => x.sizes[d] ?? 1);
  const name = g.transpose(x.name, order);
  const rows = g.reshape({ name, sizes }, [...sizes.slice(0, -2), sizeOf(matrix)]);
  return g.node("Gather", [rows, g.indices(placesOf(matrix, call.attrs.offset))], { axis: -1 });
});

const diagEmbed = mapping<Diagonal>((g, call) => {
  const x = given(call);
  const sizes = resultSizes(call);
  const { order, matrix } = matrices(call, sizes);
  const length = x.shapes[0].at(-1) ?? 0;
  // Behind the diagonal's elements comes the zero that all others are.
  const zero = x.dtype === "f32" ? g.floats([0]) : g.node("Cast", [g.floats([0])], { to: elementTypes[x.dtype] });
  const pads = [...x.sizes.map(() => 0), ...x.sizes.map((_, d) => Number(d === x.sizes.length - 1))];
  const padded = g.node("Pad", [x.name, g.integers(pads), zero], { mode: "constant" });
  const from = new Array<number>(sizeOf(matrix)).fill(length);
  for (const [i, at] of placesOf(matrix, call.attrs.offset).entries()) from[at] = i;
  const elements = g.node("Gather", [padded, g.indices(from)], { axis: -1 });
  const turned = order.map((d) => sizes[d] ?? 1);
  const whole = g.reshape({ name: elements, sizes: [...turned.slice(0, -2), sizeOf(matrix)] }, turned);
  const back = resultShape(call).map((_, d) => order.indexOf(d));
  return g.transpose(whole, back);
});

export const places: Readonly<Record<string, Mapping>> = { diagEmbed, diagonal, fold, gridSample, scatter, unfold };
