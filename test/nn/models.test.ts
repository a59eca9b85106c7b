// The models: torchvision's names and shapes, output shapes, initialisation, pretrained weights for other classes.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type AlexNet,
  alexnet,
  cifarAlexnet,
  manualSeed,
  memory,
  nn,
  noGrad,
  type ResNet,
  rand,
  resnet18,
  resnet34,
  resnet50,
  StateDictError,
  scope,
  type Tensor,
  vision,
  zeros,
} from "wgrad";
import { withDevice } from "../support/case.ts";

withDevice();

interface Listing {
  readonly parameters: number;
  readonly state: readonly (readonly [name: string, shape: readonly number[]])[];
}
const golden = JSON.parse(readFileSync(new URL("../golden/models.json", import.meta.url), "utf8")) as Record<
  string,
  Listing
>;

function listing(model: nn.Module): Listing {
  const state = model.stateDict();
  const entries = Object.entries(state).map(([name, t]) => [name, t.shape] as const);
  for (const t of Object.values(state)) t.dispose();
  return { parameters: Array.from(model.parameters()).reduce((sum, p) => sum + p.numel, 0), state: entries };
}

describe("names and shapes are torchvision's", () => {
  for (const [name, make] of Object.entries({ resnet18, resnet34, resnet50, alexnet })) {
    test(name, () => {
      const model = make();
      expect(listing(model)).toEqual(golden[name]);
      model.dispose();
    });
  }
});

describe("resnet18", () => {
  let model: ResNet;
  beforeAll(() => {
    manualSeed(1);
    model = resnet18({ numClasses: 10 });
  });
  afterAll(() => model.dispose());

  test("starts with Kaiming's normal numbers by outputs", async () => {
    const block = model.layer2[0] as unknown;
    const { weight } = (block as { conv1: nn.Conv2d }).conv1;
    const data = Array.from(await weight.data());
    const std = Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length);
    expect(Math.abs(std / Math.sqrt(2 / (128 * 9)) - 1)).toBeLessThan(0.02);
    const fc = await model.fc.weight.data();
    expect(Math.max(...fc.map(Math.abs))).toBeLessThanOrEqual(1 / Math.sqrt(512));
  });

  test("forward leaves nothing behind, and hooks see the same as the fused layers compute", async () => {
    model.eval();
    const x = rand([2, 3, 32, 32]);
    const before = memory().tensors;
    const fused = noGrad(() => model.forward(x));
    expect(memory().tensors).toBe(before + 1);
    expect(fused.shape).toEqual([2, 10]);
    const shapes: string[] = [];
    const removals = [...model.modules()].map((module) =>
      module.registerForwardHook((m, _, y) => {
        shapes.push(`${m.constructor.name} ${(y as Tensor).shape}`);
      }),
    );
    const single = noGrad(() => model.forward(x));
    for (const remove of removals) remove();
    expect(shapes[0]).toBe("Conv2d 2,64,16,16");
    expect(shapes.filter((line) => line.startsWith("ReLU"))).toHaveLength(17);
    expect(shapes.at(-1)).toBe("ResNet 2,10");
    const [a, b] = [await fused.data(), await single.data()];
    a.forEach((value, i) => {
      expect(Math.abs(value - b[i]!)).toBeLessThan(1e-4);
    });
    expect(memory().tensors).toBe(before + 2);
    for (const t of [x, fused, single]) t.dispose();
  });

  test("training counts batches and moves the running statistics; evaluation does not", async () => {
    model.train();
    const x = rand([2, 3, 32, 32]);
    const bn = model.bn1;
    const start = await bn.numBatchesTracked!.item();
    const before = Array.from(await bn.runningMean!.data());
    for (let i = 0; i < 3; i++) noGrad(() => model.forward(x)).dispose();
    expect(await bn.numBatchesTracked!.item()).toBe(start + 3);
    const after = Array.from(await bn.runningMean!.data());
    expect(after).not.toEqual(before);
    model.eval();
    noGrad(() => model.forward(x)).dispose();
    expect(await bn.numBatchesTracked!.item()).toBe(start + 3);
    expect(Array.from(await bn.runningMean!.data())).toEqual(after);
    x.dispose();
  });

  test("weights of other classes load but for the head", async () => {
    const source = resnet18({ numClasses: 20 });
    noGrad(() => source.conv1.weight.fill_(0.5));
    const dict = source.stateDict();
    const head = Array.from(await model.fc.weight.data());
    const { missingKeys } = await vision.loadPretrained(model, dict);
    expect(missingKeys).toEqual(["fc.weight", "fc.bias"]);
    expect(new Set(await model.conv1.weight.data())).toEqual(new Set([0.5]));
    expect(Array.from(await model.fc.weight.data())).toEqual(head);
    expect(Object.keys(vision.withoutHead(dict, model))).not.toContain("fc.bias");
    expect(Object.keys(vision.withoutHead(dict, source))).toContain("fc.bias");
    dict["bn1.weight"]!.dispose();
    delete dict["bn1.weight"];
    await expect(vision.loadPretrained(model, dict)).rejects.toThrow(StateDictError);
    for (const t of Object.values(dict)) t.dispose();
    source.dispose();
  });

  test("its summary counts what is frozen", () => {
    model.requiresGrad_(false);
    model.fc.requiresGrad_();
    expect(model.summary().split("\n").at(-1)).toBe("11,176,512 of 11,181,642 parameters frozen, 5,130 to train");
    model.requiresGrad_();
  });
});

describe("cifarAlexnet", () => {
  let model: AlexNet;
  beforeAll(() => {
    model = cifarAlexnet({ numClasses: 10, dropout: 0.5 });
  });
  afterAll(() => model.dispose());

  test("differs from torchvision's in the first and last layer", () => {
    const changed: Record<string, readonly number[]> = {
      "features.0.weight": [64, 3, 3, 3],
      "classifier.6.weight": [10, 4096],
      "classifier.6.bias": [10],
    };
    expect(listing(model).state).toEqual(golden.alexnet!.state.map(([name, shape]) => [name, changed[name] ?? shape]));
  });

  test("takes 32x32 images, and drops in training only", async () => {
    const x = rand([2, 3, 32, 32]);
    const run = () => noGrad(() => model.forward(x));
    model.eval();
    const [a, b] = [run(), run()];
    model.train();
    const [c, d] = [run(), run()];
    const [da, db, dc, dd] = await Promise.all([a, b, c, d].map(async (t) => Array.from(await t.data())));
    expect(a.shape).toEqual([2, 10]);
    expect(db).toEqual(da);
    expect(dc).not.toEqual(da);
    expect(dd).not.toEqual(dc);
    for (const t of [x, a, b, c, d]) t.dispose();
  });

  test("takes rows and columns 1 to 3 of the pretrained stem", async () => {
    const stem = rand([64, 3, 11, 11]);
    const bias = zeros([64]);
    const adapted = vision.adaptAlexnetWeights({ "features.0.weight": stem, "features.0.bias": bias });
    const small = adapted["features.0.weight"]!;
    expect(adapted["features.0.bias"]).toBe(bias);
    const [from, to] = [await stem.data(), await small.data()];
    expect(small.shape).toEqual([64, 3, 3, 3]);
    const [f, r, c] = [100, 2, 0]; // a filter plane, row and column
    expect(to[f * 9 + r * 3 + c]).toBe(from[f * 121 + (r + 1) * 11 + c + 1]);
    expect(() => vision.adaptAlexnetWeights({ "features.0.weight": small })).toThrow(StateDictError);
    for (const t of [stem, bias, small]) t.dispose();
  });
});

test("a captured step counts batches too", async () => {
  const { capture } = await import("wgrad");
  const bn = new nn.BatchNorm2d(2);
  const step = capture((x: Tensor) => scope(() => noGrad(() => bn.forward(x).sum())));
  for (let i = 0; i < 4; i++) {
    const x = rand([2, 2, 2, 2]);
    step(x).dispose();
    x.dispose();
  }
  expect(step.recordings).toBe(1);
  expect(await bn.numBatchesTracked!.item()).toBe(4);
  bn.eval();
  const x = rand([2, 2, 2, 2]);
  step(x).dispose();
  expect(step.recordings).toBe(2);
  expect(await bn.numBatchesTracked!.item()).toBe(4);
  step.dispose();
  x.dispose();
  bn.dispose();
});
