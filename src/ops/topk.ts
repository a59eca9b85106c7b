// The k best elements along a dimension, with their positions; argmax and argmin are the case k = 1.

import { apply } from "../autograd/apply.ts";
import { noGrad } from "../autograd/mode.ts";
import type { Op } from "../autograd/op.ts";
import type { Run } from "../autograd/run.ts";
import { check, told, ValueError } from "../errors.ts";
import { grid1d } from "../gpu/queue.ts";
import { allFit, bindingElements, ranges } from "../kernels/binding-parts.ts";
import { alike, otherDims } from "../kernels/divide.ts";
import { Kernel } from "../kernels/kernel.ts";
import { linesOf } from "../kernels/scan-plan.ts";
import { sortLines, writePlaces } from "../kernels/sort-plan.ts";
import topkWgsl, { WG } from "../kernels/wgsl/topk.wgsl";
import { full } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { normalizeDim, rowRank, type Shape, show, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { binary } from "./binary.ts";
import * as binaries from "./binary-rows.ts";
import { cat } from "./cat.ts";
import { gather, gatherInto, scatterAdd } from "./gather.ts";
import { narrow } from "./movement.ts";
import { keepdimOf, type ReduceOptions } from "./sum-expand.ts";
import { view } from "./view.ts";

const kernel = new Kernel(topkWgsl);

/** Up to so many are looked for one after the other; for more, all elements are sorted. */
const FEW = 16;

interface TopkAttrs {
  readonly op: string;
  readonly k: number;
  readonly dim: number;
  readonly largest: boolean;
  /** Where NaN comes: before all numbers or after them. */
  readonly nan: "first" | "last";
}

/** WGSL of whether a comes before b. */
function beforeText(x: Tensor, { largest, nan }: TopkAttrs): string {
  const numbers = `a ${largest ? ">" : "<"} b`;
  const nans = nan === "first" ? "is_nan(a) && !is_nan(b)" : "is_nan(b) && !is_nan(a)";
  const order = x.dtype === "f32" ? `select(${numbers}, ${nans}, is_nan(a) || is_nan(b))` : numbers;
  return `fn before(a: T, b: T) -> bool { return ${order}; }`;
}

const topkOp: Op<readonly [Tensor], TopkAttrs, readonly [values: Tensor, indices: Tensor]> = {
  name: "topk",
  infer([x], { op, k, dim }) {
    checkDtype(op, "input", x.dtype, "f32", "i32", "u32");
    const length = x.shape[dim] ?? 1;
    check(
      Number.isInteger(k) && k >= 0 && k <= length,
      () => `[${op}] ${told(k)} elements were asked for, but dimension ${dim} of ${show(x.shape)} has ${length}`,
      ValueError,
    );
    const shape = x.shape.map((n, d) => (d === dim ? k : n));
    return [
      { shape, dtype: x.dtype },
      { shape, dtype: "i32" },
    ];
  },
  forward(run, [x], [values, indices], attrs) {
    if (!allFit(run.device.info, [x])) {
      inStages(run, x, values, indices, attrs);
      return;
    }
    const { k, dim, largest, nan } = attrs;
    const length = x.shape[dim] ?? 1;
    const inner = sizeOf(x.shape.slice(dim + 1));
    const rows = k === 0 ? 0 : values.numel / k;
    if (k > FEW) {
      const lines = linesOf(x.shape, dim);
      writePlaces(run, sortLines(run, x, lines, { descending: largest }), lines, k, indices);
      gatherInto(run, x, indices, values, dim);
      return;
    }
    const lanes = length < WG || (rows >= 1024 && length <= 1024) ? 1 : WG;
    const variant = kernel.variant(
      { T: x.dtype, LANES: `${lanes}u`, before: beforeText(x, attrs) },
      `${largest ? "largest" : "smallest"} ${x.dtype} nan=${nan} lanes=${lanes}`,
    );
    variant.launch(run, { x, values, indices }, { rows, k, length, inner }, grid1d(rows * lanes, WG));
  },
  divisions: ([x], _, { dim }) => alike(otherDims(x, dim), 1, 2),
  saves: () => ({ inputs: [], outputs: [1] }),
  vjp: ([dy], c) => [scatterAdd(dy, c.output(1), c.attrs.dim, c.inputSpecs[0].shape)],
};

/** A row that no binding holds: the best of each part of it, and of those the best. */
function inStages(run: Run, x: Tensor, values: Tensor, indices: Tensor, attrs: TopkAttrs): void {
  const { dim } = attrs;
  const length = x.shape[dim] ?? 1;
  const most = Math.floor((bindingElements(run.device.info) * length) / x.numel);
  const candidates: Tensor[] = [];
  const positions: Tensor[] = [];
  scope(() =>
    noGrad(() => {
      for (const [first, count] of ranges(length, most)) {
        const part = narrow(x, dim, first, count);
        const [best, at] = apply(topkOp, [part], { ...attrs, k: Math.min(attrs.k, count) });
        part.dispose();
        candidates.push(best);
        positions.push(binary(binaries.add, at, full([], first, { dtype: "i32", device: x.device })));
      }
      const [best, at] = apply(topkOp, [cat(candidates, dim)], attrs);
      run.queue.copy(best.storage, values.storage);
      run.queue.copy(gather(cat(positions, dim), dim, at).storage, indices.storage);
    }),
  );
}

/** The k largest (or smallest) elements along `dim`, best first, and their i32 positions; of equal ones the first, and NaN larger than any number. @see https://pytorch.org/docs/stable/generated/torch.topk.html */
export function topk(x: Tensor, k: number, dim = -1, largest = true): { values: Tensor; indices: Tensor } {
  const nan = largest ? "first" : "last";
  const attrs = { op: "topk", k, dim: normalizeDim("topk", dim, rowRank(x.shape)), largest, nan } as const;
  const [values, indices] = apply(topkOp, [x], attrs);
  return { values, indices };
}

/** i32 positions of the best element along `dim`, or in the flattened tensor. */
function argBest(op: string, x: Tensor, dim: number | undefined, options: ReduceOptions, largest: boolean): Tensor {
  const keepdim = keepdimOf(op, options);
  return scope(() => {
    const row = dim === undefined ? view(op, x, [x.numel]) : x;
    const d = dim === undefined ? 0 : normalizeDim(op, dim, rowRank(x.shape));
    check(row.shape[d] !== 0, () => `[${op}] input ${show(x.shape)} has no elements along dimension ${dim ?? 0}`);
    const [, indices] = apply(topkOp, [row.detach()], { op, k: 1, dim: d, largest, nan: "first" } as const);
    const ones: Shape = x.shape.map((n, i) => (dim === undefined || i === d ? 1 : n));
    return view(op, indices, keepdim ? ones : dim === undefined ? [] : x.shape.filter((_, i) => i !== d));
  });
}

/** Position (i32) of the largest element along `dim`, or in the flattened tensor; of equal ones the first, and NaN before any number. */
export const argmax = (x: Tensor, dim?: number, options: ReduceOptions = {}): Tensor =>
  argBest("argmax", x, dim, options, true);

/** Position (i32) of the smallest element along `dim`, or in the flattened tensor; of equal ones the first, and NaN before any number. */
export const argmin = (x: Tensor, dim?: number, options: ReduceOptions = {}): Tensor =>
  argBest("argmin", x, dim, options, false);
