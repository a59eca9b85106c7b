// Model families against torchvision (timm where it has none): names and shapes, logits, gradients, from weights by a formula.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { cat, createModel, type ModelName, type nn, noGrad, scope, Tensor, tensor } from "wgrad";
import { parameter, uniform } from "../../bench/support/formula.mjs";

interface Family {
  readonly parameters: number;
  /** sha256 of the names and shapes of the state dict. */
  readonly state: string;
  /** Rows and columns of the pictures. Default 64. */
  readonly size?: number;
  readonly logits: number[];
  /** Of all heads, one below the other. */
  readonly training: number[];
  /** Norms, by name. */
  readonly gradients: Record<string, number>;
}
const golden = JSON.parse(readFileSync(new URL("../golden/families.json", import.meta.url), "utf8")) as Record<
  string,
  Family
>;

/** Families with dropout, which would draw other numbers. */
const DROPS = /^(densenet|googlenet|inception|mobilenet|squeezenet|vgg)/;
/** As scripts/golden/families.py has it. */
const OPTIONS: Readonly<Record<string, object>> = { googlenet: { transformInput: true, dropoutAux: 0 } };
const SIZE = 64;
const CLASSES = 10;

/** Those with few parameters, which every test run takes. */
export const small: readonly ModelName[] = [
  "mobilenet_v2",
  "shufflenet_v2_x0_5",
  "squeezenet1_1",
  "densenet121",
  "googlenet",
];
export const names = Object.keys(golden) as ModelName[];

/** Logits of all heads, one below the other; GoogLeNet's auxiliary ones in the order of their depth. */
export function heads(y: unknown): Tensor {
  if (y instanceof Tensor) return y;
  const { logits, auxLogits, auxLogits1, auxLogits2 } = y as Readonly<Record<string, Tensor | undefined>>;
  return cat([logits, auxLogits, auxLogits1, auxLogits2].filter((t) => t !== undefined));
}

function expectNear(got: ArrayLike<number>, wanted: readonly number[], share: number, what: string): void {
  expect(got, what).toHaveLength(wanted.length);
  const largest = Math.max(...wanted.map(Math.abs));
  for (const [i, value] of wanted.entries()) {
    const error = Math.abs(got[i]! - value);
    if (!(error <= share * largest)) throw new Error(`${what} ${i} is ${got[i]}, torchvision has ${value}`);
  }
}

export function testFamily(name: ModelName): void {
  test(name, async () => {
    const family = golden[name]!;
    const size = family.size ?? SIZE;
    const dropout = DROPS.test(name) && { dropout: 0 };
    const model: nn.AnyModule = createModel(name, { numClasses: CLASSES, ...dropout, ...OPTIONS[name] });
    const state = model.stateDict();
    const listing = Object.entries(state).map(([key, t]) => [key, t.shape]);
    for (const t of Object.values(state)) t.dispose();
    expect(Array.from(model.parameters()).reduce((sum, p) => sum + p.numel, 0)).toBe(family.parameters);
    expect(
      createHash("sha256").update(JSON.stringify(listing)).digest("hex"),
      JSON.stringify(listing).slice(0, 2000),
    ).toBe(family.state);
    for (const [i, [key, p]] of [...model.namedParameters()].entries()) {
      noGrad(() => scope(() => void p.copy_(tensor(parameter(key, p.shape, i + 1), { shape: p.shape }))));
    }
    const x = tensor(uniform(2 * 3 * size * size, 1000), { shape: [2, 3, size, size] });
    model.eval();
    const logits = noGrad(() => scope(() => heads(model.forward(x))));
    expectNear(await logits.data(), family.logits, 1e-3, "logit");
    model.train();
    const y = scope(() => heads(model.forward(x)));
    expectNear(await y.data(), family.training, 5e-3, "logit in training");
    const seed = tensor(uniform(y.numel, 1001), { shape: y.shape });
    y.backward(seed);
    const parameters = new Map(model.namedParameters());
    for (const [key, norm] of Object.entries(family.gradients)) {
      const grad = parameters.get(key)?.grad;
      if (!grad) throw new Error(`${key} has no gradient`);
      const own = scope(() => grad.norm());
      const value = await own.item();
      own.dispose();
      // The gradient of a bias in front of a batch norm is 0, but for rounding.
      if (Math.abs(value - norm) > 2e-2 * norm + 1e-3) throw new Error(`${key}: ${value}, torchvision has ${norm}`);
    }
    for (const t of [logits, y, x, seed, model]) t.dispose();
  });
}
