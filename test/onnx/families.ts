// A model by name, with weights by a formula, against ONNX Runtime.
import { test } from "vitest";
import { createModel, type ModelName, noGrad, scope, tensor } from "wgrad";
import { parameter } from "../../bench/support/formula.mjs";
import { type AnyModel, compare, sample } from "./runtime.ts";

/** Small pictures, but for models that fix a size. */
const sizes: Partial<Record<ModelName, readonly number[]>> = {
  inception_resnet_v2: [3, 96, 96],
  inception_v3: [3, 96, 96],
  lenet5: [1, 32, 32],
};
const SIZE = [3, 64, 64];

export function testExport(name: ModelName): void {
  test(name, async () => {
    const model = createModel(name, { numClasses: 10 }) as AnyModel;
    for (const [i, [key, p]] of [...model.namedParameters()].entries()) {
      noGrad(() => scope(() => void p.copy_(tensor(parameter(key, p.shape, i + 1), { shape: p.shape }))));
    }
    const shape = sizes[name] ?? SIZE;
    const inputs = [sample([1, ...shape]), sample([3, ...shape], 2)];
    await compare(model, inputs, 1e-4, { dynamicBatch: true });
    for (const t of [...inputs, model]) t.dispose();
  });
}
