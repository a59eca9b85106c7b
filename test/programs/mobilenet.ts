// MobileNetV2 from the library's public blocks.
import { nn, optim, type Tensor } from "wgrad";
import { type Program, values, whole } from "./program.ts";

const F = nn.functional;

type Setting = { kernelSize?: number; stride?: number; groups?: number };
const conv = (from: number, to: number, options: Setting = {}) =>
  new nn.ConvNormActivation(from, to, { ...options, activation: () => new nn.ReLU6() });

class InvertedResidual extends nn.Module {
  readonly conv: nn.Sequential;
  readonly shortcut: boolean;

  constructor(from: number, to: number, stride: number, expand: number) {
    super();
    const hidden = from * expand;
    this.conv = new nn.Sequential(
      ...(expand === 1 ? [] : [conv(from, hidden, { kernelSize: 1 })]),
      conv(hidden, hidden, { stride, groups: hidden }),
      new nn.Conv2d(hidden, to, 1, { bias: false }),
      new nn.BatchNorm2d(to),
    );
    this.shortcut = stride === 1 && from === to;
  }

  override forward(x: Tensor): Tensor {
    const y = this.conv.forward(x);
    return this.shortcut ? x.add(y) : y;
  }
}

class MobileNetV2 extends nn.Module {
  readonly features: nn.Sequential;
  readonly classifier = new nn.Linear(1280, 10);

  constructor() {
    super();
    const settings = [
      [1, 16, 1, 1],
      [6, 24, 2, 2],
      [6, 32, 3, 2],
      [6, 64, 4, 2],
      [6, 96, 3, 1],
      [6, 160, 3, 2],
      [6, 320, 1, 1],
    ] as const;
    const layers: nn.Module[] = [conv(3, 32, { stride: 2 })];
    let from = 32;
    for (const [expand, to, repeats, stride] of settings) {
      for (let i = 0; i < repeats; i++) {
        layers.push(new InvertedResidual(from, to, i === 0 ? stride : 1, expand));
        from = to;
      }
    }
    layers.push(conv(from, 1280, { kernelSize: 1 }));
    this.features = new nn.Sequential(...layers);
  }

  override forward(x: Tensor): Tensor {
    return this.classifier.forward(this.features.forward(x).mean([2, 3]));
  }
}

export function mobilenet(batch = 16): Program {
  const model = new MobileNetV2();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
  return {
    modules: [model],
    owned: [optimizer],
    batch: () => [values([batch, 3, 32, 32], 1), whole([batch], 2, 10)],
    step(images, labels) {
      optimizer.zeroGrad();
      const loss = F.crossEntropy(model.forward(images!), labels!);
      loss.backward();
      optimizer.step();
      return loss;
    },
  };
}
