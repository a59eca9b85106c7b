// sort, argsort: any length along a dimension, stable, NaN last. What orders by values on the host: unique.
import { apply } from "../autograd/apply.ts";
import type { Op } from "../autograd/op.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, checkOptions, told, ValueError } from "../errors.ts";
import { alike, otherDims } from "../kernels/divide.ts";
import { linesOf } from "../kernels/scan-plan.ts";
import { sortLines, writePlaces } from "../kernels/sort-plan.ts";
import { tensor } from "../tensor/create.ts";
import { arrayTypes, checkDtype, type TensorData } from "../tensor/dtype.ts";
import { normalizeDim, rowRank } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { gatherInto, scatterAdd } from "./gather.ts";

const sortOp: Op<
  readonly [Tensor],
  { readonly dim: number; readonly descending: boolean },
  readonly [values: Tensor, indices: Tensor]
> = {
  name: "sort",
  infer([x]) {
    checkDtype("sort", "input", x.dtype, "f32", "i32", "u32");
    return [x, { shape: x.shape, dtype: "i32" }];
  },
  forward(run, [x], [values, indices], { dim, descending }) {
    const lines = linesOf(x.shape, dim);
    if (x.numel === 0) return;
    writePlaces(run, sortLines(run, x, lines, { descending }), lines, lines.length, indices);
    gatherInto(run, x, indices, values, dim);
  },
  divisions: ([x], _, { dim }) => alike(otherDims(x, dim), 1, 2),
  saves: () => ({ inputs: [], outputs: [1] }),
  vjp: ([dy], c) => [scatterAdd(dy, c.output(1), c.attrs.dim, c.inputSpecs[0].shape)],
};

/**
 * The elements in ascending (or descending) order along `dim`, and their i32 positions. f32, i32 or u32; equal ones keep their order,
 * and NaN counts as larger than any number.
 * @throws ShapeError where there is no such dimension.
 * @see https://pytorch.org/docs/stable/generated/torch.sort.html
 */
export function sort(x: Tensor, dim = -1, descending = false): { values: Tensor; indices: Tensor } {
  checkTensor("sort", "input", x);
  check(
    typeof descending === "boolean",
    () => `[sort] descending is true or false, got ${told(descending)}`,
    ValueError,
  );
  const [values, indices] = apply(sortOp, [x], { dim: normalizeDim("sort", dim, rowRank(x.shape)), descending });
  return { values, indices };
}

/** The positions (i32) that `sort` gives. @see https://pytorch.org/docs/stable/generated/torch.argsort.html */
export function argsort(x: Tensor, dim = -1, descending = false): Tensor {
  const { values, indices } = sort(x, dim, descending);
  values.dispose();
  return indices;
}

/** What `unique` gives beside the values, where it is asked for. */
export interface UniqueOptions {
  /** Whether the positions of x's elements among the values are wanted, i32 of x's shape. Default false. */
  returnInverse?: boolean;
  /** Whether it is wanted how often each value occurs, i32. Default false. */
  returnCounts?: boolean;
}

/**
 * The different elements of x in ascending order; of f32, NaNs are all different. How many there are only the device knows: it waits
 * for it, and gives a promise.
 * @see https://pytorch.org/docs/stable/generated/torch.unique.html
 */
export async function unique(
  x: Tensor,
  options: UniqueOptions = {},
): Promise<{ values: Tensor; inverse: Tensor | null; counts: Tensor | null }> {
  checkTensor("unique", "input", x);
  checkOptions("unique", options, ["returnInverse", "returnCounts"]);
  checkDtype("unique", "input", x.dtype, "f32", "i32", "u32");
  const { returnInverse = false, returnCounts = false } = options;
  const { shape, device, dtype } = x;
  const given = await x.data();
  const order = Uint32Array.from(given.keys());
  const at = (i: number): number => given[i] ?? 0;
  // NaN comes last.
  order.sort((a, b) => {
    const [u, v] = [at(a), at(b)];
    if (Number.isNaN(u) || Number.isNaN(v)) return Number(Number.isNaN(u)) - Number(Number.isNaN(v)) || a - b;
    return u < v ? -1 : u > v ? 1 : a - b;
  });
  const values: number[] = [];
  const counts: number[] = [];
  const inverse = new Int32Array(given.length);
  for (const i of order) {
    if (values.length === 0 || at(i) !== values.at(-1)) {
      values.push(at(i));
      counts.push(0);
    }
    inverse[i] = values.length - 1;
    counts[values.length - 1] = (counts.at(-1) ?? 0) + 1;
  }
  const typed: TensorData = arrayTypes[dtype === "f16" ? "f32" : dtype].from(values);
  return {
    values: tensor(typed, { device }),
    inverse: returnInverse ? tensor(inverse, { shape, device }) : null,
    counts: returnCounts ? tensor(Int32Array.from(counts), { device }) : null,
  };
}
