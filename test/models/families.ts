// Model families against torchvision: names and shapes, logits, gradients, from weights by a formula.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createModel, type ModelName, type nn, noGrad, scope, type Tensor, tensor } from "wgrad";
import { parameter, uniform } from "../../bench/support/formula.mjs";

interface Family {
  readonly parameters: number;
  /** sha256 of the names and shapes of the state dict. */
  readonly state: string;
  /** Rows and columns of the pictures, where they are not 64. */
  readonly size?: number;
  readonly options?: object;
  readonly logits: number[];
  readonly training: number[];
  /** Norms, by name. */
  readonly gradients: Record<string, number>;
}
export const golden = JSON.parse(readFileSync(new URL("../golden/families.json", import.meta.url), "utf8")) as Record<
  string,
  Family
>;

/** Families with dropout, which would draw other numbers. */
const DROPS = /^(densenet|mobilenet|squeezenet|vgg)/;
/** Families whose blocks are skipped at random, which would be others. */
const SKIPS = /^swin/;
const SIZE = 64;
const CLASSES = 10;

/** Transformers with few parameters, whose gradients are compared one and all. */
const SMALL_TRANSFORMERS: readonly ModelName[] = ["deit_tiny_distilled_patch16_224", "vit_b_16"];
/** Those with few parameters, which every test run takes. */
export const small: readonly ModelName[] = [
  "mobilenet_v2",
  "shufflenet_v2_x0_5",
  "squeezenet1_1",
  "densenet121",
  ...SMALL_TRANSFORMERS,
];
export const names = Object.keys(golden) as ModelName[];

function expectNear(got: ArrayLike<number>, wanted: readonly number[], share: number, what: string): void {
  const largest = Math.max(...wanted.map(Math.abs));
  for (const [i, value] of wanted.entries()) {
    const error = Math.abs(got[i]! - value);
    if (!(error <= share * largest)) throw new Error(`${what} ${i} is ${got[i]}, torchvision has ${value}`);
  }
}

const joined = async (tensors: readonly Tensor[]): Promise<number[]> =>
  (await Promise.all(tensors.map((t) => t.data()))).flatMap((values) => [...values]);

export function testFamily(name: ModelName): void {
  test(name, async () => {
    const family = golden[name]!;
    const model: nn.Module<readonly [Tensor], Tensor | Tensor[]> = createModel(name, {
      ...{ numClasses: CLASSES, ...family.options },
      ...(DROPS.test(name) && { dropout: 0 }),
      ...(SKIPS.test(name) && { dropPath: 0 }),
    });
    const state = model.stateDict();
    const listing = Object.entries(state).map(([key, t]) => [key, t.shape]);
    for (const t of Object.values(state)) t.dispose();
    expect(Array.from(model.parameters()).reduce((sum, p) => sum + p.numel, 0)).toBe(family.parameters);
    expect(
      createHash("sha256").update(JSON.stringify(listing)).digest("hex"),
      JSON.stringify(listing).slice(0, 2000),
    ).toBe(family.state);
    for (const [i, [key, p]] of [...model.namedParameters()].entries()) {
      // What is fixed by a formula of its own stays.
      if (key === "pos_embed" && !p.requiresGrad) continue;
      noGrad(() => scope(() => void p.copy_(tensor(parameter(key, p.shape, i + 1), { shape: p.shape }))));
    }
    const { size = SIZE } = family;
    const x = tensor(uniform(2 * 3 * size * size, 1000), { shape: [2, 3, size, size] });
    model.eval();
    const logits = [noGrad(() => model.forward(x))].flat();
    expectNear(await joined(logits), family.logits, 1e-3, "logit");
    model.train();
    const results = [model.forward(x)].flat();
    expectNear(await joined(results), family.training, 5e-3, "logit in training");
    const seeds = results.map((_, i) => tensor(uniform(2 * CLASSES, 1001 + i), { shape: [2, CLASSES] }));
    // The gradient of all results at once.
    const whole = scope(() => results.map((y, i) => y.mul(seeds[i]!).sum()).reduce((a, b) => a.add(b)));
    whole.backward();
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
    for (const t of [...logits, ...results, ...seeds, whole, x, model]) t.dispose();
  });
}
