// What vision transformers have beside logits: published sizes, MoCo v3's loss, BEiT's masks, positions for other images, errors.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  capture,
  createModel,
  type ModelName,
  memory,
  nn,
  noGrad,
  optim,
  rand,
  ShapeError,
  scope,
  type Tensor,
  tensor,
  ValueError,
  vision,
} from "wgrad";
import { parameter, uniform } from "../../bench/support/formula.mjs";
import { withDevice } from "../support/case.ts";

withDevice();

interface Contrast {
  readonly loss: number;
  readonly again: number;
  readonly state: string[];
  readonly gradients: Record<string, number>;
}
interface Golden {
  readonly moco: Contrast;
  readonly mocoResnet: Contrast;
  readonly beit: { readonly logits: number[]; readonly state: string[]; readonly gradients: Record<string, number> };
  readonly positions: Record<string, number[]>;
}
const golden = JSON.parse(readFileSync(new URL("../golden/transformers.json", import.meta.url), "utf8")) as Golden;

function fill(model: nn.AnyModule): void {
  noGrad(() => {
    for (const [i, [key, p]] of [...model.namedParameters()].entries()) {
      if (key.endsWith("pos_embed")) continue;
      const values = tensor(parameter(key, p.shape, i + 1), { shape: p.shape });
      p.copy_(values);
      values.dispose();
    }
  });
}
const views = (n: number, size: number, seed: number) =>
  tensor(uniform(n * 3 * size * size, seed), { shape: [n, 3, size, size] });
const keysOf = (model: nn.AnyModule): string[] => {
  const state = model.stateDict();
  for (const t of Object.values(state)) t.dispose();
  return Object.keys(state);
};
async function compareGradients(model: nn.AnyModule, wanted: Record<string, number>, share = 1e-2): Promise<void> {
  const own = [...model.namedParameters()].filter(([, p]) => p.requiresGrad);
  expect(own.map(([key]) => key)).toEqual(Object.keys(wanted));
  for (const [key, p] of own) {
    const values = await p.grad!.data();
    let sum = 0;
    for (const v of values) sum += v * v;
    const norm = Math.sqrt(sum);
    expect(Math.abs(norm - wanted[key]!), key).toBeLessThan(share * wanted[key]! + share * 1e-2);
  }
}

/** Parameters of the published models; blocks are alike, so that two of them tell about all. */
const published: [ModelName, depth: number, parameters: number][] = [
  ["deit_tiny_patch16_224", 12, 5_717_416],
  ["deit_small_patch16_224", 12, 22_050_664],
  ["deit_base_patch16_224", 12, 86_567_656],
  ["deit_tiny_distilled_patch16_224", 12, 5_910_800],
  ["beit_base_patch16_224", 12, 86_530_984],
  ["vit_b_16", 12, 86_567_656],
];
test.each(published)("%s has as many parameters as the published one", (name, depth, wanted) => {
  const [one = 0, two = 0] = [1, 2].map((blocks) => {
    const model = createModel(name, { depth: blocks });
    const count = Array.from(model.parameters()).reduce((sum, p) => sum + p.numel, 0);
    model.dispose();
    return count;
  });
  expect(one + (depth - 1) * (two - one)).toBe(wanted);
});

const encoders = {
  moco: [32, () => vision.mocoV3VitSmall({ imageSize: 32, patchSize: 8, depth: 1 }), 0.2],
  mocoResnet: [64, () => vision.mocoV3Resnet50(), 1],
} as const;
test.each(["moco", "mocoResnet"] as const)("MoCo v3: loss, gradients and momentum: %s", async (name) => {
  const [size, encoder, temperature] = encoders[name];
  const model = new vision.MoCoV3(encoder, { dim: 16, mlpDim: 24, temperature });
  expect(keysOf(model)).toEqual(golden[name].state);
  fill(model);
  const [x1, x2] = [views(6, size, 1000), views(6, size, 1001)];
  const loss = model.forward(x1, x2, 0.9);
  expect(await loss.item()).toBeCloseTo(golden[name].loss, 3);
  loss.backward();
  // Rectifiers and batch norms of fifty layers: torch itself in f32 is a third of a percent from its f64.
  await compareGradients(model, golden[name].gradients, name === "moco" ? 1e-2 : 3e-2);
  const m = tensor([0.9]);
  const again = noGrad(() => model.forward(x1, x2, m));
  expect(await again.item()).toBeCloseTo(golden[name].again, 3);
  for (const t of [x1, x2, m, loss, again, model]) t.dispose();
});

test("MoCo v3 in a captured step takes the momentum as an input, and refuses a number", async () => {
  const encoder = () => vision.mocoV3VitSmall({ imageSize: 16, patchSize: 8, depth: 1 });
  const make = () => {
    const model = new vision.MoCoV3(encoder, { dim: 8, mlpDim: 12 });
    fill(model);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.05 });
    const step = (x1: Tensor, x2: Tensor, m: Tensor) => {
      optimizer.zeroGrad();
      const loss = model.forward(x1, x2, m);
      loss.backward();
      optimizer.step();
      return loss.detach();
    };
    return { model, optimizer, step };
  };
  const [eager, captured] = [make(), make()];
  const replayed = capture(captured.step);
  const momenta = [0.5, 0.9, 0.99].map((m) => tensor([m]));
  const [x1, x2] = [views(6, 16, 1), views(6, 16, 2)];
  for (const m of momenta) {
    const losses = [scope(() => eager.step(x1, x2, m)), replayed(x1, x2, m)];
    const [wanted, got] = await Promise.all(losses.map((t) => t.item()));
    expect(got).toBeCloseTo(wanted!, 5);
    for (const t of losses) t.dispose();
  }
  const firstOf = ({ model }: typeof eager) => [...model.momentumEncoder.parameters()].at(-1)!.data();
  const [a, b] = [await firstOf(eager), await firstOf(captured)];
  for (const [i, v] of a.entries()) expect(b[i]).toBeCloseTo(v, 5);
  const frozen = capture((p: Tensor, q: Tensor) => noGrad(() => captured.model.forward(p, q, 0.9)));
  expect(() => frozen(x1, x2)).toThrow(/same in each replay.*give m as a tensor/);
  expect(() => eager.model.forward(x1, x2, x1)).toThrow(ShapeError);
  expect(() => eager.model.forward(x1, x2, 2)).toThrow(ValueError);
  for (const { model, optimizer } of [eager, captured]) {
    optimizer.dispose();
    model.dispose();
  }
  for (const t of [x1, x2, replayed, frozen, ...momenta]) t.dispose();
});

test("BEiT hides patches behind its mask token", async () => {
  const model = vision.beitForMaskedImages({ imageSize: 32, patchSize: 8, depth: 2, vocabSize: 10 });
  expect(keysOf(model)).toEqual(golden.beit.state);
  fill(model);
  const x = views(2, 32, 1000);
  const masked = tensor(
    Int32Array.from({ length: 32 }, (_, i) => Number(i % 3 === 0)),
    { shape: [2, 16], dtype: "i32" },
  );
  const y = model.forward(x, masked);
  const values = await y.data();
  const largest = Math.max(...golden.beit.logits.map(Math.abs));
  for (const [i, wanted] of golden.beit.logits.entries())
    expect(Math.abs(values[7 * i]! - wanted)).toBeLessThan(1e-3 * largest);
  const seed = tensor(uniform(y.numel, 1001), { shape: y.shape });
  y.backward(seed);
  await compareGradients(model, golden.beit.gradients);
  for (const t of [x, masked, y, seed, model]) t.dispose();
});

test.each(["encoder.pos_embedding", "pos_embed"])("%s for larger images", async (key) => {
  class Positions extends nn.Module {
    readonly prefixTokens = 1;
    readonly head = "none";
    readonly posEmbed = new nn.Parameter(rand([1, 37, 8]));
    readonly encoder = new nn.ParameterDict();
    override forward(x: never): never {
      return x;
    }
  }
  const model = new Positions();
  model.encoder.set("pos_embedding", rand([1, 37, 8]));
  const given = tensor(uniform(17 * 8, 7), { shape: [1, 17, 8] });
  const dict = vision.interpolatePosEmbedding({ [key]: given }, model);
  const values = await dict[key]!.data();
  for (const [i, wanted] of golden.positions[key]!.entries()) expect(values[i]).toBeCloseTo(wanted, 5);
  for (const t of [given, dict[key]!, model]) t.dispose();
});

test("Swin-T has as many parameters as the published one", () => {
  const model = createModel("swin_t");
  expect(Array.from(model.parameters()).reduce((sum, p) => sum + p.numel, 0)).toBe(28_288_354);
  model.dispose();
});

test("positions are for models that have them", () => {
  const [given, layer] = [rand([1, 17, 8]), new nn.Linear(2, 2)];
  const dict = { pos_embed: given };
  expect(() => vision.interpolatePosEmbedding(dict, layer as never)).toThrow(ValueError);
  expect(() => vision.interpolatePosEmbedding(dict, {} as never)).toThrow(/in the place of a model with a `head`/);
  const model = vision.lenet5();
  expect(() => vision.interpolatePosEmbedding(dict, model as never)).toThrow(/prefixTokens/);
  for (const t of [given, layer, model]) t.dispose();
});

test("wrong options and pictures are told before memory is taken", () => {
  const before = memory().tensors;
  expect(() => createModel("vit_b_16", { imageSize: 65 })).toThrow(/multiple of patchSize, which is 16/);
  expect(() => createModel("swin_t", { dropPath: 2 })).toThrow(ValueError);
  expect(() => createModel("deit_tiny_patch16_224", { depths: 3 } as never)).toThrow(/no option "depths"/);
  expect(memory().tensors).toBe(before);
  const model = createModel("deit_tiny_patch16_224", { imageSize: 32, depth: 1 });
  const x = rand([1, 3, 48, 48]);
  expect(() => model.forward(x)).toThrow(ShapeError);
  for (const t of [x, model]) t.dispose();
});
