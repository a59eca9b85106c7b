// What vision transformers share: options, patches as tokens, the two linear layers of a block, truncated normal weights.

import { noGrad } from "../../autograd/mode.ts";
import { check, checkNumber, checkWhole, ValueError } from "../../errors.ts";
import { chain } from "../../nn/chain.ts";
import type { Conv2d } from "../../nn/conv-layers.ts";
import { truncNormal_, zeros_ } from "../../nn/initialization.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { type AnyModule, Module } from "../../nn/module.ts";
import { gelu } from "../../ops/activation-rows.ts";
import { dropout } from "../../ops/dropout.ts";
import { mul_ } from "../../ops/inplace.ts";
import { permute } from "../../ops/movement.ts";
import { expand } from "../../ops/sum-expand.ts";
import { unary } from "../../ops/unary.ts";
import { reshape } from "../../ops/view.ts";
import { scope } from "../../tensor/scope.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { classesOf, type ModelOptions } from "./options.ts";

/** What vision transformers take. */
export interface TransformerModelOptions extends ModelOptions {
  /** Share of the features that is zeroed in training: of the tokens, and behind each linear layer of a block. Default 0. */
  dropout?: number;
  /** Share of the attention's weights that is zeroed in training. Default 0. */
  attentionDropout?: number;
  /** Share of the samples that skip the last block's branches in training, growing from 0 at the first block. Default: the model's. */
  dropPath?: number;
}

/** What models of square images in square patches take. */
export interface VitOptions extends TransformerModelOptions {
  /** Rows and columns of the images, a multiple of the patch's. Default 224. */
  imageSize?: number;
  /** Rows and columns of a patch. Default: as the name says. */
  patchSize?: number;
  /** Blocks. Default: as the name says. */
  depth?: number;
}

const KNOWN = ["numClasses", "dropout", "attentionDropout", "dropPath"];

/** The options with defaults filled in. */
export function transformerOptions(
  name: string,
  options: TransformerModelOptions,
  dropPath = 0,
  known: readonly string[] = KNOWN,
): Required<TransformerModelOptions> {
  const numClasses = classesOf(name, options, known);
  const filled = { dropout: 0, attentionDropout: 0, dropPath, ...options, numClasses };
  for (const what of ["dropout", "attentionDropout", "dropPath"] as const) checkNumber(name, what, filled[what], 0, 1);
  return filled;
}

/** The same for images in patches. */
export function vitOptions(name: string, options: VitOptions, defaults: { depth: number; patchSize: number }) {
  const known = [...KNOWN, "imageSize", "patchSize", "depth"];
  const filled = { imageSize: 224, ...defaults, ...options, ...transformerOptions(name, options, 0, known) };
  for (const what of ["imageSize", "patchSize", "depth"] as const) checkWhole(name, what, filled[what], 1);
  const { imageSize, patchSize } = filled;
  check(
    imageSize % patchSize === 0,
    () => `[${name}] imageSize ${imageSize} must be a multiple of patchSize, which is ${patchSize}`,
    ValueError,
  );
  return filled;
}

/** Shares of samples that skip a block, from 0 at the first to `last`. */
export const dropPaths = (last: number, depth: number): number[] =>
  Array.from({ length: depth }, (_, i) => (depth > 1 ? (last * i) / (depth - 1) : 0));

/** x: [N, 3, H, W] as a token for each patch, [N, patches, D]. */
export function patchTokens(name: string, projection: Conv2d, x: Tensor, imageSize: number): Tensor {
  check(
    x.ndim === 4 && x.shape[2] === imageSize && x.shape[3] === imageSize,
    () =>
      `[${name}] takes images [N, 3, ${imageSize}, ${imageSize}], got ${show(x.shape)}: resize them, or make the model with { imageSize } (interpolatePosEmbedding fits pretrained weights to it)`,
  );
  return scope(() => {
    const maps = projection.forward(x);
    const [n = 0, features = 0, rows = 0, columns = 0] = maps.shape;
    return permute(reshape(maps, [n, features, rows * columns]), [0, 2, 1]);
  });
}

/** A learned token [1, 1, D] for each of `count` samples. */
export const tokenFor = (token: Tensor, count: number): Tensor => expand(token, [count, 1, token.shape[2] ?? 0]);

/** Linear, GELU, linear: x: [..., features] to the same. */
export class Mlp extends Module {
  readonly fc1: Linear;
  readonly fc2: Linear;
  private readonly drop: number;

  constructor(features: number, hidden: number, drop: number) {
    super();
    this.fc1 = new Linear(features, hidden);
    this.fc2 = new Linear(hidden, features);
    this.drop = drop;
  }

  override forward(x: Tensor): Tensor {
    const drop = (t: Tensor) => dropout(t, this.drop, this.training);
    return chain(x, [this.fc1, (t) => unary(gelu, t), drop, this.fc2, drop]);
  }
}

/** Weights of all linear layers normal with this deviation, none beyond 2, and biases 0. */
export function truncateLinears(model: AnyModule, std = 0.02): void {
  for (const module of model.modules()) {
    if (!(module instanceof Linear)) continue;
    truncNormal_(module.weight, 0, std);
    if (module.bias) zeros_(module.bias);
  }
}

/** t = t * factor, of a parameter that is being initialised. */
export const scale_ = (t: Tensor, factor: number): void => noGrad(() => void mul_(t, factor));

/**
 * A model whose last layer state dicts call `head`, which here is the word for that layer's path: the layer itself is `classifier`.
 */
export abstract class Headed<O = Tensor> extends Module<readonly [Tensor], O> {
  /** The layer that names the classes; `head` in state dicts. */
  abstract readonly classifier: Module;

  /** The path of the layer that names the classes. */
  get head(): string {
    return "head";
  }

  override *namedChildren(): Iterable<[name: string, module: AnyModule]> {
    for (const [name, module] of super.namedChildren()) yield [module === this.classifier ? "head" : name, module];
  }
}
