// embedding: rows of a table by index.
import { noGrad } from "../autograd/mode.ts";
import { checkTensor, runInto } from "../autograd/run.ts";
import { check, checkNumber, checkOptions, checkWhole, DtypeError, ValueError } from "../errors.ts";
import { scope } from "../tensor/scope.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { abs, add, gt, mul, pow, sub } from "./arithmetic.ts";
import { to } from "./cast.ts";
import { reciprocal } from "./elementwise.ts";
import { rowsOf } from "./gather.ts";
import { max, sum } from "./reduce.ts";
import { scatterOp } from "./scatter.ts";
import { view } from "./view.ts";

/** What `embedding` takes beside the indices and the table. */
export interface EmbeddingOptions {
  /** The index of a row that gets no gradient; a negative one counts from the end. Default: none. */
  paddingIdx?: number | null;
  /** Rows that are read and whose norm is larger are scaled down to it, in the table itself. Default: none are. */
  maxNorm?: number | null;
  /** Which norm `maxNorm` is about: the p-th root of the sum of p-th powers. Default 2. */
  normType?: number;
}

export const EMBEDDING_OPTIONS = ["paddingIdx", "maxNorm", "normType"];

/** The options with defaults, checked for a table of so many rows; `paddingIdx` counts from 0. */
export function embeddingOptions(name: string, options: EmbeddingOptions, rows: number) {
  checkOptions(name, options, EMBEDDING_OPTIONS);
  const { paddingIdx = null, maxNorm = null, normType = 2 } = options;
  if (paddingIdx !== null) checkWhole(name, "paddingIdx", paddingIdx, -rows, rows - 1);
  if (maxNorm !== null) checkNumber(name, "maxNorm", maxNorm, 0);
  checkNumber(name, "normType", normType);
  check(normType > 0, () => `[${name}] normType must be above 0, got ${normType}`, ValueError);
  return { paddingIdx: paddingIdx !== null && paddingIdx < 0 ? paddingIdx + rows : paddingIdx, maxNorm, normType };
}

/** Scales the rows at these indices down to `maxNorm`, as PyTorch does: by maxNorm / (norm + 1e-7). */
function renormalize(weight: Tensor, index: Tensor, maxNorm: number, normType: number): void {
  noGrad(() =>
    scope(() => {
      const rows = rowsOf("embedding", weight, 0, index);
      const size = abs(rows);
      const norm =
        normType === Number.POSITIVE_INFINITY
          ? max(size, 1, { keepdim: true })
          : pow(sum(pow(size, normType), 1, { keepdim: true }), 1 / normType);
      const over = to(gt(norm, maxNorm), "f32");
      const scale = add(mul(sub(mul(reciprocal(add(norm, 1e-7)), maxNorm), 1), over), 1);
      const attrs = { op: "embedding", dim: 0, sum: false, oneList: true, value: 0 } as const;
      runInto(scatterOp, [weight, index, mul(rows, scale)], attrs, [weight]);
    }),
  );
}

/**
 * Rows of a table: `y[..., :] = weight[index[...], :]`. index: i32 [...], weight: f32 [rows, features]; result: [..., features]. The
 * gradient adds up, in a fixed order, what goes to one row.
 * @throws ShapeError, DtypeError for what does not fit. @throws ValueError for an index out of range, at the next read or sync().
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html
 */
export function embedding(index: Tensor, weight: Tensor, options: EmbeddingOptions = {}): Tensor {
  checkTensor("embedding", "index", index);
  checkTensor("embedding", "weight", weight);
  check(
    weight.ndim === 2,
    () => `[embedding] weight must have two dimensions, rows and features, got ${show(weight.shape)}`,
  );
  check(
    weight.dtype === "f32" && index.dtype !== "f32",
    () => `[embedding] takes i32 indices and then an f32 table, got ${index.dtype} and ${weight.dtype}`,
    DtypeError,
  );
  const [rows = 0, features = 0] = weight.shape;
  const { paddingIdx, maxNorm, normType } = embeddingOptions("embedding", options, rows);
  return scope(() => {
    const flat = view("embedding", index, [index.numel]);
    if (maxNorm !== null && index.numel > 0) renormalize(weight, flat, maxNorm, normType);
    const y = rowsOf("embedding", weight, 0, flat, paddingIdx ?? undefined);
    return view("embedding", y, [...index.shape, features]);
  });
}
