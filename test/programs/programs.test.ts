// Usual PyTorch programs, written as their users would: each trains.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  capture,
  defineOp,
  grid1d,
  kernel,
  manualSeed,
  nn,
  noGrad,
  optim,
  randn,
  scope,
  type Tensor,
  vision,
} from "wgrad";
import { loadCheckpoint, saveCheckpoint } from "wgrad/node";
import { withDevice } from "../support/case.ts";
import { programs } from "./index.ts";
import { values, whole } from "./program.ts";

const F = nn.functional;

withDevice();

/** Losses of so many captured steps on one batch. */
async function losses(
  step: (...batch: Tensor[]) => Tensor,
  batch: readonly Tensor[],
  steps: number,
): Promise<number[]> {
  const captured = capture((...given: Tensor[]) => step(...given));
  const found: number[] = [];
  for (let i = 0; i < steps; i++) {
    const loss = captured(...batch);
    found.push(await loss.item());
    loss.dispose();
  }
  captured.dispose();
  return found;
}

const free = (things: readonly { dispose(): void }[]) => {
  for (const thing of things) thing.dispose();
};

// Smaller batches than the timed ones; steps, and how far the loss comes down at least.
const settings = {
  "mnist-cnn": [8, 8, 0.9],
  vae: [16, 16, 0.95],
  dcgan: [8, 16, 1],
  unet: [2, 8, 0.98],
  "char-transformer": [2, 8, 0.98],
  lstm: [8, 20, 0.98],
  gru: [8, 20, 0.98],
  mobilenet: [8, 6, 0.98],
  vit: [2, 4, 0.9],
  embedding: [256, 3, 1],
} as const satisfies Record<keyof typeof programs, readonly [batch: number, steps: number, share: number]>;

describe("steps lower the loss on one batch", () => {
  for (const [name, [batch, steps, share]] of Object.entries(settings)) {
    test(name, async () => {
      manualSeed(1);
      const program = programs[name as keyof typeof programs](batch);
      const given = program.batch();
      const found = await losses(program.step, given, steps);
      expect(found.every(Number.isFinite), String(found)).toBe(true);
      expect(Math.min(...found), String(found)).toBeLessThan(share * found[0]!);
      free([...given, ...program.owned, ...program.modules]);
    });
  }
});

const mlp = (width: number) => new nn.Sequential(new nn.Linear(16, width), new nn.ReLU(), new nn.Linear(width, 4));

test("distillation: a small network learns what a large one says", async () => {
  manualSeed(2);
  const [teacher, student] = [mlp(64), mlp(8)];
  teacher.eval();
  const optimizer = new optim.Adam(student.parameters(), { lr: 2e-2 });
  const x = randn([64, 16]);
  const step = (x: Tensor): Tensor => {
    optimizer.zeroGrad();
    const taught = noGrad(() => teacher.forward(x).mul(4).softmax(1));
    const loss = F.klDiv(student.forward(x).mul(4).logSoftmax(1), taught, { reduction: "batchmean" });
    loss.backward();
    optimizer.step();
    return loss;
  };
  const found = await losses((x) => step(x!), [x], 60);
  expect(found.at(-1)!, String(found)).toBeLessThan(0.5 * found[0]!);
  free([x, optimizer, teacher, student]);
});

test("a recipe: mixup and cutmix, accumulation, clipping, warm-up and cosine, averaged weights", async () => {
  manualSeed(3);
  const model = new nn.Sequential(
    new nn.Conv2d(3, 8, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.AdaptiveAvgPool2d(1),
    new nn.Flatten(),
    new nn.Linear(8, 4),
  );
  const averaged = new optim.swaUtils.AveragedModel(model, { emaDecay: 0.8, useBuffers: true });
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.2, momentum: 0.9, weightDecay: 5e-4 });
  const warmUp = new optim.LinearLR(optimizer, { startFactor: 0.1, totalIters: 5 });
  const scheduler = new optim.SequentialLR(optimizer, [warmUp, new optim.CosineAnnealingLR(optimizer, 35)], [5]);
  const mixes = [vision.mixup({ numClasses: 4, alpha: 0.2 }), vision.cutmix({ numClasses: 4 })];
  const labels = whole([32], 9, 4);
  // Classes differ by their brightness.
  const images = scope(() => values([32, 3, 8, 8], 8, 0.5).add(labels.to("f32").reshape([32, 1, 1, 1]).sub(1.5)));
  for (let epoch = 0; epoch < 40; epoch++) {
    optimizer.zeroGrad();
    for (const mix of mixes) {
      scope(() => {
        const mixed = mix(images, labels);
        const loss = F.crossEntropy(model.forward(mixed.images), mixed.labels, { labelSmoothing: 0.05 });
        loss.div(mixes.length).backward();
      });
    }
    scope(() => void optim.clipGradNorm_(model.parameters(), 1));
    optimizer.step();
    averaged.updateParameters(model);
    scheduler.step();
  }
  averaged.eval();
  const right = noGrad(() => scope(() => F.correctCount(averaged.forward(images), labels)));
  // A quarter by guessing.
  expect(await right.item()).toBeGreaterThan(16);
  free([right, images, labels, optimizer, averaged, model]);
});

// x / (1 + |x|), as a user writes it.
const softsignKernel = kernel(
  "mySoftsign",
  `
  struct Params { n: u32 }
  @group(0) @binding(0) var<storage, read> x: array<f32>;
  @group(0) @binding(1) var<storage, read_write> y: array<f32>;
  @group(0) @binding(2) var<uniform> p: Params;
  @compute @workgroup_size(64)
  fn main(@builtin(global_invocation_id) id: vec3u) {
    if (id.x < p.n) { y[id.x] = x[id.x] / (1.0 + abs(x[id.x])); }
  }
`,
);
const softsign = defineOp<[x: Tensor]>({
  name: "mySoftsign",
  infer: ([x]) => [x],
  forward: (run, [x], [y]) => softsignKernel.launch(run, { x, y }, { n: x.numel }, grid1d(x.numel, 64)),
  vjp: ([dy], c) => [dy.div(c.input(0).abs().add(1).square())],
});

test("an operation of one's own, in a model that trains", async () => {
  manualSeed(4);
  const [first, second] = [new nn.Linear(4, 16), new nn.Linear(16, 1)];
  const optimizer = new optim.Adam([...first.parameters(), ...second.parameters()], { lr: 0.02 });
  const x = randn([64, 4]);
  const target = scope(() => x.select(1, 0).mul(x.select(1, 1)).unsqueeze(1));
  const step = (x: Tensor, target: Tensor): Tensor => {
    optimizer.zeroGrad();
    const loss = F.mseLoss(second.forward(softsign(first.forward(x))), target);
    loss.backward();
    optimizer.step();
    return loss;
  };
  const found = await losses((x, y) => step(x!, y!), [x, target], 80);
  expect(found.at(-1)!, String(found)).toBeLessThan(0.7 * found[0]!);
  free([x, target, optimizer, first, second]);
});

test("a summary, hooks that look inside, and a run that goes on from its file", async () => {
  manualSeed(5);
  const folder = await mkdtemp(join(tmpdir(), "wgrad-"));
  const make = () => {
    const model = mlp(8);
    return { model, optimizer: new optim.Adam(model.parameters(), { lr: 1e-2 }) };
  };
  const run = make();
  const x = randn([8, 16]);
  const labels = whole([8], 1, 4);
  expect(run.model.summary(x)).toMatch(/Linear/);
  const shapes: string[] = [];
  const remove = run.model.registerForwardHook((_module, _inputs, output) => void shapes.push(String(output.shape)));
  const item = async ({ model, optimizer }: typeof run): Promise<number> => {
    const loss = scope(() => {
      optimizer.zeroGrad();
      const made = F.crossEntropy(model.forward(x), labels);
      made.backward();
      optimizer.step();
      return made.detach();
    });
    const value = await loss.item();
    loss.dispose();
    return value;
  };
  for (let i = 0; i < 3; i++) await item(run);
  expect(shapes).toEqual(["8,4", "8,4", "8,4"]);
  remove();
  await saveCheckpoint(join(folder, "run.safetensors"), { ...run, epoch: 3 });
  const other = make();
  expect((await loadCheckpoint(join(folder, "run.safetensors"), other)).epoch).toBe(3);
  expect(await item(other)).toBe(await item(run));
  await rm(folder, { recursive: true });
  for (const { model, optimizer } of [run, other]) free([optimizer, model]);
  free([x, labels]);
});
