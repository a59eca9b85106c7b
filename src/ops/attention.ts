// Attention: softmax(Q K^T scale + mask) V for a batch of heads, which lie apart or side by side in one tensor.
import { apply, apply1 } from "../autograd/apply.ts";
import { type Op, withoutGradient } from "../autograd/op.ts";
import { deviceOf, type Run } from "../autograd/run.ts";
import { check, checkNumber, checkOptions, StateError, ValueError } from "../errors.ts";
import { noEpilogue } from "../kernels/epilogue.ts";
import { Kernel } from "../kernels/kernel.ts";
import type { MatrixStrides } from "../kernels/matmul-shape.ts";
import { planRows } from "../kernels/row-plan.ts";
import { broadcastStrides } from "../kernels/strided-walk.ts";
import softmaxWgsl from "../kernels/wgsl/attention-softmax.wgsl";
import backwardWgsl from "../kernels/wgsl/attention-softmax-backward.wgsl";
import { zeros } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { broadcastShapes, type Shape, sameShape, show, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { launchProduct } from "./matmul.ts";
import { bernoulli } from "./random.ts";
import { expand, sumTo } from "./sum-expand.ts";
import { reshape } from "./view.ts";

/** Where the rows of a batch of heads lie in a tensor: strides of a batch, a head and a row. Elements of a row are neighbours. */
export interface Heads {
  readonly at: readonly [batch: number, head: number, row: number];
  /** Element where the first begins. */
  readonly from: number;
}

export interface AttentionAttrs {
  readonly batch: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  /** Features of queries and keys, and of values, of one head. */
  readonly width: number;
  readonly valueWidth: number;
  readonly q: Heads;
  readonly k: Heads;
  readonly v: Heads;
  readonly y: Heads;
  /** Of the result. */
  readonly shape: Shape;
  readonly scale: number;
  readonly causal: boolean;
  /** The mask's strides by batch, head, query and key. */
  readonly maskAt: MatrixStrides;
  /** After so many batches the mask begins again: the batch, where it has one for each or one for all. */
  readonly maskBatches: number;
}

/** Elements of scores that are in memory at a time; where all heads have more, the gradient computes them again. */
const MOST_SCORES = 2 ** 22;

const softmaxKernel = new Kernel(softmaxWgsl);
const backwardKernel = new Kernel(backwardWgsl);
/** The variant for a mask's dtype. */
const softmaxFor = (mask: Tensor | null) =>
  mask?.dtype === "i32"
    ? softmaxKernel.variant(
        { M: "i32", masked: "fn masked(v: f32, m: M) -> f32 { return select(v, from_bits(0xff800000u), m == 0); }" },
        "bool",
      )
    : softmaxKernel.variant();

/** Scores of a query lie so many elements apart: whole vectors. */
const pitchOf = (keys: number): number => Math.ceil(keys / 4) * 4;
/** Heads whose scores are in memory at a time. */
const together = ({ queries, keys }: AttentionAttrs): number =>
  Math.max(1, Math.floor(MOST_SCORES / Math.max(1, queries * pitchOf(keys))));
const keepsScores = (attrs: AttentionAttrs): boolean => attrs.batch * attrs.heads <= together(attrs);

/** Some of the batch's heads. */
interface Part {
  readonly batch: number;
  readonly heads: number;
  /** Place of the first. */
  readonly at: readonly [batch: number, head: number];
}

/** All heads in parts whose scores are in memory at a time: whole samples, or else heads of one. */
function* partsOf(attrs: AttentionAttrs): Generator<Part> {
  const most = together(attrs);
  const batch = Math.floor(most / attrs.heads);
  for (let b = 0; b < attrs.batch; b += Math.max(1, batch)) {
    if (batch > 0) yield { batch: Math.min(batch, attrs.batch - b), heads: attrs.heads, at: [b, 0] };
    else
      for (let h = 0; h < attrs.heads; h += most)
        yield { batch: 1, heads: Math.min(most, attrs.heads - h), at: [b, h] };
  }
}

/** A matrix for each head in a buffer. */
interface Operand {
  readonly of: Tensor;
  readonly strides: MatrixStrides;
  readonly from: number;
}

/** Rows as they lie, and turned to columns. */
function rowsOf(of: Tensor, { at: [batch, head, row], from }: Heads, part: Part): Operand {
  return { of, strides: [row, 1, batch, head], from: from + part.at[0] * batch + part.at[1] * head };
}
const turned = ({ of, strides: [row, column, batch, head], from }: Operand): Operand => ({
  of,
  strides: [column, row, batch, head],
  from,
});
/** Scores of the part alone. */
const scoresOf = (of: Tensor, { queries, keys }: AttentionAttrs, { heads }: Part): Operand => {
  const pitch = pitchOf(keys);
  return { of, strides: [pitch, 1, heads * queries * pitch, queries * pitch], from: 0 };
};

/** c = a b, m by n from k for each head of the part. */
function multiply(
  run: Run,
  { batch, heads }: Part,
  [m, k, n]: readonly number[],
  a: Operand,
  b: Operand,
  c: Operand,
): void {
  const offset = [a.from, b.from, c.from, 0] as const;
  const shape = {
    ...{ m: m ?? 0, n: n ?? 0, k: k ?? 0, outer: batch, inner: heads, offset },
    ...{ a: a.strides, b: b.strides, c: c.strides },
  };
  launchProduct(run, shape, { a: a.of.storage, b: b.of.storage, c: c.of.storage, end: noEpilogue });
}

/** How the kernels walk the scores of a part. */
function plan(run: Run, attrs: AttentionAttrs, { batch, heads, at }: Part) {
  const { queries, keys, scale, causal } = attrs;
  const { params, grid } = planRows(batch * heads * queries, keys, run.device.info);
  const first = (at[0] * attrs.heads + at[1]) * queries;
  return {
    params: {
      ...params,
      ...{
        pitch: pitchOf(keys),
        queries,
        heads: attrs.heads,
        first,
        causal: Number(causal),
        scale,
        mask_at: attrs.maskAt,
        mask_batches: attrs.maskBatches,
      },
    },
    grid,
  };
}

type Inputs = readonly [q: Tensor, k: Tensor | null, v: Tensor | null, mask: Tensor | null, drop: Tensor | null];

/** Keys may lie in the tensor of the queries, and values in that of the keys. */
const sourcesOf = ([q, k, v]: readonly [Tensor, Tensor | null, Tensor | null, ...unknown[]]) => {
  const keys = k ?? q;
  return [q, keys, v ?? keys] as const;
};

/** Probabilities of a part into `p`; gives what the values are weighted by: they, or those that dropout left. */
function probabilities(run: Run, inputs: Inputs, attrs: AttentionAttrs, part: Part, p: Tensor): Tensor {
  const [q, k] = sourcesOf(inputs);
  const [, , , mask, drop] = inputs;
  const { queries, keys, width } = attrs;
  const keysOf = turned(rowsOf(k, attrs.k, part));
  multiply(run, part, [queries, width, keys], rowsOf(q, attrs.q, part), keysOf, scoresOf(p, attrs, part));
  const dropped = drop && run.scratch(p.shape);
  const { params, grid } = plan(run, attrs, part);
  softmaxFor(mask).launch(run, { x: p, mask, drop, dropped }, params, grid);
  return dropped ?? p;
}

/** Memory for the scores of the largest part. */
const scratch = (run: Run, attrs: AttentionAttrs): Tensor =>
  run.scratch([Math.min(together(attrs), attrs.batch * attrs.heads), attrs.queries, pitchOf(attrs.keys)]);

type GradientInputs = readonly [...Inputs, p: Tensor | null, dy: Tensor];
interface GradientAttrs extends AttentionAttrs {
  readonly needsMask: boolean;
}

/** Gradients of the tensors that are given for q, k and v, and of the mask before it was broadcast. */
const gradientOp: Op<GradientInputs, GradientAttrs, readonly Tensor[]> = {
  name: "attentionBackward",
  required: 1,
  infer: ([q, k, v], { needsMask, batch, heads, queries, keys }) => [
    ...[q, k, v].filter((spec) => spec !== null),
    ...(needsMask ? [{ shape: [batch, heads, queries, keys], dtype: "f32" } as const] : []),
  ],
  forward(run, [q0, k0, v0, mask, drop, p, dy], outputs, attrs) {
    const { queries, keys, width, valueWidth, needsMask } = attrs;
    const inputs: Inputs = [q0, k0, v0, mask, drop];
    const [q, k, v] = sourcesOf(inputs);
    const left = [...outputs];
    const first = left.shift();
    if (!first) throw new StateError("[attentionBackward] has no output");
    const [dq, dk, dv] = sourcesOf([first, k0 && (left.shift() ?? null), v0 && (left.shift() ?? null)]);
    const dmask = needsMask ? (left.shift() ?? null) : null;
    const again = p ? null : scratch(run, attrs);
    const dp = scratch(run, attrs);
    const dropped = drop && run.scratch(dp.shape);
    for (const part of partsOf(attrs)) {
      const y = p ?? again ?? dp;
      if (again) probabilities(run, inputs, attrs, part, again);
      const dys = rowsOf(dy, attrs.y, part);
      const scores = scoresOf(dp, attrs, part);
      multiply(run, part, [queries, valueWidth, keys], dys, turned(rowsOf(v, attrs.v, part)), scores);
      const { params, grid } = plan(run, attrs, part);
      backwardKernel.launch(run, { y, dp, drop, dropped, dmask }, params, grid);
      const weights = scoresOf(dropped ?? y, attrs, part);
      multiply(run, part, [keys, queries, valueWidth], turned(weights), dys, rowsOf(dv, attrs.v, part));
      multiply(run, part, [queries, keys, width], scores, rowsOf(k, attrs.k, part), rowsOf(dq, attrs.q, part));
      multiply(run, part, [keys, queries, width], turned(scores), rowsOf(q, attrs.q, part), rowsOf(dk, attrs.k, part));
    }
  },
  ...withoutGradient,
};

/** y, and for the tape the probabilities where they are few. */
export const attentionOp: Op<Inputs, AttentionAttrs, readonly [y: Tensor], readonly Tensor[]> = {
  name: "scaledDotProductAttention",
  required: 1,
  aux: (attrs) => (keepsScores(attrs) ? 1 : 0),
  infer(inputs, attrs) {
    for (const [i, name] of ["query", "key", "value"].entries()) {
      const spec = inputs[i];
      if (spec) checkDtype("scaledDotProductAttention", name, spec.dtype, "f32");
    }
    const [, , , mask] = inputs;
    if (mask) checkDtype("scaledDotProductAttention", "mask", mask.dtype, "f32", "i32");
    const { batch, heads, queries, keys, shape } = attrs;
    const y = { shape, dtype: "f32" } as const;
    return keepsScores(attrs) ? [y, { shape: [batch, heads, queries, pitchOf(keys)], dtype: "f32" }] : [y];
  },
  forward(run, inputs, [y, kept], attrs) {
    const { queries, keys, valueWidth } = attrs;
    const [, , v] = sourcesOf(inputs);
    const p = kept ?? scratch(run, attrs);
    for (const part of partsOf(attrs)) {
      const weights = scoresOf(probabilities(run, inputs, attrs, part, p), attrs, part);
      multiply(run, part, [queries, keys, valueWidth], weights, rowsOf(v, attrs.v, part), rowsOf(y, attrs.y, part));
    }
  },
  saves: (_, attrs) => ({ inputs: [0, 1, 2, 3, 4], outputs: keepsScores(attrs) ? [1] : [] }),
  vjp([dy], c) {
    const inputs = [c.input(0), c.input(1), c.input(2), c.input(3), c.input(4)] as const;
    const p = keepsScores(c.attrs) ? c.output(1) : null;
    const needsMask = c.needs[3];
    const gradients = [...apply(gradientOp, [...inputs, p ?? null, dy], { ...c.attrs, needsMask })];
    const next = (given: unknown) => (given ? (gradients.shift() ?? null) : null);
    const [dq, dk, dv] = [next(inputs[0]), next(inputs[1]), next(inputs[2])];
    const whole = next(needsMask);
    const mask = c.inputSpecs[3];
    return [dq, dk, dv, whole && mask ? maskGradient(whole, mask.shape, c.attrs) : null, null];
  },
};

/** The mask's gradient from that of all scores. */
function maskGradient(whole: Tensor, shape: Shape, { batch, maskBatches: period }: AttentionAttrs): Tensor {
  const rounds = [batch / period, period, ...whole.shape.slice(1)];
  const sum = period < batch ? sumTo(reshape(whole, rounds), [1, ...fourDims(shape)]) : sumTo(whole, fourDims(shape));
  return reshape(sum, shape);
}

const fourDims = (shape: Shape): number[] => [...new Array<number>(Math.max(0, 4 - shape.length)).fill(1), ...shape];

/** A mask's strides for scores of [batch, heads, queries, keys]. Its shape has at most four dimensions. */
export function maskStrides(mask: Tensor | null, scores: Shape): MatrixStrides {
  const [batch = 0, head = 0, query = 0, key = 0] = mask ? broadcastStrides(mask.shape, scores) : [];
  return [batch, head, query, key];
}

/** What `scaledDotProductAttention` takes beside the tensors. */
export interface AttentionOptions {
  /**
   * Broadcasts to [..., L, S]. Of i32: keys take part where it is not 0. Of f32: added to the scores, and may require a gradient.
   * Default: none.
   */
  mask?: Tensor | null;
  /** Share of the weights that are zeroed, the others scaled by 1 / (1 - dropoutP). Default 0. */
  dropoutP?: number;
  /** Query l sees the keys up to l alone. Default false. */
  isCausal?: boolean;
  /** What scores are multiplied by. Default 1 / sqrt(E). */
  scale?: number;
}

const NAME = "scaledDotProductAttention";

/** Factors of dropout for scores of this shape: 0 or 1 / (1 - p). */
export const dropFactors = (shape: Shape, p: number, like: Tensor): Tensor =>
  p === 1 ? zeros(shape, { device: like.device }) : bernoulli(shape, 1 - p, 1 / (1 - p), { device: like.device });

/**
 * softmax(q k^T scale + mask) v. q: [..., L, E], k: [..., S, E], v: [..., S, Ev]; result: [..., L, Ev]. Leading dimensions
 * broadcast. Dropout applies whenever `dropoutP` is not 0: pass 0 in evaluation. A query that sees no key gives NaN, as the softmax of
 * nothing but -infinity does (PyTorch before 2.5 has it so, too). Scores of all heads are kept for the gradient up to 2^22, beyond
 * that they are computed again, as many heads at a time as fit.
 * @throws ShapeError where sizes do not fit; ValueError for a mask with `isCausal`; DtypeError but for f32.
 * @see https://arxiv.org/abs/1706.03762 and
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html
 */
export function scaledDotProductAttention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  checkOptions(NAME, options, ["mask", "dropoutP", "isCausal", "scale"]);
  const { mask = null, dropoutP = 0, isCausal = false } = options;
  deviceOf(NAME, [q, k, v, mask], 3);
  checkNumber(NAME, "dropoutP", dropoutP, 0, 1);
  const shapes = () => `query ${show(q.shape)}, key ${show(k.shape)} and value ${show(v.shape)}`;
  check(
    q.ndim > 1 && k.ndim > 1 && v.ndim > 1 && q.shape.at(-1) === k.shape.at(-1) && k.shape.at(-2) === v.shape.at(-2),
    () => `[${NAME}] takes query [..., L, E], key [..., S, E] and value [..., S, Ev], got ${shapes()}`,
  );
  check(!(mask && isCausal), () => `[${NAME}] takes a mask or isCausal, not both: put both into the mask`, ValueError);
  const [queries = 0, width = 0] = q.shape.slice(-2);
  const [keys = 0, valueWidth = 0] = v.shape.slice(-2);
  const { scale = 1 / Math.sqrt(width) } = options;
  checkNumber(NAME, "scale", scale);
  return scope(() => {
    const lead = [k, v].reduce((to, t) => broadcastShapes(NAME, to, t.shape.slice(0, -2)), q.shape.slice(0, -2));
    const whole = (t: Tensor): Tensor => {
      const shape = [...lead, ...t.shape.slice(-2)];
      return sameShape(shape, t.shape) ? t : expand(t, shape);
    };
    const [batch, heads] = [sizeOf(lead.slice(0, -1)), lead.at(-1) ?? 1];
    const laid = (rows: number, columns: number): Heads => ({
      at: [heads * rows * columns, rows * columns, columns],
      from: 0,
    });
    const added = mask && maskOf(mask, lead, [batch, heads, queries, keys]);
    const attrs: AttentionAttrs = {
      ...{ batch, heads, queries, keys, width, valueWidth, scale, causal: isCausal },
      ...{ q: laid(queries, width), k: laid(keys, width), v: laid(keys, valueWidth), y: laid(queries, valueWidth) },
      shape: [...lead, queries, valueWidth],
      maskAt: maskStrides(added, [batch, heads, queries, keys]),
      maskBatches: batch,
    };
    const drop = dropoutP > 0 ? dropFactors([batch, heads, queries, keys], dropoutP, q) : null;
    return apply1(attentionOp, [whole(q), whole(k), whole(v), added, drop], attrs);
  });
}

/** The mask with at most four dimensions. */
function maskOf(mask: Tensor, lead: Shape, scores: Shape): Tensor {
  const full = [...lead, ...scores.slice(2)];
  check(
    sameShape(broadcastShapes(NAME, mask.shape, full), full),
    () => `[${NAME}] mask ${show(mask.shape)} does not broadcast to scores ${show(full)}`,
  );
  const rows = mask.shape.slice(0, -2);
  if (sizeOf(rows) === 1) return reshape(mask, mask.shape.slice(-2));
  if (lead.length <= 2) return mask.ndim > 4 ? reshape(mask, mask.shape.slice(-4)) : mask;
  return reshape(expand(mask, [...lead, ...fourDims(mask.shape).slice(-2)]), [
    ...scores.slice(0, 2),
    ...fourDims(mask.shape).slice(-2),
  ]);
}
