// DCGAN on pictures of 32 x 32: one step of the discriminator, one of the generator.
import { nn, ones, optim, type Tensor, zeros } from "wgrad";
import { type Program, values } from "./program.ts";

const F = nn.functional;

const up = (from: number, to: number, stride: number, padding: number) => [
  new nn.ConvTranspose2d(from, to, 4, { stride, padding, bias: false }),
  new nn.BatchNorm2d(to),
  new nn.ReLU(),
];
const down = (from: number, to: number) => [
  new nn.Conv2d(from, to, 4, { stride: 2, padding: 1, bias: false }),
  new nn.BatchNorm2d(to),
  new nn.LeakyReLU(0.2),
];

export function dcgan(batch = 64): Program {
  const generator = new nn.Sequential(
    ...up(100, 128, 1, 0),
    ...up(128, 64, 2, 1),
    ...up(64, 32, 2, 1),
    new nn.ConvTranspose2d(32, 1, 4, { stride: 2, padding: 1, bias: false }),
    new nn.Tanh(),
  );
  const discriminator = new nn.Sequential(
    new nn.Conv2d(1, 32, 4, { stride: 2, padding: 1, bias: false }),
    new nn.LeakyReLU(0.2),
    ...down(32, 64),
    ...down(64, 128),
    new nn.Conv2d(128, 1, 4, { bias: false }),
    new nn.Flatten(0),
  );
  const options = { lr: 2e-4, betas: [0.5, 0.999] } as const;
  const forG = new optim.Adam(generator.parameters(), options);
  const forD = new optim.Adam(discriminator.parameters(), options);
  const [real, fake] = [ones([batch]), zeros([batch])];
  const judged = (images: Tensor, as: Tensor) => F.binaryCrossEntropyWithLogits(discriminator.forward(images), as);
  return {
    modules: [generator, discriminator],
    owned: [forG, forD, real, fake],
    batch: () => [values([batch, 1, 32, 32], 1), values([batch, 100, 1, 1], 2)],
    step(images, noise) {
      forD.zeroGrad();
      const made = generator.forward(noise!);
      const lossD = judged(images!, real).add(judged(made.detach(), fake));
      lossD.backward();
      forD.step();
      forG.zeroGrad();
      judged(made, real).backward();
      forG.step();
      return lossD;
    },
  };
}
