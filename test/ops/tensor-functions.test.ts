// What golden files do not hold: integers, empty shapes, what waits for the device, what is written in place, random draws, errors.
import { describe, expect, test } from "vitest";
import * as w from "wgrad";
import {
  DtypeError,
  manualSeed,
  noGrad,
  ShapeError,
  StateError,
  scope,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from "wgrad";
import { withDevice } from "../support/case.ts";

withDevice();

const i32 = (values: w.NestedArray) => tensor(values, { dtype: "i32" });
const { NaN: NAN, POSITIVE_INFINITY: INF } = Number;

/** The values of what `run` gives; whatever it made is freed. */
async function valuesOf(run: () => Tensor | readonly Tensor[]): Promise<w.NestedArray> {
  const results = scope(() => [run()].flat() as Tensor[]);
  const values = await Promise.all(results.map((t) => t.array()));
  for (const t of results) t.dispose();
  return values.length === 1 ? values[0]! : values;
}

describe("precision", () => {
  const small = [1e-6, -1e-6, 1e-4, 1e-3, 0.01, 0.1, 0.3, 0.49];
  test.each([
    ["log1p", w.log1p, Math.log1p, [...small, -0.3, -0.6, -0.999, 0.51, 2, 1e6]],
    ["expm1", w.expm1, Math.expm1, [...small, -0.3, -0.51, -20, 0.51, 2, 80]],
    ["sinh", w.sinh, Math.sinh, [...small, -0.3, 1.5, -3, 20, 89]],
    ["cosh", w.cosh, Math.cosh, [...small, 1.5, -3, 20, 89]],
    ["asin", w.asin, Math.asin, [...small, 0.51, 0.9, 0.9999, -1]],
    ["acos", w.acos, Math.acos, [0, 0.1, -0.4, 0.5, 0.9, 0.9999, 0.999999, -0.9, -1]],
    ["atan", w.atan, Math.atan, [...small, 0.9, 2, 3, -100, 1e9]],
    ["tan", w.tan, Math.tan, [...small, 1, 1.5, -2, 10, 1000]],
    ["log2", w.log2, Math.log2, [0.1, 0.5, 3, 1e10, 1e-10]],
    ["log10", w.log10, Math.log10, [0.1, 0.5, 3, 1e10, 1e-10]],
  ] as const)("%s keeps its relative precision", async (_, run, f, at) => {
    const x = tensor([...at]);
    const y = run(x);
    const got = await y.data();
    for (const [i, v] of at.entries()) {
      const want = f(Math.fround(v));
      expect(Math.abs(got[i]! - want) / Math.abs(want), `at ${v}`).toBeLessThan(2e-6);
    }
    x.dispose();
    y.dispose();
  });

  test("remainders of large quotients are exact", async () => {
    const pairs = [
      [1e30, 7],
      [3e38, 1e-3],
      [16777216, 0.1],
      [-1e10, 3.3],
    ].map((pair) => pair.map(Math.fround));
    const got = await valuesOf(() => w.fmod(tensor(pairs.map(([a]) => a!)), tensor(pairs.map(([, b]) => b!))));
    expect(got).toEqual(pairs.map(([a, b]) => a! % b!));
  });
});

describe("integers, and nothing", () => {
  test("scans, sorts, products and copies of integers", async () => {
    const x = i32([
      [3, 1, 2],
      [0, -5, 4],
    ]);
    const u = tensor(Uint32Array.of(4_000_000_000, 1, 2_147_483_648));
    const results = [
      () => w.cumsum(x, 1),
      () => w.cumprod(x, 0),
      () => w.prod(x, 1),
      () => w.sort(x, 1).indices,
      () => w.sort(u).values,
      () => w.sort(i32(7)).values,
      () => w.argsort(u, 0, true),
      () => w.einsum("ij,kj->ik", x, x),
      () => w.outer(i32([1, 2]), i32([3, 4])),
      () => w.triu(x, 1),
      () => w.floorDivide(x, 2),
      () => w.remainder(7, i32([3, -3, 0])),
      () => w.div(x, 4),
      () => w.eye(2, 3, { dtype: "i32" }),
      () => w.linspace(0, 10, 4, { dtype: "i32" }),
      () => w.isfinite(x),
    ];
    expect(await Promise.all(results.map(valuesOf))).toEqual([
      [
        [3, 4, 6],
        [0, -5, -1],
      ],
      [
        [3, 1, 2],
        [0, -5, 8],
      ],
      [6, 0],
      [
        [1, 2, 0],
        [1, 0, 2],
      ],
      [1, 2_147_483_648, 4_000_000_000],
      7,
      [0, 2, 1],
      [
        [14, 3],
        [3, 41],
      ],
      [
        [3, 4],
        [6, 8],
      ],
      [
        [0, 1, 2],
        [0, 0, 4],
      ],
      [
        [1, 0, 1],
        [0, -3, 2],
      ],
      [1, -2, 0],
      [
        [0.75, 0.25, 0.5],
        [0, -1.25, 1],
      ],
      [
        [1, 0, 0],
        [0, 1, 0],
      ],
      [0, 3, 6, 10],
      [
        [1, 1, 1],
        [1, 1, 1],
      ],
    ]);
    x.dispose();
    u.dispose();
  });

  test("of no elements", async () => {
    const shapes = scope(() => {
      const [none, rows] = [zeros([0]), zeros([2, 0])];
      return [
        w.cumsum(none, 0),
        w.sort(rows, 1).values,
        w.sort(rows, 0).indices,
        w.roll(none, 3),
        w.repeat(rows, [2, 3]),
        w.tril(rows),
        w.diag(none),
        w.diagonal(rows),
        w.log1p(none),
        w.logsumexp(rows, 1),
        w.einsum("ij,kj->ik", rows, zeros([3, 0])),
        w.index(zeros([2, 3]), [zeros([0], { dtype: "i32" })]),
        w.scatterAdd(none, 0, zeros([0], { dtype: "i32" }), none),
        w.prod(rows, 1),
      ].map((t) => [...t.shape]);
    });
    expect(shapes).toEqual([[0], [2, 0], [2, 0], [0], [4, 0], [2, 0], [0, 0], [0], [0], [2], [2, 3], [0, 3], [0], [2]]);
    expect(await valuesOf(() => [w.prod(zeros([2, 0]), 1), w.logsumexp(zeros([2, 0]), 1), w.prod(zeros([0]))])).toEqual(
      [[1, 1], [-INF, -INF], 1],
    );
    expect(await valuesOf(() => w.einsum("ij,kj->ik", zeros([1, 0]), zeros([2, 0])))).toEqual([[0, 0]]);
  });

  test("a hundred thousand elements sort as on the host, equal ones in their order", async () => {
    const values = Float32Array.from({ length: 100_003 }, (_, i) => ((i * 7919) % 1000) - 500);
    const x = tensor(values);
    const { values: sorted, indices } = w.sort(x);
    const order = [...values.keys()].sort((a, b) => values[a]! - values[b]! || a - b);
    expect(await indices.data()).toEqual(Int32Array.from(order));
    expect(await sorted.data()).toEqual(Float32Array.from(order, (i) => values[i]!));
    for (const t of [x, sorted, indices]) t.dispose();
  });

  test("truth from JavaScript is i32", async () => {
    const x = tensor([
      [true, false],
      [false, true],
    ]);
    const mixed = tensor([true, 2.5]);
    expect([x.dtype, mixed.dtype]).toEqual(["i32", "f32"]);
    expect([await x.array(), await mixed.array()]).toEqual([
      [
        [1, 0],
        [0, 1],
      ],
      [1, 2.5],
    ]);
    x.dispose();
    mixed.dispose();
  });
});

describe("creation", () => {
  test("like another tensor", async () => {
    const x = i32([[1, 2, 3]]);
    const made = [w.zerosLike(x), w.onesLike(x, { dtype: "f32" }), w.fullLike(x, 7), w.emptyLike(x)];
    expect(made.map((t) => [t.dtype, ...t.shape])).toEqual([
      ["i32", 1, 3],
      ["f32", 1, 3],
      ["i32", 1, 3],
      ["i32", 1, 3],
    ]);
    expect(await made[2]!.array()).toEqual([[7, 7, 7]]);
    manualSeed(3);
    const [a, b] = [w.randLike(x), w.randnLike(x, { requiresGrad: true })];
    manualSeed(3);
    const [c, d] = [w.rand([1, 3]), w.randn([1, 3])];
    expect([await a.array(), await b.array(), b.requiresGrad]).toEqual([await c.array(), await d.array(), true]);
    for (const t of [x, ...made, a, b, c, d]) t.dispose();
  });
});

describe("what waits for the device", () => {
  test("unique, nonzero, maskedSelect, bincount", async () => {
    const x = tensor([3, 1, NAN, 3, -1, 1, 1]);
    const found = await w.unique(x, { returnInverse: true, returnCounts: true });
    expect(await found.values.array()).toEqual([-1, 1, 3, NAN]);
    expect(await found.inverse!.array()).toEqual([2, 1, 3, 2, 0, 1, 1]);
    expect(await found.counts!.array()).toEqual([1, 3, 2, 1]);
    const grid = tensor(
      [
        [0, 2],
        [NAN, 0],
        [-3, -0],
      ],
      { requiresGrad: true },
    );
    const at = await w.nonzero(grid);
    expect(await at.array()).toEqual([
      [0, 1],
      [1, 0],
      [2, 0],
    ]);
    const mask = i32([1, 0]);
    const chosen = await w.maskedSelect(grid, mask);
    expect(await chosen.array()).toEqual([0, NAN, -3]);
    scope(() => chosen.sum().backward());
    expect(await grid.grad!.array()).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
    ]);
    const numbers = i32([4, 1, 1, 0]);
    const weights = tensor([0.5, 1, 2, 4]);
    const counts = [await w.bincount(numbers, { minlength: 6 }), await w.bincount(numbers, { weights })];
    expect(await Promise.all(counts.map((t) => t.array()))).toEqual([
      [1, 2, 0, 0, 1, 0],
      [4, 3, 0, 0, 0.5],
    ]);
    const rest = [found.values, found.inverse!, found.counts!, at, mask, chosen, numbers, weights, ...counts];
    for (const t of [x, grid, ...rest]) t.dispose();
  });
});

describe("multinomial", () => {
  test("draws in proportion, and never what has no probability", async () => {
    manualSeed(5);
    const p = tensor([
      [1, 0, 3, 0],
      [0, 5, 0, 5],
    ]);
    const y = w.multinomial(p, 8000, { replacement: true });
    const rows = (await y.array()) as number[][];
    const share = (row: number, value: number) => rows[row]!.filter((v) => v === value).length / 8000;
    // Four standard deviations of a share.
    expect(Math.abs(share(0, 2) - 0.75)).toBeLessThan(4 * Math.sqrt((0.75 * 0.25) / 8000));
    expect(share(0, 0) + share(0, 2)).toBe(1);
    expect(Math.abs(share(1, 1) - 0.5)).toBeLessThan(4 * Math.sqrt(0.25 / 8000));
    expect(share(1, 1) + share(1, 3)).toBe(1);
    p.dispose();
    y.dispose();
  });

  test("without replacement: each once, the likely ones first more often", async () => {
    manualSeed(6);
    const p = scope(() => tensor([1, 2, 4, 0]).expand([3000, 4]));
    const y = w.multinomial(p, 3);
    const rows = (await y.array()) as number[][];
    for (const row of rows) expect([...row].sort()).toEqual([0, 1, 2]);
    const first = rows.filter(([a]) => a === 2).length / 3000;
    expect(Math.abs(first - 4 / 7)).toBeLessThan(4 * Math.sqrt(((4 / 7) * 3) / 7 / 3000));
    p.dispose();
    y.dispose();
  });

  test.each([[[0, 0]], [[NAN, 1]]])("probabilities %j are told by the next read", async (row) => {
    const p = tensor(row);
    const y = w.multinomial(p, 1);
    await expect(y.data()).rejects.toThrow(/\[multinomial\] the probabilities of row 0 add up to no positive number/);
    p.dispose();
    y.dispose();
  });
});

describe("in place", () => {
  test("slices, elements by index, and functions", async () => {
    const x = zeros([3, 4]);
    const row = tensor([1, 2]);
    expect(w.setSlice(x, [0, [1, 3]], row)).toBe(x);
    w.setSlice(x, [[1, 3], -1], 5);
    w.setSlice(x, [2, [0, null, 2]], scopeless([[7, 8]]));
    expect(await x.array()).toEqual([
      [0, 1, 2, 0],
      [0, 0, 0, 5],
      [7, 0, 8, 5],
    ]);
    const [i, j, half] = [i32([0, 0]), i32([3, 3]), scopeless([0.5, 0.25])];
    w.indexPut_(x, [i, j], half, { accumulate: true });
    w.indexPut_(x, [i], -1);
    expect(await x.array()).toEqual([
      [-1, -1, -1, -1],
      [0, 0, 0, 5],
      [7, 0, 8, 5],
    ]);
    const end = w.full([4], 9);
    w.lerp_(x, end, 0.5);
    w.clamp_(x, { max: 8 });
    const mask = i32([0, 0, 0, 1]);
    w.maskedFill_(x, mask, 0);
    const [index, ones] = [i32([[0], [1], [0]]), w.full([3, 1], 1)];
    w.scatter_(x, 1, index, 2);
    w.scatterAdd_(x, 1, index, ones);
    const rows = [i32([2, 2]), w.full([2, 4], 10)] as const;
    w.indexAdd_(x, 0, ...rows);
    expect(await x.array()).toEqual([
      [3, 4, 4, 0],
      [4.5, 3, 4.5, 0],
      [23, 24.5, 28, 20],
    ]);
    const whole = i32([1, 2, 3, 4]);
    const part = scope(() => whole.slice([[0, 2]]).detach());
    w.setSlice(whole, [[2, 4]], part);
    expect(await whole.array()).toEqual([1, 2, 1, 2]);
    for (const t of [...made.splice(0), x, row, i, j, end, mask, index, ones, ...rows, whole, part]) t.dispose();
  });

  test("a tensor that requires a gradient is refused on the tape", () => {
    const x = zeros([2, 2], { requiresGrad: true });
    const i = i32([0]);
    expect(() => w.setSlice(x, [0], 1)).toThrow(StateError);
    expect(() => w.lerp_(x, x, 0.5)).toThrow(StateError);
    expect(() => w.indexPut_(x, [i], 1)).toThrow(StateError);
    noGrad(() => w.setSlice(x, [0], 1));
    x.dispose();
    i.dispose();
  });
});
const made: Tensor[] = [];
const scopeless = (values: w.NestedArray): Tensor => {
  const t = tensor(values);
  made.push(t);
  return t;
};

test("arguments that do not fit are told", async () => {
  const [x, m] = [zeros([3]), zeros([2, 3])];
  const index = i32([0, 5]);
  expect(() => w.einsum("ij,jk", m)).toThrow(/2 terms stand for 1 tensors/);
  expect(() => w.einsum("ij->ii", m)).toThrow(/a letter stands twice in the result/);
  expect(() => w.einsum("ij->k", m)).toThrow(/k of the result is in no term/);
  expect(() => w.einsum("ii", m)).toThrow(/i stands for both 2 and 3 elements/);
  expect(() => w.einsum("ij,jk->ik", m, m)).toThrow(ShapeError);
  expect(() => w.einsum("i1", m)).toThrow(ValueError);
  expect(() => w.einsum("ijk", m)).toThrow(/does not have as many dimensions as tensor 0, \[2, 3\]/);
  expect(() => w.sub(1, 2 as never)).toThrow(/one side must be a tensor/);
  expect(() => w.bmm(m, m)).toThrow(/batch of matrices/);
  expect(() => scope(() => w.addmm(zeros([7]), m, m))).toThrow(ShapeError);
  expect(() => w.div(m, m, { roundingMode: "up" as never })).toThrow(ValueError);
  expect(() => w.repeat(m, [2])).toThrow(/tile takes fewer/);
  expect(() => w.roll(m, [1, 2], 0)).toThrow(ValueError);
  expect(() => w.multinomial(x, 4)).toThrow(/4 of 3 positions/);
  expect(() => w.log1p(index)).toThrow(DtypeError);
  expect(() => w.index(m, [null])).toThrow(/at least one index tensor/);
  expect(() => w.setSlice(m, [0], m)).toThrow(/does not broadcast to the part \[3\] of \[2, 3\]/);
  const y = w.index(m, [null, index]);
  await expect(y.data()).rejects.toThrow("[index] an index is 5, but the dimension has 3 elements and takes -3 to 2");
  const classes = w.nn.functional.oneHot(index, 3);
  await expect(classes.data()).rejects.toThrow("[oneHot] an index is 5");
  for (const t of [x, m, index, y, classes]) t.dispose();
});

describe("gradients of gradients", () => {
  const unary = {
    ...{ log1p: w.log1p, expm1: w.expm1, log2: w.log2, log10: w.log10, exp2: w.exp2, tan: w.tan, asin: w.asin },
    ...{ acos: w.acos, atan: w.atan, sinh: w.sinh, cosh: w.cosh, erfc: w.erfc },
  };
  test.each(Object.entries(unary))("%s: recorded, the gradient is the same, and has one", async (_, f) => {
    const x = tensor([0.2, 0.35, 0.5, 0.8], { requiresGrad: true });
    const h = 1 / 64;
    const gradientAt = async (shift: number): Promise<Float64Array> => {
      const at = tensor(
        [0.2, 0.35, 0.5, 0.8].map((v) => v + shift),
        { requiresGrad: true },
      );
      scope(() => f(at).sum().backward());
      const values = Float64Array.from(await at.grad!.data());
      at.dispose();
      return values;
    };
    const [plain, above, below] = [await gradientAt(0), await gradientAt(h), await gradientAt(-h)];
    const [first, second] = scope(() => {
      const [g] = w.grad(f(x).sum(), [x], { createGraph: true });
      const [gg] = w.grad(g!.sum(), [x]);
      return [g!.detach(), gg!] as const;
    });
    const [got, got2] = [await first.data(), await second.data()];
    for (let i = 0; i < 4; i++) {
      expect(Math.abs(got[i]! - plain[i]!)).toBeLessThan(1e-5 * Math.max(1, Math.abs(plain[i]!)));
      const difference = (above[i]! - below[i]!) / (2 * h);
      expect(Math.abs(got2[i]! - difference)).toBeLessThan(0.02 * Math.max(1, Math.abs(difference)));
    }
    for (const t of [x, first, second]) t.dispose();
  });

  test("an embedding's padding row has none; what is read twice counts twice", async () => {
    const table = tensor([[1], [2], [3]], { requiresGrad: true });
    const index = i32([0, 1, 2, 2]);
    const second = scope(() => {
      const y = w.nn.functional.embedding(index, table, { paddingIdx: 1 });
      const [g] = w.grad(y.pow(3).sum(), [table], { createGraph: true });
      return w.grad(g!.sum(), [table])[0]!;
    });
    expect(await second.array()).toEqual([[6], [0], [36]]);
    for (const t of [table, index, second]) t.dispose();
  });
});
