// Matrix products, which read and write through strides, and attention as ONNX nodes.
import type { AttentionAttrs, Heads } from "../ops/attention.ts";
import type { View } from "../ops/matmul.ts";
import { type Shape, sameShape, sizeOf, stridesOf } from "../tensor/shape.ts";
import type { Graph } from "./graph.ts";
import { checkForm, type Given, given, type Mapped, type Mapping, mapping, resultSizes, sizesIn } from "./mapping.ts";
import { isFixed, type Sizes, sizeOfTwo } from "./sizes.ts";

interface MatmulAttrs {
  readonly a: View;
  readonly b: View;
  readonly c: View;
}

const swapLast = <T>(list: readonly T[]): T[] => [...list.slice(0, -2), ...list.slice(-1), ...list.slice(-2, -1)];
const isRowMajor = ({ shape, strides }: View): boolean => sameShape(stridesOf(shape), strides);
/** The last two dimensions are read the other way round. */
const isTurned = ({ shape, strides }: View): boolean => sameShape(swapLast(stridesOf(swapLast(shape))), strides);

/** An operand as the product reads it. */
function operand(g: Graph, call: Mapped<MatmulAttrs>, at: 0 | 1): string {
  const which = at === 0 ? "a" : "b";
  const view = call.attrs[which];
  const sizes = sizesIn(call, (attrs) => attrs[which].shape);
  if (isRowMajor(view)) return g.reshape(given(call, at), sizes);
  checkForm(call, isTurned(view), () => "an operand of these strides");
  const order = swapLast([...view.shape.keys()]);
  return g.transpose(g.reshape(given(call, at), swapLast(sizes)), order);
}

/** Of a product by a matrix: what is multiplied, the matrix (the other way round where it is transposed) and what is added; else null. */
export function linearOf(call: Mapped<unknown>) {
  // Only products are asked.
  const { a, b } = call.attrs as MatmulAttrs;
  const [input, weight, bias = null] = [given(call), given(call, 1), call.inputs[2]];
  const flat = b.shape.length === 2 && a.shape.length === 2 && isRowMajor(a) && weight.sizes.length === 2;
  if (!flat || input.shapes[0].at(-1) !== a.shape[1] || !(isRowMajor(b) || isTurned(b))) return null;
  return { input, weight, bias, transposed: !isRowMajor(b) };
}

const matmul = mapping<MatmulAttrs>((g, call) => {
  const { b, c } = call.attrs;
  const [x, w, bias = null] = [given(call), given(call, 1), call.inputs[2]];
  const added = (y: string) => (bias ? g.node("Add", [y, bias.name]) : y);
  const linear = linearOf(call);
  if (linear) {
    const turned = linear.transposed;
    if (bias && x.sizes.length === 2) return g.node("Gemm", [x.name, w.name, bias.name], { transB: Number(turned) });
    const y = added(g.node("MatMul", [x.name, turned ? g.transpose(w.name, [1, 0]) : w.name]));
    const sizes = x.sizes.length > 1 ? [...x.sizes.slice(0, -1), b.shape[1] ?? 1] : resultSizes(call);
    return g.reshape({ name: y, sizes }, resultSizes(call));
  }
  checkForm(call, isRowMajor(c), () => "a result of these strides");
  const y = added(g.node("MatMul", [operand(g, call, 0), operand(g, call, 1)]));
  return g.reshape({ name: y, sizes: sizesIn(call, (attrs) => attrs.c.shape) }, resultSizes(call));
});

/** Batch, head, row and element. */
type Four = readonly [number, number, number, number];

/** The heads of `x` as [batch, heads, rows, width]: x is cut into the sizes that their strides say it has. */
function headsOf(
  g: Graph,
  call: Mapped<AttentionAttrs>,
  x: Given,
  of: (attrs: AttentionAttrs) => { readonly heads: Heads; readonly sizes: Four },
): string {
  const both = [of(call.attrs), of(call.other)] as const;
  const sizes = sizesIn(call, (attrs) => of(attrs).sizes);
  const strides = both.map(({ heads }) => [...heads.at, 1]);
  const [first = [], second = []] = strides;
  // What there is one of may have any stride.
  const axes = [0, 1, 2, 3].filter((d) => sizes[d] !== 1).sort((d, e) => (second[e] ?? 0) - (second[d] ?? 0));
  checkForm(call, axes.length > 0 && first[axes.at(-1) ?? 0] === 1, () => "heads of one element");
  const rest = both.map(({ heads }) => heads.from);
  const cut: Sizes = axes.map((d, i) => {
    const before = axes[i - 1];
    const [a = 0, b = 0] = strides.map(
      (list, t) => (before === undefined ? sizeOf(x.shapes[t === 0 ? 0 : 1]) : (list[before] ?? 0)) / (list[d] ?? 1),
    );
    checkForm(call, Number.isInteger(a) && Number.isInteger(b), () => "heads that lie across each other");
    return sizeOfTwo(a, b, call.batches, () => `a size in ${call.op}`);
  });
  const parts = axes.flatMap((d, axis) => {
    const [from = 0, again = 0] = strides.map((list, t) => {
      const skipped = Math.floor((rest[t] ?? 0) / (list[d] ?? 1));
      rest[t] = (rest[t] ?? 0) - skipped * (list[d] ?? 1);
      return skipped;
    });
    const [all, size] = [cut[axis], sizes[d]];
    if (from === 0 && again === 0 && JSON.stringify(all) === JSON.stringify(size)) return [];
    checkForm(call, from === again && isFixed(size), () => "heads that begin elsewhere in each batch");
    return isFixed(size) ? [{ axis, start: from, end: from + size }] : [];
  });
  const name = g.slice(g.reshape(x, cut), parts);
  const order = [...axes.keys()].sort((i, j) => (axes[i] ?? 0) - (axes[j] ?? 0));
  const turned = g.transpose(name, order);
  return g.reshape({ name: turned, sizes: sizes.filter((size) => size !== 1) }, sizes);
}

/** `maskBatches`: after so many batches the mask begins again. Default: it has all of them, or one for all. */
type Attention = AttentionAttrs & { readonly maskBatches?: number };

const attention = mapping<Attention>((g, call) => {
  const q = given(call);
  const k = call.inputs[1] ?? q;
  const v = call.inputs[2] ?? k;
  const [, , , mask = null, drop = null] = call.inputs;
  checkForm(call, !drop, () => "dropout");
  const { queries, keys, scale, causal, y } = call.attrs;
  const sizes =
    (rows: "queries" | "keys", width: "width" | "valueWidth", which: "q" | "k" | "v") => (a: AttentionAttrs) => ({
      heads: a[which],
      sizes: [a.batch, a.heads, a[rows], a[width]] as const,
    });
  const rows = headsOf(g, call, q, sizes("queries", "width", "q"));
  const columns = g.transpose(headsOf(g, call, k, sizes("keys", "width", "k")), [0, 1, 3, 2]);
  const scores = g.node("Mul", [g.node("MatMul", [rows, columns]), g.floats([scale])]);
  const all = sizesIn(call, (a) => [a.batch, a.heads, a.queries, a.keys]);
  const rounds = sizesIn(call, (a) => [a.batch / (a.maskBatches ?? a.batch), a.maskBatches ?? a.batch]);
  const again = mask !== null && rounds[0] !== 1;
  const shown: Sizes = again ? [...rounds, ...all.slice(1)] : all;
  const cut = g.reshape({ name: scores, sizes: all }, shown);
  const hidden = g.reshape({ name: masked(g, cut, mask, causal ? [queries, keys] : null), sizes: shown }, all);
  const weights = g.node("Softmax", [hidden], { axis: -1 });
  const result = g.node("MatMul", [weights, headsOf(g, call, v, sizes("keys", "valueWidth", "v"))]);
  const order = [0, 1, 2].sort((d, e) => (y.at[e] ?? 0) - (y.at[d] ?? 0)).concat(3);
  const whole = sizesIn(call, (a) => [a.batch, a.heads, a.queries, a.valueWidth]);
  const turned = { name: g.transpose(result, order), sizes: order.map((d) => whole[d] ?? 1) };
  return g.reshape(turned, resultSizes(call));
});

/** Scores with -infinity where a key takes no part, or with what is added to them. */
function masked(g: Graph, scores: string, mask: Given | null, causal: Shape | null): string {
  if (causal) {
    const [queries = 0, keys = 0] = causal;
    const later = Float32Array.from({ length: queries * keys }, (_, i) =>
      i % keys > Math.floor(i / keys) ? Number.NEGATIVE_INFINITY : 0,
    );
    return g.node("Add", [scores, g.floats(later, causal)]);
  }
  if (!mask) return scores;
  if (mask.dtype === "f32") return g.node("Add", [scores, mask.name]);
  return g.node("Where", [g.truth(mask.name), scores, g.floats([Number.NEGATIVE_INFINITY])]);
}

export const products: Readonly<Record<string, Mapping>> = { matmul, scaledDotProductAttention: attention };
