// BEiT, base and large; timm's names and shapes.
import { check, checkWhole } from "../../errors.ts";
import { chain } from "../../nn/chain.ts";
import { ModuleList } from "../../nn/containers.ts";
import { StochasticDepth } from "../../nn/dropout-layers.ts";
import { constant_, truncNormal_ } from "../../nn/initialization.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { type AnyModule, Module } from "../../nn/module.ts";
import { LayerNorm } from "../../nn/norm-layers.ts";
import { Parameter } from "../../nn/parameter.ts";
import { add, mul } from "../../ops/arithmetic.ts";
import { cat } from "../../ops/cat.ts";
import { dropout } from "../../ops/dropout.ts";
import { indexSelect } from "../../ops/gather.ts";
import { linear } from "../../ops/matmul.ts";
import { narrow, permute } from "../../ops/movement.ts";
import { packedAttention } from "../../ops/packed-attention.ts";
import { mean } from "../../ops/sum-expand.ts";
import { reshape } from "../../ops/view.ts";
import { where } from "../../ops/where.ts";
import { fromHost, zeros } from "../../tensor/create.ts";
import { scope } from "../../tensor/scope.ts";
import { sameShape, show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { PatchEmbed, type VitWidth } from "./deit.ts";
import type { SmallImageRules, Windowed } from "./small-images.ts";
import { dropPaths, Headed, Mlp, scale_, tokenFor, truncateLinears, type VitOptions, vitOptions } from "./vit-parts.ts";

/**
 * Which row of the table the bias of a query and a key is, by how far their patches lie apart. Token 0 is the class token, with rows
 * of its own behind the others: as a query, as a key, and of itself.
 */
function relativePositions(side: number): Int32Array<ArrayBuffer> {
  const [tokens, span] = [side * side + 1, 2 * side - 1];
  const far = (a: number, b: number): number => a - b + side - 1;
  return Int32Array.from({ length: tokens * tokens }, (_, i) => {
    const [query, key] = [Math.floor(i / tokens) - 1, (i % tokens) - 1];
    if (query < 0) return span * span + (key < 0 ? 2 : 0);
    if (key < 0) return span * span + 1;
    return far(Math.floor(query / side), Math.floor(key / side)) * span + far(query % side, key % side);
  });
}

/** What is added to all scores by how far two patches lie apart. */
class RelativePositionBias extends Module<readonly [], Tensor> {
  /** [(2 * side - 1)^2 + 3, heads]. */
  readonly relativePositionBiasTable: Parameter;
  private readonly index: Tensor;

  constructor(side: number, heads: number) {
    super();
    this.relativePositionBiasTable = new Parameter(zeros([(2 * side - 1) ** 2 + 3, heads]));
    const places = relativePositions(side);
    this.index = this.registerBuffer("index", fromHost(places, [places.length], "i32"), { persistent: false });
  }

  /** [1, heads, L, L]. */
  override forward(): Tensor {
    return biasOf(this.relativePositionBiasTable, this.index);
  }
}

function biasOf(table: Tensor, index: Tensor): Tensor {
  const [tokens, heads = 1] = [Math.sqrt(index.numel), table.shape[1]];
  return scope(() => permute(reshape(indexSelect(table, 0, index), [1, tokens, tokens, heads]), [0, 3, 1, 2]));
}

/** Attention with a bias by relative position, of its own or given; keys have no bias. x: [N, L, D] to the same. */
class Attention extends Module<readonly [x: Tensor, shared: Tensor | null]> implements Windowed {
  readonly qBias: Parameter;
  readonly vBias: Parameter;
  relativePositionBiasTable: Parameter | null = null;
  readonly qkv: Linear;
  readonly proj: Linear;
  /** Rows and columns of patches. */
  window: number;
  private index: Tensor | null = null;
  private readonly heads: number;
  private readonly attentionDropout: number;
  private readonly drop: number;

  constructor({ features, heads }: VitWidth, options: Required<VitOptions>, own: boolean) {
    super();
    this.qBias = new Parameter(zeros([features]));
    this.vBias = new Parameter(zeros([features]));
    const side = options.imageSize / options.patchSize;
    this.window = side;
    if (own) {
      this.relativePositionBiasTable = new Parameter(zeros([(2 * side - 1) ** 2 + 3, heads]));
      const places = relativePositions(side);
      this.index = this.registerBuffer("index", fromHost(places, [places.length], "i32"), { persistent: false });
    }
    this.qkv = new Linear(features, 3 * features, { bias: false });
    this.proj = new Linear(features, features);
    this.heads = heads;
    this.attentionDropout = options.attentionDropout;
    this.drop = options.dropout;
  }

  setWindow(window: number, table: Parameter): void {
    const old = this.index;
    const places = relativePositions(window);
    const index = fromHost(places, [places.length], "i32", { device: table.device });
    this.index = this.registerBuffer("index", index, { persistent: false });
    old?.dispose();
    this.relativePositionBiasTable = table;
    this.window = window;
  }

  override forward(x: Tensor, shared: Tensor | null): Tensor {
    return scope(() => {
      const { relativePositionBiasTable: table, index } = this;
      const mask = table && index ? biasOf(table, index) : shared;
      const none = zeros(this.qBias.shape, { device: x.device });
      const qkv = linear(x, this.qkv.weight, cat([this.qBias, none, this.vBias]));
      const heads = packedAttention(qkv, this.heads, mask, this.training ? this.attentionDropout : 0);
      return dropout(this.proj.forward(heads), this.drop, this.training);
    });
  }
}

/** Attention and linear layers, each behind its norm, scaled by feature, beside a shortcut: x: [N, L, D] to the same. */
class Block extends Module<readonly [x: Tensor, shared: Tensor | null]> {
  readonly gamma_1: Parameter;
  readonly gamma_2: Parameter;
  readonly norm1: LayerNorm;
  readonly attn: Attention;
  readonly norm2: LayerNorm;
  readonly mlp: Mlp;
  private readonly dropPath: StochasticDepth;

  constructor(width: BeitWidth, options: Required<VitOptions>, dropPath: number, own: boolean) {
    super();
    const { features, layerScale } = width;
    const gamma = () => constant_(new Parameter(zeros([features])), layerScale);
    this.gamma_1 = gamma();
    this.gamma_2 = gamma();
    this.norm1 = new LayerNorm(features, { eps: 1e-6 });
    this.attn = new Attention(width, options, own);
    this.norm2 = new LayerNorm(features, { eps: 1e-6 });
    this.mlp = new Mlp(features, 4 * features, options.dropout);
    this.dropPath = new StochasticDepth(dropPath, "row");
  }

  override forward(x: Tensor, shared: Tensor | null): Tensor {
    const attend = (t: Tensor) => this.attn.forward(t, shared);
    return scope(() => {
      const y = add(x, chain(x, [this.norm1, attend, (t) => mul(t, this.gamma_1), this.dropPath]));
      return add(y, chain(y, [this.norm2, this.mlp, (t) => mul(t, this.gamma_2), this.dropPath]));
    });
  }
}

/** Widths, and what branches are scaled by at first. */
interface BeitWidth extends VitWidth {
  readonly layerScale: number;
}

const blocksOf = (width: BeitWidth, options: Required<VitOptions>, own: boolean): ModuleList<Block> =>
  new ModuleList(dropPaths(options.dropPath, options.depth).map((p) => new Block(width, options, p, own)));

/** Linear layers truncated normal, the last ones of the branches smaller the deeper they are. */
function initialize(model: AnyModule, blocks: Iterable<Block>): void {
  truncateLinears(model);
  let depth = 0;
  for (const { attn, mlp } of blocks) {
    depth++;
    for (const { weight } of [attn.proj, mlp.fc2]) scale_(weight, 1 / Math.sqrt(2 * depth));
  }
}

/**
 * BEiT for classification: x: [N, 3, imageSize, imageSize] to logits [N, numClasses], from the mean of the patches. Files of the BEiT
 * repository have `relative_position_index`, too, which is a constant here: leave it out with `filter`.
 * @see https://arxiv.org/abs/2106.08254 and https://github.com/huggingface/pytorch-image-models
 */
export class Beit extends Headed {
  /** [1, 1, D]. */
  readonly clsToken: Parameter;
  readonly patchEmbed: PatchEmbed;
  readonly blocks: ModuleList<Block>;
  readonly fcNorm: LayerNorm;
  readonly classifier: Linear;
  private readonly drop: number;

  constructor(width: BeitWidth, options: Required<VitOptions>) {
    super();
    const { features } = width;
    this.clsToken = truncNormal_(new Parameter(zeros([1, 1, features])), 0, 0.02);
    this.patchEmbed = new PatchEmbed(features, options);
    this.blocks = blocksOf(width, options, true);
    this.fcNorm = new LayerNorm(features, { eps: 1e-6 });
    this.classifier = new Linear(features, options.numClasses);
    this.drop = options.dropout;
    initialize(this, this.blocks);
    for (const p of this.classifier.parameters()) scale_(p, 0.001);
  }

  /** What images of 32x32 need: see `adaptToSmallImages`. */
  get smallImages(): SmallImageRules {
    return { patches: { "patch_embed.proj": 4 }, windows: { blocks: 8 }, lastMap: 8 };
  }

  override forward(x: Tensor): Tensor {
    return chain(x, [
      this.patchEmbed,
      (t) => scope(() => cat([tokenFor(this.clsToken, t.shape[0] ?? 0), t], 1)),
      (t) => dropout(t, this.drop, this.training),
      ...[...this.blocks].map((block) => (t: Tensor) => block.forward(t, null)),
      (t) => narrow(t, 1, 1, (t.shape[1] ?? 1) - 1),
      (t) => mean(t, 1),
      this.fcNorm,
      this.classifier,
    ]);
  }
}

/** What `beitForMaskedImages` takes. */
export interface MaskedBeitOptions extends VitOptions {
  /** Visual tokens to tell apart. Default 8192. */
  vocabSize?: number;
}

/**
 * BEiT for pretraining: `forward(x, masked)` with x: [N, 3, imageSize, imageSize] and masked: i32 [N, patches], 1 where a patch is hidden,
 * gives logits [N, patches, vocabSize] of the patches' visual tokens. The loss is the cross-entropy where `masked` is 1: give the
 * other targets the `ignoreIndex`. Blocks share one bias by relative position; names are the BEiT repository's.
 * @see https://arxiv.org/abs/2106.08254 and https://github.com/microsoft/unilm/tree/master/beit
 */
export class BeitForMaskedImages extends Module<readonly [x: Tensor, masked: Tensor]> {
  /** [1, 1, D]. */
  readonly clsToken: Parameter;
  /** Stands for each hidden patch: [1, 1, D]. */
  readonly maskToken: Parameter;
  readonly patchEmbed: PatchEmbed;
  readonly relPosBias: RelativePositionBias;
  readonly blocks: ModuleList<Block>;
  readonly norm: LayerNorm;
  readonly lmHead: Linear;
  private readonly drop: number;

  constructor(width: BeitWidth, options: Required<MaskedBeitOptions>) {
    super();
    const { features, heads } = width;
    this.clsToken = truncNormal_(new Parameter(zeros([1, 1, features])), 0, 0.02);
    this.maskToken = truncNormal_(new Parameter(zeros([1, 1, features])), 0, 0.02);
    this.patchEmbed = new PatchEmbed(features, options);
    this.relPosBias = new RelativePositionBias(options.imageSize / options.patchSize, heads);
    this.blocks = blocksOf(width, options, false);
    this.norm = new LayerNorm(features, { eps: 1e-6 });
    this.lmHead = new Linear(features, options.vocabSize);
    this.drop = options.dropout;
    initialize(this, this.blocks);
  }

  override forward(x: Tensor, masked: Tensor): Tensor {
    return scope(() => {
      const patches = this.patchEmbed.forward(x);
      const shape = patches.shape.slice(0, 2);
      check(
        sameShape(masked.shape, shape),
        () => `[BeitForMaskedImages] masked ${show(masked.shape)} must be ${show(shape)}, a number for each patch`,
      );
      const shared = this.relPosBias.forward();
      const seen = where(reshape(masked, [...shape, 1]), this.maskToken, patches);
      return chain(cat([tokenFor(this.clsToken, shape[0] ?? 0), seen], 1), [
        (t) => dropout(t, this.drop, this.training),
        ...[...this.blocks].map((block) => (t: Tensor) => block.forward(t, shared)),
        this.norm,
        (t) => narrow(t, 1, 1, (t.shape[1] ?? 1) - 1),
        this.lmHead,
      ]);
    });
  }
}

const base = { features: 768, heads: 12, layerScale: 0.1 };
const large = { features: 1024, heads: 16, layerScale: 1e-5 };

/** BEiT-B, 86.5 million parameters. */
export const beitBasePatch16_224 = (options: VitOptions = {}): Beit =>
  new Beit(base, vitOptions("beitBasePatch16_224", options, { depth: 12, patchSize: 16 }));
/** BEiT-L, 304.4 million parameters. */
export const beitLargePatch16_224 = (options: VitOptions = {}): Beit =>
  new Beit(large, vitOptions("beitLargePatch16_224", options, { depth: 24, patchSize: 16 }));
/** BEiT-B for pretraining, with a last layer for visual tokens. */
export function beitForMaskedImages(options: MaskedBeitOptions = {}): BeitForMaskedImages {
  const { vocabSize = 8192, ...rest } = options;
  checkWhole("beitForMaskedImages", "vocabSize", vocabSize, 1);
  const filled = vitOptions("beitForMaskedImages", rest, { depth: 12, patchSize: 16 });
  return new BeitForMaskedImages(base, { ...filled, vocabSize });
}
