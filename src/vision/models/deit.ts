// ViT and DeiT, tiny to large; timm's names and shapes.
import { chain } from "../../nn/chain.ts";
import { ModuleList } from "../../nn/containers.ts";
import { Conv2d } from "../../nn/conv-layers.ts";
import { StochasticDepth } from "../../nn/dropout-layers.ts";
import { normal_, truncNormal_ } from "../../nn/initialization.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { Module } from "../../nn/module.ts";
import { LayerNorm } from "../../nn/norm-layers.ts";
import { Parameter } from "../../nn/parameter.ts";
import { add, mul } from "../../ops/arithmetic.ts";
import { cat } from "../../ops/cat.ts";
import { dropout } from "../../ops/dropout.ts";
import { select } from "../../ops/movement.ts";
import { packedAttention } from "../../ops/packed-attention.ts";
import { zeros } from "../../tensor/create.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { SmallImageRules } from "./small-images.ts";
import {
  dropPaths,
  Headed,
  Mlp,
  patchTokens,
  tokenFor,
  truncateLinears,
  type VitOptions,
  vitOptions,
} from "./vit-parts.ts";

/** Attention with queries, keys and values from one layer: x: [N, L, D] to the same. */
class Attention extends Module {
  readonly qkv: Linear;
  readonly proj: Linear;
  private readonly heads: number;
  private readonly attentionDropout: number;
  private readonly drop: number;

  constructor(features: number, heads: number, attentionDropout: number, drop: number) {
    super();
    this.qkv = new Linear(features, 3 * features);
    this.proj = new Linear(features, features);
    this.heads = heads;
    this.attentionDropout = attentionDropout;
    this.drop = drop;
  }

  override forward(x: Tensor): Tensor {
    const p = this.training ? this.attentionDropout : 0;
    return chain(x, [
      this.qkv,
      (t) => packedAttention(t, this.heads, null, p),
      this.proj,
      (t) => dropout(t, this.drop, this.training),
    ]);
  }
}

/** Attention and linear layers, each behind its norm and beside a shortcut: x: [N, L, D] to the same. */
class Block extends Module {
  readonly norm1: LayerNorm;
  readonly attn: Attention;
  readonly norm2: LayerNorm;
  readonly mlp: Mlp;
  private readonly dropPath: StochasticDepth;

  constructor({ features, heads }: VitWidth, options: Required<VitOptions>, dropPath: number) {
    super();
    this.norm1 = new LayerNorm(features, { eps: 1e-6 });
    this.attn = new Attention(features, heads, options.attentionDropout, options.dropout);
    this.norm2 = new LayerNorm(features, { eps: 1e-6 });
    this.mlp = new Mlp(features, 4 * features, options.dropout);
    this.dropPath = new StochasticDepth(dropPath, "row");
  }

  override forward(x: Tensor): Tensor {
    return scope(() => {
      const y = add(x, chain(x, [this.norm1, this.attn, this.dropPath]));
      return add(y, chain(y, [this.norm2, this.mlp, this.dropPath]));
    });
  }
}

/** Patches to tokens, under `proj`. */
export class PatchEmbed extends Module {
  readonly proj: Conv2d;
  private readonly imageSize: number;

  constructor(features: number, { imageSize, patchSize }: Required<VitOptions>) {
    super();
    this.proj = new Conv2d(3, features, patchSize, { stride: patchSize });
    this.imageSize = imageSize;
  }

  override forward(x: Tensor): Tensor {
    return patchTokens("PatchEmbed", this.proj, x, this.imageSize);
  }
}

/** Widths: features of a token, and heads of its attention. */
export interface VitWidth {
  readonly features: number;
  readonly heads: number;
}

/** All but the last layers: images to tokens behind the last norm, [N, L, D]. */
export abstract class VitTrunk<O> extends Headed<O> {
  /** Rows and columns of the images. */
  readonly imageSize: number;
  /** Tokens in front of those of the patches. */
  readonly prefixTokens: number;
  /** [1, 1, D]. */
  readonly clsToken: Parameter;
  /** Of all tokens: [1, L, D]. */
  readonly posEmbed: Parameter;
  /** [1, 1, D], where there is a second token for what a teacher says. */
  readonly distToken: Parameter | null;
  readonly patchEmbed: PatchEmbed;
  readonly blocks: ModuleList<Block>;
  readonly norm: LayerNorm;
  private readonly drop: number;

  constructor({ features, heads }: VitWidth, options: Required<VitOptions>, distilled: boolean) {
    super();
    const { imageSize, patchSize, depth, dropPath } = options;
    this.imageSize = imageSize;
    this.prefixTokens = distilled ? 2 : 1;
    const token = () => new Parameter(zeros([1, 1, features]));
    this.clsToken = normal_(token(), 0, 1e-6);
    const tokens = (imageSize / patchSize) ** 2 + this.prefixTokens;
    this.posEmbed = truncNormal_(new Parameter(zeros([1, tokens, features])), 0, 0.02);
    this.distToken = distilled ? truncNormal_(token(), 0, 0.02) : null;
    this.patchEmbed = new PatchEmbed(features, options);
    this.blocks = new ModuleList(dropPaths(dropPath, depth).map((p) => new Block({ features, heads }, options, p)));
    this.norm = new LayerNorm(features, { eps: 1e-6 });
    this.drop = options.dropout;
  }

  /** What images of 32x32 need: see `adaptToSmallImages`. */
  get smallImages(): SmallImageRules {
    return { patches: { "patch_embed.proj": 4 }, positions: ["pos_embed"], lastMap: 8 };
  }

  /** Tokens behind the last norm: [N, L, D]. */
  tokens(x: Tensor): Tensor {
    return chain(x, [
      this.patchEmbed,
      (t) => this.positioned(t),
      (t) => dropout(t, this.drop, this.training),
      ...this.blocks,
      this.norm,
    ]);
  }

  private positioned(patches: Tensor): Tensor {
    return scope(() => {
      const first = [this.clsToken, this.distToken].filter((t) => t !== null);
      return add(cat([...first.map((t) => tokenFor(t, patches.shape[0] ?? 0)), patches], 1), this.posEmbed);
    });
  }
}

/**
 * A Vision Transformer with timm's names: x: [N, 3, imageSize, imageSize] to logits [N, numClasses].
 * @see https://arxiv.org/abs/2012.12877 and https://github.com/huggingface/pytorch-image-models
 */
export class DeiT extends VitTrunk<Tensor> {
  readonly classifier: Linear;

  constructor(width: VitWidth, options: Required<VitOptions>) {
    super(width, options, false);
    this.classifier = new Linear(width.features, options.numClasses);
    truncateLinears(this);
  }

  override forward(x: Tensor): Tensor {
    return chain(x, [(t) => this.tokens(t), (t) => select(t, 1, 0), this.classifier]);
  }
}

/**
 * DeiT with a second token and a second last layer, `headDist`, which learns what a teacher says. In training `forward` gives the
 * logits of both, `[logits, distilled]`, in evaluation their mean [N, numClasses].
 * @see https://arxiv.org/abs/2012.12877
 */
export class DistilledDeiT extends VitTrunk<Tensor | [logits: Tensor, distilled: Tensor]> {
  readonly classifier: Linear;
  /** The layer of the second token. */
  readonly headDist: Linear;

  constructor(width: VitWidth, options: Required<VitOptions>) {
    super(width, options, true);
    this.classifier = new Linear(width.features, options.numClasses);
    this.headDist = new Linear(width.features, options.numClasses);
    truncateLinears(this);
  }

  override forward(x: Tensor): Tensor | [logits: Tensor, distilled: Tensor] {
    return scope(() => {
      const tokens = this.tokens(x);
      const logits = this.classifier.forward(select(tokens, 1, 0));
      const distilled = this.headDist.forward(select(tokens, 1, 1));
      return this.training ? [logits, distilled] : mul(add(logits, distilled), 0.5);
    });
  }
}

const widths = {
  tiny: { features: 192, heads: 3, depth: 12 },
  small: { features: 384, heads: 6, depth: 12 },
  base: { features: 768, heads: 12, depth: 12 },
  large: { features: 1024, heads: 16, depth: 24 },
};

const make =
  <M>(Model: new (width: VitWidth, options: Required<VitOptions>) => M, name: string, size: keyof typeof widths) =>
  (options: VitOptions = {}): M =>
    new Model(widths[size], vitOptions(name, options, { depth: widths[size].depth, patchSize: 16 }));

/** DeiT-Ti, 5.7 million parameters. */
export const deitTinyPatch16_224 = make(DeiT, "deitTinyPatch16_224", "tiny");
/** DeiT-S, 22.1 million parameters. */
export const deitSmallPatch16_224 = make(DeiT, "deitSmallPatch16_224", "small");
/** DeiT-B, 86.6 million parameters. */
export const deitBasePatch16_224 = make(DeiT, "deitBasePatch16_224", "base");
/** DeiT-Ti with distillation, 5.9 million parameters. */
export const deitTinyDistilledPatch16_224 = make(DistilledDeiT, "deitTinyDistilledPatch16_224", "tiny");
/** DeiT-S with distillation, 22.4 million parameters. */
export const deitSmallDistilledPatch16_224 = make(DistilledDeiT, "deitSmallDistilledPatch16_224", "small");
/** DeiT-B with distillation, 87.3 million parameters. */
export const deitBaseDistilledPatch16_224 = make(DistilledDeiT, "deitBaseDistilledPatch16_224", "base");
/** ViT-Ti/16, 5.7 million parameters. */
export const vitTinyPatch16_224 = make(DeiT, "vitTinyPatch16_224", "tiny");
/** ViT-S/16, 22.1 million parameters. */
export const vitSmallPatch16_224 = make(DeiT, "vitSmallPatch16_224", "small");
/** ViT-B/16, 86.6 million parameters. */
export const vitBasePatch16_224 = make(DeiT, "vitBasePatch16_224", "base");
/** ViT-L/16, 304.3 million parameters. */
export const vitLargePatch16_224 = make(DeiT, "vitLargePatch16_224", "large");
