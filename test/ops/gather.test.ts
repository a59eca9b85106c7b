// gather, indexSelect, topk, argmax and argmin, against f64 references and PyTorch's golden vectors.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DtypeError, type NestedArray, ShapeError, tensor, ValueError } from "wgrad";
import { build, eachIndex, flat } from "../reference/indexing.ts";
import { edge, seed, testCase, withDevice } from "../support/case.ts";
import { host, integers, sizeOf, uniform } from "../support/host.ts";
import { expectClose } from "../support/tolerance.ts";

withDevice();

const size = edge(8);
const replaced = (index: readonly number[], dim: number, value: number) => index.map((i, d) => (d === dim ? value : i));

describe("device against reference", () => {
  testCase<{ dim: number }>({
    name: "gather",
    draw: fc
      .record({ n: size, m: size, k: size, dim: fc.nat({ max: 2 }), fewer: fc.boolean(), seed })
      .map(({ n, m, k, dim, fewer, seed }) => {
        const shape = [n, m, 3];
        const indexShape = shape.map((s, d) => (d === dim ? k : fewer ? Math.ceil(s / 2) : s));
        return { inputs: [uniform(shape, seed), integers(indexShape, seed + 1, 0, shape[dim]!)], attrs: { dim } };
      }),
    run: ([x, index], { dim }) => x!.gather(dim, index!),
    reference: ([x, index], { dim }) =>
      build(index!.shape, (i) => x!.data[flat(x!.shape, replaced(i, dim, index!.data[flat(index!.shape, i)]!))]!),
    vjp: ([dy], [x, index], { dim }) => {
      const dx = host(x!.shape);
      eachIndex(index!.shape, (i, at) => {
        dx.data[flat(x!.shape, replaced(i, dim, index!.data[at]!))]! += dy!.data[at]!;
      });
      return [dx, null];
    },
    K: ([, index], { dim }) => index!.shape[dim]!,
    scale: () => 1,
    runs: 20,
  });

  testCase<{ dim: number }>({
    name: "indexSelect",
    draw: fc.record({ n: size, m: size, k: size, dim: fc.nat({ max: 2 }), seed }).map(({ n, m, k, dim, seed }) => {
      const shape = [n, m, 3];
      return { inputs: [uniform(shape, seed), integers([k], seed + 1, 0, shape[dim]!)], attrs: { dim } };
    }),
    run: ([x, index], { dim }) => x!.indexSelect(dim - 3, index!),
    reference: ([x, index], { dim }) =>
      build(
        x!.shape.map((n, d) => (d === dim ? index!.data.length : n)),
        (i) => x!.data[flat(x!.shape, replaced(i, dim, index!.data[i[dim]!]!))]!,
      ),
    vjp: ([dy], [x, index], { dim }) => {
      const dx = host(x!.shape);
      eachIndex(dy!.shape, (i, at) => {
        dx.data[flat(x!.shape, replaced(i, dim, index!.data[i[dim]!]!))]! += dy!.data[at]!;
      });
      return [dx, null];
    },
    K: ([, index]) => index!.data.length,
    scale: () => 1,
    runs: 20,
  });

  for (const dtype of ["f32", "i32"] as const) {
    testCase<{ dim: number; k: number; largest: boolean }>({
      name: `topk of ${dtype}`,
      draw: fc
        .record({
          n: edge(64),
          m: fc.integer({ min: 1, max: 5 }),
          dim: fc.nat({ max: 1 }),
          k: fc.integer({ min: 1, max: 5 }),
          largest: fc.boolean(),
          seed,
        })
        .map(({ n, m, dim, k, largest, seed }) => {
          const shape = dim === 0 ? [n, m] : [m, n];
          // Few distinct values: ties.
          const x = { ...integers(shape, seed, -5, 20), dtype };
          return { inputs: [x], attrs: { dim, k: Math.min(k, n), largest } };
        }),
      run: ([x], { dim, k, largest }) => {
        const { values, indices } = x!.topk(k, dim, largest);
        return [values, indices];
      },
      reference: ([x], { dim, k, largest }) => {
        const shape = x!.shape.map((n, d) => (d === dim ? k : n));
        const indices = build(shape, (i) => order(x!, i, dim, largest)[i[dim]!]!, host([], [], "i32"));
        return [
          build(shape, (i) => x!.data[flat(x!.shape, replaced(i, dim, indices.data[flat(shape, i)]!))]!, x!),
          indices,
        ];
      },
      ...(dtype === "f32"
        ? {
            vjp: ([dy], [x], { dim, largest }) => {
              const dx = host(x!.shape);
              eachIndex(dy!.shape, (i, at) => {
                dx.data[flat(x!.shape, replaced(i, dim, order(x!, i, dim, largest)[i[dim]!]!))]! += dy!.data[at]!;
              });
              return [dx];
            },
          }
        : {}),
      step: 0,
      runs: 12,
    });
  }
});

/** Positions along `dim`, best first, of equal values the first. */
function order(
  x: { shape: readonly number[]; data: Float64Array },
  index: readonly number[],
  dim: number,
  largest: boolean,
): number[] {
  const value = (j: number) => x.data[flat(x.shape, replaced(index, dim, j))]!;
  return Array.from({ length: x.shape[dim]! }, (_, j) => j).sort(
    (a, b) => (largest ? value(b) - value(a) : value(a) - value(b)) || a - b,
  );
}

interface Case {
  readonly shape: number[];
  readonly dim: number;
  readonly yShape: number[];
  readonly y: number[];
  readonly dx: number[];
}
const golden = JSON.parse(readFileSync(new URL("../golden/reduce.json", import.meta.url), "utf8")) as {
  arg: { shape: number[]; period: number; dim: number; argmax: number[]; argmin: number[] }[];
  topk: (Case & { k: number; largest: boolean; indices: number[] })[];
  gather: (Case & { index: NestedArray })[];
};

/** The formula of scripts/golden/reduce.py. */
const values = (shape: readonly number[], period: number) =>
  Float32Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 37 + 11) % period) / 8 - 1);

describe("against PyTorch", () => {
  test.each(golden.topk)("topk $k of $shape along $dim", async (g) => {
    const x = tensor(values(g.shape, 101), { shape: g.shape, requiresGrad: true });
    const { values: y, indices } = x.topk(g.k, g.dim, g.largest);
    const dy = tensor(values(g.yShape, 29), { shape: g.yShape });
    y.backward(dy);
    expectClose(await y.data(), host(g.yShape, g.y), 1, "values");
    expect([...(await indices.data())]).toEqual(g.indices);
    expectClose(await x.grad!.data(), host(g.shape, g.dx), 1, "gradient");
    for (const t of [x, y, indices, dy]) t.dispose();
  });

  test.each(golden.gather)("gather from $shape along $dim", async (g) => {
    const x = tensor(values(g.shape, 31), { shape: g.shape, requiresGrad: true });
    const index = tensor(g.index, { dtype: "i32" });
    const y = x.gather(g.dim, index);
    const dy = tensor(values(g.yShape, 29), { shape: g.yShape });
    y.backward(dy);
    expectClose(await y.data(), host(g.yShape, g.y), 1, "values");
    expectClose(await x.grad!.data(), host(g.shape, g.dx), 1, "gradient");
    for (const t of [x, index, y, dy]) t.dispose();
  });

  test.each(golden.arg)("argmax and argmin of $shape along $dim: the first of equal values", async (g) => {
    const x = tensor(values(g.shape, g.period), { shape: g.shape });
    const results = [x.argmax(g.dim), x.argmin(g.dim), x.argmax(g.dim, { keepdim: true })];
    expect(results.map((t) => t.dtype)).toEqual(["i32", "i32", "i32"]);
    expect([...(await results[0]!.data())]).toEqual(g.argmax);
    expect([...(await results[1]!.data())]).toEqual(g.argmin);
    expect(results[0]!.shape).toEqual(g.shape.filter((_, d) => d !== g.dim));
    expect(results[2]!.shape).toEqual(g.shape.map((n, d) => (d === g.dim ? 1 : n)));
    for (const t of [x, ...results]) t.dispose();
  });
});

test("argmax of everything, of long rows, of integers, of extremes", async () => {
  const long = new Float32Array(200_000).fill(-3e38);
  long[131_072] = -2.9e38;
  const [a, b] = [tensor(long), tensor(Int32Array.from([3, -(2 ** 31), 2 ** 31 - 1, 7]), { shape: [2, 2] })];
  const results = [a.argmax(), b.argmin(), b.argmax(), b.argmax(1)];
  expect(await Promise.all(results.map((t) => t.array()))).toEqual([131_072, 1, 2, [0, 0]]);
  for (const t of [a, b, ...results]) t.dispose();
});

test("bad input", () => {
  const x = tensor(
    [
      [1, 2],
      [3, 4],
    ],
    { requiresGrad: true },
  );
  const floats = tensor([0, 1]);
  const index = tensor([[0], [1], [1]], { dtype: "i32" });
  expect(() => x.gather(0, floats)).toThrow(DtypeError);
  expect(() => x.gather(0, floats)).toThrow('[gather] index is f32 but must be i32: convert it with .to("i32")');
  expect(() => x.gather(1, index)).toThrow(ShapeError);
  expect(() => x.indexSelect(0, index)).toThrow("[indexSelect] index must have one dimension, got [3, 1]");
  expect(() => x.topk(3)).toThrow("[topk] 3 elements were asked for, but dimension 1 of [2, 2] has 2");
  expect(() => x.topk(3)).toThrow(ValueError);
  for (const t of [x, floats, index]) t.dispose();
});

test.each([
  ["gather", -1],
  ["gather", 2],
  ["indexSelect", -1],
  ["indexSelect", 7],
] as const)("%s of index %i: an error from the next read, and none after it", async (op, wrong) => {
  const x = tensor([1, 2]);
  const index = tensor([0, wrong], { dtype: "i32" });
  const y = x[op](0, index);
  await expect(y.data()).rejects.toThrow(
    new ValueError(`[${op}] an index is ${wrong}, but the dimension has 2 elements and takes 0 to 1`),
  );
  expect(await x.array()).toEqual([1, 2]);
  for (const t of [x, index, y]) t.dispose();
});
