// A model by name, with weights by a formula, against ONNX Runtime.
import { test } from "vitest";
import { createModel, listModels, noGrad, scope, type Tensor, tensor } from "wgrad";
import { parameter, uniform } from "../../bench/support/formula.mjs";
import { golden, modelOf } from "../models/families.ts";
import { type AnyModel, compare, sample } from "./runtime.ts";

/** Pictures of models that take no small ones, and of those whose golden values ask for large ones. */
const shapes: Readonly<Record<string, readonly number[]>> = {
  inception_resnet_v2: [3, 96, 96],
  inception_v3: [3, 96, 96],
  lenet5: [1, 32, 32],
};

/** Every model, and the entries of golden values with options of their own. */
export const names: string[] = [...new Set([...listModels(), ...Object.keys(golden)])];

/** Of running statistics. With less the deepest EfficientNets make much of what rounding leaves. */
const VARIANCE = 1.3;

const fill = (t: Tensor, values: Float32Array): void =>
  noGrad(() => scope(() => void t.copy_(tensor(values, { shape: t.shape }))));

export function testExport(name: string): void {
  test(name, async () => {
    const { size = 64, options = {}, variance = VARIANCE } = golden[name] ?? {};
    const model = createModel(modelOf(name), { numClasses: 10, ...options }) as AnyModel;
    for (const [i, [key, p]] of [...model.namedParameters()].entries()) {
      // What is fixed by a formula of its own stays. Biases are 0 by the formula and norms' weights 1: they have to count, too.
      if (key === "pos_embed" && !p.requiresGrad) continue;
      const more = p.ndim === 1 ? uniform(p.numel, 300 + i, 0.2) : [];
      fill(
        p,
        parameter(key, p.shape, i + 1).map((v, j) => v + (more[j] ?? 0)),
      );
    }
    // So do statistics.
    for (const [i, [key, t]] of [...model.namedBuffers()].entries()) {
      const values = uniform(t.numel, 500 + i, 0.2);
      if (key.endsWith("running_mean")) fill(t, values);
      if (key.endsWith("running_var"))
        fill(
          t,
          values.map((v) => variance * (1 + v)),
        );
    }
    const shape = shapes[name] ?? [3, size, size];
    const inputs = [sample([1, ...shape]), sample([3, ...shape], 2)];
    await compare(model, inputs, 1e-4, { dynamicBatch: true });
    for (const t of [...inputs, model]) t.dispose();
  });
}
