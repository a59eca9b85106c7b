// Model families against torchvision: names and shapes, logits, gradients, from weights by a formula.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { cat, createModel, type ModelName, nn, noGrad, scope, Tensor, tensor } from "wgrad";
import { parameter, uniform } from "../../bench/support/formula.mjs";

interface Defaults {
  readonly dropout: number[];
  readonly stochasticDepth: number[];
  readonly norms: number[][];
}

interface Family {
  /** Rows and columns of the pictures. Default 64. */
  readonly size?: number;
  /** Of the model, beside its number of classes. */
  readonly options?: object;
  /** Probabilities of layers in their order, and each eps and momentum (0: has none) of norms. */
  readonly defaults?: Defaults;
  /** All running variances in evaluation. Default 1. */
  readonly variance?: number;
  readonly parameters: number;
  /** sha256 of the names and shapes of the state dict. */
  readonly state: string;
  readonly logits: number[];
  /** Of all heads, one below the other. */
  readonly training: number[];
  /** Norms: of all parameters in their order, or of some by name. */
  readonly gradients: readonly number[] | Readonly<Record<string, number>>;
}
export const golden = JSON.parse(readFileSync(new URL("../golden/families.json", import.meta.url), "utf8")) as Record<
  string,
  Family
>;

/** Options that turn off what would draw other numbers, by the families that have them. */
const QUIET: readonly (readonly [family: RegExp, options: object])[] = [
  [/^(densenet|efficientnet|googlenet|inception|mobilenet|squeezenet|vgg)/, { dropout: 0 }],
  [/^googlenet/, { dropoutAux: 0 }],
  [/^(convnext|efficientnet)/, { stochasticDepthProb: 0 }],
  [/^swin/, { dropPath: 0 }],
];
const CLASSES = 10;

/** Those with few parameters, which every test run takes. */
export const small = [
  "deit_tiny_distilled_patch16_224",
  "densenet121",
  "googlenet",
  "mobilenet_v2",
  "mobilenet_v3_large dilated",
  "mobilenet_v3_small",
  "mobilenet_v3_small tensorflow",
  "shufflenet_v2_x0_5",
  "squeezenet1_1",
  "vit_b_16",
];
export const names = Object.keys(golden);

/** The model of an entry, whose name may say more. */
export const modelOf = (name: string): ModelName => name.replace(/ .*/, "") as ModelName;

/** Logits of all heads, one below the other; GoogLeNet's auxiliary ones in the order of their depth. */
export function heads(y: unknown): Tensor {
  if (y instanceof Tensor) return y;
  if (Array.isArray(y)) return cat(y as Tensor[]);
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

/** What weights do not show. */
function defaultsOf(model: nn.AnyModule): Defaults {
  const found: Defaults = { dropout: [], stochasticDepth: [], norms: [] };
  for (const module of model.modules()) {
    if (module instanceof nn.Dropout) found.dropout.push(module.p);
    else if (module instanceof nn.StochasticDepth) found.stochasticDepth.push(Number(module.p.toPrecision(7)));
    else if (module instanceof nn.BatchNorm2d || module instanceof nn.LayerNorm || module instanceof nn.LayerNorm2d) {
      const norm = [module.eps, (module instanceof nn.BatchNorm2d && module.momentum) || 0];
      if (!found.norms.some((known) => String(known) === String(norm))) found.norms.push(norm);
    }
  }
  return found;
}

export function testFamily(name: string): void {
  test(name, async () => {
    const family = golden[name]!;
    const { size = 64 } = family;
    if (family.defaults) {
      const plain = createModel(modelOf(name), { numClasses: CLASSES, ...family.options });
      expect(defaultsOf(plain)).toEqual(family.defaults);
      plain.dispose();
    }
    const quiet = QUIET.filter(([family]) => family.test(name)).map(([, options]) => options);
    const model: nn.AnyModule = createModel(modelOf(name), {
      numClasses: CLASSES,
      ...Object.assign({}, ...quiet),
      ...family.options,
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
    const x = tensor(uniform(2 * 3 * size * size, 1000), { shape: [2, 3, size, size] });
    if (family.variance) {
      for (const module of model.modules())
        if (module instanceof nn.BatchNorm2d && module.runningVar)
          nn.init.constant_(module.runningVar, family.variance);
    }
    model.eval();
    const logits = noGrad(() => scope(() => heads(model.forward(x))));
    expectNear(await logits.data(), family.logits, 1e-3, "logit");
    model.train();
    const y = scope(() => heads(model.forward(x)));
    expectNear(await y.data(), family.training, 5e-3, "logit in training");
    const seed = tensor(uniform(y.numel, 1001), { shape: y.shape });
    y.backward(seed);
    if (Array.isArray(family.gradients)) expect(family.gradients).toHaveLength([...model.parameters()].length);
    const parameters = new Map(model.namedParameters());
    const order = [...parameters.keys()];
    for (const [at, norm] of Object.entries(family.gradients)) {
      const key = Array.isArray(family.gradients) ? order[Number(at)]! : at;
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
