// Vision transformers at the start and in training: the spread of their first weights, and what they drop at random.
import { describe, expect, test } from "vitest";
import { createModel, type ModelName, manualSeed, nn, noGrad, rand, scope, Tensor } from "wgrad";
import { withDevice } from "../support/case.ts";

withDevice();

type Spread = readonly [kind: "normal" | "uniform" | "constant", deviation: number];
const normal = (deviation: number): Spread => ["normal", deviation];
/** Of uniform numbers up to a bound. */
const uniform = (bound: number): Spread => ["uniform", bound / Math.sqrt(3)];
const constant = (value: number): Spread => ["constant", value];
const xavier = (inputs: number, outputs: number): Spread => uniform(Math.sqrt(6 / (inputs + outputs)));
/** A layer as torch starts it. */
const plain = (inputs: number): Spread => uniform(1 / Math.sqrt(inputs));

/** torchvision's rules for vit and swin, timm's for deit and beit, the repository's for MoCo v3. */
const starts: readonly (readonly [ModelName, options: object, Record<string, Spread>])[] = [
  [
    "vit_b_16",
    { depth: 1 },
    {
      class_token: constant(0),
      "conv_proj.weight": normal(1 / Math.sqrt(3 * 256)),
      "encoder.pos_embedding": normal(0.02),
      "encoder.layers.encoder_layer_0.self_attention.in_proj_weight": xavier(768, 3 * 768),
      "encoder.layers.encoder_layer_0.self_attention.out_proj.weight": plain(768),
      "encoder.layers.encoder_layer_0.mlp.0.weight": xavier(768, 4 * 768),
      "encoder.layers.encoder_layer_0.mlp.3.bias": normal(1e-6),
      "heads.head.weight": constant(0),
    },
  ],
  [
    "swin_t",
    {},
    {
      "features.0.0.weight": plain(3 * 16),
      "features.1.0.attn.relative_position_bias_table": normal(0.02),
      "features.1.0.attn.qkv.weight": normal(0.02),
      "features.1.0.attn.qkv.bias": constant(0),
      "features.2.reduction.weight": normal(0.02),
      "features.5.3.mlp.3.weight": normal(0.02),
      "head.weight": normal(0.02),
    },
  ],
  [
    "deit_tiny_distilled_patch16_224",
    { depth: 1 },
    {
      cls_token: normal(1e-6),
      dist_token: normal(0.02),
      pos_embed: normal(0.02),
      "patch_embed.proj.weight": plain(3 * 256),
      "blocks.0.attn.qkv.weight": normal(0.02),
      "blocks.0.mlp.fc2.bias": constant(0),
      "head_dist.weight": normal(0.02),
    },
  ],
  [
    "beit_base_patch16_224",
    { depth: 2 },
    {
      cls_token: normal(0.02),
      "blocks.0.gamma_1": constant(0.1),
      "blocks.0.attn.relative_position_bias_table": constant(0),
      "blocks.1.attn.qkv.weight": normal(0.02),
      "blocks.1.attn.proj.weight": normal(0.02 / Math.sqrt(4)),
      "blocks.1.mlp.fc1.weight": normal(0.02),
      "blocks.1.mlp.fc2.weight": normal(0.02 / Math.sqrt(4)),
      "head.weight": normal(2e-5),
    },
  ],
  [
    "moco_v3_vit_small",
    { depth: 1 },
    {
      cls_token: normal(1e-6),
      "patch_embed.proj.weight": xavier(3 * 256, 384),
      "blocks.0.attn.qkv.weight": xavier(384, 384),
      "blocks.0.attn.proj.weight": xavier(384, 384),
      "blocks.0.mlp.fc1.weight": xavier(384, 4 * 384),
      "head.weight": normal(0.01),
    },
  ],
  ["moco_v3_resnet50", {}, { "layer1.0.bn3.weight": constant(0), "fc.weight": normal(0.01) }],
];
test.each(starts)("%s starts as published", async (name, options, spreads) => {
  manualSeed(1);
  const model: nn.AnyModule = createModel(name, options);
  const parameters = new Map(model.namedParameters());
  for (const [key, [kind, deviation]] of Object.entries(spreads)) {
    const values = Array.from(await parameters.get(key)!.data());
    const largest = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const found = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
    if (kind === "constant") {
      expect([largest, found].map(Math.fround), key).toEqual([deviation, deviation].map(Math.fround));
      continue;
    }
    // Five standard errors of a deviation of normal numbers.
    expect(Math.abs(found / deviation - 1), key).toBeLessThan(5 / Math.sqrt(2 * values.length));
    if (kind === "uniform") expect(largest, key).toBeLessThanOrEqual(1.0001 * Math.sqrt(3) * deviation);
    else expect(largest, key).toBeGreaterThan(2 * deviation);
  }
  model.dispose();
});

const SMALL = { numClasses: 4, imageSize: 32, depth: 2 };
const families: readonly (readonly [ModelName, options: object, samples: number])[] = [
  ["vit_b_32", { ...SMALL, patchSize: 16 }, 24],
  ["swin_t", { numClasses: 4 }, 8],
  ["deit_tiny_patch16_224", SMALL, 96],
  ["beit_base_patch16_224", SMALL, 24],
];
/** Where a branch of a block ends. */
const ends = /(proj|fc2|mlp\.3)\.(weight|bias)$/;
const attends = /attn\.proj|out_proj/;

/** A model of whose branches only the attention of the last block is not zero, and equal pictures. */
function oneBranch(name: ModelName, options: object, n: number): { model: nn.AnyModule; x: Tensor; last: Tensor } {
  manualSeed(2);
  const model: nn.AnyModule = createModel(name, options);
  const parameters = [...model.namedParameters()].filter(([key]) => !/^(conv_proj|patch_embed)/.test(key));
  const last = parameters.filter(([key]) => attends.test(key) && key.endsWith("weight")).at(-1)![1];
  for (const [key, p] of parameters) {
    if (/^(heads\.)?head\./.test(key)) nn.init.normal_(p);
    else if (key.includes("gamma")) nn.init.ones_(p);
    else if (ends.test(key)) nn.init.zeros_(p);
  }
  nn.init.normal_(last, 0, 0.02);
  const x = scope(() => rand([1, 3, 32, 32]).expand([n, 3, 32, 32]));
  return { model, x, last };
}
async function rows(model: nn.AnyModule, x: Tensor): Promise<number[][]> {
  const y: unknown = noGrad(() => model.forward(x));
  if (!(y instanceof Tensor)) throw new TypeError("logits are a tensor");
  const values = Array.from(await y.data());
  y.dispose();
  return Array.from({ length: x.shape[0]! }, (_, i) => values.slice(4 * i, 4 * i + 4));
}
const distance = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((v, i) => Math.abs(v - b[i]!)));
/** The first logits in evaluation, with the last branch this many times as strong. */
async function evaluated({ model, x, last }: ReturnType<typeof oneBranch>, strength: number): Promise<number[]> {
  model.eval();
  noGrad(() => void last.mul_(strength));
  const [first = []] = await rows(model, x);
  if (strength !== 0) noGrad(() => void last.mul_(1 / strength));
  return first;
}

describe.each(families)("%s in training", (name, options, n) => {
  test("samples skip a branch, or have it stronger", async () => {
    const given = oneBranch(name, { ...options, dropPath: 0.75 }, n);
    const { model, x } = given;
    const logits = await rows(model.train(), x);
    const kept = await evaluated(given, 4);
    const skipped = await evaluated(given, 0);
    const apart = distance(kept, skipped);
    expect(apart).toBeGreaterThan(1e-2);
    const near = (wanted: number[]) => logits.filter((row) => distance(row, wanted) < 1e-2 * apart).length;
    expect(near(kept) + near(skipped)).toBe(n);
    // Four standard deviations of how many keep it.
    expect(Math.abs(near(kept) - n / 4)).toBeLessThan(4 * Math.sqrt((n * 3) / 16));
    for (const t of [model, x]) t.dispose();
  });

  test("attention loses some of its weights, and on average nothing", async () => {
    const given = oneBranch(name, { ...options, dropPath: 0, attentionDropout: 0.5 }, n);
    const { model, x } = given;
    const logits = await rows(model.train(), x);
    const whole = await evaluated(given, 1);
    const columns = whole.map((_, c) => logits.map((row) => row[c]!));
    for (const [c, column] of columns.entries()) {
      const mean = column.reduce((sum, v) => sum + v, 0) / n;
      const deviation = Math.sqrt(column.reduce((sum, v) => sum + (v - mean) ** 2, 0) / n);
      expect(deviation).toBeGreaterThan(1e-4);
      expect(Math.abs(mean - whole[c]!)).toBeLessThan((5 * deviation) / Math.sqrt(n));
    }
    for (const t of [model, x]) t.dispose();
    const none = oneBranch(name, { ...options, dropPath: 0, attentionDropout: 1 }, n);
    const [first = []] = await rows(none.model.train(), none.x);
    expect(distance(first, await evaluated(none, 0))).toBeLessThan(1e-5);
    for (const t of [none.model, none.x]) t.dispose();
  });
});
