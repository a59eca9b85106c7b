// Swin Transformers T, S and B; torchvision's names and shapes.
import { checkTensor } from "../../autograd/run.ts";
import { check } from "../../errors.ts";
import { chain } from "../../nn/chain.ts";
import { Sequential } from "../../nn/containers.ts";
import { Conv2d } from "../../nn/conv-layers.ts";
import { StochasticDepth } from "../../nn/dropout-layers.ts";
import { truncNormal_ } from "../../nn/initialization.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { Module } from "../../nn/module.ts";
import { LayerNorm } from "../../nn/norm-layers.ts";
import { Parameter } from "../../nn/parameter.ts";
import { Permute } from "../../nn/shape-layers.ts";
import { add } from "../../ops/arithmetic.ts";
import { dropout } from "../../ops/dropout.ts";
import { indexSelect } from "../../ops/gather.ts";
import { pad, permute, slice } from "../../ops/movement.ts";
import { packedAttention } from "../../ops/packed-attention.ts";
import { roll } from "../../ops/rearrange.ts";
import { mean } from "../../ops/sum-expand.ts";
import { reshape } from "../../ops/view.ts";
import { constantFrom, fromHost, zeros } from "../../tensor/create.ts";
import { scope } from "../../tensor/scope.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { SmallImageRules, Windowed } from "./small-images.ts";
import { mlpOf } from "./vit.ts";
import { dropPaths, Headed, type TransformerModelOptions, transformerOptions, truncateLinears } from "./vit-parts.ts";

/** Rows and columns of a window. */
const WINDOW = 7;

/** Which row of the table the bias of a query and a key is, by how far the two lie apart in a window of so many rows and columns. */
function relativePositions(side: number): Int32Array<ArrayBuffer> {
  const area = side * side;
  const far = (a: number, b: number): number => a - b + side - 1;
  return Int32Array.from({ length: area * area }, (_, i) => {
    const [query, key] = [Math.floor(i / area), i % area];
    const rows = far(Math.floor(query / side), Math.floor(key / side));
    return rows * (2 * side - 1) + far(query % side, key % side);
  });
}

/** 0 where two places of a window were neighbours before the shift, else -100: [windows, 1, side^2, side^2]. */
function shiftMask(
  rows: number,
  columns: number,
  shift: readonly [number, number],
  side: number,
): Float32Array<ArrayBuffer> {
  const area = side * side;
  const region = (at: number, size: number, by: number): number =>
    Number(at >= size - side) + Number(at >= size - by && by > 0);
  const across = columns / side;
  const mask = new Float32Array((rows / side) * across * area * area);
  const of = (window: number, place: number): number => {
    const row = Math.floor(window / across) * side + Math.floor(place / side);
    const column = (window % across) * side + (place % side);
    return 3 * region(row, rows, shift[0]) + region(column, columns, shift[1]);
  };
  for (let i = 0; i < mask.length; i++) {
    const [window, query, key] = [Math.floor(i / area / area), Math.floor(i / area) % area, i % area];
    if (of(window, query) !== of(window, key)) mask[i] = -100;
  }
  return mask;
}

/** Attention within windows, every other time within windows that lie half a window further: x: [N, H, W, C] to the same. */
class ShiftedWindowAttention extends Module implements Windowed {
  readonly qkv: Linear;
  readonly proj: Linear;
  /** [(2 * window - 1)^2, heads]. */
  relativePositionBiasTable: Parameter;
  /** [window^4]. */
  relativePositionIndex: Tensor;
  /** Rows and columns of a window. */
  window = WINDOW;
  private readonly heads: number;
  private shift: number;
  private readonly attentionDropout: number;
  private readonly drop: number;

  constructor(channels: number, heads: number, shift: number, options: Required<TransformerModelOptions>) {
    super();
    this.qkv = new Linear(channels, 3 * channels);
    this.proj = new Linear(channels, channels);
    this.relativePositionBiasTable = truncNormal_(new Parameter(zeros([(2 * WINDOW - 1) ** 2, heads])), 0, 0.02);
    const index = fromHost(relativePositions(WINDOW), [WINDOW ** 4], "i32");
    this.relativePositionIndex = this.registerBuffer("relativePositionIndex", index);
    this.heads = heads;
    this.shift = shift;
    this.attentionDropout = options.attentionDropout;
    this.drop = options.dropout;
  }

  setWindow(window: number, table: Parameter): void {
    const old = this.relativePositionIndex;
    const options = { device: old.device };
    const index = fromHost(relativePositions(window), [window ** 4], "i32", options);
    this.relativePositionIndex = this.registerBuffer("relativePositionIndex", index);
    old.dispose();
    this.relativePositionBiasTable = table;
    this.window = window;
    this.shift = this.shift > 0 ? Math.floor(window / 2) : 0;
  }

  /** What is added to the scores: [1, heads, window^2, window^2], or for each window. */
  private mask(rows: number, columns: number, shift: readonly [number, number]): Tensor {
    const { heads, relativePositionBiasTable: table, relativePositionIndex: index, window } = this;
    const area = window * window;
    const bias = permute(reshape(indexSelect(table, 0, index), [1, area, area, heads]), [0, 3, 1, 2]);
    if (shift[0] + shift[1] === 0) return bias;
    const values = shiftMask(rows, columns, shift, window);
    const shape = [values.length / area / area, 1, area, area];
    return add(constantFrom(values, shape, "f32", { device: table.device }), bias);
  }

  override forward(x: Tensor): Tensor {
    return scope(() => {
      const [n = 0, rows = 0, columns = 0, channels = 0] = x.shape;
      const { window } = this;
      const area = window * window;
      const [down, across] = [Math.ceil(rows / window), Math.ceil(columns / window)];
      const [height, width] = [down * window, across * window];
      const padded = height > rows || width > columns;
      // One window sees all there is.
      const shift = [down > 1 ? this.shift : 0, across > 1 ? this.shift : 0] as const;
      const mask = this.mask(height, width, shift);
      const p = this.training ? this.attentionDropout : 0;
      const shifted = shift[0] + shift[1] > 0;
      return chain(x, [
        (t) => (padded ? pad(t, [0, 0, 0, width - columns, 0, height - rows]) : t),
        (t) => (shifted ? roll(t, [-shift[0], -shift[1]], [1, 2]) : t),
        (t) => permute(reshape(t, [n, down, window, across, window, channels]), [0, 1, 3, 2, 4, 5]),
        (t) => reshape(t, [n * down * across, area, channels]),
        this.qkv,
        (t) => packedAttention(t, this.heads, mask, p),
        this.proj,
        (t) => dropout(t, this.drop, this.training),
        (t) => permute(reshape(t, [n, down, across, window, window, channels]), [0, 1, 3, 2, 4, 5]),
        (t) => reshape(t, [n, height, width, channels]),
        (t) => (shifted ? roll(t, shift, [1, 2]) : t),
        (t) => (padded ? slice(t, [null, [0, rows], [0, columns]]) : t),
      ]);
    });
  }
}

/** Attention and linear layers, each behind its norm and beside a shortcut: x: [N, H, W, C] to the same. */
class SwinBlock extends Module {
  readonly norm1: LayerNorm;
  readonly attn: ShiftedWindowAttention;
  private readonly stochasticDepth: StochasticDepth;
  readonly norm2: LayerNorm;
  readonly mlp: Sequential;

  constructor(channels: number, heads: number, shift: number, options: Required<TransformerModelOptions>, p: number) {
    super();
    this.norm1 = new LayerNorm(channels);
    this.attn = new ShiftedWindowAttention(channels, heads, shift, options);
    this.stochasticDepth = new StochasticDepth(p, "row");
    this.norm2 = new LayerNorm(channels);
    this.mlp = mlpOf(channels, 4 * channels, options.dropout);
  }

  override forward(x: Tensor): Tensor {
    return scope(() => {
      const y = add(x, chain(x, [this.norm1, this.attn, this.stochasticDepth]));
      return add(y, chain(y, [this.norm2, this.mlp, this.stochasticDepth]));
    });
  }
}

/** Four neighbours to one place of twice the channels: x: [N, H, W, C] to [N, H / 2, W / 2, 2 C], rounded up. */
class PatchMerging extends Module {
  readonly reduction: Linear;
  readonly norm: LayerNorm;

  constructor(channels: number) {
    super();
    this.reduction = new Linear(4 * channels, 2 * channels, { bias: false });
    this.norm = new LayerNorm(4 * channels);
  }

  override forward(x: Tensor): Tensor {
    const [n = 0, rows = 0, columns = 0, channels = 0] = x.shape;
    const [down, across] = [Math.ceil(rows / 2), Math.ceil(columns / 2)];
    return chain(x, [
      (t) => (rows % 2 || columns % 2 ? pad(t, [0, 0, 0, columns % 2, 0, rows % 2]) : t),
      // Channels of the place, of the one below, of that to the right, of the one below that.
      (t) => permute(reshape(t, [n, down, 2, across, 2, channels]), [0, 1, 3, 4, 2, 5]),
      (t) => reshape(t, [n, down, across, 4 * channels]),
      this.norm,
      this.reduction,
    ]);
  }
}

/**
 * A hierarchical transformer of windows that shift: x: [N, 3, H, W] to logits [N, numClasses]. H and W are at least 4.
 * @see https://arxiv.org/abs/2103.14030 and https://pytorch.org/vision/stable/models/swin_transformer.html
 */
export class SwinTransformer extends Headed {
  readonly features: Sequential;
  readonly norm: LayerNorm;
  readonly classifier: Linear;

  constructor(
    embedDim: number,
    depths: readonly number[],
    heads: readonly number[],
    options: Required<TransformerModelOptions>,
  ) {
    super();
    const stem = new Conv2d(3, embedDim, 4, { stride: 4 });
    this.features = new Sequential(new Sequential(stem, new Permute([0, 2, 3, 1]), new LayerNorm(embedDim)));
    const skipped = dropPaths(
      options.dropPath,
      depths.reduce((a, b) => a + b),
    );
    let channels = embedDim;
    for (const [stage, depth] of depths.entries()) {
      if (stage > 0) {
        this.features.append(new PatchMerging(channels));
        channels *= 2;
      }
      const blocks = new Sequential();
      for (const [i, p] of skipped.splice(0, depth).entries()) {
        const shift = i % 2 === 0 ? 0 : Math.floor(WINDOW / 2);
        blocks.append(new SwinBlock(channels, heads[stage] ?? 1, shift, options, p));
      }
      this.features.append(blocks);
    }
    this.norm = new LayerNorm(channels);
    this.classifier = new Linear(channels, options.numClasses);
    truncateLinears(this);
  }

  /** What images of 32x32 need: see `adaptToSmallImages`. */
  get smallImages(): SmallImageRules {
    return {
      patches: { "features.0.0": 2 },
      windows: { "features.1": 4, "features.3": 4, "features.5": 4, "features.7": 2 },
      lastMap: 2,
    };
  }

  override forward(x: Tensor): Tensor {
    checkTensor("SwinTransformer", "input", x);
    const [, , rows = 0, columns = 0] = x.shape;
    check(
      x.ndim === 4 && rows >= 4 && columns >= 4,
      () => `[SwinTransformer] takes images [N, 3, H, W] of at least 4 rows and columns, got ${show(x.shape)}`,
    );
    return chain(x, [this.features, this.norm, (t) => mean(t, [1, 2]), this.classifier]);
  }
}

const make =
  (name: string, embedDim: number, depths: readonly number[], heads: readonly number[], dropPath: number) =>
  (options: TransformerModelOptions = {}): SwinTransformer =>
    new SwinTransformer(embedDim, depths, heads, transformerOptions(name, options, dropPath));

/** Swin-T, 28.3 million parameters; dropPath 0.2 by default. */
export const swinT = make("swinT", 96, [2, 2, 6, 2], [3, 6, 12, 24], 0.2);
/** Swin-S, 49.6 million parameters; dropPath 0.3 by default. */
export const swinS = make("swinS", 96, [2, 2, 18, 2], [3, 6, 12, 24], 0.3);
/** Swin-B, 87.8 million parameters; dropPath 0.5 by default. */
export const swinB = make("swinB", 128, [2, 2, 18, 2], [4, 8, 16, 32], 0.5);
