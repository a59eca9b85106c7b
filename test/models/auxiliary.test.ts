// Auxiliary heads of GoogLeNet and Inception v3: when they answer, how they begin, and weights for other classes.
import { describe, expect, test } from "vitest";
import { manualSeed, type nn, noGrad, rand, Tensor, ValueError, vision } from "wgrad";
import { withDevice } from "../support/case.ts";

withDevice();

test("GoogLeNet gives the logits of all heads in training, and its own in evaluation", () => {
  const model = vision.googlenet({ numClasses: 3 });
  const x = rand([2, 3, 32, 32]);
  noGrad(() => {
    const training = model.forward(x);
    if (training instanceof Tensor) throw new Error("no auxiliary logits in training");
    expect(Object.entries(training).map(([name, y]) => [name, y.shape])).toEqual([
      ["logits", [2, 3]],
      ["auxLogits2", [2, 3]],
      ["auxLogits1", [2, 3]],
    ]);
    const evaluation = model.eval().forward(x);
    expect(evaluation).toBeInstanceOf(Tensor);
    for (const t of [...Object.values(training), evaluation as Tensor]) t.dispose();
  });
  for (const t of [x, model]) t.dispose();
});

test("without auxiliary heads logits are all there is, also to the compiler", () => {
  const model = vision.googlenet({ numClasses: 3, auxLogits: false });
  const net: nn.Module = model;
  const x = rand([2, 3, 32, 32]);
  const y: Tensor = noGrad(() => net.forward(x));
  expect(y.shape).toEqual([2, 3]);
  expect([...model.namedParameters()].filter(([name]) => name.startsWith("aux"))).toEqual([]);
  for (const t of [y, x, model]) t.dispose();
});

/** The standard deviation of a layer's weights. */
async function deviation(model: nn.AnyModule, name: string): Promise<number> {
  const p = new Map(model.namedParameters()).get(`${name}.weight`);
  if (!p) throw new Error(`no layer ${name}`);
  const values = Array.from(await p.data());
  return Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
}

describe("weights begin as torchvision's", () => {
  test("of GoogLeNet at 0.01", async () => {
    manualSeed(1);
    const model = vision.googlenet();
    for (const name of ["conv3.conv", "aux1.fc1", "fc"]) expect(await deviation(model, name)).toBeCloseTo(0.01, 3);
    model.dispose();
  });

  test("of Inception v3 at 0.1, and 0.001 where the auxiliary head names classes", async () => {
    manualSeed(1);
    const model = vision.inceptionV3();
    const expected = { "Conv2d_4a_3x3.conv": 0.1, "AuxLogits.conv1.conv": 0.1, fc: 0.1, "AuxLogits.fc": 0.001 };
    for (const [name, std] of Object.entries(expected))
      expect((await deviation(model, name)) / std, name).toBeCloseTo(1, 1);
    model.dispose();
  });

  test("of any layer where initWeights is false", async () => {
    manualSeed(1);
    const model = vision.googlenet({ initWeights: false, auxLogits: false });
    // Uniform within 1 / sqrt(fan in).
    expect((await deviation(model, "conv3.conv")) * Math.sqrt(3 * 64 * 9)).toBeCloseTo(1, 1);
    model.dispose();
  });
});

test("weights of other classes load but for the last layers, with and without auxiliary heads", async () => {
  const source = vision.googlenet({ numClasses: 5 });
  const dict = source.stateDict();
  const heads = ["aux1.fc2.weight", "aux1.fc2.bias", "aux2.fc2.weight", "aux2.fc2.bias", "fc.weight", "fc.bias"];
  const cases = [
    { model: vision.googlenet({ numClasses: 3 }), missing: heads },
    { model: vision.googlenet({ numClasses: 3, auxLogits: false }), missing: ["fc.weight", "fc.bias"] },
    { model: vision.googlenet({ numClasses: 5 }), missing: [] },
  ];
  for (const { model, missing } of cases) {
    const { missingKeys, unexpectedKeys } = await vision.loadPretrained(model, dict);
    expect(missingKeys).toEqual(missing);
    expect(unexpectedKeys).toEqual([]);
    expect(await model.conv3.conv.weight.data()).toEqual(await source.conv3.conv.weight.data());
    model.dispose();
  }
  for (const t of [...Object.values(dict), source]) t.dispose();
});

test("wrong options are told before a model takes memory", () => {
  expect(() => vision.googlenet({ auxLogits: 1 as never })).toThrow(/auxLogits must be true or false, got 1/);
  expect(() => vision.googlenet({ dropoutAux: 2 })).toThrow(/dropoutAux must be a number from 0 to 1, got 2/);
  expect(() => vision.inceptionV3({ dropoutAux: 0.5 } as never)).toThrow(/no option "dropoutAux"/);
  expect(() => vision.inceptionV3({ dropout: -1 })).toThrow(ValueError);
  expect(() => vision.inceptionResnetV2({ numClasses: 0 })).toThrow(ValueError);
});
