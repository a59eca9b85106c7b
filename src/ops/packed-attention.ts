// Attention of a sequence to itself, where queries, keys and values of all heads are one projection: heads are read where they lie.
import { apply1 } from "../autograd/apply.ts";
import { check } from "../errors.ts";
import { scope } from "../tensor/scope.ts";
import { sameShape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { attentionOp, dropFactors, type Heads, maskStrides } from "./attention.ts";

/**
 * qkv: [N, L, 3 * D], queries, keys and values side by side, each of `heads` heads side by side; result: [N, L, D]. `mask` is added to
 * the scores: [P, heads or 1, L, L] for a P that divides N, sample n gets mask n % P. For a batch of windows, which are masked by their
 * place.
 * @throws ShapeError where sizes do not fit.
 */
export function packedAttention(qkv: Tensor, heads: number, mask: Tensor | null = null, dropoutP = 0): Tensor {
  const [batch = 0, steps = 0, whole = 0] = qkv.shape;
  const size = whole / 3;
  const width = size / heads;
  check(
    qkv.ndim === 3 && Number.isInteger(width),
    () => `[attention] ${show(qkv.shape)} is not [N, L, 3 * D] with a D that is a multiple of the ${heads} heads`,
  );
  const [period = 1, ...rest] = mask?.shape ?? [];
  check(
    !mask || (batch % period === 0 && [1, heads].some((h) => sameShape(rest, [h, steps, steps]))),
    () =>
      `[attention] mask ${show(mask?.shape ?? [])} is not [P, ${heads}, ${steps}, ${steps}] for a P that divides ${batch}`,
  );
  const laid = (row: number, part: number): Heads => ({ at: [steps * row, width, row], from: part * size });
  return scope(() => {
    const scores = [batch, heads, steps, steps];
    const maskBatches = mask && period > 1 ? period : batch;
    const drop = dropoutP > 0 ? dropFactors(scores, dropoutP, qkv) : null;
    return apply1(attentionOp, [qkv, null, null, mask, drop], {
      ...{ batch, heads, queries: steps, keys: steps, width, valueWidth: width, shape: [batch, steps, size] },
      ...{ q: laid(whole, 0), k: laid(whole, 1), v: laid(whole, 2), y: laid(size, 0) },
      ...{ scale: 1 / Math.sqrt(width), causal: false, maskBatches },
      maskAt: maskStrides(mask, [maskBatches, heads, steps, steps]),
    });
  });
}
