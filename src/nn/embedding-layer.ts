// Embedding: a learned vector for each of a number of symbols.
import { checkTensor } from "../autograd/run.ts";
import { check, checkOptions, checkWhole } from "../errors.ts";
import { cat } from "../ops/cat.ts";
import { clone } from "../ops/clone.ts";
import { EMBEDDING_OPTIONS, type EmbeddingOptions, embedding, embeddingOptions } from "../ops/embedding.ts";
import { narrow } from "../ops/movement.ts";
import { randn } from "../ops/random.ts";
import { zeros } from "../tensor/create.ts";
import { scope } from "../tensor/scope.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/**
 * A table of `numEmbeddings` learned vectors: index i32 [...] to [..., embeddingDim]. weight: [numEmbeddings, embeddingDim], which starts
 * with normal numbers, as PyTorch's does, and zeros in the row of `paddingIdx`.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Embedding.html
 */
export class Embedding extends Module {
  /** Rows of the table. */
  readonly numEmbeddings: number;
  /** Features of a row. */
  readonly embeddingDim: number;
  /** The row that gets no gradient, null for none. */
  readonly paddingIdx: number | null;
  /** Rows that are read are scaled down to this norm, null for never. */
  readonly maxNorm: number | null;
  /** Which norm that is. */
  readonly normType: number;
  /** [numEmbeddings, embeddingDim]. */
  weight: Parameter;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingOptions = {}) {
    super();
    checkOptions("Embedding", options, EMBEDDING_OPTIONS);
    checkWhole("Embedding", "numEmbeddings", numEmbeddings, 1);
    checkWhole("Embedding", "embeddingDim", embeddingDim, 1);
    const { paddingIdx, maxNorm, normType } = embeddingOptions("Embedding", options, numEmbeddings);
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    this.paddingIdx = paddingIdx;
    this.maxNorm = maxNorm;
    this.normType = normType;
    this.weight = new Parameter(scope(() => withRowOfZeros(randn([numEmbeddings, embeddingDim]), paddingIdx)));
  }

  /** A layer with the rows of a table that exists, `weight: [rows, features]`, copied. It learns unless it is frozen. */
  static fromPretrained(
    weight: Tensor,
    options: EmbeddingOptions & {
      /** Whether the table stays as it is. Default true. */
      freeze?: boolean;
    } = {},
  ): Embedding {
    checkTensor("Embedding", "weight", weight);
    checkOptions("Embedding", options, [...EMBEDDING_OPTIONS, "freeze"]);
    check(weight.ndim === 2, () => `[Embedding] weight must be [rows, features], got ${show(weight.shape)}`);
    const { freeze = true, ...rest } = options;
    const [rows = 0, features = 0] = weight.shape;
    const layer = new Embedding(rows, features, rest);
    layer.weight.dispose();
    layer.weight = new Parameter(
      scope(() => clone(weight.detach())),
      !freeze,
    );
    return layer;
  }

  override forward(index: Tensor): Tensor {
    const { paddingIdx, maxNorm, normType } = this;
    return embedding(index, this.weight, { paddingIdx, maxNorm, normType });
  }

  override describe(): string {
    return `${this.numEmbeddings}, ${this.embeddingDim}${this.paddingIdx === null ? "" : `, paddingIdx: ${this.paddingIdx}`}`;
  }
}

function withRowOfZeros(table: Tensor, row: number | null): Tensor {
  if (row === null) return table;
  const [rows = 0, features = 0] = table.shape;
  const zero = zeros([1, features], { device: table.device });
  return cat([narrow(table, 0, 0, row), zero, narrow(table, 0, row + 1, rows - row - 1)]);
}
