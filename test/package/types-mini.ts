// For programs of `wgrad/mini` alone, operations are no methods of tensors (tsconfig.mini.json, scripts/check-package.mjs).
import { add, backward, type Device, init, ones, type Tensor } from "wgrad/mini";
import { Linear } from "wgrad/nn";
import { SGD } from "wgrad/optim";

export async function step(): Promise<number> {
  const device: Device = await init({ adapter: "auto" });
  const layer = new Linear(2, 1);
  const sum: Tensor = add(layer.forward(ones([4, 2], { device })), 1);
  // @ts-expect-error: a method of wgrad's tensors
  sum.add(1);
  // @ts-expect-error: a method of wgrad's tensors
  sum.backward();
  backward(sum, ones([4, 1]));
  new SGD(layer.parameters(), { lr: 0.1 }).step();
  const kept: Tensor<[4, 2]> = ones([4, 2]);
  kept.dispose();
  return sum.numel;
}
