// MobileNetV2 by name, trained with momentum.
import { createModel, nn, optim } from "wgrad";
import { type Program, values, whole } from "./program.ts";

const F = nn.functional;

export function mobilenet(batch = 16): Program {
  const model = createModel("mobilenet_v2", { numClasses: 10, dropout: 0 });
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
  return {
    modules: [model],
    owned: [optimizer],
    batch: () => [values([batch, 3, 32, 32], 1), whole([batch], 2, 10)],
    step(images, labels) {
      optimizer.zeroGrad();
      const loss = F.crossEntropy(model.forward(images!), labels!);
      loss.backward();
      optimizer.step();
      return loss;
    },
  };
}
