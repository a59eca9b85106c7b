// Sentences of 40 words into two classes, by an LSTM or a GRU.
import { nn, optim, type Tensor } from "wgrad";
import { type Program, whole } from "./program.ts";

const F = nn.functional;

class Classifier extends nn.Module {
  readonly embedding = new nn.Embedding(2000, 64);
  readonly rnn: nn.LSTM | nn.GRU;
  readonly fc = new nn.Linear(64, 2);

  constructor(kind: "LSTM" | "GRU") {
    super();
    this.rnn = kind === "LSTM" ? new nn.LSTM(64, 64) : new nn.GRU(64, 64);
  }

  override forward(words: Tensor): Tensor {
    const [output] = this.rnn.forward(this.embedding.forward(words));
    return this.fc.forward(output.select(0, -1));
  }
}

export function sequenceClassifier(kind: "LSTM" | "GRU", batch = 32, length = 40): Program {
  const model = new Classifier(kind);
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
  return {
    modules: [model],
    owned: [optimizer],
    batch: () => [whole([length, batch], 1, 2000), whole([batch], 2, 2)],
    step(words, labels) {
      optimizer.zeroGrad();
      const loss = F.crossEntropy(model.forward(words!), labels!);
      loss.backward();
      optim.clipGradNorm_(model.parameters(), 1);
      optimizer.step();
      return loss;
    },
  };
}
