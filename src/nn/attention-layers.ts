// MultiheadAttention: projections of queries, keys and values, attention by head, and a projection of what the heads give.
import { apply1 } from "../autograd/apply.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, checkNumber, checkOptions, checkWhole, StateError, ValueError } from "../errors.ts";
import { add, eq, mul } from "../ops/arithmetic.ts";
import { attentionOp, dropFactors, type Heads, maskStrides } from "../ops/attention.ts";
import { cat } from "../ops/cat.ts";
import { dropout } from "../ops/dropout.ts";
import { linear, matmul } from "../ops/matmul.ts";
import { narrow, pad, permute } from "../ops/movement.ts";
import { softmax } from "../ops/softmax.ts";
import { expand, mean } from "../ops/sum-expand.ts";
import { reshape, squeeze, unsqueeze } from "../ops/view.ts";
import { where } from "../ops/where.ts";
import { zeros } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { sameShape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { xavierNormal_, xavierUniform_, zeros_ } from "./initialization.ts";
import { Linear } from "./linear-layer.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** What `MultiheadAttention` takes beside the sizes. */
export interface MultiheadAttentionOptions {
  /** Share of the weights that is dropped in training. Default 0. */
  dropout?: number;
  /** Learned numbers added by all projections. Default true. */
  bias?: boolean;
  /** One more key and value, learned, at the end of each sequence. Default false. */
  addBiasKv?: boolean;
  /** One more key and value of zeros, at the end of each sequence. Default false. */
  addZeroAttn?: boolean;
  /** Features of the keys. Default: embedDim. */
  kdim?: number | null;
  /** Features of the values. Default: embedDim. */
  vdim?: number | null;
  /** Sequences are [batch, steps, features] instead of [steps, batch, features]. Default false. */
  batchFirst?: boolean;
}

/** What one pass of `MultiheadAttention` takes beside the sequences. */
export interface AttentionMasks {
  /** [N, S] ([S] without a batch): keys that nobody sees, of i32 where it is not 0; of f32 it is added to the scores. Default: none. */
  keyPaddingMask?: Tensor | null;
  /** Give the weights, too. Default true, as in PyTorch; false is faster. */
  needWeights?: boolean;
  /**
   * [L, S] or [N * numHeads, L, S]: what a query may not see, of i32 where it is not 0; of f32 it is added to the scores. Default:
   * none.
   */
  attnMask?: Tensor | null;
  /** Weights are the mean over heads, [N, L, S]; false: [N, numHeads, L, S]. Default true. */
  averageAttnWeights?: boolean;
}

const OPTIONS = ["dropout", "bias", "addBiasKv", "addZeroAttn", "kdim", "vdim", "batchFirst"];
const MASKS = ["keyPaddingMask", "needWeights", "attnMask", "averageAttnWeights"];

/** Sizes of a pass. */
interface Sizes {
  readonly batch: number;
  readonly queries: number;
  readonly keys: number;
}

/** A sequence's features as the heads' rows: `part` of those that lie side by side in one projection. */
interface Projected {
  readonly of: Tensor;
  readonly part: number;
}

/**
 * Attention with several heads. `forward(query, key, value, options)` gives `[output, weights]`: query [L, N, embedDim], key
 * [S, N, kdim], value [S, N, vdim], output [L, N, embedDim] (with `batchFirst` N comes first, and without a batch there is no N); weights
 * [N, L, S], or null where `needWeights` is false. Where query, key and value are one tensor they are projected at once. Projections
 * start by Xavier's uniform rule, biases at 0. A query that sees no key gives NaN.
 * @see https://arxiv.org/abs/1706.03762 and https://pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html
 */
export class MultiheadAttention extends Module<
  readonly [query: Tensor, key: Tensor, value: Tensor, options?: AttentionMasks],
  [output: Tensor, weights: Tensor | null]
> {
  /** Features of queries and of the output. */
  readonly embedDim: number;
  /** Heads, of embedDim / numHeads features each. */
  readonly numHeads: number;
  /** Options, defaults filled in. */
  readonly options: Readonly<Required<MultiheadAttentionOptions>>;
  /** All three projections below each other, [3 embedDim, embedDim]; null where kdim or vdim differ. */
  inProjWeight: Parameter | null = null;
  /** [embedDim, embedDim], where kdim or vdim differ. */
  qProjWeight: Parameter | null = null;
  /** [embedDim, kdim], where kdim or vdim differ. */
  kProjWeight: Parameter | null = null;
  /** [embedDim, vdim], where kdim or vdim differ. */
  vProjWeight: Parameter | null = null;
  /** [3 embedDim]. */
  inProjBias: Parameter | null;
  /** The learned key: [1, 1, embedDim]. */
  biasK: Parameter | null;
  /** The learned value: [1, 1, embedDim]. */
  biasV: Parameter | null;
  /** Of what the heads give. */
  readonly outProj: Linear;

  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super();
    const name = "MultiheadAttention";
    checkOptions(name, options, OPTIONS);
    const { dropout = 0, bias = true, addBiasKv = false, addZeroAttn = false, batchFirst = false } = options;
    const [kdim, vdim] = [options.kdim ?? embedDim, options.vdim ?? embedDim];
    checkWhole(name, "embedDim", embedDim, 1);
    checkWhole(name, "numHeads", numHeads, 1);
    checkWhole(name, "kdim", kdim, 1);
    checkWhole(name, "vdim", vdim, 1);
    checkNumber(name, "dropout", dropout, 0, 1);
    check(
      embedDim % numHeads === 0,
      () => `[${name}] embedDim ${embedDim} must be a multiple of numHeads, which is ${numHeads}`,
      ValueError,
    );
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.options = { dropout, bias, addBiasKv, addZeroAttn, kdim, vdim, batchFirst };
    const projection = (...shape: [number, number]) => xavierUniform_(new Parameter(zeros(shape)));
    if (kdim === embedDim && vdim === embedDim) this.inProjWeight = projection(3 * embedDim, embedDim);
    else {
      this.qProjWeight = projection(embedDim, embedDim);
      this.kProjWeight = projection(embedDim, kdim);
      this.vProjWeight = projection(embedDim, vdim);
    }
    this.inProjBias = bias ? new Parameter(zeros([3 * embedDim])) : null;
    const learned = () => (addBiasKv ? xavierNormal_(new Parameter(zeros([1, 1, embedDim]))) : null);
    this.biasK = learned();
    this.biasV = learned();
    this.outProj = new Linear(embedDim, embedDim, { bias });
    if (this.outProj.bias) zeros_(this.outProj.bias);
  }

  override forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options: AttentionMasks = {},
  ): [output: Tensor, weights: Tensor | null] {
    checkOptions("MultiheadAttention", options, MASKS);
    for (const [what, x] of Object.entries({ query, key, value })) checkTensor("MultiheadAttention", what, x);
    for (const [what, x] of Object.entries({ keyPaddingMask: options.keyPaddingMask, attnMask: options.attnMask })) {
      if (!x) continue;
      checkTensor("MultiheadAttention", what, x);
      checkDtype("MultiheadAttention", what, x.dtype, "f32", "i32");
    }
    return scope(() => this.run(query, key, value, options));
  }

  private run(query: Tensor, key: Tensor, value: Tensor, options: AttentionMasks): [Tensor, Tensor | null] {
    const { keyPaddingMask = null, needWeights = true, attnMask = null, averageAttnWeights = true } = options;
    const single = query.ndim === 2;
    // One sequence is a batch of one, in either order.
    const turned = !this.options.batchFirst && !single;
    const [steps, samples] = turned ? [0, 1] : [1, 0];
    const { kdim, vdim } = this.options;
    const shapeOf = (x: Tensor) => [...(single ? [1] : []), ...x.shape];
    const [q, k, v] = [shapeOf(query), shapeOf(key), shapeOf(value)];
    const fits =
      [q, k, v].every(({ length }) => length === 3) &&
      String([q[2], k[2], v[2]]) === String([this.embedDim, kdim, vdim]) &&
      q[samples] === k[samples] &&
      sameShape(k.slice(0, 2), v.slice(0, 2));
    check(
      fits,
      () =>
        `[MultiheadAttention] query ${show(query.shape)}, key ${show(key.shape)} and value ${show(value.shape)} must be ${turned ? "[L, N," : "[N, L,"} ${this.embedDim}], ${turned ? "[S, N," : "[N, S,"} ${kdim}] and ${turned ? "[S, N," : "[N, S,"} ${vdim}], or all of two dimensions`,
    );
    const [batch = 0, queries = 0, own = 0] = [q[samples], q[steps], k[steps]];
    const { qs, ks, vs, keys } = this.project(
      ...([query, key, value].map((x) => (single ? unsqueeze(x, 0) : x)) as [Tensor, Tensor, Tensor]),
      { query, key, value },
      turned,
      { batch, queries, keys: own },
    );
    const sizes = { batch, queries, keys };
    const mask = this.mask(attnMask, keyPaddingMask, { batch, queries, keys: own }, keys - own);
    const p = this.training ? this.options.dropout : 0;
    const whole = [q[0] ?? 0, q[1] ?? 0, this.embedDim];
    const run = needWeights ? this.weighted(qs, ks, vs, mask, p, sizes, turned) : null;
    const heads = run?.y ?? this.fused(qs, ks, vs, mask, p, sizes, turned, whole);
    const y = this.outProj.forward(heads);
    const weights = run && (averageAttnWeights ? mean(run.weights, 1) : run.weights);
    return [single ? squeeze(y, 0) : y, weights && single ? squeeze(weights, 0) : weights];
  }

  /** Projections, as few products as possible. */
  private project(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    given: { readonly query: Tensor; readonly key: Tensor; readonly value: Tensor },
    turned: boolean,
    { batch, keys }: Sizes,
  ): { qs: Projected; ks: Projected; vs: Projected; keys: number } {
    const { inProjWeight: weight, inProjBias: bias, embedDim: size } = this;
    const rows = (t: Tensor | null, part: number, parts: number) =>
      t && (parts === 3 ? t : narrow(t, 0, part * size, parts * size));
    const projected = (x: Tensor, own: Tensor | null, part: number, parts = 1): Tensor => {
      const matrix = own ?? rows(weight, part, parts);
      if (!matrix) throw new StateError("[MultiheadAttention] has lost its projections");
      return linear(x, matrix, rows(bias, part, parts));
    };
    const extended = this.biasK !== null || this.options.addZeroAttn;
    if (weight && !extended && given.key === given.value) {
      if (given.query === given.key) {
        const of = projected(q, null, 0, 3);
        return { qs: { of, part: 0 }, ks: { of, part: 1 }, vs: { of, part: 2 }, keys };
      }
      const of = projected(k, null, 1, 2);
      return { qs: { of: projected(q, null, 0), part: 0 }, ks: { of, part: 0 }, vs: { of, part: 1 }, keys };
    }
    const steps = turned ? 0 : 1;
    const longer = (x: Tensor, learned: Tensor | null): Tensor => {
      const shape = turned ? [1, batch, size] : [batch, 1, size];
      const more = learned ? [expand(learned, shape)] : [];
      const none = this.options.addZeroAttn ? [zeros(shape, { device: x.device })] : [];
      return extended ? cat([x, ...more, ...none], steps) : x;
    };
    const ks = longer(projected(k, this.kProjWeight, 1), this.biasK);
    const vs = longer(projected(v, this.vProjWeight, 2), this.biasV);
    return {
      qs: { of: projected(q, this.qProjWeight, 0), part: 0 },
      ks: { of: ks, part: 0 },
      vs: { of: vs, part: 0 },
      keys: ks.shape[steps] ?? keys,
    };
  }

  /** Both masks as one that broadcasts to the scores: of f32, added, or of i32, 1 where a key counts. */
  private mask(
    attn: Tensor | null,
    padding: Tensor | null,
    { batch, queries, keys }: Sizes,
    more: number,
  ): Tensor | null {
    const { numHeads } = this;
    const perHead = attn?.ndim === 3;
    check(
      !attn || sameShape(attn.shape, perHead ? [batch * numHeads, queries, keys] : [queries, keys]),
      () =>
        `[MultiheadAttention] attnMask ${show(attn?.shape ?? [])} must be ${show([queries, keys])} or ${show([batch * numHeads, queries, keys])}`,
    );
    check(
      !padding || sameShape(padding.shape, [batch, keys]) || (batch === 1 && sameShape(padding.shape, [keys])),
      () => `[MultiheadAttention] keyPaddingMask ${show(padding?.shape ?? [])} must be ${show([batch, keys])}`,
    );
    const given = [
      attn && (perHead ? reshape(attn, [batch, numHeads, queries, keys]) : attn),
      padding && reshape(padding, [batch, 1, 1, keys]),
    ].filter((t) => t !== null);
    const added = given.some(({ dtype }) => dtype === "f32");
    const alike = given.map((t) => {
      if (!added) return eq(t, 0);
      return t.dtype === "f32" ? t : where(t, Number.NEGATIVE_INFINITY, 0);
    });
    const [first = null, second] = alike;
    const both = first && second ? (added ? add(first, second) : mul(first, second)) : first;
    return both && more > 0 ? pad(both, [0, more], added ? 0 : 1) : both;
  }

  /** Without weights: one operation, which reads the heads where they lie. */
  private fused(
    q: Projected,
    k: Projected,
    v: Projected,
    mask: Tensor | null,
    p: number,
    { batch, queries, keys }: Sizes,
    turned: boolean,
    shape: readonly number[],
  ): Tensor {
    const { numHeads: heads, embedDim: size } = this;
    const width = size / heads;
    const laid = (steps: number, row: number, part = 0): Heads => ({
      at: turned ? [row, width, batch * row] : [steps * row, width, row],
      from: part * size,
    });
    const side = (x: Projected, steps: number) => laid(steps, x.of.shape.at(-1) ?? size, x.part);
    const scores = [batch, heads, queries, keys];
    const drop = p > 0 ? dropFactors(scores, p, q.of) : null;
    const inputs = [q.of, k.of === q.of ? null : k.of, v.of === k.of ? null : v.of, mask, drop] as const;
    return apply1(attentionOp, inputs, {
      ...{ batch, heads, queries, keys, width, valueWidth: width, shape },
      ...{ q: side(q, queries), k: side(k, keys), v: side(v, keys), y: laid(queries, size) },
      ...{ scale: 1 / Math.sqrt(width), causal: false, maskAt: maskStrides(mask, scores), maskBatches: batch },
    });
  }

  /** With weights, [N, heads, L, S], which the caller may differentiate. */
  private weighted(
    q: Projected,
    k: Projected,
    v: Projected,
    mask: Tensor | null,
    p: number,
    { batch, queries, keys }: Sizes,
    turned: boolean,
  ): { y: Tensor; weights: Tensor } {
    const { numHeads: heads, embedDim: size } = this;
    const width = size / heads;
    const split = ({ of, part }: Projected, steps: number, order: readonly number[]): Tensor => {
      const own = of.shape.at(-1) === size ? of : narrow(of, 2, part * size, size);
      return permute(reshape(own, turned ? [steps, batch, heads, width] : [batch, steps, heads, width]), order);
    };
    const rows = turned ? [1, 2, 0, 3] : [0, 2, 1, 3];
    const columns = turned ? [1, 2, 3, 0] : [0, 2, 3, 1];
    const scaled = mul(split(q, queries, rows), 1 / Math.sqrt(width));
    const scores = matmul(scaled, split(k, keys, columns));
    const masked = !mask
      ? scores
      : mask.dtype === "f32"
        ? add(scores, mask)
        : where(mask, scores, Number.NEGATIVE_INFINITY);
    const weights = dropout(softmax(masked, -1), p);
    const y = permute(matmul(weights, split(v, keys, rows)), turned ? [2, 0, 1, 3] : [0, 2, 1, 3]);
    return { y: reshape(y, turned ? [queries, batch, size] : [batch, queries, size]), weights };
  }

  override describe(): string {
    return `${this.embedDim}, ${this.numHeads}`;
  }
}
