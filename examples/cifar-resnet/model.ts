// The CIFAR-10 ResNets of He et al. (https://arxiv.org/abs/1512.03385, section 4.2), with the parameter-free shortcut A.
import { nn, type Tensor } from "wgrad";

/** Two 3x3 convolutions; where the shape changes, the shortcut drops every other pixel and pads channels with zeros. */
class BasicBlock extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.BatchNorm2d;
  readonly #padding: number;
  readonly #stride: number;

  constructor(inPlanes: number, planes: number, stride: number) {
    super();
    this.conv1 = new nn.Conv2d(inPlanes, planes, 3, { stride, padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(planes);
    this.conv2 = new nn.Conv2d(planes, planes, 3, { padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(planes);
    this.#padding = (planes - inPlanes) / 2;
    this.#stride = stride;
  }

  forward(x: Tensor): Tensor {
    const out = this.bn2.forward(this.conv2.forward(this.bn1.forward(this.conv1.forward(x)).relu()));
    return out.add(this.#shortcut(x)).relu();
  }

  #shortcut(x: Tensor): Tensor {
    if (this.#stride === 1) return x;
    const step = [null, null, this.#stride] as const;
    return x.slice([null, null, step, step]).pad([0, 0, 0, 0, this.#padding, this.#padding]);
  }
}

export class CifarResNet extends nn.Module {
  readonly conv1 = new nn.Conv2d(3, 16, 3, { padding: 1, bias: false });
  readonly bn1 = new nn.BatchNorm2d(16);
  readonly layer1: nn.Sequential;
  readonly layer2: nn.Sequential;
  readonly layer3: nn.Sequential;
  readonly linear = new nn.Linear(64, 10);

  /** `blocks` in each of three stages: 3 for ResNet-20, 5 for ResNet-32. */
  constructor(blocks: number) {
    super();
    const stage = (inPlanes: number, planes: number, stride: number) =>
      new nn.Sequential(
        ...Array.from({ length: blocks }, (_, i) => new BasicBlock(i ? planes : inPlanes, planes, i ? 1 : stride)),
      );
    this.layer1 = stage(16, 16, 1);
    this.layer2 = stage(16, 32, 2);
    this.layer3 = stage(32, 64, 2);
  }

  /** x: [N, 3, 32, 32], normalised with ImageNet's mean and deviation; logits: [N, 10]. */
  forward(x: Tensor): Tensor {
    let out = this.bn1.forward(this.conv1.forward(x)).relu();
    for (const layer of [this.layer1, this.layer2, this.layer3]) out = layer.forward(out);
    return this.linear.forward(out.mean([2, 3]));
  }
}
