// Every row of the unary tables: on the device against its f64 reference, and both against PyTorch's golden vectors, with
// the corners of piecewise functions.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Tensor, tensor } from "wgrad";
import { apply1 } from "../../src/autograd/apply.ts";
import * as activations from "../../src/ops/activation-rows.ts";
import * as further from "../../src/ops/further-rows.ts";
import * as unaries from "../../src/ops/unary-rows.ts";
import { unaryReferences } from "../reference/elementwise.ts";
import { map } from "../reference/indexing.ts";
import { edge, type OpCase, seed, testCase, withDevice } from "../support/case.ts";
import { type HostArray, host, uniform } from "../support/host.ts";
import { expectClose } from "../support/tolerance.ts";

withDevice();

type Name = keyof typeof unaryReferences;
const ops = { ...unaries, ...activations, ...further };
const names = Object.keys(ops) as Name[];

const run = (name: Name, x: Tensor, ...scalars: number[]): Tensor => apply1(ops[name], [x], scalars);

interface Golden {
  readonly name: Name;
  readonly scalars: number[];
  readonly x: number[];
  readonly y: number[];
  readonly dx: number[];
}
const golden = (
  JSON.parse(readFileSync(new URL("../golden/elementwise.json", import.meta.url), "utf8")) as { unary: Golden[] }
).unary;

const SCALARS: Partial<Record<Name, [number, number]>> = {
  affine: [1.5, -0.5],
  celu: [0.5, 0],
  clamp: [-1, 2],
  divScalar: [-1.75, 0],
  elu: [0.5, 0],
  hardtanh: [-1, 2],
  leakyRelu: [0.1, 0],
  maximumScalar: [0.375, 0],
  minimumScalar: [0.375, 0],
  powScalar: [2.5, 0],
  smoothL1: [0.5, 0],
  softplus: [1.5, 6],
  threshold: [0.5, -1],
};

/** Off the multiples of 1/1024, where the kinks and jumps are: the reference is differenced across 2e-6. */
const offKinks = (x: HostArray) => map(x, (v) => Math.floor(v * 1024) / 1024 + 1 / 4096);

function cases(name: Name): OpCase<readonly [number, number]> {
  const [a, b] = SCALARS[name] ?? [0, 0];
  const { ref, domain } = unaryReferences[name];
  const h = 1e-6;
  return {
    name,
    draw: fc.record({ n: edge(64), m: fc.integer({ min: 6, max: 8 }), seed }).map(({ n, m, seed }) => ({
      inputs: [offKinks(uniform([m, n], seed, ...domain))],
      attrs: [a, b],
    })),
    run: ([x]) => run(name, x!, a, b),
    reference: ([x]) => map(x!, (v) => ref(v, a, b)),
    // PyTorch's derivatives pin the formulas below; here the reference is differenced directly.
    vjp: ([dy], [x]) => [map(x!, (v, i) => (dy!.data[i]! * (ref(v + h, a, b) - ref(v - h, a, b))) / (2 * h))],
    step: 0,
    runs: 8,
  };
}

describe("device against reference", () => {
  for (const name of names) testCase(cases(name));
});

describe("against PyTorch", () => {
  test("the golden vectors cover every row", () => {
    expect([...new Set(golden.map((g) => g.name))].sort()).toEqual([...names].sort());
  });

  test.each(golden)("$name $scalars", async (g) => {
    const { ref } = unaryReferences[g.name];
    const [a = 0, b = 0] = g.scalars;
    for (const [i, v] of g.x.entries()) expect(ref(v, a, b)).toBeCloseTo(g.y[i]!, 12);
    const x = tensor(g.x, { requiresGrad: true });
    const y = run(g.name, x, ...g.scalars);
    const dy = tensor(g.x.map(() => 1));
    y.backward(dy);
    expectClose(await y.data(), host([g.x.length], g.y), 1, `${g.name} forward`);
    expectClose(await x.grad!.data(), host([g.x.length], g.dx), 1, `${g.name} derivative`);
    for (const t of [x, y, dy]) t.dispose();
  });

  test("erf and gelu keep their relative precision near zero and in the tail", async () => {
    const x = tensor([1e-4, 0.01, 0.3, 0.49, 0.51]);
    const y = run("erf", x);
    const want = [
      0.00011283791663342487, 0.011283415555849618, 0.3286267594591274, 0.511668261188523, 0.5292436198411704,
    ];
    for (const [i, v] of (await y.data()).entries()) expect(Math.abs(v / want[i]! - 1)).toBeLessThan(4e-7);
    const tail = tensor([-5, -4]);
    const z = run("gelu", tail);
    const wanted = [-1.4332578593959727e-6, -0.0001266849673324799];
    for (const [i, v] of (await z.data()).entries()) expect(Math.abs(v / wanted[i]! - 1)).toBeLessThan(4e-6);
    for (const t of [x, y, tail, z]) t.dispose();
  });
});
