// What a user of the published package writes: compiled against the packed tarball as an ES module, as CommonJS and for a
// bundler, and run from each (scripts/check-package.mjs). Says what it got as JSON on the last line of stdout.
import { capture, init, nn, optim, ShapeError, type Tensor, tensor, WgradError } from "wgrad";

/** A few steps of least squares: y = x w, eagerly and captured. */
async function train(): Promise<number[]> {
  const device = await init({ adapter: "auto" });
  const x = tensor([
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  const y = tensor([[5], [11], [17]]);
  const w: Tensor = tensor([[0], [0]], { requiresGrad: true });
  const optimizer = new optim.Adam([w], { lr: 0.5 });
  const step = capture((input: Tensor, target: Tensor) => {
    optimizer.zeroGrad();
    const loss = input.matmul(w).sub(target).square().mean();
    loss.backward();
    optimizer.step();
    return loss;
  });
  const losses: number[] = [];
  for (let i = 0; i < 10; i++) losses.push(await step(x, y).item());
  const gradient = tensor([1, -2], { requiresGrad: true });
  gradient.relu().sum().backward();
  console.error(`trained on ${device.info.name}; gradient ${await gradient.grad?.array()}`);
  return losses;
}

async function main(): Promise<void> {
  const losses = await train();
  let refused: unknown;
  try {
    tensor([[1, 2]]).matmul(tensor([[1, 2]]));
  } catch (error) {
    refused = error;
  }
  const typed =
    refused instanceof ShapeError &&
    refused instanceof WgradError &&
    refused.message.startsWith("[matmul]") &&
    refused.stack?.startsWith("ShapeError: [matmul]");
  const head: nn.Module = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU());
  const names = Array.from(head.namedParameters(), ([name]) => name);
  const message = refused instanceof Error ? refused.message : String(refused);
  console.log(JSON.stringify({ losses, typed, names, message }));
}

void main();
