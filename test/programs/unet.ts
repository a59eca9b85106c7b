// A small U-Net: three levels, nearest upsampling, three classes of pixels.
import { cat, nn, optim, type Tensor } from "wgrad";
import { type Program, values, whole } from "./program.ts";

const F = nn.functional;

const double = (from: number, to: number) =>
  new nn.Sequential(
    new nn.Conv2d(from, to, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(to),
    new nn.ReLU(),
    new nn.Conv2d(to, to, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(to),
    new nn.ReLU(),
  );

class UNet extends nn.Module {
  readonly down1 = double(3, 16);
  readonly down2 = double(16, 32);
  readonly bottom = double(32, 64);
  readonly up2 = double(96, 32);
  readonly up1 = double(48, 16);
  readonly head = new nn.Conv2d(16, 3, 1);

  override forward(x: Tensor): Tensor {
    const a = this.down1.forward(x);
    const b = this.down2.forward(F.maxPool2d(a, 2));
    const c = this.bottom.forward(F.maxPool2d(b, 2));
    const d = this.up2.forward(cat([F.interpolate(c, { scaleFactor: 2 }), b], 1));
    return this.head.forward(this.up1.forward(cat([F.interpolate(d, { scaleFactor: 2 }), a], 1)));
  }
}

export function unet(batch = 8): Program {
  const model = new UNet();
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
  return {
    modules: [model],
    owned: [optimizer],
    batch: () => [values([batch, 3, 64, 64], 1), whole([batch, 64, 64], 2, 3)],
    step(images, masks) {
      optimizer.zeroGrad();
      const loss = F.crossEntropy(model.forward(images!), masks!);
      loss.backward();
      optimizer.step();
      return loss;
    },
  };
}
