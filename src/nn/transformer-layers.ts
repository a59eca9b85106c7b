// The Transformer's layers and stacks: encoder, decoder, and both together.

import { noGrad } from "../autograd/mode.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, checkFunction, checkNumber, checkOptions, checkWhole, ValueError } from "../errors.ts";
import * as activations from "../ops/activation-rows.ts";
import { add } from "../ops/arithmetic.ts";
import { unary } from "../ops/unary.ts";
import * as unaries from "../ops/unary-rows.ts";
import { copy_ } from "../tensor/copy.ts";
import { fromHost } from "../tensor/create.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type AttentionMasks, MultiheadAttention } from "./attention-layers.ts";
import { Dropout } from "./basic-layers.ts";
import { ModuleList } from "./containers.ts";
import { xavierUniform_ } from "./initialization.ts";
import { Linear } from "./linear-layer.ts";
import { Module } from "./module.ts";
import { LayerNorm } from "./norm-layers.ts";

/** What encoder and decoder layers take beside the sizes. */
export interface TransformerLayerOptions {
  /** Features between the two linear layers. Default 2048. */
  dimFeedforward?: number;
  /** Share of the attention's weights, of the hidden features and of each part's result that is dropped in training. Default 0.1. */
  dropout?: number;
  /** Between the two linear layers: "relu", "gelu" or a function. Default "relu". */
  activation?: "relu" | "gelu" | ((x: Tensor) => Tensor);
  /** Added to the variance in layer norms. Default 1e-5. */
  layerNormEps?: number;
  /** Sequences are [batch, steps, features] instead of [steps, batch, features]. Default false. */
  batchFirst?: boolean;
  /** Layer norm before each part instead of behind its sum with the residual. Default false. */
  normFirst?: boolean;
}

const OPTIONS = ["dimFeedforward", "dropout", "activation", "layerNormEps", "batchFirst", "normFirst"];

/** The options with defaults filled in, checked. */
function filled(name: string, options: TransformerLayerOptions): Required<TransformerLayerOptions> {
  checkOptions(name, options, OPTIONS);
  const { dimFeedforward = 2048, dropout = 0.1, activation = "relu", layerNormEps = 1e-5 } = options;
  checkWhole(name, "dimFeedforward", dimFeedforward, 1);
  checkNumber(name, "dropout", dropout, 0, 1);
  if (activation !== "relu" && activation !== "gelu")
    checkFunction(name, 'activation (or "relu" or "gelu")', activation);
  const { batchFirst = false, normFirst = false } = options;
  return { dimFeedforward, dropout, activation, layerNormEps, batchFirst, normFirst };
}

/** What `TransformerEncoderLayer` and `TransformerEncoder` take beside the sequence. */
export interface EncoderMasks {
  /** [S, S] or [N * nhead, S, S], as MultiheadAttention's attnMask. Default: none. */
  mask?: Tensor | null;
  /** [N, S], as MultiheadAttention's keyPaddingMask. Default: none. */
  keyPaddingMask?: Tensor | null;
}

/** What `TransformerDecoderLayer` and `TransformerDecoder` take beside the sequences. */
export interface DecoderMasks {
  /** [T, T] or [N * nhead, T, T]: what the target may not see of itself. Default: none. */
  tgtMask?: Tensor | null;
  /** [T, S] or [N * nhead, T, S]: what it may not see of the memory. Default: none. */
  memoryMask?: Tensor | null;
  /** [N, T]. Default: none. */
  tgtKeyPaddingMask?: Tensor | null;
  /** [N, S]. Default: none. */
  memoryKeyPaddingMask?: Tensor | null;
}

const ENCODER = ["mask", "keyPaddingMask"];
const DECODER = ["tgtMask", "memoryMask", "tgtKeyPaddingMask", "memoryKeyPaddingMask"];

/** What both kinds of layers have: attention to the sequence itself, and two linear layers. */
abstract class TransformerLayer<I extends readonly unknown[]> extends Module<I> {
  /** Features of the sequences. */
  readonly dModel: number;
  /** Heads of each attention. */
  readonly nhead: number;
  /** Options, defaults filled in. */
  readonly options: Readonly<Required<TransformerLayerOptions>>;
  /** The sequence's attention to itself. */
  readonly selfAttn: MultiheadAttention;

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions) {
    super();
    this.options = filled(new.target.name, options);
    const { dropout, batchFirst } = this.options;
    this.dModel = dModel;
    this.nhead = nhead;
    this.selfAttn = new MultiheadAttention(dModel, nhead, { dropout, batchFirst });
  }

  /** x and what `part` makes of it, with the norm before or behind. */
  protected residual(x: Tensor, norm: LayerNorm, dropout: Dropout, part: (x: Tensor) => Tensor): Tensor {
    const { normFirst } = this.options;
    const sum = add(x, dropout.forward(part(normFirst ? norm.forward(x) : x)));
    return normFirst ? sum : norm.forward(sum);
  }

  protected activated(x: Tensor): Tensor {
    const { activation: f } = this.options;
    return f === "relu" ? unary(unaries.relu, x) : f === "gelu" ? unary(activations.gelu, x) : f(x);
  }
}

/** Attention's result alone, by masks. */
const attend = (layer: MultiheadAttention, x: Tensor, memory: Tensor, masks: AttentionMasks): Tensor =>
  layer.forward(x, memory, memory, { ...masks, needWeights: false })[0];

/**
 * Attention of a sequence to itself and two linear layers, each with dropout, residual and layer norm. `forward(src, masks)`: src
 * [S, N, dModel] (with `batchFirst` [N, S, dModel]; without a batch [S, dModel]), result of the same shape.
 * @see https://arxiv.org/abs/1706.03762 and https://pytorch.org/docs/stable/generated/torch.nn.TransformerEncoderLayer.html
 */
export class TransformerEncoderLayer extends TransformerLayer<readonly [src: Tensor, masks?: EncoderMasks]> {
  /** dModel to dimFeedforward. */
  readonly linear1: Linear;
  /** Behind the activation. */
  readonly dropout: Dropout;
  /** dimFeedforward to dModel. */
  readonly linear2: Linear;
  /** Of the attention. */
  readonly norm1: LayerNorm;
  /** Of the linear layers. */
  readonly norm2: LayerNorm;
  /** Behind the attention. */
  readonly dropout1: Dropout;
  /** Behind the linear layers. */
  readonly dropout2: Dropout;

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super(dModel, nhead, options);
    const { dimFeedforward, dropout, layerNormEps: eps } = this.options;
    this.linear1 = new Linear(dModel, dimFeedforward);
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel);
    this.norm1 = new LayerNorm(dModel, { eps });
    this.norm2 = new LayerNorm(dModel, { eps });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
  }

  override forward(src: Tensor, masks: EncoderMasks = {}): Tensor {
    checkTensor("TransformerEncoderLayer", "src", src);
    checkOptions("TransformerEncoderLayer", masks, ENCODER);
    const { mask: attnMask = null, keyPaddingMask = null } = masks;
    return scope(() => {
      const x = this.residual(src, this.norm1, this.dropout1, (t) =>
        attend(this.selfAttn, t, t, { attnMask, keyPaddingMask }),
      );
      return this.residual(x, this.norm2, this.dropout2, (t) =>
        this.linear2.forward(this.dropout.forward(this.activated(this.linear1.forward(t)))),
      );
    });
  }
}

/**
 * Attention of a target to itself and to a memory, and two linear layers, each with dropout, residual and layer norm.
 * `forward(tgt, memory, masks)`: tgt [T, N, dModel], memory [S, N, dModel] (N first with `batchFirst`, none for one sequence).
 * @see https://arxiv.org/abs/1706.03762 and https://pytorch.org/docs/stable/generated/torch.nn.TransformerDecoderLayer.html
 */
export class TransformerDecoderLayer extends TransformerLayer<
  readonly [tgt: Tensor, memory: Tensor, masks?: DecoderMasks]
> {
  /** The target's attention to the memory. */
  readonly multiheadAttn: MultiheadAttention;
  /** dModel to dimFeedforward. */
  readonly linear1: Linear;
  /** Behind the activation. */
  readonly dropout: Dropout;
  /** dimFeedforward to dModel. */
  readonly linear2: Linear;
  /** Of the attention to itself. */
  readonly norm1: LayerNorm;
  /** Of the attention to the memory. */
  readonly norm2: LayerNorm;
  /** Of the linear layers. */
  readonly norm3: LayerNorm;
  /** Behind the attention to itself. */
  readonly dropout1: Dropout;
  /** Behind the attention to the memory. */
  readonly dropout2: Dropout;
  /** Behind the linear layers. */
  readonly dropout3: Dropout;

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super(dModel, nhead, options);
    const { dimFeedforward, dropout, layerNormEps: eps, batchFirst } = this.options;
    this.multiheadAttn = new MultiheadAttention(dModel, nhead, { dropout, batchFirst });
    this.linear1 = new Linear(dModel, dimFeedforward);
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel);
    this.norm1 = new LayerNorm(dModel, { eps });
    this.norm2 = new LayerNorm(dModel, { eps });
    this.norm3 = new LayerNorm(dModel, { eps });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.dropout3 = new Dropout(dropout);
  }

  override forward(tgt: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    checkTensor("TransformerDecoderLayer", "tgt", tgt);
    checkTensor("TransformerDecoderLayer", "memory", memory);
    checkOptions("TransformerDecoderLayer", masks, DECODER);
    const { tgtMask, memoryMask, tgtKeyPaddingMask, memoryKeyPaddingMask } = masks;
    const own = { attnMask: tgtMask ?? null, keyPaddingMask: tgtKeyPaddingMask ?? null };
    const other = { attnMask: memoryMask ?? null, keyPaddingMask: memoryKeyPaddingMask ?? null };
    return scope(() => {
      const x = this.residual(tgt, this.norm1, this.dropout1, (t) => attend(this.selfAttn, t, t, own));
      const y = this.residual(x, this.norm2, this.dropout2, (t) => attend(this.multiheadAttn, t, memory, other));
      return this.residual(y, this.norm3, this.dropout3, (t) =>
        this.linear2.forward(this.dropout.forward(this.activated(this.linear1.forward(t)))),
      );
    });
  }
}

/** Layers like this one, which start with its values. */
function copies<L extends TransformerEncoderLayer | TransformerDecoderLayer>(layer: L, count: number): L[] {
  const Kind = layer.constructor as new (dModel: number, nhead: number, options: TransformerLayerOptions) => L;
  const values = [...layer.parameters()];
  return Array.from({ length: count }, () => {
    const made = new Kind(layer.dModel, layer.nhead, layer.options);
    noGrad(() => {
      for (const [i, p] of [...made.parameters()].entries()) {
        const value = values[i];
        if (value) copy_(p, value);
      }
    });
    return made;
  });
}

function checkNorm(name: string, norm: unknown): void {
  check(
    norm === null || norm instanceof Module,
    () => `[${name}] norm must be a module, such as new nn.LayerNorm(dModel), or null`,
    ValueError,
  );
}

/**
 * `numLayers` copies of an encoder layer in a row, and a norm behind them where one is given. `forward(src, masks)`: each layer
 * gets the same masks.
 * @throws ValueError where `encoderLayer` is no TransformerEncoderLayer.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.TransformerEncoder.html
 */
export class TransformerEncoder extends Module<readonly [src: Tensor, masks?: EncoderMasks]> {
  /** The copies. */
  readonly layers: ModuleList<TransformerEncoderLayer>;
  /** Behind the last layer. */
  readonly norm: Module | null;

  constructor(encoderLayer: TransformerEncoderLayer, numLayers: number, norm: Module | null = null) {
    super();
    check(
      encoderLayer instanceof TransformerEncoderLayer,
      () => "[TransformerEncoder] takes a TransformerEncoderLayer, of which it makes copies",
      ValueError,
    );
    checkWhole("TransformerEncoder", "numLayers", numLayers, 1);
    checkNorm("TransformerEncoder", norm);
    this.layers = new ModuleList(copies(encoderLayer, numLayers));
    this.norm = norm;
  }

  override forward(src: Tensor, masks: EncoderMasks = {}): Tensor {
    return scope(() => {
      let x = src;
      for (const layer of this.layers) x = layer.forward(x, masks);
      return this.norm ? this.norm.forward(x) : x;
    });
  }
}

/**
 * `numLayers` copies of a decoder layer in a row, and a norm behind them where one is given. `forward(tgt, memory, masks)`.
 * @throws ValueError where `decoderLayer` is no TransformerDecoderLayer.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.TransformerDecoder.html
 */
export class TransformerDecoder extends Module<readonly [tgt: Tensor, memory: Tensor, masks?: DecoderMasks]> {
  /** The copies. */
  readonly layers: ModuleList<TransformerDecoderLayer>;
  /** Behind the last layer. */
  readonly norm: Module | null;

  constructor(decoderLayer: TransformerDecoderLayer, numLayers: number, norm: Module | null = null) {
    super();
    check(
      decoderLayer instanceof TransformerDecoderLayer,
      () => "[TransformerDecoder] takes a TransformerDecoderLayer, of which it makes copies",
      ValueError,
    );
    checkWhole("TransformerDecoder", "numLayers", numLayers, 1);
    checkNorm("TransformerDecoder", norm);
    this.layers = new ModuleList(copies(decoderLayer, numLayers));
    this.norm = norm;
  }

  override forward(tgt: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    return scope(() => {
      let x = tgt;
      for (const layer of this.layers) x = layer.forward(x, memory, masks);
      return this.norm ? this.norm.forward(x) : x;
    });
  }
}

/** What `Transformer` takes. */
export interface TransformerOptions extends TransformerLayerOptions {
  /** Features of the sequences. Default 512. */
  dModel?: number;
  /** Heads of each attention. Default 8. */
  nhead?: number;
  /** Default 6. */
  numEncoderLayers?: number;
  /** Default 6. */
  numDecoderLayers?: number;
}

/** What `Transformer` takes beside the sequences. */
export interface TransformerMasks extends DecoderMasks {
  /** [S, S] or [N * nhead, S, S]. Default: none. */
  srcMask?: Tensor | null;
  /** [N, S]. Default: none. */
  srcKeyPaddingMask?: Tensor | null;
}

/**
 * Encoder and decoder, each with a layer norm behind it. `forward(src, tgt, masks)`: src [S, N, dModel], tgt [T, N, dModel] (N first
 * with `batchFirst`, none for one sequence), result of tgt's shape. Matrices start by Xavier's uniform rule.
 * @see https://arxiv.org/abs/1706.03762 and https://pytorch.org/docs/stable/generated/torch.nn.Transformer.html
 */
export class Transformer extends Module<readonly [src: Tensor, tgt: Tensor, masks?: TransformerMasks]> {
  /** Of the source. */
  readonly encoder: TransformerEncoder;
  /** Of the target, which sees what the encoder gives. */
  readonly decoder: TransformerDecoder;

  constructor(options: TransformerOptions = {}) {
    super();
    checkOptions("Transformer", options, ["dModel", "nhead", "numEncoderLayers", "numDecoderLayers", ...OPTIONS]);
    const { dModel = 512, nhead = 8, numEncoderLayers = 6, numDecoderLayers = 6, ...layer } = options;
    const eps = layer.layerNormEps ?? 1e-5;
    const [encoderLayer, decoderLayer] = [
      new TransformerEncoderLayer(dModel, nhead, layer),
      new TransformerDecoderLayer(dModel, nhead, layer),
    ];
    this.encoder = new TransformerEncoder(encoderLayer, numEncoderLayers, new LayerNorm(dModel, { eps }));
    this.decoder = new TransformerDecoder(decoderLayer, numDecoderLayers, new LayerNorm(dModel, { eps }));
    encoderLayer.dispose();
    decoderLayer.dispose();
    for (const p of this.parameters()) if (p.ndim > 1) xavierUniform_(p);
  }

  override forward(src: Tensor, tgt: Tensor, masks: TransformerMasks = {}): Tensor {
    checkOptions("Transformer", masks, ["srcMask", "srcKeyPaddingMask", ...DECODER]);
    const { srcMask = null, srcKeyPaddingMask = null, ...others } = masks;
    return scope(() => {
      const memory = this.encoder.forward(src, { mask: srcMask, keyPaddingMask: srcKeyPaddingMask });
      return this.decoder.forward(tgt, memory, others);
    });
  }

  /** A mask to add, [size, size]: -infinity where the key comes behind the query, else 0. */
  static generateSquareSubsequentMask(size: number): Tensor {
    checkWhole("generateSquareSubsequentMask", "size", size, 0);
    const values = Float32Array.from({ length: size * size }, (_, i) =>
      i % size > Math.floor(i / size) ? Number.NEGATIVE_INFINITY : 0,
    );
    return fromHost(values, [size, size], "f32");
  }
}
