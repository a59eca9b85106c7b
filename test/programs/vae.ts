// PyTorch's variational autoencoder: 784 pixels to 20 numbers and back.
import { nn, optim, randn, scope, type Tensor } from "wgrad";
import { type Program, shares, values } from "./program.ts";

const F = nn.functional;

class VAE extends nn.Module<readonly [x: Tensor, noise: Tensor], [x: Tensor, mean: Tensor, logVar: Tensor]> {
  readonly fc1 = new nn.Linear(784, 400);
  readonly fc21 = new nn.Linear(400, 20);
  readonly fc22 = new nn.Linear(400, 20);
  readonly fc3 = new nn.Linear(20, 400);
  readonly fc4 = new nn.Linear(400, 784);

  override forward(x: Tensor, noise: Tensor): [Tensor, Tensor, Tensor] {
    const h = F.relu(this.fc1.forward(x));
    const [mean, logVar] = [this.fc21.forward(h), this.fc22.forward(h)];
    const z = mean.add(noise.mul(logVar.mul(0.5).exp()));
    return [this.fc4.forward(F.relu(this.fc3.forward(z))).sigmoid(), mean, logVar];
  }
}

export function vae(batch = 128): Program {
  const model = new VAE();
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
  return {
    modules: [model],
    owned: [optimizer],
    batch: () => [shares([batch, 784], 1), values([batch, 20], 2)],
    step(x, noise = scope(() => randn([batch, 20]))) {
      optimizer.zeroGrad();
      const [y, mean, logVar] = model.forward(x!, noise);
      const reconstruction = F.binaryCrossEntropy(y, x!, { reduction: "sum" });
      const divergence = logVar.add(1).sub(mean.square()).sub(logVar.exp()).sum().mul(-0.5);
      const loss = reconstruction.add(divergence).div(batch);
      loss.backward();
      optimizer.step();
      return loss;
    },
  };
}
