// The small model families against torchvision; `npm run test:models` has all of them.
import { describe, expect, test } from "vitest";
import { createModel, listModels, nn, noGrad, rand, ValueError } from "wgrad";
import { withDevice } from "../support/case.ts";
import { golden, heads, modelOf, names, small, testFamily } from "./families.ts";

withDevice();

describe("torchvision's names, logits and gradients", () => {
  for (const name of small) testFamily(name);
});

test("every golden family is a model, and a name that is none is told", () => {
  expect(listModels()).toEqual(expect.arrayContaining(names.map(modelOf)));
  expect(() => createModel("vgg17" as never)).toThrow(ValueError);
  expect(() => createModel("lenet5", { classes: 3 } as never)).toThrow(/no option "classes"/);
});

test.each([...new Set(small.map(modelOf))])("%s is copied whole", async (name) => {
  const model: nn.AnyModule = createModel(name, { ...golden[name]?.options, numClasses: 3 });
  model.eval();
  const copy = nn.deepCopy(model);
  const x = rand([1, 3, 64, 64]);
  const results = [model, copy].map((m: nn.AnyModule) => noGrad(() => heads(m.forward(x))));
  const [a, b] = await Promise.all(results.map((y) => y.data()));
  expect(b).toEqual(a);
  for (const t of [...results, x, model, copy]) t.dispose();
});

test("LeNet-5 has 61,706 parameters", () => {
  const model = createModel("lenet5");
  expect(Array.from(model.parameters()).reduce((sum, p) => sum + p.numel, 0)).toBe(61_706);
  model.dispose();
});

test("options of the newer families are checked before they take memory", () => {
  expect(() => createModel("mobilenet_v2", { padding: "same" } as never)).toThrow(
    '[mobilenetV2] padding must be "torch" or "tensorflow", got "same"',
  );
  expect(() => createModel("mobilenet_v3_small", { dilated: 1 } as never)).toThrow(
    /dilated must be true or false, got 1/,
  );
  expect(() => createModel("efficientnet_b7", { stochasticDepthProb: 2 })).toThrow(
    /stochasticDepthProb must be .* got 2/,
  );
  expect(() => createModel("convnext_large", { layerScale: "1" } as never)).toThrow(
    /layerScale must be a number, got "1"/,
  );
});

test("weights start as torchvision's: Kaiming's by outputs, narrow last layers, ConvNeXt's within two hundredths", async () => {
  const [mobile, efficient, convnext] = (["mobilenet_v3_small", "efficientnet_b0", "convnext_tiny"] as const).map(
    (name) => createModel(name),
  );
  const spread = async (model: nn.Module, name: string) => {
    const data = Array.from(await new Map(model.namedParameters()).get(name)!.data());
    return Math.sqrt(data.reduce((sum, v) => sum + v * v, 0) / data.length);
  };
  expect(await spread(mobile!, "features.12.0.weight")).toBeCloseTo(Math.sqrt(2 / 576), 3);
  expect(await spread(mobile!, "classifier.3.weight")).toBeCloseTo(0.01, 3);
  expect(await spread(mobile!, "features.1.block.1.fc1.bias")).toBe(0);
  // A depthwise weight's outputs are all its channels times the kernel.
  expect(await spread(efficient!, "features.6.1.block.1.0.weight")).toBeCloseTo(Math.sqrt(2 / (1152 * 25)), 3);
  expect(await spread(efficient!, "classifier.1.weight")).toBeCloseTo(1 / Math.sqrt(1000 * 3), 3);
  expect(await spread(convnext!, "features.1.0.block.3.weight")).toBeCloseTo(0.02, 3);
  expect(await spread(convnext!, "features.1.0.layer_scale")).toBeCloseTo(1e-6, 9);
  for (const model of [mobile, efficient, convnext]) model!.dispose();
});
