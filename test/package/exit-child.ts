// Run as a process of its own by exit.test.ts: opens the device, trains one value, and then simply ends.
import { init, tensor } from "wgrad";

const device = await init();
const x = tensor([1, 2, 3], { requiresGrad: true });
x.sum().backward();
console.log(JSON.stringify({ name: device.info.name, grad: await x.grad?.array() }));
