// Run as a process of its own by exit.test.ts: opens the device, trains one value, and then simply ends.
import { init, rand, tensor, vision } from "wgrad";

const device = await init();
if (process.env.WGRAD_TEST_THROWS) {
  // Some dozen pipelines are compiling.
  const x = rand([2, 3, 32, 32]);
  vision.resnet18({ numClasses: 10 }).forward(x).sum().backward();
  throw new Error("thrown while pipelines compile");
}
const x = tensor([1, 2, 3], { requiresGrad: true });
x.sum().backward();
console.log(JSON.stringify({ name: device.info.name, grad: await x.grad?.array() }));
