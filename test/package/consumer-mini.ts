// What a user writes who wants a small bundle: compiled and run as consumer.ts is. Tensors have no methods there.
import { backward, crossEntropy, init, matmul, mul, ShapeError, Tensor, tensor } from "wgrad/mini";
import { Linear, ReLU, Sequential } from "wgrad/nn";
import { Adam } from "wgrad/optim";

async function main(): Promise<void> {
  await init();
  const model = new Sequential(new Linear(2, 16), new ReLU(), new Linear(16, 2));
  const optimizer = new Adam(model.parameters(), { lr: 0.1 });
  const inputs: Tensor = tensor([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]);
  const labels = tensor([0, 1, 1, 0], { dtype: "i32" });
  const losses: number[] = [];
  for (let i = 0; i < 40; i++) {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(inputs), labels);
    backward(loss);
    optimizer.step();
    losses.push(await loss.item());
  }
  let refused: unknown;
  try {
    matmul(inputs, inputs);
  } catch (error) {
    refused = error;
  }
  console.log(
    JSON.stringify({
      losses,
      typed: refused instanceof ShapeError,
      bare: !("mul" in Tensor.prototype),
      doubled: await mul(tensor([1, 2]), 2).array(),
    }),
  );
}

void main();
