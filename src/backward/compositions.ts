// Gradients of gradients: the derivatives of fused operations, composed of operations that can be differentiated. Slower than the
// kernels that they stand for, and used only where `createGraph` asks for them.
import { apply1 } from "../autograd/apply.ts";
import type { AnyOp, Inputs, Outputs, VjpContext } from "../autograd/op.ts";
import { check, StateError } from "../errors.ts";
import { currentDevice } from "../gpu/device.ts";
import * as activations from "../ops/activation-rows.ts";
import {
  abs,
  add,
  clamp,
  div,
  eq,
  ge,
  gt,
  le,
  lt,
  maximum,
  mul,
  ne,
  neg,
  pow,
  square,
  sub,
} from "../ops/arithmetic.ts";
import { type AttentionAttrs, attentionOp, type Heads } from "../ops/attention.ts";
import { type BatchNormAttrs, batchNormOp } from "../ops/batch-norm.ts";
import { binary } from "../ops/binary.ts";
import * as binaries from "../ops/binary-rows.ts";
import { to } from "../ops/cast.ts";
import { cos, erf, exp, log, reciprocal, rsqrt, sigmoid, sign, sin, tanh } from "../ops/elementwise.ts";
import { slopeOp } from "../ops/further-activations.ts";
import { probabilitySlope } from "../ops/further-losses.ts";
import * as further from "../ops/further-rows.ts";
import { indexSelect, scatterAdd } from "../ops/gather.ts";
import { type GroupNormAttrs, groupNormOp } from "../ops/group-norm.ts";
import { layerNormOp } from "../ops/layer-norm.ts";
import { type CrossEntropyAttrs, classDim, crossEntropyOp } from "../ops/losses.ts";
import * as math from "../ops/math-rows.ts";
import { matmul } from "../ops/matmul.ts";
import { select, transpose } from "../ops/movement.ts";
import { maxBackwardOp } from "../ops/pool.ts";
import { repeat } from "../ops/rearrange.ts";
import { mean, rootOfVariance, sum } from "../ops/reduce.ts";
import { logSoftmax, softmax, softmaxes } from "../ops/softmax.ts";
import type { UnaryOp } from "../ops/unary.ts";
import * as unaries from "../ops/unary-rows.ts";
import { reshape, unsqueeze } from "../ops/view.ts";
import { where } from "../ops/where.ts";
import { arange, fromHost, full } from "../tensor/create.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";

/** 1 where a comparison holds, else 0. */
const mask = (held: Tensor): Tensor => to(held, "f32");
const between = (x: Tensor, low: number, high: number): Tensor => mask(mul(ge(x, low), le(x, high)));
const inside = (x: Tensor, low: number, high: number): Tensor => mask(mul(gt(x, low), lt(x, high)));
const filled = (like: Spec & Tensor, value: number, { shape }: Pick<Spec, "shape"> = like): Tensor =>
  full(shape, value, { device: like.device });

const elementwise = { ...unaries, ...activations, ...further, ...math, rootOfVariance };

type Derivative = (saved: Tensor, scalars: readonly number[]) => Tensor | number;

/** f'(x) of the elementwise functions, in terms of what their rows save: x or y. Sorted by name. */
const derivatives: Record<keyof typeof elementwise, Derivative> = {
  abs: (x) => sign(x),
  acos: (x) => neg(rsqrt(add(neg(square(x)), 1))),
  affine: (_, [scale = 1]) => scale,
  asin: (x) => rsqrt(add(neg(square(x)), 1)),
  atan: (x) => reciprocal(add(square(x), 1)),
  ceil: () => 0,
  celu: (x, [alpha = 1]) => add(mask(gt(x, 0)), mul(mask(le(x, 0)), exp(mul(clamp(x, { max: 0 }), 1 / alpha)))),
  clamp: (x, [low = 0, high = 0]) => between(x, low, high),
  cos: (x) => neg(sin(x)),
  cosh: (x) => mul(sub(exp(x), exp(neg(x))), 0.5),
  divScalar: (_, [other = 1]) => 1 / other,
  elu: (x, [alpha = 1]) => add(mask(gt(x, 0)), mul(mul(mask(le(x, 0)), exp(clamp(x, { max: 0 }))), alpha)),
  erf: (x) => mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI)),
  erfc: (x) => mul(exp(neg(square(x))), -2 / Math.sqrt(Math.PI)),
  exp: (y) => y,
  exp2: (y) => mul(y, Math.LN2),
  expm1: (y) => add(y, 1),
  floor: () => 0,
  gelu: (x) => {
    const cdf = add(mul(erf(mul(x, Math.SQRT1_2)), 0.5), 0.5);
    return add(cdf, mul(mul(x, exp(mul(square(x), -0.5))), 1 / Math.sqrt(2 * Math.PI)));
  },
  geluTanh: (x) => {
    const [k, c] = [2 * Math.sqrt(2 / Math.PI), 0.044715];
    const s = sigmoid(mul(add(x, mul(pow(x, 3), c)), k));
    const slope = add(mul(square(x), 3 * c * k), k);
    return add(s, mul(mul(x, sub(s, square(s))), slope));
  },
  hardsigmoid: (x) => mul(inside(x, -3, 3), 1 / 6),
  hardswish: (x) => add(mul(add(mul(x, 1 / 3), 0.5), mask(mul(ge(x, -3), lt(x, 3)))), mask(ge(x, 3))),
  hardtanh: (x, [low = -1, high = 1]) => inside(x, low, high),
  leakyRelu: (x, [slope = 0]) => add(mul(mask(gt(x, 0)), 1 - slope), slope),
  log: (x) => reciprocal(x),
  logSigmoid: (x) => sigmoid(neg(x)),
  log10: (x) => reciprocal(mul(x, Math.LN10)),
  log1p: (x) => reciprocal(add(x, 1)),
  log2: (x) => reciprocal(mul(x, Math.LN2)),
  maximumScalar: (x, [other = 0]) => binary(binaries.greaterMask, x.detach(), filled(x, other, { shape: [] })),
  minimumScalar: (x, [other = 0]) => binary(binaries.lessMask, x.detach(), filled(x, other, { shape: [] })),
  mish: (x) => {
    const t = tanh(apply1(activations.softplus, [x], [1, 20]));
    return add(t, mul(mul(x, sigmoid(x)), add(neg(square(t)), 1)));
  },
  powScalar: (x, [exponent = 1]) => (exponent === 0 ? 0 : mul(pow(x, exponent - 1), exponent)),
  reciprocal: (y) => neg(square(y)),
  relu: (y) => mask(gt(y, 0)),
  relu6: (y) => inside(y, 0, 6),
  rootOfVariance: (y) => mul(mul(reciprocal(add(y, mask(eq(y, 0)))), mask(ne(y, 0))), 0.5),
  round: () => 0,
  rsqrt: (y) => mul(pow(y, 3), -0.5),
  selu: (x) =>
    add(
      mul(mask(gt(x, 0)), 1.0507009873554805),
      mul(mul(mask(le(x, 0)), exp(clamp(x, { max: 0 }))), 1.7580993408473766),
    ),
  sigmoid: (y) => sub(y, square(y)),
  sign: () => 0,
  silu: (x) => {
    const s = sigmoid(x);
    return add(s, mul(x, sub(s, square(s))));
  },
  sin: (x) => cos(x),
  sinh: (x) => mul(add(exp(x), exp(neg(x))), 0.5),
  smoothL1: (x, [beta = 1]) => (beta === 0 ? sign(x) : clamp(mul(x, 1 / beta), { min: -1, max: 1 })),
  softplus: (x, [beta = 1, threshold = 20]) => {
    const z = mul(x, beta);
    return add(mul(sigmoid(z), mask(le(z, threshold))), mask(gt(z, threshold)));
  },
  softsign: (x) => pow(add(abs(x), 1), -2),
  sqrt: (y) => mul(reciprocal(y), 0.5),
  square: (x) => mul(x, 2),
  threshold: (x, [threshold = 0]) => mask(gt(x, threshold)),
  tan: (y) => add(square(y), 1),
  tanh: (y) => add(neg(square(y)), 1),
  trunc: () => 0,
};

/** dy f'(x). Where f' is a constant 0 so is the result, whatever dy. */
function scaled(name: string, dy: Tensor, saved: Tensor, scalars: readonly number[]): Tensor {
  const derivative = derivatives[name as keyof typeof derivatives];
  return mul(dy, derivative(saved, scalars));
}

type Composition = (first: Tensor, second: Tensor, attrs: unknown) => Tensor;

const softmaxGradient: Composition = (dy, y, attrs) => {
  const { dim } = attrs as { readonly dim: number };
  return mul(y, sub(dy, sum(mul(dy, y), dim, { keepdim: true })));
};
const logSoftmaxGradient: Composition = (dy, y, attrs) => {
  const { dim } = attrs as { readonly dim: number };
  return sub(dy, mul(exp(y), sum(dy, dim, { keepdim: true })));
};
/** Each result's gradient goes to where in its plane the element was found. */
const maxPoolGradient: Composition = (dy, found, attrs) => {
  const { shape } = attrs as { readonly shape: readonly number[] };
  const planes = sizeOf(shape.slice(0, -2));
  const index = reshape(found, [planes, -1]);
  return reshape(scatterAdd(reshape(dy, [planes, -1]), index, 1, [planes, sizeOf(shape.slice(-2))]), [...shape]);
};

const compositions = new Map<AnyOp, Composition>([
  [softmaxes.softmax.gradient, softmaxGradient],
  [softmaxes.logSoftmax.gradient, logSoftmaxGradient],
  [maxBackwardOp, maxPoolGradient],
  [probabilitySlope, (a, b) => div(sub(a, b), maximum(sub(a, square(a)), 1e-12))],
  [slopeOp, (a, b) => where(gt(a, 0), 1, b)],
  [binaries.divOrZero, (a, b) => where(eq(b, 0), 0, div(a, add(b, mask(eq(b, 0)))))],
  [binaries.mulOrZero, (a, b) => where(eq(b, 0), 0, mul(a, b))],
  [binaries.orZero, (a, b) => where(eq(b, 0), 0, a)],
  [binaries.logOrZero, (a, b) => where(mul(eq(a, 0), ge(b, 0)), 0, log(a))],
]);
for (const [name, { gradient }] of Object.entries(elementwise)) {
  // A row that saves nothing has a derivative that is a number.
  compositions.set(gradient, (dy, saved, scalars) => scaled(name, dy, saved, scalars as readonly number[]));
}

/** Constant wherever they have a derivative. */
const constants: ReadonlySet<AnyOp> = new Set([binaries.equalMask, binaries.greaterMask, binaries.lessMask]);

/** What stands for an operation that has no gradient while gradients are recorded; null: itself, it is no function of them. */
export function compositionOf(op: AnyOp, inputs: Inputs, attrs: unknown): Outputs | null {
  if (constants.has(op) || !inputs.some((t) => t?.requiresGrad)) return null;
  const compose = compositions.get(op);
  const [first = null, second = null] = inputs;
  if (compose && first) return [compose(first, second ?? first, attrs)];
  // Integers (comparisons, positions) carry no gradient.
  const outputs = op.infer(inputs, attrs, currentDevice().info);
  check(
    outputs.every((spec) => spec?.dtype !== "f32"),
    () => noSecond(op.name),
    StateError,
  );
  return null;
}

export const noSecond = (name: string): string =>
  `[grad] ${name} has no gradient of its gradient: leave out createGraph, or compose it of other operations`;

/** A recorded operation: what it saved, in its place in the graph. */
export interface Linked extends VjpContext<Inputs, unknown, Outputs> {
  /** This value at input `index`'s place in the graph. */
  link(index: number, value: Tensor): Tensor;
  /** A saved output as it is, off the graph. */
  value(index: number): Tensor;
}

/** The gradients of f in each of its arguments alone, recorded. */
type Partials = (f: (args: readonly Tensor[]) => Tensor, args: readonly Tensor[], dy: Tensor) => (Tensor | null)[];
/** An operation's gradients from that of its result, in operations that can be differentiated. */
type Rule = (dy: Tensor, c: Linked, partials: Partials) => readonly (Tensor | null)[];

/** (x - mean) / sqrt(var + eps) over these dimensions. */
function standardized(x: Tensor, dims: readonly number[], eps: number): Tensor {
  const centred = sub(x, mean(x, dims, { keepdim: true }));
  return mul(centred, rsqrt(add(mean(square(centred), dims, { keepdim: true }), eps)));
}

/** An optional input whose value the gradients do not depend on, or that was saved elsewhere. */
const optional = (c: Linked, index: number, value: Tensor): Tensor | null =>
  c.inputSpecs[index] ? c.link(index, value) : null;

const batchNormRule: Rule = (dz, c, partials) => {
  const { training, eps, activation } = c.attrs as BatchNormAttrs;
  const x = c.input(0);
  const stats = c.value(1);
  if (!x) return [];
  const [channels = 1] = stats.shape;
  const of = (column: number) => select(stats, 1, column);
  const perChannel = (t: Tensor) => reshape(t, [channels, ...x.shape.slice(2).map(() => 1)]);
  const dims = x.shape.map((_, d) => d).filter((d) => d !== 1);
  const weight = c.link(1, div(of(2), of(1)));
  const bias = c.link(2, of(3));
  const norm = (x: Tensor, weight: Tensor, bias: Tensor): Tensor => {
    const hat = training ? standardized(x, dims, eps) : mul(sub(x, perChannel(of(0))), perChannel(of(1)));
    return add(mul(hat, perChannel(weight)), perChannel(bias));
  };
  let dy = dz;
  if (activation && activation.row.saves !== "none") {
    const keepsY = activation.row.saves === "y" && c.needs[5];
    const added = keepsY || !c.inputSpecs[5] ? null : c.input(5);
    const before = () => (added ? add(norm(x, weight, bias), added) : norm(x, weight, bias));
    const whole: UnaryOp | undefined = elementwise[activation.name as keyof typeof elementwise];
    const y = () => (keepsY || !whole ? c.output(0) : apply1(whole, [before()], activation.scalars));
    dy = scaled(activation.name, dz, activation.row.saves === "y" ? y() : before(), activation.scalars);
  } else if (activation) dy = scaled(activation.name, dz, dz, activation.scalars);
  const [dx, dw, db] = partials(([x, w, b]) => norm(...given3(x, w, b)), [x, weight, bias], dy);
  return [
    dx ?? null,
    c.needs[1] ? (dw ?? null) : null,
    c.needs[2] ? (db ?? null) : null,
    null,
    null,
    c.needs[5] ? dy : null,
  ];
};

const layerNormRule: Rule = (dy, c, partials) => {
  const { shape, eps, centred } = c.attrs as {
    readonly shape: readonly number[];
    readonly eps: number;
    readonly centred: boolean;
  };
  const x = c.input(0);
  if (!x) return [];
  const dims = shape.map((_, i) => x.ndim - 1 - i);
  // The gradients do not depend on the bias, nor those of the parameters on the weight.
  const saved = c.needs[0] ? c.input(1) : null;
  const weight = saved ?? optional(c, 1, filled(x, 1, { shape }));
  const bias = optional(c, 2, filled(x, 0, { shape }));
  const args = [x, weight ?? filled(x, 1, { shape }), bias ?? filled(x, 0, { shape })];
  const f = ([x, w, b]: readonly Tensor[]) => {
    const [x0, w0, b0] = given3(x, w, b);
    const hat = centred
      ? standardized(x0, dims, eps)
      : mul(x0, rsqrt(add(mean(square(x0), dims, { keepdim: true }), eps)));
    return add(mul(hat, w0), b0);
  };
  return partials(f, args, dy);
};

const groupNormRule: Rule = (dy, c, partials) => {
  const { groups, eps } = c.attrs as GroupNormAttrs;
  const x = c.input(0);
  if (!x) return [];
  const [samples = 0, channels = 0, ...rest] = x.shape;
  const each = { shape: [channels] };
  // As of layer norm.
  const saved = c.needs[0] ? c.input(1) : null;
  const weight = saved ?? optional(c, 1, filled(x, 1, each));
  const bias = optional(c, 2, filled(x, 0, each));
  const args = [x, weight ?? filled(x, 1, each), bias ?? filled(x, 0, each)];
  const perChannel = (t: Tensor) => reshape(t, [channels, ...rest.map(() => 1)]);
  const f = ([x, w, b]: readonly Tensor[]) => {
    const [x0, w0, b0] = given3(x, w, b);
    const hat =
      groups === "positions"
        ? standardized(x0, [1], eps)
        : reshape(standardized(reshape(x0, [samples, groups, -1]), [2], eps), [...x0.shape]);
    return add(mul(hat, perChannel(w0)), perChannel(b0));
  };
  return partials(f, args, dy);
};

const crossEntropyRule: Rule = (dy, c, partials) => {
  const { reduction, ignoreIndex, labelSmoothing, normalize } = c.attrs as CrossEntropyAttrs;
  const [logits, target, weight] = [c.input(0), c.input(1), c.input(2)];
  if (!logits || !target) return [];
  const { shape, device } = logits;
  const dim = classDim(shape);
  const classes = shape[dim] ?? 1;
  const along = shape.map((_, d) => (d === dim ? classes : 1));
  const samples = sizeOf(shape) / classes;
  const f = ([x, t]: readonly Tensor[]) => {
    const [x0, t0] = given3(x, t, x);
    const labelled = t0.dtype !== "f32";
    const labels = labelled ? unsqueeze(t0, dim) : t0;
    const valid = labelled ? mask(ne(labels, ignoreIndex)) : null;
    const hit = labelled ? mask(eq(reshape(arange(0, classes, 1, { dtype: "i32", device }), along), labels)) : t0;
    const perClass = weight ? reshape(weight, along) : filled(x0, 1, { shape: [] });
    const q = mul(add(mul(hit, 1 - labelSmoothing), labelSmoothing / classes), perClass);
    const logs = normalize ? logSoftmax(x0, dim) : x0;
    const each = neg(sum(mul(valid ? mul(q, valid) : q, logs), dim));
    if (reduction === "none") return each;
    if (reduction === "sum") return sum(each);
    return valid ? div(sum(each), sum(mul(mul(hit, perClass), valid))) : div(sum(each), samples);
  };
  const [dx, dt] = partials(f, [logits, target], dy);
  return [dx ?? null, dt ?? null, null];
};

/** Elements of heads, [batch, heads, rows, width] in a row, by their places in the tensor where they lie. */
function placesOf(
  { batch, heads }: AttentionAttrs,
  { at, from }: Heads,
  rows: number,
  width: number,
): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length: batch * heads * rows * width }, (_, i) => {
    const [e, row, matrix] = [i % width, Math.floor(i / width) % rows, Math.floor(i / width / rows)];
    return from + Math.floor(matrix / heads) * at[0] + (matrix % heads) * at[1] + row * at[2] + e;
  });
}

const attentionRule: Rule = (dy, c, partials) => {
  const attrs = c.attrs as AttentionAttrs;
  const { batch, heads, queries, keys, width, valueWidth, shape, scale, causal, maskBatches } = attrs;
  const given = [c.input(0), c.input(1), c.input(2), c.input(3)];
  const drop = c.input(4);
  const at = (t: Tensor, places: Int32Array<ArrayBuffer>) =>
    indexSelect(reshape(t, [-1]), 0, fromHost(places, [places.length], "i32", { device: t.device }));
  const rows = (t: Tensor, lie: Heads, count: number, size: number) =>
    reshape(at(t, placesOf(attrs, lie, count, size)), [batch, heads, count, size]);
  const f = (args: readonly Tensor[]): Tensor => {
    const left = [...args];
    const [first, second, third, part = null] = given.map((t) => (t && left.shift()) ?? null);
    const mask = part && maskBatches < batch ? repeat(part, [batch / maskBatches, 1, 1, 1]) : part;
    const [q] = given3(first ?? undefined, dy, dy);
    const k = second ?? q;
    const v = third ?? k;
    let scores = mul(matmul(rows(q, attrs.q, queries, width), transpose(rows(k, attrs.k, keys, width), -1, -2)), scale);
    if (mask) scores = mask.dtype === "f32" ? add(scores, mask) : where(mask, scores, Number.NEGATIVE_INFINITY);
    if (causal) {
      const seen = Int32Array.from({ length: queries * keys }, (_, i) => Number(i % keys <= Math.floor(i / keys)));
      const visible = fromHost(seen, [queries, keys], "i32", { device: q.device });
      scores = where(visible, scores, Number.NEGATIVE_INFINITY);
    }
    const weights = softmax(scores, -1);
    const y = matmul(drop ? mul(weights, drop) : weights, rows(v, attrs.v, keys, valueWidth));
    const places = placesOf(attrs, attrs.y, queries, valueWidth);
    const sources = new Int32Array(places.length);
    for (const [i, place] of places.entries()) sources[place] = i;
    return reshape(at(y, sources), [...shape]);
  };
  const found = partials(
    f,
    given.filter((t) => t !== null),
    dy,
  );
  return [...given.map((t) => (t && found.shift()) ?? null), null];
};

function given3(a?: Tensor, b?: Tensor, c?: Tensor): [Tensor, Tensor, Tensor] {
  if (!a || !b || !c) throw new StateError("[grad] an argument is missing");
  return [a, b, c];
}

const rules = new Map<AnyOp, Rule>([
  [batchNormOp, batchNormRule],
  [groupNormOp, groupNormRule],
  [layerNormOp, layerNormRule],
  [attentionOp, attentionRule],
  [crossEntropyOp, crossEntropyRule],
]);

export const ruleOf = (op: AnyOp): Rule | null => rules.get(op) ?? null;
