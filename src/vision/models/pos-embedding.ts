// Position embeddings of a pretrained vision transformer for images of another size.
import { noGrad } from "../../autograd/mode.ts";
import { check, checkWhole, ShapeError, StateDictError } from "../../errors.ts";
import { entriesOf, type StateDict, type StateDictLike } from "../../nn/load-state-dict.ts";
import { cat } from "../../ops/cat.ts";
import { interpolate } from "../../ops/interpolate.ts";
import { narrow, permute } from "../../ops/movement.ts";
import { reshape } from "../../ops/view.ts";
import { scope } from "../../tensor/scope.ts";
import { sameShape, show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type Classifier, checkClassifier } from "./pretrained.ts";

/** A model with a position for each patch, behind those of its other tokens. */
export interface Positioned extends Classifier {
  /** Tokens in front of those of the patches. */
  readonly prefixTokens: number;
}

/** Where the libraries keep them, and how they interpolate: torchvision by the centres of the corners, timm with a filter. */
const RULES = [
  { key: "encoder.pos_embedding", options: { alignCorners: true } },
  { key: "pos_embed", options: { antialias: true } },
] as const;

/**
 * The dict with position embeddings for the model's image size, interpolated (bicubic) as torchvision's `interpolate_embeddings` does for
 * its models and timm for its own; all else is what was given. Where the size is the same, so are the embeddings. The new tensor is the
 * caller's to dispose.
 * @throws ValueError for what is no such model; StateDictError where there are no positions; ShapeError where they are not of a square of patches.
 * @see https://github.com/pytorch/vision/blob/main/torchvision/models/vision_transformer.py
 */
export function interpolatePosEmbedding(dict: StateDictLike, model: Positioned): StateDict {
  const name = "interpolatePosEmbedding";
  checkClassifier(name, model);
  checkWhole(name, "the model's prefixTokens", model.prefixTokens, 0);
  const given = entriesOf(name, dict);
  const parameters = new Map(model.namedParameters());
  const rule = RULES.find(({ key }) => parameters.has(key) && given.has(key));
  const [source, target] = [given.get(rule?.key ?? ""), parameters.get(rule?.key ?? "")];
  check(
    rule !== undefined && source !== undefined && target !== undefined,
    () => `[${name}] needs "pos_embed" (timm) or "encoder.pos_embedding" (torchvision) in the dict and in the model`,
    StateDictError,
  );
  if (sameShape(source.shape, target.shape)) return Object.fromEntries(given);
  const first = model.prefixTokens;
  const side = (t: Tensor): number => Math.sqrt((t.shape[1] ?? 0) - first);
  const [from, to, features = 0] = [side(source), side(target), source.shape[2]];
  check(
    source.ndim === 3 && Number.isInteger(from) && from > 0 && features === target.shape[2],
    () =>
      `[${name}] ${rule.key} ${show(source.shape)} is not of ${first} tokens and a square of patches of ${target.shape[2]} features`,
    ShapeError,
  );
  const moved = noGrad(() => scope(() => resizedPositions(source, rule.key, { prefix: first, side: to })));
  return { ...Object.fromEntries(given), [rule.key]: moved };
}

/**
 * Position embeddings [1, prefix + patches, D] for `side` rows and columns of patches, interpolated as the library does it that calls them
 * `key`. Those of `prefix` tokens in front stay.
 */
export function resizedPositions(
  t: Tensor,
  key: string,
  to: { readonly prefix: number; readonly side: number },
): Tensor {
  const { prefix, side } = to;
  const [, tokens = 0, features = 0] = t.shape;
  const from = Math.sqrt(tokens - prefix);
  const options = RULES.find((rule) => rule.key === key)?.options;
  const map = reshape(permute(narrow(t, 1, prefix, from * from), [0, 2, 1]), [1, features, from, from]);
  const other = from === side ? map : interpolate(map, { size: side, mode: "bicubic", ...options });
  return cat([narrow(t, 1, 0, prefix), permute(reshape(other, [1, features, side * side]), [0, 2, 1])], 1);
}
