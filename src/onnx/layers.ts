// Convolutions, pooling, norms and resampling as ONNX nodes.
import type { Activation } from "../kernels/elementwise.ts";
import type { BatchNormAttrs } from "../ops/batch-norm.ts";
import type { ConvAttrs } from "../ops/conv2d.ts";
import type { GroupNormAttrs } from "../ops/group-norm.ts";
import { shares } from "../ops/interpolate.ts";
import type { Taps } from "../ops/taps.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Graph, Ref } from "./graph.ts";
import { checkForm, given, type Mapped, type Mapping, mapping, resultShape, resultSizes } from "./mapping.ts";
import type { Sizes } from "./sizes.ts";
import { unaries } from "./unary.ts";

type Pair = readonly [number, number];

interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly ceilMode: boolean;
}

/** What another operation takes in at its end. */
function applied(g: Graph, call: Mapped<unknown>, x: string, activation: Activation | null): string {
  if (!activation) return x;
  const map = unaries[activation.name];
  checkForm(call, map !== undefined, () => `activation ${activation.name}`);
  return map ? map(g, x, activation.scalars) : x;
}

/** x: [N, C, ...] scaled and shifted by channel. */
function byChannel(
  g: Graph,
  x: string,
  rank: number,
  weight: Ref | null | undefined,
  bias: Ref | null | undefined,
): string {
  const wide = (t: Ref) => g.reshape(t, [...t.sizes, ...new Array<number>(rank - 2).fill(1)]);
  const scaled = weight ? g.node("Mul", [x, wide(weight)]) : x;
  return bias ? g.node("Add", [scaled, wide(bias)]) : scaled;
}

/** x over its standard deviation, less its mean, along axes. */
function normalized(g: Graph, x: string, axes: readonly number[], eps: number, centred = true): string {
  const mean = (t: string) => g.node("ReduceMean", [t], { axes, keepdims: 1 });
  const d = centred ? g.node("Sub", [x, mean(x)]) : x;
  const variance = mean(g.node("Mul", [d, d]));
  return g.node("Div", [d, g.node("Sqrt", [g.node("Add", [variance, g.floats([eps])])])]);
}

const filled = (g: Graph, shape: Shape, value: number): string =>
  g.floats(new Float32Array(sizeOf(shape)).fill(value), shape);

const batchNorm = mapping<BatchNormAttrs>((g, call) => {
  const { training, eps, activation } = call.attrs;
  const x = given(call);
  const [, weight, bias, mean, variance, residual] = call.inputs;
  const channels = [x.shapes[0][1] ?? 1];
  const rank = x.sizes.length;
  const axes = [...x.sizes.keys()].filter((d) => d !== 1);
  const norm =
    training || !mean || !variance
      ? byChannel(g, normalized(g, x.name, axes, eps), rank, weight, bias)
      : g.node(
          "BatchNormalization",
          [
            x.name,
            weight?.name ?? filled(g, channels, 1),
            bias?.name ?? filled(g, channels, 0),
            mean.name,
            variance.name,
          ],
          { epsilon: { float: eps } },
        );
  const added = residual ? g.node("Add", [norm, residual.name]) : norm;
  return applied(g, call, added, activation);
});

const layerNorm = mapping<{ shape: Shape; centred: boolean; eps: number }>((g, call) => {
  const { shape, centred, eps } = call.attrs;
  const [, weight, bias] = call.inputs;
  const x = given(call);
  if (centred) {
    const inputs = [x.name, weight?.name ?? filled(g, shape, 1), ...(bias ? [bias.name] : [])];
    return g.node("LayerNormalization", inputs, { axis: -shape.length, epsilon: { float: eps } });
  }
  const axes = shape.map((_, i) => x.sizes.length - shape.length + i);
  const y = normalized(g, x.name, axes, eps, false);
  return weight ? g.node("Mul", [y, weight.name]) : y;
});

const groupNorm = mapping<GroupNormAttrs>((g, call) => {
  const { groups, eps } = call.attrs;
  const x = given(call);
  const [, weight, bias] = call.inputs;
  const rank = x.sizes.length;
  if (groups === "positions") return byChannel(g, normalized(g, x.name, [1], eps), rank, weight, bias);
  const [n = 1, ...rest] = x.sizes;
  const positions = sizeOf(x.shapes[0].slice(1)) / groups;
  checkForm(
    call,
    rest.every((size) => typeof size === "number"),
    () => "sizes that follow the batch",
  );
  const grouped: Sizes = [n, groups, positions];
  const y = normalized(g, g.reshape(x, grouped), [2], eps);
  return byChannel(g, g.reshape({ name: y, sizes: grouped }, x.sizes), rank, weight, bias);
});

/** x as images in a batch, and what is made of them back in the result's sizes. */
function asImages(g: Graph, call: Mapped<unknown>, map: (x: string) => string): string {
  const x = given(call);
  if (x.sizes.length === 4) return map(x.name);
  checkForm(call, x.sizes.length === 3, () => `an input of ${x.sizes.length} dimensions`);
  const y = map(g.reshape(x, [1, ...x.sizes]));
  return g.reshape({ name: y, sizes: [1, ...resultSizes(call)] }, resultSizes(call));
}

/** What is to be added behind rows and columns for exactly the windows of the result. */
function behind(call: Mapped<Window>): Pair {
  const { kernel, stride, padding, dilation } = call.attrs;
  const [size, out] = [given(call).shapes[0].slice(-2), resultShape(call).slice(-2)];
  const at = (i: 0 | 1) =>
    Math.max(0, ((out[i] ?? 1) - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1 - (size[i] ?? 0) - padding[i]);
  return [at(0), at(1)];
}

const maxPool = mapping<Window>((g, call) => {
  const { kernel, stride, padding, dilation } = call.attrs;
  const pads = [...padding, ...behind(call)];
  return asImages(g, call, (x) =>
    g.node("MaxPool", [x], { kernel_shape: kernel, strides: stride, dilations: dilation, pads }),
  );
});

const avgPool = mapping<Window & { countIncludePad: boolean }>((g, call) => {
  const { kernel, stride, padding, countIncludePad } = call.attrs;
  const end = behind(call);
  const over = end.map((n, i) => Math.max(0, n - (padding[i] ?? 0)));
  const window = { kernel_shape: kernel, strides: stride };
  return asImages(g, call, (x) => {
    if (!countIncludePad)
      return g.node("AveragePool", [x], { ...window, pads: [...padding, ...end], count_include_pad: 0 });
    if (over.every((n) => n === 0))
      return g.node("AveragePool", [x], { ...window, pads: [...padding, ...end], count_include_pad: 1 });
    // Of windows over the edge, the padding counts and what is beyond it does not.
    const padded = g.node("Pad", [x, g.integers([0, 0, ...padding, 0, 0, ...padding]), g.floats([0])], {
      mode: "constant",
    });
    return g.node("AveragePool", [padded], { ...window, pads: [0, 0, ...over], count_include_pad: 0 });
  });
});

/** The matrix [to, from] of a table of positions and weights. */
function matrixOf({ from, to, most, table }: Taps): Float32Array<ArrayBuffer> {
  const weights = new Float32Array(table.buffer);
  const matrix = new Float32Array(to * from);
  for (let i = 0; i < most * to; i++) {
    const at = Math.floor(i / most) * from + (table[2 * i] ?? 0);
    const weight = weights[2 * i + 1] ?? 0;
    if (weight !== 0) matrix[at] = (matrix[at] ?? 0) + weight;
  }
  return matrix;
}

/** Of x: [..., rows, columns], sums along an axis by a table; null leaves it. */
function along(g: Graph, x: string, taps: Taps | null, axis: -1 | -2): string {
  if (!taps) return x;
  const { from, to, table, copies } = taps;
  if (copies)
    return g.node("Gather", [x, g.indices(Array.from({ length: to }, (_, o) => table[2 * o] ?? 0))], { axis });
  const matrix = g.floats(matrixOf(taps), [to, from]);
  return axis === -2 ? g.node("MatMul", [matrix, x]) : g.node("MatMul", [x, g.transpose(matrix, [1, 0])]);
}

const adaptive = mapping<{ out: Pair }>((g, call) => {
  const { out } = call.attrs;
  const x = given(call);
  const rank = x.sizes.length;
  if (out[0] === 1 && out[1] === 1) return g.node("ReduceMean", [x.name], { axes: [rank - 2, rank - 1], keepdims: 1 });
  const [rows = 1, columns = 1] = x.shapes[0].slice(-2);
  return along(g, along(g, x.name, shares(rows, out[0]), -2), shares(columns, out[1]), -1);
});

const transposedConv = mapping<ConvAttrs & { shape: Shape }>((g, call) => {
  const { stride, padding, dilation, groups, shape } = call.attrs;
  const [size, kernel] = [given(call).shapes[0].slice(2), given(call, 1).shapes[0].slice(2)];
  const more = ([0, 1] as const).map(
    (i) =>
      (shape[2 + i] ?? 0) -
      (((size[i] ?? 1) - 1) * stride[i] - 2 * padding[i] + dilation[i] * ((kernel[i] ?? 1) - 1) + 1),
  );
  return g.node("ConvTranspose", [given(call).name, given(call, 1).name], {
    strides: stride,
    pads: [...padding, ...padding],
    dilations: dilation,
    group: groups,
    output_padding: more,
  });
});

export const layers: Readonly<Record<string, Mapping>> = {
  adaptiveAvgPool2d: adaptive,
  avgPool2d: avgPool,
  batchNorm,
  conv2d: mapping<ConvAttrs>((g, call) => {
    const { stride, padding, dilation, groups } = call.attrs;
    const bias = call.inputs[2];
    return g.node("Conv", [given(call).name, given(call, 1).name, ...(bias ? [bias.name] : [])], {
      kernel_shape: given(call, 1).shapes[0].slice(2),
      strides: stride,
      pads: [...padding, ...padding],
      dilations: dilation,
      group: groups,
    });
  }),
  conv2dInputGradient: transposedConv,
  groupNorm,
  layerNorm,
  logSoftmax: mapping<{ dim: number }>((g, call) => g.node("LogSoftmax", [given(call).name], { axis: call.attrs.dim })),
  maxPool2d: maxPool,
  softmax: mapping<{ dim: number }>((g, call) => g.node("Softmax", [given(call).name], { axis: call.attrs.dim })),
  taps: mapping<{ down: Taps | null; across: Taps | null }>((g, call) =>
    along(g, along(g, given(call).name, call.attrs.down, -2), call.attrs.across, -1),
  ),
};
