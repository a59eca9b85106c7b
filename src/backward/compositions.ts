// Gradients of gradients: the derivatives of fused operations, composed of operations that can be differentiated. Slower than the
// kernels that they stand for, and used only where `createGraph` asks for them.
import { apply1 } from "../autograd/apply.ts";
import type { AnyOp, Inputs, Outputs, VjpContext } from "../autograd/op.ts";
import { check, StateError } from "../errors.ts";
import { currentDevice } from "../gpu/device.ts";
import { type ActivationName, activationOps } from "../ops/activation-rows.ts";
import { type AttentionAttrs, attentionOp, type Heads } from "../ops/attention.ts";
import { type BatchNormAttrs, batchNormOp } from "../ops/batch-norm.ts";
import { binary, binaryOps } from "../ops/binary.ts";
import { type FurtherName, furtherOps, slopeOp } from "../ops/further-activations.ts";
import { probabilitySlope } from "../ops/further-losses.ts";
import { scatterAdd } from "../ops/gather.ts";
import { type GroupNormAttrs, groupNormOp } from "../ops/group-norm.ts";
import { layerNormOp } from "../ops/layer-norm.ts";
import { type CrossEntropyAttrs, classDim, crossEntropyOp } from "../ops/losses.ts";
import { type MathName, mathOps } from "../ops/math-rows.ts";
import { maxBackwardOp } from "../ops/pool.ts";
import { repeat } from "../ops/rearrange.ts";
import { rootOfVariance } from "../ops/reduce.ts";
import { softmaxes } from "../ops/softmax.ts";
import { type UnaryName, type UnaryOp, unaryOps } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import { arange, fromHost, full } from "../tensor/create.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Spec, Tensor } from "../tensor/tensor.ts";

/** 1 where a comparison holds, else 0. */
const mask = (held: Tensor): Tensor => held.to("f32");
const between = (x: Tensor, low: number, high: number): Tensor => mask(x.ge(low).mul(x.le(high)));
const inside = (x: Tensor, low: number, high: number): Tensor => mask(x.gt(low).mul(x.lt(high)));
const filled = (like: Spec & Tensor, value: number, { shape }: Pick<Spec, "shape"> = like): Tensor =>
  full(shape, value, { device: like.device });

type Derivative = (saved: Tensor, scalars: readonly number[]) => Tensor | number;

/** f'(x) of the elementwise functions, in terms of what their rows save: x or y. Sorted by name. */
const derivatives: Record<UnaryName | ActivationName | FurtherName | MathName | "rootOfVariance", Derivative> = {
  abs: (x) => x.sign(),
  acos: (x) => x.square().neg().add(1).rsqrt().neg(),
  affine: (_, [scale = 1]) => scale,
  asin: (x) => x.square().neg().add(1).rsqrt(),
  atan: (x) => x.square().add(1).reciprocal(),
  ceil: () => 0,
  celu: (x, [alpha = 1]) =>
    mask(x.gt(0)).add(
      mask(x.le(0)).mul(
        x
          .clamp({ max: 0 })
          .mul(1 / alpha)
          .exp(),
      ),
    ),
  clamp: (x, [low = 0, high = 0]) => between(x, low, high),
  cos: (x) => x.sin().neg(),
  cosh: (x) => x.exp().sub(x.neg().exp()).mul(0.5),
  divScalar: (_, [other = 1]) => 1 / other,
  elu: (x, [alpha = 1]) =>
    mask(x.gt(0)).add(
      mask(x.le(0))
        .mul(x.clamp({ max: 0 }).exp())
        .mul(alpha),
    ),
  erf: (x) =>
    x
      .square()
      .neg()
      .exp()
      .mul(2 / Math.sqrt(Math.PI)),
  erfc: (x) =>
    x
      .square()
      .neg()
      .exp()
      .mul(-2 / Math.sqrt(Math.PI)),
  exp: (y) => y,
  exp2: (y) => y.mul(Math.LN2),
  expm1: (y) => y.add(1),
  floor: () => 0,
  gelu: (x) => {
    const cdf = x.mul(Math.SQRT1_2).erf().mul(0.5).add(0.5);
    return cdf.add(x.mul(x.square().mul(-0.5).exp()).mul(1 / Math.sqrt(2 * Math.PI)));
  },
  geluTanh: (x) => {
    const [k, c] = [2 * Math.sqrt(2 / Math.PI), 0.044715];
    const s = x.add(x.pow(3).mul(c)).mul(k).sigmoid();
    const slope = x
      .square()
      .mul(3 * c * k)
      .add(k);
    return s.add(x.mul(s.sub(s.square())).mul(slope));
  },
  hardsigmoid: (x) => inside(x, -3, 3).mul(1 / 6),
  hardswish: (x) =>
    x
      .mul(1 / 3)
      .add(0.5)
      .mul(mask(x.ge(-3).mul(x.lt(3))))
      .add(mask(x.ge(3))),
  hardtanh: (x, [low = -1, high = 1]) => inside(x, low, high),
  leakyRelu: (x, [slope = 0]) =>
    mask(x.gt(0))
      .mul(1 - slope)
      .add(slope),
  log: (x) => x.reciprocal(),
  logSigmoid: (x) => x.neg().sigmoid(),
  log10: (x) => x.mul(Math.LN10).reciprocal(),
  log1p: (x) => x.add(1).reciprocal(),
  log2: (x) => x.mul(Math.LN2).reciprocal(),
  maximumScalar: (x, [other = 0]) => binary("greaterMask", x.detach(), filled(x, other, { shape: [] })),
  minimumScalar: (x, [other = 0]) => binary("lessMask", x.detach(), filled(x, other, { shape: [] })),
  mish: (x) => {
    const t = apply1(activationOps.softplus, [x], [1, 20]).tanh();
    return t.add(x.mul(x.sigmoid()).mul(t.square().neg().add(1)));
  },
  powScalar: (x, [exponent = 1]) => (exponent === 0 ? 0 : x.pow(exponent - 1).mul(exponent)),
  reciprocal: (y) => y.square().neg(),
  relu: (y) => mask(y.gt(0)),
  relu6: (y) => inside(y, 0, 6),
  rootOfVariance: (y) =>
    y
      .add(mask(y.eq(0)))
      .reciprocal()
      .mul(mask(y.ne(0)))
      .mul(0.5),
  round: () => 0,
  rsqrt: (y) => y.pow(3).mul(-0.5),
  selu: (x) =>
    mask(x.gt(0))
      .mul(1.0507009873554805)
      .add(
        mask(x.le(0))
          .mul(x.clamp({ max: 0 }).exp())
          .mul(1.7580993408473766),
      ),
  sigmoid: (y) => y.sub(y.square()),
  sign: () => 0,
  silu: (x) => {
    const s = x.sigmoid();
    return s.add(x.mul(s.sub(s.square())));
  },
  sin: (x) => x.cos(),
  sinh: (x) => x.exp().add(x.neg().exp()).mul(0.5),
  smoothL1: (x, [beta = 1]) => (beta === 0 ? x.sign() : x.mul(1 / beta).clamp({ min: -1, max: 1 })),
  softplus: (x, [beta = 1, threshold = 20]) => {
    const z = x.mul(beta);
    return z
      .sigmoid()
      .mul(mask(z.le(threshold)))
      .add(mask(z.gt(threshold)));
  },
  softsign: (x) => x.abs().add(1).pow(-2),
  sqrt: (y) => y.reciprocal().mul(0.5),
  square: (x) => x.mul(2),
  threshold: (x, [threshold = 0]) => mask(x.gt(threshold)),
  tan: (y) => y.square().add(1),
  tanh: (y) => y.square().neg().add(1),
  trunc: () => 0,
};

const elementwise: Readonly<Record<string, UnaryOp>> = {
  ...unaryOps,
  ...activationOps,
  ...furtherOps,
  ...mathOps,
  rootOfVariance,
};

/** dy f'(x). Where f' is a constant 0 so is the result, whatever dy. */
function scaled(name: string, dy: Tensor, saved: Tensor, scalars: readonly number[]): Tensor {
  const derivative = derivatives[name as keyof typeof derivatives];
  return dy.mul(derivative(saved, scalars));
}

type Composition = (first: Tensor, second: Tensor, attrs: unknown) => Tensor;

const softmaxGradient: Composition = (dy, y, attrs) => {
  const { dim } = attrs as { readonly dim: number };
  return y.mul(dy.sub(dy.mul(y).sum(dim, { keepdim: true })));
};
const logSoftmaxGradient: Composition = (dy, y, attrs) => {
  const { dim } = attrs as { readonly dim: number };
  return dy.sub(y.exp().mul(dy.sum(dim, { keepdim: true })));
};
/** Each result's gradient goes to where in its plane the element was found. */
const maxPoolGradient: Composition = (dy, found, attrs) => {
  const { shape } = attrs as { readonly shape: readonly number[] };
  const planes = sizeOf(shape.slice(0, -2));
  const index = found.reshape([planes, -1]);
  return scatterAdd(dy.reshape([planes, -1]), index, 1, [planes, sizeOf(shape.slice(-2))]).reshape([...shape]);
};

const compositions = new Map<AnyOp, Composition>([
  [softmaxes.softmax.gradient, softmaxGradient],
  [softmaxes.logSoftmax.gradient, logSoftmaxGradient],
  [maxBackwardOp, maxPoolGradient],
  [probabilitySlope, (a, b) => a.sub(b).div(a.sub(a.square()).maximum(1e-12))],
  [slopeOp, (a, b) => where(a.gt(0), 1, b)],
  [binaryOps.divOrZero, (a, b) => where(b.eq(0), 0, a.div(b.add(mask(b.eq(0)))))],
  [binaryOps.mulOrZero, (a, b) => where(b.eq(0), 0, a.mul(b))],
  [binaryOps.orZero, (a, b) => where(b.eq(0), 0, a)],
  [binaryOps.logOrZero, (a, b) => where(a.eq(0).mul(b.ge(0)), 0, a.log())],
]);
for (const [name, { gradient }] of Object.entries(elementwise)) {
  // A row that saves nothing has a derivative that is a number.
  compositions.set(gradient, (dy, saved, scalars) => scaled(name, dy, saved, scalars as readonly number[]));
}

/** Constant wherever they have a derivative. */
const constants: ReadonlySet<AnyOp> = new Set([binaryOps.equalMask, binaryOps.greaterMask, binaryOps.lessMask]);

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
  const centred = x.sub(x.mean(dims, { keepdim: true }));
  return centred.mul(centred.square().mean(dims, { keepdim: true }).add(eps).rsqrt());
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
  const of = (column: number) => stats.select(1, column);
  const perChannel = (t: Tensor) => t.reshape([channels, ...x.shape.slice(2).map(() => 1)]);
  const dims = x.shape.map((_, d) => d).filter((d) => d !== 1);
  const weight = c.link(1, of(2).div(of(1)));
  const bias = c.link(2, of(3));
  const norm = (x: Tensor, weight: Tensor, bias: Tensor): Tensor => {
    const hat = training ? standardized(x, dims, eps) : x.sub(perChannel(of(0))).mul(perChannel(of(1)));
    return hat.mul(perChannel(weight)).add(perChannel(bias));
  };
  let dy = dz;
  if (activation && activation.row.saves !== "none") {
    const keepsY = activation.row.saves === "y" && c.needs[5];
    const added = keepsY || !c.inputSpecs[5] ? null : c.input(5);
    const before = () => (added ? norm(x, weight, bias).add(added) : norm(x, weight, bias));
    const whole = elementwise[activation.name];
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
      : x0.mul(x0.square().mean(dims, { keepdim: true }).add(eps).rsqrt());
    return hat.mul(w0).add(b0);
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
  const perChannel = (t: Tensor) => t.reshape([channels, ...rest.map(() => 1)]);
  const f = ([x, w, b]: readonly Tensor[]) => {
    const [x0, w0, b0] = given3(x, w, b);
    const hat =
      groups === "positions"
        ? standardized(x0, [1], eps)
        : standardized(x0.reshape([samples, groups, -1]), [2], eps).reshape([...x0.shape]);
    return hat.mul(perChannel(w0)).add(perChannel(b0));
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
    const labels = labelled ? t0.unsqueeze(dim) : t0;
    const valid = labelled ? mask(labels.ne(ignoreIndex)) : null;
    const hit = labelled ? mask(arange(0, classes, 1, { dtype: "i32", device }).reshape(along).eq(labels)) : t0;
    const perClass = weight ? weight.reshape(along) : filled(x0, 1, { shape: [] });
    const q = hit
      .mul(1 - labelSmoothing)
      .add(labelSmoothing / classes)
      .mul(perClass);
    const logs = normalize ? x0.logSoftmax(dim) : x0;
    const each = (valid ? q.mul(valid) : q).mul(logs).sum(dim).neg();
    if (reduction === "none") return each;
    if (reduction === "sum") return each.sum();
    return valid ? each.sum().div(hit.mul(perClass).mul(valid).sum()) : each.sum().div(samples);
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
    t.reshape([-1]).indexSelect(0, fromHost(places, [places.length], "i32", { device: t.device }));
  const rows = (t: Tensor, lie: Heads, count: number, size: number) =>
    at(t, placesOf(attrs, lie, count, size)).reshape([batch, heads, count, size]);
  const f = (args: readonly Tensor[]): Tensor => {
    const left = [...args];
    const [first, second, third, part = null] = given.map((t) => (t && left.shift()) ?? null);
    const mask = part && maskBatches < batch ? repeat(part, [batch / maskBatches, 1, 1, 1]) : part;
    const [q] = given3(first ?? undefined, dy, dy);
    const k = second ?? q;
    const v = third ?? k;
    let scores = rows(q, attrs.q, queries, width)
      .matmul(rows(k, attrs.k, keys, width).transpose(-1, -2))
      .mul(scale);
    if (mask) scores = mask.dtype === "f32" ? scores.add(mask) : where(mask, scores, Number.NEGATIVE_INFINITY);
    if (causal) {
      const seen = Int32Array.from({ length: queries * keys }, (_, i) => Number(i % keys <= Math.floor(i / keys)));
      const visible = fromHost(seen, [queries, keys], "i32", { device: q.device });
      scores = where(visible, scores, Number.NEGATIVE_INFINITY);
    }
    const weights = scores.softmax(-1);
    const y = (drop ? weights.mul(drop) : weights).matmul(rows(v, attrs.v, keys, valueWidth));
    const places = placesOf(attrs, attrs.y, queries, valueWidth);
    const sources = new Int32Array(places.length);
    for (const [i, place] of places.entries()) sources[place] = i;
    return at(y, sources).reshape([...shape]);
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
