// Distances and similarities of vectors, and the losses that are made of them.
import { checkTensor, deviceOf } from "../autograd/run.ts";
import { check, checkNumber, checkOptions, checkWhole, told, ValueError } from "../errors.ts";
import { arange } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { broadcastShapes, normalizeDim, rowRank, sameShape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { abs, add, clamp, div, eq, maximum, minimum, mul, ne, neg, pow, square, sub } from "./arithmetic.ts";
import { to } from "./cast.ts";
import { checkLossWeight, reduceLoss } from "./element-losses.ts";
import { sqrt } from "./elementwise.ts";
import { type MarginLossOptions, signs } from "./further-losses.ts";
import { gather } from "./gather.ts";
import { LOSS_OPTIONS, type LossOptions } from "./losses.ts";
import { expand, max, min, norm, sum } from "./reduce.ts";
import { reshape, unsqueeze } from "./view.ts";
import { where } from "./where.ts";

/** Tensors of f32 on one device. */
function checkFloats(name: string, tensors: Readonly<Record<string, Tensor>>): void {
  for (const [what, t] of Object.entries(tensors)) {
    checkTensor(name, what, t);
    checkDtype(name, what, t.dtype, "f32");
  }
  deviceOf(name, Object.values(tensors));
}

/** The p-norm along a dimension; of infinity the largest size, of 0 how many are not 0. */
function pNorm(x: Tensor, p: number, dim: number, keepdim: boolean): Tensor {
  const options = { keepdim };
  if (p === 2) return norm(x, dim, options);
  if (p === Number.POSITIVE_INFINITY) return max(abs(x), dim, options);
  if (p === Number.NEGATIVE_INFINITY) return min(abs(x), dim, options);
  if (p === 0) return sum(to(ne(x, 0), "f32"), dim, options);
  const size = abs(x);
  if (p === 1) return sum(size, dim, options);
  return pow(sum(pow(size, p), dim, options), 1 / p);
}

/** What `normalize` takes. */
export interface NormalizeOptions {
  /** The exponent of the norm; Infinity is the largest element. Default 2. */
  p?: number;
  /** The dimension along which vectors lie. Default 1. */
  dim?: number;
  /** The least norm that is divided by. Default 1e-12. */
  eps?: number;
}

/**
 * Each vector of x along `dim` divided by its norm. f32, any shape.
 * @throws ShapeError for a dimension that x does not have.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.normalize.html
 */
export function normalize(x: Tensor, options: NormalizeOptions = {}): Tensor {
  checkOptions("normalize", options, ["p", "dim", "eps"]);
  const { p = 2, dim = 1, eps = 1e-12 } = options;
  checkFloats("normalize", { input: x });
  checkNumber("normalize", "p", p);
  checkNumber("normalize", "eps", eps);
  const at = normalizeDim("normalize", dim, rowRank(x.shape));
  return scope(() => div(x, maximum(pNorm(x, p, at, true), eps)));
}

/** What `cosineSimilarity` takes. */
export interface CosineSimilarityOptions {
  /** The dimension along which vectors lie. Default 1. */
  dim?: number;
  /** The least norm that is divided by. Default 1e-8. */
  eps?: number;
}

/** Names of the options. */
export const COSINE_OPTIONS = ["dim", "eps"];

/**
 * The cosine of the angle between vectors of x1 and x2 along `dim`, which is left out of the result. Shapes broadcast. f32.
 * @throws ShapeError for shapes that do not broadcast, or a dimension that there is not.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.cosine_similarity.html
 */
export function cosineSimilarity(x1: Tensor, x2: Tensor, options: CosineSimilarityOptions = {}): Tensor {
  const name = "cosineSimilarity";
  checkOptions(name, options, COSINE_OPTIONS);
  const { dim = 1, eps = 1e-8 } = options;
  checkFloats(name, { x1, x2 });
  checkNumber(name, "eps", eps);
  const shape = broadcastShapes(name, x1.shape, x2.shape);
  const at = normalizeDim(name, dim, rowRank(shape)) - shape.length;
  return scope(() => {
    const unit = (x: Tensor) => {
      const whole = x.ndim < shape.length ? reshape(x, [...shape.map(() => 1).slice(x.ndim), ...x.shape]) : x;
      // Along a dimension that is repeated, so is its norm.
      const long = whole.shape.at(at) === shape.at(at) ? whole : expand(whole, [...shape]);
      return div(long, maximum(norm(long, at, { keepdim: true }), eps));
    };
    return sum(mul(unit(x1), unit(x2)), at);
  });
}

/** What `pairwiseDistance` takes. */
export interface PairwiseDistanceOptions {
  /** The exponent of the norm. Default 2. */
  p?: number;
  /** Added to each difference. Default 1e-6. */
  eps?: number;
  /** Keep the last dimension, as one of size 1. Default false. */
  keepdim?: boolean;
}

/** Names of the options. */
export const DISTANCE_OPTIONS = ["p", "eps", "keepdim"];

/**
 * The p-norm of x1 - x2 + eps along the last dimension. Shapes broadcast. f32.
 * @throws ShapeError for shapes that do not broadcast.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.pairwise_distance.html
 */
export function pairwiseDistance(x1: Tensor, x2: Tensor, options: PairwiseDistanceOptions = {}): Tensor {
  const name = "pairwiseDistance";
  checkOptions(name, options, DISTANCE_OPTIONS);
  const { p = 2, eps = 1e-6, keepdim = false } = options;
  checkFloats(name, { x1, x2 });
  checkNumber(name, "p", p);
  checkNumber(name, "eps", eps);
  const { length } = broadcastShapes(name, x1.shape, x2.shape);
  check(length > 0, () => `[${name}] takes vectors, got scalars: unsqueeze(0) makes one a vector`);
  return scope(() => pNorm(add(sub(x1, x2), eps), p, -1, keepdim));
}

export const TRIPLET_OPTIONS = [...LOSS_OPTIONS, "margin", "p", "eps", "swap"];

/** What `tripletMarginLoss` takes. */
export interface TripletMarginOptions extends LossOptions {
  /** How much farther the negative should be than the positive. Default 1. */
  margin?: number;
  /** The exponent of the distance. Default 2. */
  p?: number;
  /** Added to each difference. Default 1e-6. */
  eps?: number;
  /** Take the negative's distance from the positive, where that is less. Default false. */
  swap?: boolean;
}

/**
 * max(0, margin + distance(anchor, positive) - distance(anchor, negative)), distances along the last dimension: [N, D] each.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.triplet_margin_loss.html
 */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginOptions = {},
): Tensor {
  const name = "tripletMarginLoss";
  checkOptions(name, options, TRIPLET_OPTIONS);
  const { reduction, margin = 1, p = 2, eps = 1e-6, swap = false } = options;
  checkFloats(name, { anchor, positive, negative });
  checkNumber(name, "margin", margin);
  const distance = (a: Tensor, b: Tensor) => pairwiseDistance(a, b, { p, eps });
  return reduceLoss(name, reduction, () => {
    const near = distance(anchor, positive);
    const far = distance(anchor, negative);
    const apart = swap ? minimum(far, distance(positive, negative)) : far;
    return clamp(add(sub(near, apart), margin), { min: 0 });
  });
}

/**
 * 1 - cosine of x1 and x2 for target 1, max(0, cosine - margin) for target -1: [N, D] and a target [N], f32 or i32. `margin` is 0 by
 * default.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.cosine_embedding_loss.html
 */
export function cosineEmbeddingLoss(x1: Tensor, x2: Tensor, target: Tensor, options: MarginLossOptions = {}): Tensor {
  const name = "cosineEmbeddingLoss";
  checkOptions(name, options, [...LOSS_OPTIONS, "margin"]);
  const { reduction, margin = 0 } = options;
  checkFloats(name, { x1, x2 });
  checkNumber(name, "margin", margin);
  deviceOf(name, [x1, target]);
  const shape = broadcastShapes(name, x1.shape, x2.shape);
  check(
    shape.length > 0 && shape.length < 3 && sameShape(target.shape, shape.slice(0, -1)),
    () =>
      `[${name}] inputs have shapes ${show(x1.shape)} and ${show(x2.shape)} and target ${show(target.shape)} but must be [N, D] and [N], or [D] and []`,
  );
  return reduceLoss(name, reduction, () => {
    const t = signs(name, target);
    const squares = (x: Tensor) => add(sum(square(x), -1), 1e-12);
    const cosine = div(sum(mul(x1, x2), -1), sqrt(mul(squares(x1), squares(x2))));
    const alike = mul(add(neg(cosine), 1), to(eq(t, 1), "f32"));
    return add(mul(clamp(sub(cosine, margin), { min: 0 }), to(eq(t, -1), "f32")), alike);
  });
}

/**
 * max(0, -target (x1 - x2) + margin): target 1 wants x1 to rank higher, -1 x2. f32 of shapes that broadcast, the target also i32.
 * `margin` is 0 by default.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.margin_ranking_loss.html
 */
export function marginRankingLoss(x1: Tensor, x2: Tensor, target: Tensor, options: MarginLossOptions = {}): Tensor {
  const name = "marginRankingLoss";
  checkOptions(name, options, [...LOSS_OPTIONS, "margin"]);
  const { reduction, margin = 0 } = options;
  checkFloats(name, { x1, x2 });
  checkNumber(name, "margin", margin);
  deviceOf(name, [x1, target]);
  return reduceLoss(name, reduction, () => clamp(add(neg(mul(sub(x1, x2), signs(name, target))), margin), { min: 0 }));
}

export const MULTI_MARGIN_OPTIONS = [...LOSS_OPTIONS, "p", "margin", "weight"];

/** What `multiMarginLoss` takes. */
export interface MultiMarginOptions extends LossOptions {
  /** The exponent: 1 or 2. Default 1. */
  p?: number;
  /** How much the label's score should be above each other one. Default 1. */
  margin?: number;
  /** [C]: a factor for each class, by the sample's label. Default null: all count the same. */
  weight?: Tensor | null;
}

/** Throws unless p is 1 or 2. */
export const checkExponent = (name: string, p: unknown): void =>
  check(p === 1 || p === 2, () => `[${name}] p must be 1 or 2, got ${told(p)}`, ValueError);

/**
 * The sum over classes j other than the label y of max(0, margin - x[y] + x[j])^p, divided by the number of classes: scores [N, C]
 * or [C], labels i32 [N] or [].
 * @throws ValueError for a label out of range; as only the device sees labels, it comes from the next read or sync().
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.multi_margin_loss.html
 */
export function multiMarginLoss(input: Tensor, target: Tensor, options: MultiMarginOptions = {}): Tensor {
  const name = "multiMarginLoss";
  checkOptions(name, options, MULTI_MARGIN_OPTIONS);
  const { reduction, p = 1, margin = 1, weight = null } = options;
  checkFloats(name, { input });
  checkNumber(name, "margin", margin);
  checkExponent(name, p);
  deviceOf(name, [input, target]);
  checkDtype(name, "target", target.dtype, "i32");
  const { shape } = input;
  const classes = shape.at(-1) ?? 0;
  check(
    (shape.length === 1 || shape.length === 2) && sameShape(target.shape, shape.slice(0, -1)) && classes > 0,
    () =>
      `[${name}] input has shape ${show(shape)} and target ${show(target.shape)} but must be [N, C] and [N], or [C] and []`,
  );
  checkWhole(name, "the number of classes", classes, 1);
  checkLossWeight(name, "weight", weight, { shape: [classes], dtype: "f32" });
  return reduceLoss(name, reduction, () => {
    const labels = unsqueeze(target, -1);
    let each = clamp(add(sub(input, gather(input, -1, labels)), margin), { min: 0 });
    if (p === 2) each = square(each);
    if (weight) {
      const perClass = expand(weight, [classes]);
      const flat = reshape(labels, [-1]);
      each = mul(each, reshape(gather(perClass, 0, flat), [...labels.shape]));
    }
    const others = ne(arange(0, classes, 1, { dtype: "i32", device: input.device }), labels);
    return div(sum(where(others, each, 0), -1), classes);
  });
}
