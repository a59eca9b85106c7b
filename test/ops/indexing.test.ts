// Reading and writing by index, against PyTorch.
import { describe, expect, test } from "vitest";
import {
  capture,
  DtypeError,
  indexAdd,
  indexCopy,
  memory,
  nn,
  noGrad,
  randn,
  ShapeError,
  scatter,
  scatterAdd,
  scope,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from "wgrad";
import { withDevice } from "../support/case.ts";
import { type GoldenCase, goldenCases } from "../support/golden-layers.ts";

const F = nn.functional;
withDevice();

const i32 = (values: number | number[] | number[][]) => tensor(values, { dtype: "i32" });
/** Whole numbers below `bound`, as scripts/golden/layers_indexing.py has them. */
const ints = (shape: readonly number[], bound: number, step = 7): Tensor =>
  tensor(
    Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (step * i + Math.floor(i / 3)) % bound),
    { shape },
  );

const cases: Record<string, GoldenCase> = {
  Embedding: { make: () => new nn.Embedding(11, 5), inputs: [() => ints([4, 6], 11)] },
  "Embedding paddingIdx": { make: () => new nn.Embedding(7, 4, { paddingIdx: -2 }), inputs: [() => ints([20], 7)] },
  "Embedding of many": { make: () => new nn.Embedding(50, 3), inputs: [() => ints([300], 50, 13)] },
  "Embedding maxNorm": { make: () => new nn.Embedding(6, 4, { maxNorm: 0.4 }), inputs: [() => ints([3, 2], 6)] },
  "embedding maxNorm of another norm": {
    call: (_, [i, w]) => scope(() => F.embedding(i!, w!.detach(), { maxNorm: 0.9, normType: 1 })),
    inputs: [() => ints([3, 2], 6), [6, 4]],
  },
  scatter: {
    call: (_, [x, s]) =>
      scope(() =>
        scatter(
          x!,
          0,
          i32([
            [0, 2, 1],
            [3, 0, 4],
          ]),
          s!,
        ),
      ),
    inputs: [
      [5, 3],
      [2, 3],
    ],
  },
  "scatter of a number": { call: (_, [x]) => scope(() => scatter(x!, 1, i32([[0], [2]]), 1.5)), inputs: [[3, 4]] },
  "scatter of a larger source": {
    call: (_, [x, s]) => scope(() => scatter(x!, 1, i32([[0], [2]]), s!)),
    inputs: [
      [3, 4],
      [3, 2],
    ],
  },
  scatterAdd: {
    call: (_, [x, s]) => scope(() => scatterAdd(x!, 1, ints([4, 70], 5), s!)),
    inputs: [
      [4, 5],
      [4, 70],
    ],
  },
  "scatterAdd inside": {
    call: (_, [x, s]) => scope(() => scatterAdd(x!, 1, ints([2, 20, 3], 5), s!)),
    inputs: [
      [3, 5, 4],
      [2, 20, 3],
    ],
  },
  indexAdd: {
    call: (_, [x, s]) => scope(() => indexAdd(x!, 1, ints([9], 4), s!)),
    inputs: [
      [2, 4, 3],
      [2, 9, 3],
    ],
  },
  indexCopy: {
    call: (_, [x, s]) => scope(() => indexCopy(x!, 0, i32([4, 0, 2]), s!)),
    inputs: [
      [5, 3],
      [3, 3],
    ],
  },
  "indexAdd of a scalar": { call: (_, [x, s]) => scope(() => indexAdd(x!, 0, i32([0, 0]), s!)), inputs: [[], [2]] },
};
goldenCases("indexing", cases);

describe("embedding", () => {
  test("a table starts with zeros in the padding row, which stays so", async () => {
    const layer = new nn.Embedding(4, 3, { paddingIdx: 1 });
    const first = await layer.weight.array();
    expect((first as number[][])[1]).toEqual([0, 0, 0]);
    expect((first as number[][])[3]).not.toEqual([0, 0, 0]);
    expect(String(layer)).toBe("Embedding(4, 3, paddingIdx: 1)");
    const table = tensor([
      [1, 2],
      [3, 4],
    ]);
    const [frozen, learns] = [
      nn.Embedding.fromPretrained(table),
      nn.Embedding.fromPretrained(table, { freeze: false }),
    ];
    expect([frozen.weight.requiresGrad, learns.weight.requiresGrad]).toEqual([false, true]);
    const index = i32([1, 1]);
    const y = frozen.forward(index);
    expect(await y.array()).toEqual([
      [3, 4],
      [3, 4],
    ]);
    for (const t of [...layer.parameters(), ...frozen.parameters(), ...learns.parameters(), table, index, y])
      t.dispose();
  });

  test("maxNorm changes the rows that are read, in the table", async () => {
    const table = tensor([
      [3, 4],
      [30, 40],
      [0.3, 0.4],
    ]);
    const index = i32([0, 2, 0]);
    F.embedding(index, table, { maxNorm: 1 }).dispose();
    const rows = (await table.array()) as number[][];
    expect(rows[0]![0]).toBeCloseTo(0.6, 5);
    expect(rows[1]).toEqual([30, 40]);
    expect(rows[2]![1]).toBeCloseTo(0.4, 6);
    for (const t of [table, index]) t.dispose();
  });

  test("captured: new indices give the gradients of those rows", async () => {
    const table = zeros([40, 2], { requiresGrad: true });
    const step = capture((index: Tensor) => {
      table.grad = null;
      F.embedding(index, table).sum().backward();
      return [];
    });
    for (const hot of [3, 17, 39]) {
      const index = tensor(new Int32Array(50).fill(hot));
      step(index);
      const grad = (await table.grad!.array()) as number[][];
      expect(grad.map(([a]) => a)).toEqual(grad.map((_, i) => (i === hot ? 50 : 0)));
      index.dispose();
    }
    step.dispose();
    table.dispose();
  });

  test("indices out of range, other dtypes and shapes are told", async () => {
    const table = zeros([3, 2]);
    const [wrong, floats] = [i32([0, 3]), zeros([2])];
    const y = F.embedding(wrong, table);
    await expect(y.data()).rejects.toThrow(
      new ValueError("[embedding] an index is 3, but the dimension has 3 elements and takes 0 to 2"),
    );
    expect(() => F.embedding(floats, table)).toThrow(DtypeError);
    expect(() => F.embedding(wrong, floats)).toThrow(ShapeError);
    expect(() => F.embedding(wrong, table, { paddingIdx: 3 })).toThrow(
      /paddingIdx must be a whole number from -3 to 2/,
    );
    for (const t of [table, wrong, floats, y]) t.dispose();
  });
});

describe("scatter", () => {
  test("integers; of equal positions the last one stays; nothing of no indices", async () => {
    const x = i32([1, 2, 3]);
    const index = i32([2, 0, 2]);
    const [source, none] = [i32([10, 20, 30]), zeros([0], { dtype: "i32" })];
    const results = [
      scatter(x, 0, index, source),
      scatterAdd(x, 0, index, source),
      indexCopy(x, 0, index, source),
      scatterAdd(x, 0, none, none),
    ];
    expect(await Promise.all(results.map((y) => y.array()))).toEqual([
      [20, 2, 30],
      [21, 2, 43],
      [20, 2, 30],
      [1, 2, 3],
    ]);
    for (const t of [x, index, source, none, ...results]) t.dispose();
  });

  test.each(["scatterAdd", "indexAdd"] as const)("%s of index -1: an error from the next read", async (name) => {
    const [x, index, source] = [zeros([2]), i32([0, -1]), zeros([2])];
    const y = { scatterAdd, indexAdd }[name](x, 0, index, source);
    await expect(y.data()).rejects.toThrow(
      `[${name}] an index is -1, but the dimension has 2 elements and takes 0 to 1`,
    );
    for (const t of [x, index, source, y]) t.dispose();
  });

  test("a sum over a hundred thousand of one index is exact to f32", async () => {
    const values = Float32Array.from({ length: 100_000 }, () => 0.1);
    const [x, source] = [zeros([3]), tensor(values)];
    const index = tensor(new Int32Array(100_000).fill(1));
    const y = scatterAdd(x, 0, index, source);
    const sum = (await y.data())[1]!;
    expect(Math.abs(sum - 100_000 * Math.fround(0.1))).toBeLessThan(0.05);
    for (const t of [x, source, index, y]) t.dispose();
  });

  test("shapes that do not fit are told", () => {
    const before = memory().tensors;
    scope(() => {
      const [x, index] = [zeros([2, 3]), zeros([2, 3], { dtype: "i32" })];
      expect(() => scatterAdd(x, 0, zeros([3], { dtype: "i32" }), x)).toThrow(ShapeError);
      expect(() => scatter(x, 0, index, zeros([1, 3]))).toThrow(/source \[1, 3\] must be as large as index \[2, 3\]/);
      expect(() => indexAdd(x, 0, index, x)).toThrow(/one dimension/);
      expect(() => indexCopy(x, 1, i32([0]), x)).toThrow(/1 slices of \[2, 3\] along dimension 1 have \[2, 1\]/);
      expect(() => scatter(x, 0, index, x.to("i32"))).toThrow(DtypeError);
    });
    noGrad(() => randn([1]).dispose());
    expect(memory().tensors).toBe(before);
  });
});
