// A table of 30,000 words, of which a step looks up 2,048.
import { nn, optim } from "wgrad";
import { type Program, whole } from "./program.ts";

export function embedding(rows = 2048): Program {
  const table = new nn.Embedding(30_000, 256);
  const optimizer = new optim.SGD(table.parameters(), { lr: 0.1 });
  return {
    modules: [table],
    owned: [optimizer],
    batch: () => [whole([rows], 1, 30_000)],
    step(words) {
      optimizer.zeroGrad();
      const loss = table.forward(words!).square().mean();
      loss.backward();
      optimizer.step();
      return loss;
    },
  };
}
