// Every row of the binary table with broadcasting, and against PyTorch's golden vectors; numbers on the right.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DtypeError, ShapeError, type Tensor, tensor, ValueError } from "wgrad";
import { type BinaryOp, type BinaryRow, binary } from "../../src/ops/binary.ts";
import * as binaries from "../../src/ops/binary-rows.ts";
import { binaryReferences } from "../reference/elementwise.ts";
import { broadcast, map, sumTo } from "../reference/indexing.ts";
import { edge, type OpCase, seed, testCase, withDevice } from "../support/case.ts";
import { type HostArray, host, integers, uniform } from "../support/host.ts";
import { expectClose } from "../support/tolerance.ts";

withDevice();

type BinaryName = keyof typeof binaries;
const ops = { ...binaries };

/** Pairs of shapes that broadcast: same, a row, a column, both, a scalar; further ones walk three dimensions and more. */
const shapes = (forms: number) =>
  fc.record({ n: edge(8), m: edge(8), form: fc.integer({ min: 0, max: forms - 1 }) }).map(({ n, m, form }) => {
    const pairs = [
      { a: [n, m], b: [n, m] },
      { a: [n, m], b: [m] },
      { a: [n, 1], b: [n, m] },
      { a: [n, 1], b: [1, m] },
      { a: [], b: [n] },
      { a: [m], b: [2, n, m] },
      { a: [2, n, 1, m], b: [n, 3, 1] },
      { a: [2, 1, n, 1, m], b: [1, 3, 1, 2, 1] },
    ];
    return pairs[form]!;
  });

type Reference = (a: number, b: number) => number;

const d = (ref: Reference, a: number, b: number, da: number, db: number): number =>
  (ref(a + da, b + db) - ref(a - da, b - db)) / (2 * (da + db));

function cases(name: BinaryName, row: BinaryRow, dtype: "f32" | "i32" | "u32"): OpCase<null> {
  const { ref, domain } = binaryReferences[name];
  const h = 1e-6;
  const spread = (a: HostArray, b: HostArray) => {
    const shape = broadcastShape(a.shape, b.shape);
    return [broadcast(a, shape), broadcast(b, shape)] as const;
  };
  return {
    name: `${name} ${dtype}`,
    draw: fc.record({ shapes: shapes(name === "add" ? 8 : 5), seed }).map(({ shapes: { a, b }, seed }) => ({
      inputs: [a, b].map((shape, i) => {
        if (dtype !== "f32") return { ...integers(shape, seed + i, dtype === "u32" ? 0 : -4, 5), dtype };
        // a and b never closer than the step of the difference.
        const x = uniform(shape, seed + i, ...domain);
        return map(x, (v) => Math.floor(v * 512) / 512 + i / 2048);
      }),
      attrs: null,
    })),
    run: ([a, b]) => binary(ops[name], a!, b!),
    reference: ([a, b]) => {
      const [x, y] = spread(a!, b!);
      return { ...map(x, (v, i) => ref(v, y.data[i]!)), dtype: row.result ?? dtype };
    },
    ...(row.vjp && dtype === "f32"
      ? {
          vjp: ([dy], [a, b]) => {
            const [x, y] = spread(a!, b!);
            const da = map(x, (v, i) => dy!.data[i]! * d(ref, v, y.data[i]!, h, 0));
            const db = map(x, (v, i) => dy!.data[i]! * d(ref, v, y.data[i]!, 0, h));
            return [sumTo(da, a!.shape), sumTo(db, b!.shape)];
          },
        }
      : {}),
    step: 0,
    scale: () => 1,
    K: ([a, b]) => Math.max(a!.data.length, b!.data.length),
    runs: row.vjp && dtype === "f32" ? 12 : 4,
  };
}

function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => Math.max(a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1));
}

describe("device against reference", () => {
  for (const [key, { row }] of Object.entries(ops) as [BinaryName, BinaryOp][]) {
    for (const dtype of ["f32", "i32", "u32"] as const) {
      // Unsigned differences would wrap.
      if (!(row.dtypes ?? ["f32", "i32", "u32"]).includes(dtype) || (dtype === "u32" && key === "sub")) continue;
      testCase(cases(key, row, dtype));
    }
  }
});

interface Golden {
  readonly name: BinaryName;
  readonly a: number[];
  readonly b: number[];
  readonly y: number[];
  readonly da: number[];
  readonly db: number[];
}
const golden = (
  JSON.parse(readFileSync(new URL("../golden/elementwise.json", import.meta.url), "utf8")) as { binary: Golden[] }
).binary;

describe("against PyTorch", () => {
  test.each(golden)("$name", async (g) => {
    for (const [i, a] of g.a.entries()) expect(binaryReferences[g.name].ref(a, g.b[i]!)).toBeCloseTo(g.y[i]!, 12);
    const [a, b] = [tensor(g.a, { requiresGrad: true }), tensor(g.b, { requiresGrad: true })];
    const y = binary(ops[g.name], a, b);
    const dy = tensor(g.a.map(() => 1));
    y.backward(dy);
    const shape = [g.a.length];
    expectClose(await y.data(), host(shape, g.y), 1, g.name);
    expectClose(await a.grad!.data(), host(shape, g.da), 1, `${g.name} da`);
    expectClose(await b.grad!.data(), host(shape, g.db), 1, `${g.name} db`);
    for (const t of [a, b, y, dy]) t.dispose();
  });
});

describe("a number on the right", () => {
  const numbers: [string, (x: Tensor) => Tensor, (x: number) => number, (x: number) => number][] = [
    ["add", (x) => x.add(1.5), (x) => x + 1.5, () => 1],
    ["sub", (x) => x.sub(1.5), (x) => x - 1.5, () => 1],
    ["mul", (x) => x.mul(-2), (x) => -2 * x, () => -2],
    ["div", (x) => x.div(4), (x) => x / 4, () => 0.25],
    ["pow 2", (x) => x.pow(2), (x) => x * x, (x) => 2 * x],
    ["pow 3", (x) => x.pow(3), (x) => x ** 3, (x) => 3 * x * x],
    ["maximum", (x) => x.maximum(0.5), (x) => Math.max(x, 0.5), (x) => (x > 0.5 ? 1 : 0)],
    ["minimum", (x) => x.minimum(0.5), (x) => Math.min(x, 0.5), (x) => (x < 0.5 ? 1 : 0)],
    ["clamp", (x) => x.clamp({ max: 1 }), (x) => Math.min(x, 1), (x) => (x <= 1 ? 1 : 0)],
    ["neg", (x) => x.neg(), (x) => -x, () => -1],
  ];
  test.each(numbers)("%s, f32, with its gradient", async (name, run, ref, df) => {
    const values = [-2.5, -1, 0.25, 1, 3];
    const x = tensor(values, { requiresGrad: true });
    const y = run(x);
    const s = y.sum();
    s.backward();
    expectClose(await y.data(), host([5], values.map(ref)), 1, name);
    expectClose(await x.grad!.data(), host([5], values.map(df)), 1, `${name} gradient`);
    for (const t of [x, y, s]) t.dispose();
  });

  test("integers stay integers", async () => {
    const x = tensor([-3, 0, 7], { dtype: "i32" });
    const u = tensor([1, 2, 4_000_000_000], { dtype: "u32" });
    const results = [
      x.add(2),
      x.mul(-3),
      x.neg(),
      x.abs(),
      x.square(),
      x.clamp(-1, 2),
      x.gt(0),
      x.eq(7),
      u.sub(1),
      u.ge(2),
    ];
    const values = [
      [-1, 2, 9],
      [9, 0, -21],
      [3, 0, -7],
      [3, 0, 7],
      [9, 0, 49],
      [-1, 0, 2],
      [0, 0, 1],
      [0, 0, 1],
      [0, 1, 3_999_999_999],
      [0, 1, 1],
    ];
    for (const [i, t] of results.entries()) {
      expect(await t.array()).toEqual(values[i]);
      expect(t.dtype).toBe(i === 8 ? "u32" : "i32");
      t.dispose();
    }
    expect(() => x.add(0.5)).toThrow(ValueError);
    expect(() => x.div(2)).toThrow(/\[div\] input is i32 but must be f32/);
    x.dispose();
    u.dispose();
  });
});

test("bad input names the operation and both shapes or dtypes", () => {
  const a = tensor([[1, 2, 3]]);
  const b = tensor([1, 2]);
  const c = tensor([1, 2, 3], { dtype: "i32" });
  expect(() => a.add(b)).toThrow("[add] shapes [1, 3] and [2] do not broadcast");
  expect(() => a.add(b)).toThrow(ShapeError);
  expect(() => a.mul(c)).toThrow(/\[mul\].*f32 and i32/);
  expect(() => a.mul(c)).toThrow(DtypeError);
  for (const t of [a, b, c]) t.dispose();
});
