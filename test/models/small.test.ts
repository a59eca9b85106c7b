// The small model families against torchvision; `npm run test:models` has all of them.
import { describe, expect, test } from "vitest";
import { createModel, listModels, ValueError } from "wgrad";
import { withDevice } from "../support/case.ts";
import { names, small, testFamily } from "./families.ts";

withDevice();

describe("torchvision's names, logits and gradients", () => {
  for (const name of small) testFamily(name);
});

test("every golden family is a model, and a name that is none is told", () => {
  expect(listModels()).toEqual(expect.arrayContaining(names));
  expect(() => createModel("vgg17" as never)).toThrow(ValueError);
  expect(() => createModel("lenet5", { classes: 3 } as never)).toThrow(/no option "classes"/);
});

test("LeNet-5 has 61,706 parameters", () => {
  const model = createModel("lenet5");
  expect(Array.from(model.parameters()).reduce((sum, p) => sum + p.numel, 0)).toBe(61_706);
  model.dispose();
});
