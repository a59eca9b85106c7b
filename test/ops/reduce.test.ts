// Reductions over any dimensions, one pass and two, against f64 references and PyTorch's golden vectors.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { full, rand, scope, type Tensor, tensor } from "wgrad";
import { max, mean, min, norm, std, sum, variance } from "../../src/ops/reduce.ts";
import { broadcast, kept, map, reduce, reshaped } from "../reference/indexing.ts";
import { type Draw, edge, type OpCase, seed, testCase, withDevice } from "../support/case.ts";
import { type HostArray, host, integers, sizeOf, uniform } from "../support/host.ts";
import { expectClose } from "../support/tolerance.ts";

withDevice();

interface Attrs {
  readonly dims: number[];
  readonly keepdim: boolean;
}
type Reducer = (x: Tensor, dims?: number[], options?: { keepdim?: boolean; correction?: number }) => Tensor;

/** f of all elements of an output, and its gradient at each of them. */
interface Reference {
  readonly run: Reducer;
  readonly f: (v: number[]) => number;
  readonly df: (x: number, v: number[]) => number;
  readonly correction?: number;
}
const total = (v: number[]) => v.reduce((a, b) => a + b, 0);
const average = (v: number[]) => total(v) / v.length;
const spread = (v: number[], c: number) => total(v.map((x) => (x - average(v)) ** 2)) / (v.length - c);
const share = (best: number) => (x: number, v: number[]) => (x === best ? 1 / v.filter((y) => y === best).length : 0);
const references: Record<string, Reference> = {
  sum: { run: sum, f: total, df: () => 1 },
  mean: { run: mean, f: average, df: (_, v) => 1 / v.length },
  max: { run: max, f: (v) => Math.max(...v), df: (x, v) => share(Math.max(...v))(x, v) },
  min: { run: min, f: (v) => Math.min(...v), df: (x, v) => share(Math.min(...v))(x, v) },
  var: {
    run: variance,
    correction: 0,
    f: (v) => spread(v, 0),
    df: (x, v) => (2 * (x - average(v))) / v.length,
  },
  std: {
    run: std,
    correction: 0,
    f: (v) => Math.sqrt(spread(v, 0)),
    df: (x, v) => (x - average(v)) / (v.length * Math.sqrt(spread(v, 0))),
  },
  norm: {
    run: norm,
    f: (v) => Math.sqrt(total(v.map((x) => x * x))),
    df: (x, v) => x / Math.sqrt(total(v.map((y) => y * y))),
  },
};

/** Elements of each output, put where the elements are. */
function groups(x: HostArray, dims: readonly number[]): number[][] {
  const lists: number[][] = [];
  const ids = reduce(x, dims, (v) => lists.push(v) - 1);
  return [...broadcast(ids, x.shape).data].map((id) => lists[id]!);
}

const outShape = (x: HostArray, { dims, keepdim }: Attrs) =>
  keepdim ? kept(x.shape, dims) : x.shape.filter((_, d) => !dims.includes(d));

/** Shapes and dimensions around the edges of a team (64 lanes), of serial and of parallel plans, rank 1 to 4. */
const draw = (least: number): fc.Arbitrary<Draw<Attrs>> =>
  fc
    .record({
      n: edge(64),
      m: fc.integer({ min: least, max: 9 }),
      form: fc.integer({ min: 0, max: 9 }),
      keepdim: fc.boolean(),
      seed,
    })
    .map(({ n: size, m, form, keepdim, seed }) => {
      const n = Math.max(size, least);
      const [shape, dims] = (
        [
          [[n], [0]],
          [[m, n], [1]],
          [[n, m], [0]],
          [
            [m, n, 2],
            [0, 2],
          ],
          [[m, n, 2], [1]],
          [
            [2, m, 3, n],
            [1, 3],
          ],
          [
            [5, 2, 5, m, 3],
            [0, 2, 4],
          ],
          [
            [3, 2, 3, m, 2],
            [0, 2, 4],
          ],
          [
            [m, n],
            [0, 1],
          ],
          [
            [2, 1, n, m],
            [0, 1, 2],
          ],
        ] as [number[], number[]][]
      )[form]!;
      return { inputs: [uniform(shape, seed, -2, 2)], attrs: { dims, keepdim } };
    });

describe("device against reference", () => {
  for (const [name, { run, f, df, correction }] of Object.entries(references)) {
    const c: OpCase<Attrs> = {
      name,
      // The deviation of one element has no gradient.
      draw: draw(name === "std" ? 3 : 1),
      run: ([x], { dims, keepdim }) => run(x!, dims, { keepdim, ...(correction === undefined ? {} : { correction }) }),
      reference: ([x], attrs) => reshaped(reduce(x!, attrs.dims, f), outShape(x!, attrs)),
      vjp: ([dy], [x], attrs) => {
        const g = broadcast(reshaped(dy!, kept(x!.shape, attrs.dims)), x!.shape);
        const lists = groups(x!, attrs.dims);
        return [map(x!, (v, i) => g.data[i]! * df(v, lists[i]!))];
      },
      K: ([x], { dims }) => sizeOf(dims.map((d) => x!.shape[d]!)),
      // Sums of both signs may come to nothing.
      scale: ([x], { dims }) => (name === "mean" ? 1 / sizeOf(dims.map((d) => x!.shape[d]!)) : 1),
      runs: 14,
    };
    testCase(c);
  }
});

describe("integers", () => {
  for (const [name, run, f] of [
    ["sum", sum, total],
    ["max", max, (v: number[]) => Math.max(...v)],
    ["min", min, (v: number[]) => Math.min(...v)],
  ] as const) {
    testCase<Attrs>({
      name,
      draw: draw(1).map(({ inputs: [x], attrs }) => ({ inputs: [integers(x!.shape, 7, -900, 900)], attrs })),
      run: ([x], { dims, keepdim }) => run(x!, dims, { keepdim }),
      reference: ([x], attrs) => reshaped(reduce(x!, attrs.dims, f), outShape(x!, attrs)),
      runs: 8,
    });
  }
});

describe("long reductions are split over workgroups and stay exact", () => {
  test.each([
    [[1 << 18], undefined],
    [[3, 70_001], 1],
    [[70_001, 3], 0],
    [
      [2, 3, 20_000],
      [0, 2],
    ],
  ])("%j over %j", async (shape, dims) => {
    // Small whole numbers: every partial sum is exact in f32.
    const n = sizeOf(shape);
    const values = Float32Array.from({ length: n }, (_, i) => (i % 7) - 3);
    const x = tensor(values, { shape });
    const all = typeof dims === "number" ? [dims] : (dims ?? shape.map((_, d) => d));
    const ref = host(shape, values);
    const got = [sum(x, dims), max(x, dims), norm(x, dims)];
    const wanted = [total, (v: number[]) => v.reduce((a, b) => Math.max(a, b)), references.norm!.f];
    for (const [i, y] of got.entries()) {
      expectClose(await y.data(), reduce(ref, all, wanted[i]!), 1, String(i));
      y.dispose();
    }
    x.dispose();
  });
});

interface Golden {
  readonly op: string;
  readonly shape: number[];
  readonly period: number;
  readonly dims: number[];
  readonly keepdim: boolean;
  readonly correction?: number;
  readonly yShape: number[];
  readonly y: number[];
  readonly dx: number[];
}
const golden = JSON.parse(readFileSync(new URL("../golden/reduce.json", import.meta.url), "utf8")) as {
  cases: Golden[];
};

/** The formula of scripts/golden/reduce.py. */
const values = (shape: readonly number[], period: number): number[] =>
  Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 37 + 11) % period) / 8 - 1);

describe("against PyTorch, with ties", () => {
  test.each(golden.cases)("$op of $shape, every $period-th equal, over $dims", async (g) => {
    const x = tensor(Float32Array.from(values(g.shape, g.period)), { shape: g.shape, requiresGrad: true });
    const y = references[g.op]!.run(x, g.dims, {
      keepdim: g.keepdim,
      ...(g.correction === undefined ? {} : { correction: g.correction }),
    });
    expect(y.shape).toEqual(g.yShape);
    const dy = tensor(Float32Array.from(values(g.yShape, 29)), { shape: g.yShape });
    y.backward(dy);
    expectClose(await y.data(), host(g.yShape, g.y), 4, g.op);
    expectClose(await x.grad!.data(), host(g.shape, g.dx), 4, `${g.op} gradient`);
    for (const t of [x, y, dy]) t.dispose();
  });
});

test("edge cases: no dimensions, size 0, negative dimensions, all and any, norm at the origin", async () => {
  const scalar = tensor(3);
  const empty = tensor([[], []]);
  const x = tensor([
    [0, 2],
    [0, 0],
  ]);
  const zero = tensor([0, 0], { requiresGrad: true });
  const n = zero.norm();
  n.backward();
  const results = [scalar.sum(), empty.sum(), empty.sum(1), x.max(-1), x.any(1), x.all(0), x.any(), x.mean([]), n];
  // As in PyTorch an empty list of dimensions means all of them.
  const wanted = [3, 0, [0, 0], [2, 0], [1, 0], [0, 0], 1, 0.5, 0];
  for (const [i, t] of results.entries()) expect(await t.array(), String(i)).toEqual(wanted[i]);
  expect(await zero.grad!.array()).toEqual([0, 0]);
  expect(() => empty.max(1)).toThrow("[max] input [2, 0] has no elements along dimensions [1]");
  expect(() => x.sum(2)).toThrow("[sum] dimension 2 does not exist in a tensor of 2 dimensions");
  expect(() => x.sum([0, -2])).toThrow(/appears twice/);
  const whole = x.to("i32");
  expect(() => whole.mean()).toThrow(/\[mean\] input is i32/);
  for (const t of [whole, scalar, empty, x, zero, ...results]) t.dispose();
});

test("variance of numbers far from zero does not cancel", async () => {
  const x = rand([4096]);
  const y = x.add(1000);
  const [a, b] = [x.var(), y.var()];
  expect(Math.abs((await b.item()) / (await a.item()) - 1)).toBeLessThan(1e-3);
  for (const t of [x, y, a, b]) t.dispose();
});

describe("sums of millions of elements lose no more digits than PyTorch's", () => {
  // By hand to within an ulp of f32: n equal values, whose sum and root of squares are known.
  const value = Math.fround(0.1);
  const n = 2 ** 24;
  const cases: Record<string, [f: (x: Tensor) => Tensor, expected: number]> = {
    sum: [(x) => x.sum(), n * value],
    mean: [(x) => x.mean(), value],
    "sum(0) of [n / 4, 4]": [(x) => x.reshape([n / 4, 4]).sum(0), (n / 4) * value],
    "mean(1) of [4, n / 4]": [(x) => x.reshape([4, n / 4]).mean(1), value],
    norm: [(x) => x.norm(), value * Math.sqrt(n)],
  };
  test.each(Object.entries(cases))("%s", async (_, [f, expected]) => {
    const y = scope(() => f(full([n], value)));
    for (const got of await y.data()) expect(Math.abs(got / expected - 1)).toBeLessThan(1e-6);
    y.dispose();
  });
});
