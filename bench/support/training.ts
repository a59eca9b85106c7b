// The training steps and forward passes that are timed: model, data by formula, Adam; eager and captured.
import {
  alexnet,
  type CapturedStep,
  capture,
  cifarAlexnet,
  nn,
  noGrad,
  optim,
  resnet18,
  scope,
  type Tensor,
  tensor,
} from "wgrad";
import { labels, parameter, uniform } from "./formula.mjs";

const { functional: F } = nn;

interface Setting {
  readonly make: () => nn.Module;
  /** Rows and columns of the images. */
  readonly size: number;
  readonly classes: number;
}

export const models = {
  resnet18: { make: () => resnet18({ numClasses: 10 }), size: 32, classes: 10 },
  cifarAlexnet: { make: () => cifarAlexnet({ numClasses: 10 }), size: 32, classes: 10 },
  alexnet: { make: () => alexnet(), size: 224, classes: 1000 },
} as const satisfies Record<string, Setting>;
export type ModelName = keyof typeof models;
export const modelNames = Object.keys(models) as ModelName[];

export interface Workload {
  readonly model: nn.Module;
  readonly optimizer: optim.Adam;
  readonly x: Tensor;
  readonly y: Tensor;
  /** One training step: the loss, which is the caller's. */
  train(): Tensor;
  readonly trainCaptured: CapturedStep<[Tensor, Tensor], Tensor>;
  /** One forward pass without a tape: the logits, which are the caller's. Switch the model to evaluation before. */
  infer(): Tensor;
  readonly inferCaptured: CapturedStep<[Tensor], Tensor>;
  dispose(): void;
}

/** The model's parameters get their values by formula, so that other libraries can start from the same. */
export async function workload(name: ModelName, batch: number, lr = 1e-3): Promise<Workload> {
  const { make, size, classes } = models[name];
  const model: nn.Module = make();
  await loadFormula([model]);
  model.train();
  const x = tensor(uniform(batch * 3 * size * size, 1000), { shape: [batch, 3, size, size] });
  const y = tensor(labels(batch, 1001, classes));
  const optimizer = new optim.Adam(model.parameters(), { lr });
  const step = (images: Tensor, target: Tensor): Tensor => {
    optimizer.zeroGrad();
    const loss = F.crossEntropy(model.forward(images), target);
    loss.backward();
    optimizer.step();
    return loss;
  };
  const forward = (images: Tensor): Tensor => noGrad(() => model.forward(images));
  const trainCaptured = capture(step);
  const inferCaptured = capture(forward);
  return {
    ...{ model, optimizer, x, y, trainCaptured, inferCaptured },
    train: () => scope(() => step(x, y).detach()),
    infer: () => scope(() => forward(x)),
    dispose() {
      for (const captured of [trainCaptured, inferCaptured]) captured.dispose();
      for (const owned of [optimizer, model, x, y]) owned.dispose();
    },
  };
}

/** Seeds are the parameters' positions, from 1, through all modules. */
export async function loadFormula(modules: readonly nn.AnyModule[]): Promise<void> {
  let seed = 0;
  for (const module of modules) {
    const values = [...module.namedParameters()].map(([name, p]) => {
      seed++;
      return [name, tensor(parameter(name, p.shape, seed), { shape: p.shape })] as const;
    });
    await module.loadStateDict(new Map(values), { strict: false });
    for (const [, t] of values) t.dispose();
  }
}
