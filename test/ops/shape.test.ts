// Rearrangements: views, permute, transpose, expand, slices, flip, pad, cat, stack, where, and their gradients.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cat, type Dtype, ShapeError, stack, type Tensor, tensor, ValueError, where } from "wgrad";
import type { SliceRange } from "../../src/ops/movement.ts";
import { broadcast, build, eachIndex, flat, narrowed, sumTo } from "../reference/indexing.ts";
import { edge, type OpCase, seed, testCase, withDevice } from "../support/case.ts";
import { type HostArray, host, integers, sizeOf, uniform } from "../support/host.ts";

withDevice();

/** Where each output element comes from: a flat position in the input, or null for a constant. */
type Source = (index: readonly number[]) => number | null;

/** An operation that only moves elements, by its source map; its gradient is the transpose of that map. */
interface Move {
  readonly shape: readonly number[];
  readonly outShape: readonly number[];
  readonly source: Source;
  readonly run: (x: Tensor) => Tensor;
  readonly constant?: number;
}

function moveCase(name: string, moves: fc.Arbitrary<Move>, dtype: Dtype = "f32", runs = 20): OpCase<Move> {
  return {
    name: `${name} ${dtype}`,
    draw: fc.record({ move: moves, seed }).map(({ move, seed }) => ({
      inputs: [dtype === "f32" ? uniform(move.shape, seed) : { ...integers(move.shape, seed, 0, 1000), dtype }],
      attrs: move,
    })),
    run: ([x], { run }) => run(x!),
    reference: ([x], { outShape, source, constant = 0 }) =>
      build(
        outShape,
        (index) => {
          const at = source(index);
          return at === null ? constant : x!.data[at]!;
        },
        x!,
      ),
    ...(dtype === "f32"
      ? {
          vjp: ([dy], [x], { source }) => {
            const dx = host(x!.shape);
            eachIndex(dy!.shape, (index, i) => {
              const at = source(index);
              if (at !== null) dx.data[at]! += dy!.data[i]!;
            });
            return [dx];
          },
        }
      : {}),
    K: (_, { outShape }) => sizeOf(outShape),
    scale: () => 1,
    runs,
  };
}

const size = edge(8);
const shape = fc.array(fc.constantFrom<number[]>(1, 2, 3, 5, 7), { minLength: 1, maxLength: 5 });

const permutes = fc.tuple(shape, fc.array(fc.nat(), { minLength: 5, maxLength: 5 })).map(([shape, keys]): Move => {
  const order = shape.map((_, d) => d).sort((a, b) => keys[a]! - keys[b]!);
  return {
    shape,
    outShape: order.map((d) => shape[d]!),
    run: (x) => x.permute(order),
    source: (index) => {
      const from = new Array<number>(shape.length);
      for (const [i, d] of order.entries()) from[d] = index[i]!;
      return flat(shape, from);
    },
  };
});

const expands = fc
  .tuple(shape, fc.array(fc.constantFrom(1, 2, 4), { maxLength: 2 }), fc.nat({ max: 31 }))
  .map(([sizes, lead, mask]): Move => {
    const from = sizes.map((n, d) => ((mask >> d) & 1 ? 1 : n));
    const outShape = [...lead, ...sizes];
    return { shape: from, outShape, run: (x) => x.expand(outShape), source: (i) => flat(from, narrowed(i, from)) };
  });

const range = (n: number): fc.Arbitrary<SliceRange> =>
  fc.oneof(
    fc.constant(null),
    fc.integer({ min: -n, max: n - 1 }),
    fc.tuple(
      fc.integer({ min: -n - 2, max: n + 2 }),
      fc.integer({ min: -n - 2, max: n + 2 }),
      fc.integer({ min: 1, max: 3 }),
    ),
    fc.tuple(fc.integer({ min: -n, max: n })),
  );

/** Python's slice.indices. */
function positions(r: SliceRange, n: number): number[] {
  if (typeof r === "number") return [r < 0 ? r + n : r];
  const [start, stop, step = 1] = r ?? [];
  const clip = (i: number) => Math.min(Math.max(i < 0 ? i + n : i, 0), n);
  const out: number[] = [];
  for (let i = clip(start ?? 0); i < clip(stop ?? n); i += step) out.push(i);
  return out;
}

const slices = shape
  .chain((shape) => fc.record({ shape: fc.constant(shape), ranges: fc.tuple(...shape.map(range)) }))
  .map(({ shape, ranges }): Move => {
    const lists = ranges.map((r, d) => positions(r, shape[d]!));
    const keptDims = shape.map((_, d) => d).filter((d) => typeof ranges[d] !== "number");
    return {
      shape,
      outShape: keptDims.map((d) => lists[d]!.length),
      run: (x) => x.slice(ranges),
      source: (index) => {
        const from = lists.map((list) => list[0]!);
        for (const [i, d] of keptDims.entries()) from[d] = lists[d]![index[i]!]!;
        return flat(shape, from);
      },
    };
  });

const flips = fc.tuple(shape, fc.nat({ max: 31 })).map(([shape, mask]): Move => {
  const dims = shape.map((_, d) => d).filter((d) => (mask >> d) & 1);
  return {
    shape,
    outShape: shape,
    run: (x) => x.flip(dims),
    source: (index) =>
      flat(
        shape,
        index.map((i, d) => (dims.includes(d) ? shape[d]! - 1 - i : i)),
      ),
  };
});

/** Pads and crops up to the last three dimensions. */
const pads = fc
  .tuple(shape, fc.array(fc.integer({ min: -2, max: 3 }), { minLength: 6, maxLength: 6 }))
  .map(([shape, amounts]): Move => {
    const dims = Math.min(3, shape.length);
    const padding: number[] = [];
    const before = shape.map(() => 0);
    const outShape = [...shape];
    for (let k = 0; k < dims; k++) {
      const d = shape.length - 1 - k;
      const left = Math.max(amounts[2 * k]!, 1 - shape[d]!);
      const right = Math.max(amounts[2 * k + 1]!, 1 - shape[d]! - Math.min(left, 0));
      padding.push(left, right);
      before[d] = left;
      outShape[d] = shape[d]! + left + right;
    }
    return {
      shape,
      outShape,
      constant: 7,
      run: (x) => x.pad(padding, 7),
      source: (index) => {
        const from = index.map((i, d) => i - before[d]!);
        return from.every((i, d) => i >= 0 && i < shape[d]!) ? flat(shape, from) : null;
      },
    };
  });

describe("moving elements", () => {
  for (const dtype of ["f32", "i32", "u32"] as const) {
    const runs = dtype === "f32" ? 30 : 4;
    testCase(moveCase("permute", permutes, dtype, runs));
    testCase(moveCase("expand", expands, dtype, runs));
    testCase(moveCase("slice", slices, dtype, runs));
    testCase(moveCase("flip", flips, dtype, runs));
    testCase(moveCase("pad", pads, dtype, runs));
  }
});

describe("joining", () => {
  testCase<{ dim: number }>({
    name: "cat",
    draw: fc
      .record({
        sizes: fc.array(size, { minLength: 1, maxLength: 4 }),
        n: size,
        m: size,
        dim: fc.integer({ min: 0, max: 2 }),
        seed,
      })
      .map(({ sizes, n, m, dim, seed }) => ({
        inputs: sizes.map((s, i) =>
          uniform(
            [n, m, 2].map((d, k) => (k === dim ? s : d)),
            seed + i,
          ),
        ),
        attrs: { dim },
      })),
    run: (inputs, { dim }) => cat(inputs, dim - 3),
    reference: (inputs, { dim }) => {
      const total = inputs.reduce((sum, x) => sum + x.shape[dim]!, 0);
      return build(
        inputs[0]!.shape.map((n, d) => (d === dim ? total : n)),
        (index) => {
          let at = index[dim]!;
          let k = 0;
          while (at >= inputs[k]!.shape[dim]!) at -= inputs[k++]!.shape[dim]!;
          const x = inputs[k]!;
          return x.data[
            flat(
              x.shape,
              index.map((i, d) => (d === dim ? at : i)),
            )
          ]!;
        },
      );
    },
    vjp: ([dy], inputs, { dim }) => {
      let start = 0;
      return inputs.map((x) => {
        const from = start;
        start += x.shape[dim]!;
        return build(
          x.shape,
          (index) =>
            dy!.data[
              flat(
                dy!.shape,
                index.map((i, d) => (d === dim ? i + from : i)),
              )
            ]!,
        );
      });
    },
  });

  test("stack, split, chunk, select, narrow", async () => {
    const a = tensor([1, 2, 3], { requiresGrad: true });
    const b = tensor([4, 5, 6], { requiresGrad: true });
    const s0 = stack([a, b]);
    const s1 = stack([a, b], -1);
    expect(await s0.array()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(await s1.array()).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
    const parts = [...s0.split(2, 1), ...s0.split([1, 2], 1), ...s1.chunk(2), s0.select(0, -1), s0.narrow(1, 1, 2)];
    expect(await Promise.all(parts.map((t) => t.array()))).toEqual([
      [
        [1, 2],
        [4, 5],
      ],
      [[3], [6]],
      [[1], [4]],
      [
        [2, 3],
        [5, 6],
      ],
      [
        [1, 4],
        [2, 5],
      ],
      [[3, 6]],
      [4, 5, 6],
      [
        [2, 3],
        [5, 6],
      ],
    ]);
    const sums = parts.map((t) => t.sum());
    for (const s of sums) s.backward(null, { retainGraph: true });
    expect(await a.grad!.array()).toEqual([3, 4, 4]);
    expect(await b.grad!.array()).toEqual([4, 5, 5]);
    for (const t of [a, b, s0, s1, ...parts, ...sums]) t.dispose();
  });
});

describe("where", () => {
  const shapes = fc.constantFrom(
    [
      [4, 5],
      [4, 5],
      [4, 5],
    ],
    [[5], [4, 5], []],
    [[4, 1], [5], [3, 1, 5]],
    [[1], [7], [1]],
    [
      [2, 3, 1, 2],
      [3, 4, 1],
      [2, 1, 1, 1],
    ],
  );
  for (const dtype of ["i32", "f32"] as const) {
    testCase<null>({
      name: `where on ${dtype}`,
      draw: fc.record({ shapes, seed }).map(({ shapes: [c, a, b], seed }) => ({
        inputs: [{ ...integers(c!, seed, -1, 2), dtype }, uniform(a!, seed + 1), uniform(b!, seed + 2)],
        attrs: null,
      })),
      run: ([c, a, b]) => where(c!, a!, b!),
      reference: (inputs) => {
        const [c, a, b] = spread(inputs);
        return build(c.shape, (i) => (c.data[flat(c.shape, i)] !== 0 ? a : b).data[flat(c.shape, i)]!);
      },
      vjp: ([dy], inputs) => {
        const [c] = spread(inputs);
        const part = (chosen: boolean, x: HostArray) =>
          sumTo(
            host(
              dy!.shape,
              dy!.data.map((g, i) => ((c.data[i] !== 0) === chosen ? g : 0)),
            ),
            x.shape,
          );
        return [null, part(true, inputs[1]!), part(false, inputs[2]!)];
      },
      K: ([c, a, b]) => Math.max(...[c, a, b].map((t) => t!.data.length)),
      scale: () => 1,
      runs: 8,
    });
  }
  const spread = (inputs: readonly HostArray[]): HostArray[] & [HostArray, HostArray, HostArray] => {
    const rank = Math.max(...inputs.map((t) => t.shape.length));
    const shape = Array.from({ length: rank }, (_, i) =>
      Math.max(...inputs.map((t) => t.shape[i - rank + t.shape.length] ?? 1)),
    );
    return inputs.map((t) => broadcast(t, shape)) as HostArray[] & [HostArray, HostArray, HostArray];
  };

  test("numbers, negative zero and integers", async () => {
    const x = tensor([-0, 2, -3]);
    const i = tensor([5, 6, 7], { dtype: "i32" });
    const results = [where(x, 1, 2), where(x, i, -1), where(i, x, 0)];
    expect(await Promise.all(results.map((t) => t.array()))).toEqual([
      [2, 1, 1],
      [-1, 6, 7],
      [-0, 2, -3],
    ]);
    expect(results.map((t) => t.dtype)).toEqual(["f32", "i32", "f32"]);
    expect(() => where(i, x, i)).toThrow(/\[where\] chooses between tensors of one dtype, got f32 and i32/);
    for (const t of [x, i, ...results]) t.dispose();
  });
});

describe("views share storage and gradients", () => {
  test("reshape, view, flatten, squeeze, unsqueeze", async () => {
    const x = tensor([[[1, 2, 3]], [[4, 5, 6]]], { requiresGrad: true });
    const views = [
      x.reshape([3, -1]),
      x.view([6]),
      x.flatten(),
      x.flatten(1),
      x.squeeze(),
      x.squeeze(1),
      x.squeeze(0),
      x.unsqueeze(-1),
      x.unsqueeze(0),
      x.contiguous(),
    ];
    expect(views.map((t) => t.shape)).toEqual([
      [3, 2],
      [6],
      [6],
      [2, 3],
      [2, 3],
      [2, 3],
      [2, 1, 3],
      [2, 1, 3, 1],
      [1, 2, 1, 3],
      [2, 1, 3],
    ]);
    for (const v of views) expect(v.storage).toBe(x.storage);
    const y = views[0]!.square();
    const s = y.sum();
    s.backward();
    expect(await x.grad!.array()).toEqual([[[2, 4, 6]], [[8, 10, 12]]]);
    for (const t of [...views, y, s]) t.dispose();
    expect((await x.data())[5]).toBe(6);
    x.dispose();
  });
});

test("bad input names the operation and the shapes", () => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  const y = tensor([1, 2]);
  const message = (fn: () => unknown, text: string | RegExp, Kind: typeof ShapeError) => {
    expect(fn).toThrow(text);
    expect(fn).toThrow(Kind);
  };
  message(() => x.reshape([4]), "[reshape] shape [2, 3] has 6 elements and cannot become [4]", ShapeError);
  message(() => x.reshape([-1, 4]), "[reshape] shape [2, 3] with 6 elements cannot become [-1, 4]", ShapeError);
  message(
    () => x.permute([0, 0]),
    "[permute] order [0, 0] must name each of the 2 dimensions of [2, 3] once",
    ShapeError,
  );
  message(() => x.expand([2, 4]), "[expand] shape [2, 3] does not broadcast to [2, 4]", ShapeError);
  message(() => x.slice([5]), "[slice] index 5 is out of range for dimension 0 of [2, 3]", ValueError);
  message(() => x.slice([null, [0, 3, -1]]), /step of at least 1: use flip\(\)/, ValueError);
  message(() => x.narrow(1, 2, 2), "[narrow] 2 elements from 2 on do not exist in dimension 1 of [2, 3]", ShapeError);
  message(() => x.split([1, 1], 1), "[split] sizes [1, 1] add up to 2, but dimension 1 of [2, 3] has 3", ShapeError);
  message(() => cat([x, y]), "[cat] tensor 1 has shape [2], tensor 0 has [2, 3]", ShapeError);
  message(() => cat([]), "[cat] needs at least one tensor", ValueError);
  message(() => stack([x, y]), "[stack] tensor 1 has shape [2] but tensor 0 has [2, 3]", ShapeError);
  message(() => x.pad([1]), /\[pad\] padding \[1\]/, ValueError);
  message(() => x.pad([-2, -2]), "[pad] crops more of [2, 3] than there is", ShapeError);
  message(() => x.unsqueeze(4), "[unsqueeze] dimension 4 does not exist", ShapeError);
  x.dispose();
  y.dispose();
});
