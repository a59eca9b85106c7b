// Vision Transformers B, L and H; torchvision's names and shapes.

import { MultiheadAttention } from "../../nn/attention-layers.ts";
import { Dropout } from "../../nn/basic-layers.ts";
import { chain } from "../../nn/chain.ts";
import { Sequential } from "../../nn/containers.ts";
import { Conv2d } from "../../nn/conv-layers.ts";
import { StochasticDepth } from "../../nn/dropout-layers.ts";
import { GELU } from "../../nn/further-activation-layers.ts";
import { normal_, truncNormal_, xavierUniform_, zeros_ } from "../../nn/initialization.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { Module } from "../../nn/module.ts";
import { LayerNorm } from "../../nn/norm-layers.ts";
import { Parameter } from "../../nn/parameter.ts";
import { add } from "../../ops/arithmetic.ts";
import { cat } from "../../ops/cat.ts";
import { select } from "../../ops/movement.ts";
import { zeros } from "../../tensor/create.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { SmallImageRules } from "./small-images.ts";
import { dropPaths, patchTokens, tokenFor, type VitOptions, vitOptions } from "./vit-parts.ts";

/** Features of a token, heads of its attention, features inside the linear layers, blocks and the patch's side. */
interface Size {
  readonly hidden: number;
  readonly heads: number;
  readonly mlp: number;
  readonly depth: number;
  readonly patchSize: number;
}

const norm = (features: number): LayerNorm => new LayerNorm(features, { eps: 1e-6 });

/** Linear layers with Xavier's weights and biases next to 0, in place. */
export function xavierLinears(layers: Iterable<unknown>): void {
  for (const layer of layers) {
    if (!(layer instanceof Linear)) continue;
    xavierUniform_(layer.weight);
    if (layer.bias) normal_(layer.bias, 0, 1e-6);
  }
}

/** torchvision's two linear layers under 0 and 3, GELU between them. */
export function mlpOf(features: number, hidden: number, dropout: number): Sequential {
  const layers = [new Linear(features, hidden), new GELU(), new Dropout(dropout)];
  return new Sequential(...layers, new Linear(hidden, features), new Dropout(dropout));
}

/** Attention and linear layers, each behind its norm and beside a shortcut: x: [N, L, D] to the same. */
class EncoderBlock extends Module {
  readonly ln_1: LayerNorm;
  readonly selfAttention: MultiheadAttention;
  readonly dropout: Dropout;
  readonly ln_2: LayerNorm;
  readonly mlp: Sequential;
  private readonly stochasticDepth: StochasticDepth;

  constructor({ hidden, heads, mlp }: Size, dropout: number, attentionDropout: number, dropPath: number) {
    super();
    this.ln_1 = norm(hidden);
    this.selfAttention = new MultiheadAttention(hidden, heads, { dropout: attentionDropout, batchFirst: true });
    this.dropout = new Dropout(dropout);
    this.ln_2 = norm(hidden);
    this.mlp = mlpOf(hidden, mlp, dropout);
    xavierLinears(this.mlp);
    this.stochasticDepth = new StochasticDepth(dropPath, "row");
  }

  private attend(x: Tensor): Tensor {
    const [y] = this.selfAttention.forward(x, x, x, { needWeights: false });
    return y;
  }

  override forward(x: Tensor): Tensor {
    return scope(() => {
      const y = add(chain(x, [this.ln_1, (t) => this.attend(t), this.dropout, this.stochasticDepth]), x);
      return add(y, chain(y, [this.ln_2, this.mlp, this.stochasticDepth]));
    });
  }
}

/** Blocks under `encoder_layer_0`, `encoder_layer_1`, ... */
class EncoderLayers extends Module {
  [layer: `encoder_layer_${number}`]: EncoderBlock;

  override forward(x: Tensor): Tensor {
    return chain(x, this.children() as Iterable<Module>);
  }
}

/** Positions are added, then the blocks, then a norm. */
class Encoder extends Module {
  readonly posEmbedding: Parameter;
  readonly dropout: Dropout;
  readonly layers = new EncoderLayers();
  readonly ln: LayerNorm;

  constructor(tokens: number, size: Size, options: Required<VitOptions>) {
    super();
    this.posEmbedding = normal_(new Parameter(zeros([1, tokens, size.hidden])), 0, 0.02);
    this.dropout = new Dropout(options.dropout);
    for (const [i, p] of dropPaths(options.dropPath, options.depth).entries())
      this.layers[`encoder_layer_${i}`] = new EncoderBlock(size, options.dropout, options.attentionDropout, p);
    this.ln = norm(size.hidden);
  }

  override forward(x: Tensor): Tensor {
    return chain(x, [(t) => add(t, this.posEmbedding), this.dropout, this.layers, this.ln]);
  }
}

/** The last layer, under `head`. */
class Heads extends Module {
  readonly head: Linear;

  constructor(features: number, classes: number) {
    super();
    this.head = new Linear(features, classes);
  }

  override forward(x: Tensor): Tensor {
    return this.head.forward(x);
  }
}

/**
 * A Vision Transformer: x: [N, 3, imageSize, imageSize] to logits [N, numClasses], which start at 0.
 * @see https://arxiv.org/abs/2010.11929 and https://pytorch.org/vision/stable/models/vision_transformer.html
 */
export class VisionTransformer extends Module {
  /** Rows and columns of the images. */
  readonly imageSize: number;
  /** Tokens in front of those of the patches. */
  readonly prefixTokens = 1;
  /** [1, 1, D]. */
  readonly classToken: Parameter;
  /** Patches to tokens. */
  readonly convProj: Conv2d;
  readonly encoder: Encoder;
  readonly heads: Heads;

  constructor(size: Size, options: Required<VitOptions>) {
    super();
    const { imageSize, patchSize, numClasses } = options;
    const { hidden } = size;
    this.imageSize = imageSize;
    this.classToken = new Parameter(zeros([1, 1, hidden]));
    this.convProj = new Conv2d(3, hidden, patchSize, { stride: patchSize });
    truncNormal_(this.convProj.weight, 0, Math.sqrt(1 / (3 * patchSize * patchSize)));
    if (this.convProj.bias) zeros_(this.convProj.bias);
    this.encoder = new Encoder((imageSize / patchSize) ** 2 + 1, size, options);
    this.heads = new Heads(hidden, numClasses);
    for (const p of this.heads.parameters()) zeros_(p);
  }

  /** The path of the layer that names the classes. */
  get head(): string {
    return "heads.head";
  }

  /** What images of 32x32 need: see `adaptToSmallImages`. */
  get smallImages(): SmallImageRules {
    return { patches: { conv_proj: 4 }, positions: ["encoder.pos_embedding"], lastMap: 8 };
  }

  override forward(x: Tensor): Tensor {
    return chain(x, [
      (t) => patchTokens("VisionTransformer", this.convProj, t, this.imageSize),
      (t) => scope(() => cat([tokenFor(this.classToken, t.shape[0] ?? 0), t], 1)),
      this.encoder,
      (t) => select(t, 1, 0),
      this.heads,
    ]);
  }
}

const make =
  (name: string, hidden: number, depth: number, heads: number, patchSize: number) =>
  (options: VitOptions = {}): VisionTransformer =>
    new VisionTransformer(
      { hidden, heads, mlp: 4 * hidden, depth, patchSize },
      vitOptions(name, options, { depth, patchSize }),
    );

/** ViT-B/16, 86.6 million parameters. */
export const vitB16 = make("vitB16", 768, 12, 12, 16);
/** ViT-B/32, 88.2 million parameters. */
export const vitB32 = make("vitB32", 768, 12, 12, 32);
/** ViT-L/16, 304.3 million parameters. */
export const vitL16 = make("vitL16", 1024, 24, 16, 16);
/** ViT-L/32, 306.5 million parameters. */
export const vitL32 = make("vitL32", 1024, 24, 16, 32);
/** ViT-H/14, 632.0 million parameters. */
export const vitH14 = make("vitH14", 1280, 32, 16, 14);
