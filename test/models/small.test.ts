// The small model families against torchvision; `npm run test:models` has all of them.
import { describe, expect, test } from "vitest";
import { createModel, listModels, nn, noGrad, rand, type Tensor, ValueError } from "wgrad";
import { withDevice } from "../support/case.ts";
import { golden, names, small, testFamily } from "./families.ts";

withDevice();

describe("torchvision's names, logits and gradients", () => {
  for (const name of small) testFamily(name);
});

test("every golden family is a model, and a name that is none is told", () => {
  expect(listModels()).toEqual(expect.arrayContaining(names));
  expect(() => createModel("vgg17" as never)).toThrow(ValueError);
  expect(() => createModel("lenet5", { classes: 3 } as never)).toThrow(/no option "classes"/);
});

test.each(small)("%s is copied whole", async (name) => {
  const model = createModel(name, { ...golden[name]?.options, numClasses: 3 }).eval();
  const copy = nn.deepCopy(model);
  const x = rand([1, 3, 64, 64]);
  const results = [model, copy].flatMap((m: nn.Module<readonly [Tensor], Tensor | Tensor[]>) =>
    noGrad(() => m.forward(x)),
  );
  const [a, b] = await Promise.all(results.map((y) => y.data()));
  expect(b).toEqual(a);
  for (const t of [...results, x, model, copy]) t.dispose();
});

test("LeNet-5 has 61,706 parameters", () => {
  const model = createModel("lenet5");
  expect(Array.from(model.parameters()).reduce((sum, p) => sum + p.numel, 0)).toBe(61_706);
  model.dispose();
});
