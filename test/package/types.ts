// What a program sees of the types that has neither the DOM library nor those of Node (scripts/check-package.mjs compiles it
// in both worlds, with each compiler): it names nothing but the package and JavaScript.
import { capture, type Device, init, loadTorch, nn, optim, resnet18, type Tensor, tensor, vision, zeros } from "wgrad";
import { CIFAR10, download } from "wgrad/node";
import { exportOnnx, type OnnxOptions } from "wgrad/onnx";

class Net extends nn.Module {
  body = new nn.Sequential(new nn.Linear(2, 8), new nn.ReLU());
  head = new nn.Linear(8, 1);

  override forward(x: Tensor): Tensor {
    return this.head.forward(this.body.forward(x));
  }
}

export async function main(): Promise<[number, object]> {
  const device: Device = await init({ adapter: "auto" });
  const model = new Net();
  const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-3 });
  const step = capture((x: Tensor) => {
    optimizer.zeroGrad();
    using loss = model.forward(x).square().mean();
    loss.backward();
    optimizer.step();
    return loss.clone();
  });
  const shape: readonly [2, 2] = zeros([2, 2]).shape;
  const loss = step(tensor([[1, 2]]));
  // @ts-expect-error: a device is no tensor
  step(device);
  await model.loadStateDict(await loadTorch(new Uint8Array()), { strict: false });
  const data = await CIFAR10({ train: true, data: await download("https://example.org", "file") });
  const options: OnnxOptions = { dynamicBatch: true };
  const bytes: Uint8Array = await exportOnnx(model, tensor([[1, 2]]), options);
  // @ts-expect-error: an input is a tensor
  void exportOnnx(model, [[1, 2]]);
  void [bytes, data, shape, resnet18({ numClasses: 10 }), vision.DataLoader];
  return [await loss.item(), device.gpu];
}
