// matmul with transposes (through its gradients), batches and vectors; linear. With subgroups and without.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linear, matmul } from "../../src/ops/matmul.ts";
import { type Draw, eachVariant, edge, type OpCase, seed, testCase, withDevice } from "../support/case.ts";
import { type HostArray, host, sizeOf, uniform, upload } from "../support/host.ts";
import { expectClose } from "../support/tolerance.ts";

/** Batched product in f64; leading dimensions broadcast. */
function product(a: HostArray, b: HostArray, ta = false, tb = false): HostArray {
  const dims = (s: HostArray, t: boolean) =>
    t ? [s.shape.at(-1)!, s.shape.at(-2)!] : [s.shape.at(-2)!, s.shape.at(-1)!];
  const [m, k] = dims(a, ta) as [number, number];
  const [, n] = dims(b, tb) as [number, number];
  const lead = a.shape.length >= b.shape.length ? a.shape.slice(0, -2) : b.shape.slice(0, -2);
  const c = host([...lead, m, n]);
  for (let z = 0; z < sizeOf(lead); z++) {
    const za = a.shape.length > 2 ? z * m * k : 0;
    const zb = b.shape.length > 2 ? z * k * n : 0;
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++)
        for (let q = 0; q < k; q++)
          c.data[(z * m + i) * n + j]! +=
            a.data[za + (ta ? q * m + i : i * k + q)]! * b.data[zb + (tb ? j * k + q : q * n + j)]!;
  }
  return c;
}

function sumLead(t: HostArray, rank: number): HostArray {
  if (t.shape.length === rank) return t;
  const out = host(t.shape.slice(-rank));
  t.data.forEach((x, i) => {
    out.data[i % out.data.length]! += x;
  });
  return out;
}

const plain: fc.Arbitrary<Draw<null>> = fc
  .record({ m: edge(16), n: edge(32), k: edge(8), batch: fc.constantFrom("none", "both", "left", "right"), seed })
  .map(({ m, n, k, batch, seed }) => ({
    inputs: [
      uniform([...(batch === "both" || batch === "left" ? [3] : []), m, k], seed),
      uniform([...(batch === "both" || batch === "right" ? [3] : []), k, n], seed + 1),
    ],
    attrs: null,
  }));

const matmulCase: OpCase<null> = {
  name: "matmul",
  draw: plain,
  run: ([a, b]) => matmul(a!, b!),
  reference: ([a, b]) => product(a!, b!),
  vjp: ([dc], [a, b]) => [
    sumLead(product(dc!, b!, false, true), a!.shape.length),
    sumLead(product(a!, dc!, true, false), b!.shape.length),
  ],
  K: ([a, b]) => Math.max(...a!.shape.slice(-2), b!.shape.at(-1)!) * 3,
  // Terms of size 1 may cancel.
  scale: () => 1,
  runs: 40,
};

/** Rows that begin at multiples of four, so that either operand and its gradients may be read in vectors. */
const fours = fc.constantFrom(4, 12, 20, 36, 68);
const alignedCase: OpCase<null> = {
  ...matmulCase,
  name: "matmul of whole vectors",
  draw: fc.record({ m: fours, n: fours, k: fours, batch: fc.boolean(), seed }).map(({ m, n, k, batch, seed }) => ({
    inputs: [uniform([...(batch ? [3] : []), m, k], seed), uniform([...(batch ? [3] : []), k, n], seed + 1)],
    attrs: null,
  })),
  runs: 8,
};

const linearCase: OpCase<null> = {
  name: "linear",
  draw: fc.record({ n: edge(16), i: edge(8), o: edge(32), seed }).map(({ n, i, o, seed }) => ({
    inputs: [uniform([n, i], seed), uniform([o, i], seed + 1), uniform([o], seed + 2)],
    attrs: null,
  })),
  run: ([x, w, b]) => linear(x!, w!, b!),
  reference: ([x, w, b]) => {
    const y = product(x!, w!, false, true);
    y.data.forEach((_, i) => {
      y.data[i]! += b!.data[i % b!.data.length]!;
    });
    return y;
  },
  vjp: ([dy], [x, w]) => [product(dy!, w!), product(dy!, x!, true, false), sumLead(dy!, 1)],
  K: ([x, w]) => Math.max(...x!.shape, ...w!.shape),
  // Terms of size 1 and a bias may cancel.
  scale: () => 1,
};

for (const subgroups of [true, false]) {
  describe(`subgroups ${subgroups ? "on" : "off"}`, () => {
    withDevice({ subgroups });
    testCase(matmulCase);
    testCase(linearCase);
  });
}

await eachVariant(
  ["matmul"],
  () => {
    const a = upload(uniform([2, 2], 1));
    const c = matmul(a, a);
    c.storage.settle();
    for (const t of [c, a]) t.dispose();
    // Vectors of four: A and B along k, B along its columns, and both along rows and columns.
    const four = upload(uniform([4, 4], 1), true);
    const [y, z] = [matmul(four, four), linear(four, four)];
    const dy = four.detach();
    for (const t of [y, z]) t.backward(dy);
    for (const t of [y, z, dy, four]) t.dispose();
  },
  () => {
    testCase(matmulCase);
    testCase(alignedCase);
  },
);

describe("shapes", () => {
  withDevice();
  test("a long sum in parts that are no whole vectors", async () => {
    // 5 parts of 3277.6 steps.
    const k = 16388;
    const [a, b] = [uniform([4, k], 1), uniform([k, 64], 2)];
    const [x, y] = [upload(a), upload(b)];
    const z = matmul(x, y);
    expectClose(await z.data(), product(a, b), k, "product", { scale: 1 });
    for (const t of [x, y, z]) t.dispose();
  });
  test("vectors are promoted and dropped as in PyTorch", async () => {
    const m = upload(uniform([2, 3, 4], 1));
    const v = upload(uniform([4], 2));
    const u = upload(uniform([3], 3));
    const results = [matmul(m, v), matmul(u, m), matmul(v, v)];
    expect(results.map((r) => r.shape)).toEqual([[2, 3], [2, 4], []]);
    for (const t of [m, v, u, ...results]) t.dispose();
  });
  test("a mismatch names both shapes", () => {
    const [a, b] = [upload(uniform([2, 3], 1)), upload(uniform([4, 5], 2))];
    expect(() => matmul(a, b)).toThrow("[matmul] [2, 3] has rows of 3 elements but [4, 5] has columns of 4");
    a.dispose();
    b.dispose();
  });
});
