// Layers and functions against what scripts/golden/layers*.py has from PyTorch: results, and gradients of inputs and parameters.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type nn, noGrad, scope, type Tensor, tensor } from "wgrad";
import { host, sizeOf } from "./host.ts";
import { expectClose } from "./tolerance.ts";

interface Numbers {
  readonly shape: number[];
  /** NaN and infinities are text. */
  readonly data: (number | string)[];
}
interface Golden {
  readonly outputs: Numbers[];
  readonly grads: Record<string, Numbers>;
}

/** What the tests want of a module, whatever it takes. */
type GoldenModule = Pick<nn.Module, "namedParameters" | "namedBuffers"> & { eval(): unknown };

export interface GoldenCase {
  /** Shapes of f32 inputs, or tensors made by hand. */
  readonly inputs: readonly (readonly number[] | (() => Tensor))[];
  /** A module; left out for a function. */
  readonly make?: () => nn.AnyModule | GoldenModule;
  /** How it is called. Default: `forward` with the inputs. */
  // biome-ignore lint/suspicious/noExplicitAny: modules differ in what they take
  readonly call?: (module: any, inputs: Tensor[]) => unknown;
  /** For the tolerance: the longest sum. Default 64. */
  readonly K?: number;
  /** In evaluation. Default: training. */
  readonly evaluation?: boolean;
}

/** Element i of tensor k, as scripts/golden/layers.py has it. */
export const wave = (shape: readonly number[], k: number, scale = 1): Tensor =>
  tensor(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(0.7 * i + 1.3 * k + 0.5) * scale),
    { shape: [...shape] },
  );

/** The values of what `f` returns; all that it made is freed. */
export async function read(f: () => Tensor | readonly Tensor[]): Promise<number[][]> {
  const results = [scope(f)].flat() as Tensor[];
  const values = await Promise.all(results.map((t) => t.data()));
  for (const t of results) t.dispose();
  return values.map((data) => Array.from(data));
}

const tensorsIn = (value: unknown): Tensor[] => {
  if (Array.isArray(value)) return value.flatMap(tensorsIn);
  return typeof value === "object" && value !== null && "dtype" in value ? [value as Tensor] : [];
};

async function expectNumbers(got: Tensor, { shape, data }: Numbers, K: number, what: string): Promise<void> {
  expect([...got.shape], `${what}'s shape`).toEqual(shape);
  const values = data.map((v) => Number(String(v).replace("inf", "Infinity")));
  expectClose(await got.data(), host(shape, values, got.dtype), K, what);
}

/** A test for each case of a golden file; both must name the same ones. */
export function goldenCases(family: string, cases: Readonly<Record<string, GoldenCase>>): void {
  const file = new URL(`../golden/layers/${family}.json`, import.meta.url);
  const golden = JSON.parse(readFileSync(file, "utf8")) as Record<string, Golden>;
  test(`${family}: every golden case is tested`, () => {
    expect(Object.keys(cases).sort()).toEqual(Object.keys(golden).sort());
  });
  for (const [name, { inputs, make, call, K = 64, evaluation = false }] of Object.entries(cases)) {
    const expected = golden[name];
    test(name, async () => {
      expect(expected, "golden case").toBeDefined();
      const module = make?.();
      const parameters = module ? [...module.namedParameters()] : [];
      const named = new Map(parameters);
      noGrad(() => {
        for (const [k, [, p]] of parameters.entries()) {
          const values = wave(p.shape, 100 + k, 0.5);
          p.copy_(values);
          values.dispose();
        }
      });
      if (evaluation) module?.eval();
      const given = inputs.map((x, k) => (typeof x === "function" ? x() : wave(x, k)));
      for (const x of given) if (x.dtype === "f32") x.requiresGrad = true;
      const forward = (module as { forward(...inputs: Tensor[]): unknown } | undefined)?.forward.bind(module);
      const outputs = tensorsIn(call ? call(module, given) : forward?.(...given));
      expect(outputs).toHaveLength(expected!.outputs.length);
      for (const [j, y] of outputs.entries()) await expectNumbers(y, expected!.outputs[j]!, K, `output ${j}`);
      const floats = outputs.map((y, j) => [y, j] as const).filter(([y]) => y.requiresGrad);
      for (const [i, [y, j]] of floats.entries()) {
        const seed = wave(y.shape, 200 + j);
        y.backward(seed, { retainGraph: i + 1 < floats.length });
        seed.dispose();
      }
      for (const [what, numbers] of Object.entries(expected!.grads)) {
        const leaf = what.startsWith("input") && !named.has(what) ? given[Number(what.slice(5))] : named.get(what);
        expect(leaf, `${what} of the golden file`).toBeDefined();
        if (!leaf?.grad) throw new Error(`${what} has no gradient`);
        await expectNumbers(leaf.grad, numbers, K, `gradient of ${what}`);
      }
      for (const t of [...outputs, ...given]) t.dispose();
      for (const [, p] of parameters) p.dispose();
      if (module) for (const [, buffer] of module.namedBuffers()) buffer.dispose();
    });
  }
}
