// Rearrangements composed of slices, copies and views: roll, repeat, tile, repeatInterleave, unbind, meshgrid, takeAlongDim.
import { checkTensor } from "../autograd/run.ts";
import { check, checkOptions, checkWhole, ShapeError, told, ValueError } from "../errors.ts";
import { constantFrom } from "../tensor/create.ts";
import { scope } from "../tensor/scope.ts";
import { broadcastShapes, checkList, normalizeDim, rowRank, show, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { cat, split } from "./cat.ts";
import { gather, indexSelect } from "./gather.ts";
import { narrow } from "./movement.ts";
import { expand } from "./sum-expand.ts";
import { view } from "./view.ts";

/**
 * The elements moved on by `shifts` along `dims`, those that leave at the end coming in at the start; without `dims` in the
 * flattened tensor.
 * @throws ShapeError where there is no such dimension, ValueError for shifts that do not go with the dimensions.
 * @see https://pytorch.org/docs/stable/generated/torch.roll.html
 */
export function roll(x: Tensor, shifts: number | readonly number[], dims?: number | readonly number[]): Tensor {
  checkTensor("roll", "input", x);
  const by = typeof shifts === "number" ? [shifts] : shifts;
  checkList("roll", "shifts are a number or an array of them", by);
  for (const shift of by) checkWhole("roll", "a shift", shift);
  return scope(() => {
    if (dims === undefined) {
      check(by.length === 1, () => `[roll] without dims there is one shift, got ${show(by)}`, ValueError);
      return view("roll", roll(view("roll", x, [x.numel]), by, 0), x.shape);
    }
    const along = typeof dims === "number" ? [dims] : dims;
    checkList("roll", "dims are a number or an array of them", along);
    check(
      along.length === by.length && by.length > 0,
      () => `[roll] there must be one shift for each dimension, got ${show(by)} for ${show(along)}`,
      ValueError,
    );
    let y = view("roll", x, x.shape);
    for (const [i, dim] of along.entries()) {
      const d = normalizeDim("roll", dim, rowRank(x.shape));
      const n = x.shape[d] ?? 1;
      const shift = n > 0 ? (((by[i] ?? 0) % n) + n) % n : 0;
      if (shift > 0) y = cat([narrow(y, d, n - shift, shift), narrow(y, d, 0, n - shift)], d);
    }
    return y;
  });
}

/** x beside itself `times[d]` times along each dimension d of `shape`, which x has at its end. */
function repeated(name: string, x: Tensor, times: readonly number[]): Tensor {
  checkTensor(name, "input", x);
  checkList(name, "the repetitions are an array of numbers", times);
  for (const n of times) checkWhole(name, "each repetition", n, 0);
  const before = times.length - x.ndim;
  return scope(() => {
    const sizes = times.map((_, d) => x.shape[d - before] ?? 1);
    const apart = view(
      name,
      x,
      sizes.flatMap((n) => [1, n]),
    );
    const all = expand(
      apart,
      sizes.flatMap((n, d) => [times[d] ?? 1, n]),
    );
    return view(
      name,
      all,
      sizes.map((n, d) => n * (times[d] ?? 1)),
    );
  });
}

/**
 * x beside itself, `times[d]` times along each dimension; more numbers than x has dimensions make new leading ones. f32, i32 or u32.
 * @throws ValueError for fewer numbers than x has dimensions.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.repeat.html
 */
export function repeat(x: Tensor, times: readonly number[]): Tensor {
  checkTensor("repeat", "input", x);
  checkList("repeat", "the repetitions are an array of numbers", times);
  check(
    times.length >= x.ndim,
    () => `[repeat] ${show(times)} must have a number for each dimension of ${show(x.shape)}: tile takes fewer`,
    ValueError,
  );
  return repeated("repeat", x, times);
}

/** As `repeat`; dimensions without a number, the first ones, stay. @see https://pytorch.org/docs/stable/generated/torch.tile.html */
export function tile(x: Tensor, times: readonly number[]): Tensor {
  checkTensor("tile", "input", x);
  checkList("tile", "the repetitions are an array of numbers", times);
  const missing = Math.max(0, x.ndim - times.length);
  return repeated("tile", x, [...new Array<number>(missing).fill(1), ...times]);
}

/**
 * Each element (or slice along `dim`) repeated: all as often, or each of them as often as an array says. Without `dim` those of
 * the flattened tensor. f32, i32 or u32.
 * @throws ValueError for repetitions that do not fit. @throws ShapeError where there is no such dimension.
 * @see https://pytorch.org/docs/stable/generated/torch.repeat_interleave.html
 */
export function repeatInterleave(x: Tensor, repeats: number | readonly number[], dim?: number): Tensor {
  checkTensor("repeatInterleave", "input", x);
  return scope(() => {
    const row = dim === undefined || x.ndim === 0 ? view("repeatInterleave", x, [x.numel]) : x;
    const d = normalizeDim("repeatInterleave", dim ?? 0, row.ndim);
    const n = row.shape[d] ?? 1;
    if (typeof repeats === "number") {
      checkWhole("repeatInterleave", "the number of repetitions", repeats, 0);
      const [before, after] = [row.shape.slice(0, d + 1), row.shape.slice(d + 1)];
      const apart = view("repeatInterleave", row, [...before, 1, ...after]);
      const all = expand(apart, [...before, repeats, ...after]);
      return view(
        "repeatInterleave",
        all,
        row.shape.map((size, i) => (i === d ? n * repeats : size)),
      );
    }
    checkList("repeatInterleave", "the repetitions are a number or an array of them", repeats);
    for (const count of repeats) checkWhole("repeatInterleave", "each repetition", count, 0);
    check(
      repeats.length === n,
      () => `[repeatInterleave] ${repeats.length} repetitions were given for ${n} elements along dimension ${d}`,
      ValueError,
    );
    const index = Int32Array.from(repeats.flatMap((count, i) => new Array<number>(count).fill(i)));
    return indexSelect(row, d, constantFrom(index, [index.length], "i32", { device: x.device }));
  });
}

/** The slices along `dim` (default 0), which goes away. Copies. @see https://pytorch.org/docs/stable/generated/torch.unbind.html */
export function unbind(x: Tensor, dim = 0): Tensor[] {
  checkTensor("unbind", "input", x);
  const d = normalizeDim("unbind", dim, x.ndim);
  const rest = x.shape.filter((_, i) => i !== d);
  return scope(() => split(x, new Array<number>(x.shape[d] ?? 0).fill(1), d).map((part) => view("unbind", part, rest)));
}

/** What `meshgrid` takes beside the coordinates. */
export interface MeshgridOptions {
  /** "ij" (default): dimension k of the results is that of tensor k; "xy": the first two are swapped, as of pictures. */
  indexing?: "ij" | "xy";
}

/**
 * Coordinates of a grid: of vectors (or scalars) of lengths a, b, ... as many tensors [a, b, ...], each the values of one of them along
 * its dimension.
 * @throws ShapeError for more than one dimension, ValueError for an empty list.
 * @see https://pytorch.org/docs/stable/generated/torch.meshgrid.html
 */
export function meshgrid(tensors: readonly Tensor[], options: MeshgridOptions = {}): Tensor[] {
  check(Array.isArray(tensors), () => `[meshgrid] takes an array of tensors, got ${told(tensors)}`, ValueError);
  check(tensors.length > 0, () => "[meshgrid] needs at least one tensor, got an empty list", ValueError);
  checkOptions("meshgrid", options, ["indexing"]);
  const { indexing = "ij" } = options;
  check(
    indexing === "ij" || indexing === "xy",
    () => `[meshgrid] indexing must be "ij" or "xy", got ${told(indexing)}`,
    ValueError,
  );
  for (const [i, t] of Array.from(tensors).entries()) {
    checkTensor("meshgrid", i, t);
    check(t.ndim <= 1, () => `[meshgrid] tensor ${i} must have one dimension, got ${show(t.shape)}`, ShapeError);
  }
  const swap = indexing === "xy" && tensors.length > 1;
  const place = (i: number) => (swap && i < 2 ? 1 - i : i);
  const shape = tensors.map((_, d) => tensors[place(d)]?.numel ?? 1);
  return tensors.map((t, i) =>
    scope(() =>
      expand(
        view(
          "meshgrid",
          t,
          shape.map((_, d) => (d === place(i) ? t.numel : 1)),
        ),
        shape,
      ),
    ),
  );
}

/**
 * Elements by index, as `gather`, where x and index broadcast in the other dimensions; without `dim` those of the flattened
 * tensor: what `argsort` or `argmax` with keepdim gives.
 * @see https://pytorch.org/docs/stable/generated/torch.take_along_dim.html
 */
export function takeAlongDim(x: Tensor, index: Tensor, dim?: number): Tensor {
  checkTensor("takeAlongDim", "input", x);
  checkTensor("takeAlongDim", "index", index);
  return scope(() => {
    if (dim === undefined)
      return gather(view("takeAlongDim", x, [x.numel]), 0, view("takeAlongDim", index, [index.numel]));
    const d = normalizeDim("takeAlongDim", dim, x.ndim);
    check(
      x.ndim === index.ndim,
      () => `[takeAlongDim] index ${show(index.shape)} must have as many dimensions as input ${show(x.shape)}`,
    );
    const one = (shape: readonly number[]) => shape.map((n, i) => (i === d ? 1 : n));
    const around = broadcastShapes("takeAlongDim", one(x.shape), one(index.shape));
    const to = (t: Tensor) => {
      const shape = around.map((n, i) => (i === d ? (t.shape[d] ?? 1) : n));
      return sizeOf(shape) === t.numel ? t : expand(t, shape);
    };
    return gather(to(x), d, to(index));
  });
}
