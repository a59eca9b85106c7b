// The convolutional network of PyTorch's MNIST example, without its dropout.
import { nn, optim, type Tensor } from "wgrad";
import { type Program, shares, whole } from "./program.ts";

const F = nn.functional;

class Net extends nn.Module {
  readonly conv1 = new nn.Conv2d(1, 32, 3);
  readonly conv2 = new nn.Conv2d(32, 64, 3);
  readonly fc1 = new nn.Linear(9216, 128);
  readonly fc2 = new nn.Linear(128, 10);

  override forward(x: Tensor): Tensor {
    const features = F.maxPool2d(F.relu(this.conv2.forward(F.relu(this.conv1.forward(x)))), 2);
    return this.fc2.forward(F.relu(this.fc1.forward(features.flatten(1)))).logSoftmax(1);
  }
}

export function mnistCnn(batch = 64): Program {
  const net = new Net();
  const optimizer = new optim.Adam(net.parameters(), { lr: 1e-3 });
  return {
    modules: [net],
    owned: [optimizer],
    batch: () => [shares([batch, 1, 28, 28], 1), whole([batch], 2, 10)],
    step(images, labels) {
      optimizer.zeroGrad();
      const loss = F.nllLoss(net.forward(images!), labels!);
      loss.backward();
      optimizer.step();
      return loss;
    },
  };
}
