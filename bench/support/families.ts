// A training step of one small model of each family at 32x32, after adaptToSmallImages; what bench:families times.
import { adaptToSmallImages, capture, createModel, nn, optim, Tensor, tensor } from "wgrad";
import { labels, uniform } from "./formula.mjs";
import { loadFormula } from "./training.ts";

const { functional: F } = nn;

/** Options that leave out what draws numbers, so that losses can be compared; of wide transformers two blocks. */
export const families = {
  alexnet: { dropout: 0 },
  beit_base_patch16_224: { depth: 2 },
  convnext_tiny: { stochasticDepthProb: 0 },
  deit_tiny_patch16_224: {},
  densenet121: {},
  efficientnet_b0: { dropout: 0, stochasticDepthProb: 0 },
  efficientnet_v2_s: { dropout: 0, stochasticDepthProb: 0 },
  googlenet: { dropout: 0, dropoutAux: 0 },
  inception_resnet_v2: {},
  inception_v3: { dropout: 0 },
  lenet5: {},
  mobilenet_v2: { dropout: 0 },
  mobilenet_v3_small: { dropout: 0 },
  moco_v3_vit_small: { depth: 2 },
  resnet18: {},
  resnext50_32x4d: {},
  shufflenet_v2_x1_0: {},
  squeezenet1_1: { dropout: 0 },
  swin_t: { dropPath: 0 },
  vgg11: { dropout: 0 },
  vit_b_16: { depth: 2 },
} as const;

export type FamilyName = keyof typeof families;
export const familyNames = Object.keys(families) as FamilyName[];

const CLASSES = 10;

/** All logits of a model: an auxiliary or second head has some of its own. */
const logitsOf = (y: unknown): Tensor[] =>
  y instanceof Tensor ? [y] : Object.values(y as Record<string, Tensor> | Tensor[]);

/** Forward, the sum of all heads' cross-entropies, backward and SGD with momentum, captured; numbers by formula. */
export async function familyWork(name: FamilyName, batch: number): Promise<{ step(): Tensor; dispose(): void }> {
  const model: nn.AnyModule = adaptToSmallImages(createModel(name, { numClasses: CLASSES, ...families[name] }));
  await loadFormula([model]);
  model.train();
  const x = tensor(uniform(batch * 3 * 32 * 32, 1000), { shape: [batch, 3, 32, 32] });
  const y = tensor(labels(batch, 1001, CLASSES));
  const optimizer = new optim.SGD(
    Array.from(model.parameters()).filter((p) => p.requiresGrad),
    { lr: 1e-4, momentum: 0.9 },
  );
  const captured = capture((images: Tensor, target: Tensor): Tensor => {
    optimizer.zeroGrad();
    const loss = logitsOf(model.forward(images))
      .map((logits) => F.crossEntropy(logits, target))
      .reduce((sum, one) => sum.add(one));
    loss.backward();
    optimizer.step();
    return loss;
  });
  return {
    step: () => captured(x, y),
    dispose() {
      for (const owned of [captured, optimizer, model, x, y]) owned.dispose();
    },
  };
}
