// What makes a captured step record again, and what does not: modes, other models and optimizers, captures inside captures.
import { expect, test } from "vitest";
import {
  arange,
  capture,
  full,
  manualSeed,
  nn,
  noGrad,
  ones,
  optim,
  randn,
  randperm,
  StateError,
  scope,
  type Tensor,
  tensor,
  zeros,
} from "wgrad";
import { withDevice } from "../support/case.ts";

withDevice();
const F = nn.functional;

const disposeAll = (...list: { dispose(): void }[]) => {
  for (const item of list) item.dispose();
};

const classifier = (seed: number) => {
  manualSeed(seed);
  const layers = [new nn.Conv2d(1, 4, 2), new nn.BatchNorm2d(4), new nn.ReLU(), new nn.Flatten(), new nn.Linear(4, 2)];
  return new nn.Sequential(...layers);
};

test("two models in turns, one switched to eval() in between: each is recorded once for each mode", async () => {
  const models = [classifier(1), classifier(2)] as const;
  const optimizers = models.map((m) => new optim.SGD(m.parameters(), { lr: 0.1, momentum: 0.9 }));
  const steps = models.map((model, i) =>
    capture((x: Tensor) => {
      const y = model.forward(x);
      if (!model.training) return y.sum();
      optimizers[i]?.zeroGrad();
      const loss = y.square().mean();
      loss.backward();
      optimizers[i]?.step();
      return loss;
    }),
  );
  const x = randn([6, 1, 2, 2]);
  const run = () => {
    for (const step of steps) step(x).dispose();
  };
  const counts = () => steps.map((step) => step.recordings);
  run();
  run();
  expect(counts()).toEqual([1, 1]);
  models[0].eval();
  run();
  expect(counts()).toEqual([2, 1]);
  models[0].train();
  run();
  models[0].eval();
  models[1].eval();
  run();
  run();
  expect(counts()).toEqual([2, 2]);
  for (const m of models) m.train();
  run();
  expect(counts()).toEqual([2, 2]);
  disposeAll(x, ...steps, ...optimizers, ...models);
});

/** Losses of a GAN's steps, discriminator and generator in turns, each with an optimizer of its own. */
async function gan(captured: boolean, freeze: boolean) {
  manualSeed(7);
  const G = new nn.Sequential(new nn.Linear(3, 8), new nn.ReLU(), new nn.Linear(8, 2));
  const D = new nn.Sequential(new nn.Linear(2, 8), new nn.ReLU(), new nn.Linear(8, 1));
  const [optG, optD] = [new optim.Adam(G.parameters(), { lr: 0.01 }), new optim.Adam(D.parameters(), { lr: 0.02 })];
  const onD = (real: Tensor, noise: Tensor) => {
    optD.zeroGrad();
    const fake = noGrad(() => G.forward(noise));
    const loss = D.forward(fake).exp().mean().sub(D.forward(real).mean());
    loss.backward();
    optD.step();
    return loss;
  };
  const onG = (noise: Tensor) => {
    // D gets gradients too, which its own step drops; or the step freezes it meanwhile.
    if (freeze) D.requiresGrad_(false);
    optG.zeroGrad();
    const loss = D.forward(G.forward(noise)).square().mean();
    loss.backward();
    optG.step();
    if (freeze) D.requiresGrad_(true);
    return loss;
  };
  const [stepD, stepG] = [capture(onD), capture(onG)];
  const losses: number[] = [];
  for (let i = 0; i < 5; i++) {
    const [real, noise] = [randn([5, 2]), randn([5, 3])];
    const d = captured ? stepD(real, noise) : scope(() => onD(real, noise));
    const g = captured ? stepG(noise) : scope(() => onG(noise));
    losses.push(await d.item(), await g.item());
    disposeAll(real, noise, d, g);
  }
  const recordings = [stepD.recordings, stepG.recordings];
  disposeAll(stepD, stepG, optG, optD, G, D);
  return { losses, recordings };
}

test.each([false, true])("a GAN's two steps (discriminator frozen in the generator's: %s)", async (freeze) => {
  const eager = await gan(false, freeze);
  const captured = await gan(true, freeze);
  expect(captured.losses).toEqual(eager.losses);
  expect(captured.recordings).toEqual([1, 1]);
});

test("a teacher in eval(), an optimizer made elsewhere and another model's mode leave a recording alone", async () => {
  const [student, teacher, bystander] = [classifier(1), classifier(2).eval(), classifier(3)];
  const optimizer = new optim.SGD(student.parameters(), { lr: 0.1 });
  const step = capture((x: Tensor) => {
    optimizer.zeroGrad();
    const target = noGrad(() => teacher.forward(x));
    const loss = F.mseLoss(student.forward(x), target);
    loss.backward();
    optimizer.step();
    return loss;
  });
  const x = randn([6, 1, 2, 2]);
  step(x).dispose();
  const other = new optim.Adam(bystander.parameters());
  step(x).dispose();
  bystander.eval();
  bystander.requiresGrad_(false);
  step(x).dispose();
  const late = classifier(4);
  disposeAll(step(x), late, other);
  expect(step.recordings).toBe(1);
  expect([teacher.training, student.training]).toEqual([false, true]);
  disposeAll(x, step, optimizer, student, teacher, bystander);
});

test("a step that sets modes itself finds them as it left them", async () => {
  const model = classifier(5);
  const step = capture((x: Tensor) => {
    model.eval();
    const a = noGrad(() => model.forward(x));
    model.train();
    return a.add(noGrad(() => model.forward(x)));
  });
  const x = randn([6, 1, 2, 2]);
  for (let i = 0; i < 3; i++) step(x).dispose();
  expect(step.recordings).toBe(1);
  disposeAll(x, step, model);
});

test("grad mode is part of what was recorded", async () => {
  const w = tensor([2], { requiresGrad: true });
  const step = capture((x: Tensor) => {
    const loss = x.mul(w).sum();
    if (loss.requiresGrad) loss.backward();
    return loss;
  });
  const x = tensor([3]);
  noGrad(() => step(x)).dispose();
  expect(w.grad).toBeNull();
  step(x).dispose();
  expect(await w.grad?.array()).toEqual([3]);
  noGrad(() => step(x)).dispose();
  expect(await w.grad?.array()).toEqual([3]);
  expect(step.recordings).toBe(2);
  disposeAll(x, step, w);
});

test("a captured step inside a captured step is part of it", async () => {
  const w = tensor([2], { requiresGrad: true });
  const teacher = capture((x: Tensor) => x.mul(w));
  const student = capture((x: Tensor) => {
    const y = teacher(x);
    // As outside: its results are not in the graph.
    expect(y.requiresGrad).toBe(false);
    return y.add(x);
  });
  const values: number[] = [];
  for (const value of [1, 10, 100]) {
    const x = tensor([value]);
    const [alone, both] = [teacher(x), student(x)];
    values.push(await alone.item(), await both.item());
    disposeAll(x, alone, both);
  }
  expect(values).toEqual([2, 3, 20, 30, 200, 300]);
  expect([teacher.recordings, student.recordings]).toEqual([1, 1]);
  disposeAll(teacher, student, w);
});

test("replays follow manualSeed, as the eager step does", async () => {
  const eager = (x: Tensor) => F.dropout(x, 0.5).add(randn([64]));
  const step = capture(eager);
  const x = tensor(new Float32Array(64).fill(1));
  const draw = async (seed: number | null, f: (x: Tensor) => Tensor) => {
    if (seed !== null) manualSeed(seed);
    const y = scope(() => f(x));
    const values = String(await y.data());
    y.dispose();
    return values;
  };
  await draw(5, step);
  // The second has bits above the lower word.
  for (const seed of [7, 2 ** 40 + 7, 5]) {
    const expected = [await draw(seed, eager), await draw(null, eager)];
    expect([await draw(seed, step), await draw(null, step)]).toEqual(expected);
    expect(expected[0]).not.toBe(expected[1]);
  }
  expect(step.recordings).toBe(1);
  disposeAll(x, step);
});

test("a layer or parameter put in another's place is seen, wherever it hangs, and the old one finds its recording again", async () => {
  class Net extends nn.Module {
    body = new nn.Sequential(new nn.Linear(3, 4), new nn.ReLU());
    head = new nn.Linear(4, 2);
    forward(x: Tensor): Tensor {
      return this.head.forward(this.body.forward(x));
    }
  }
  const net = new Net();
  const step = capture((x: Tensor) => noGrad(() => net.forward(x)));
  const x = ones([1, 3]);
  const checked = async (): Promise<readonly number[]> => {
    const [got, expected] = [step(x), noGrad(() => scope(() => net.forward(x)))];
    expect(await got.array()).toEqual(await expected.array());
    disposeAll(got, expected);
    return got.shape;
  };
  expect(await checked()).toEqual([1, 2]);
  const { head } = net;
  const other = new nn.Linear(4, 5);
  net.head = other;
  expect(await checked()).toEqual([1, 5]);
  net.body[1] = new nn.Sigmoid();
  await checked();
  expect(step.recordings).toBe(3);
  net.body[1] = new nn.ReLU();
  net.head = head;
  await checked();
  net.body.append(new nn.Tanh());
  await checked();
  const { weight } = head;
  head.weight = new nn.Parameter(ones([2, 4]));
  await checked();
  expect(step.recordings).toBe(6);
  other.weight.requiresGrad = false; // of no concern to the step any more
  await checked();
  expect(step.recordings).toBe(6);
  disposeAll(step, x, weight, ...net.parameters(), ...other.parameters());
});

test("data from the host inside a step is refused, what is made of numbers is not", async () => {
  const x = zeros([3]);
  expect(() => capture((t: Tensor) => t.add(tensor([1, 2, 3])))(x)).toThrow(StateError);
  expect(() => capture((t: Tensor) => t.add(randperm(3)))(x)).toThrow(/make it outside of the step/);
  const step = capture((t: Tensor) =>
    t
      .relu()
      .add(1)
      .relu()
      .add(arange(3))
      .add(full([3], 2)),
  );
  for (const _ of [1, 2, 3]) {
    const y = step(x);
    expect(await y.array()).toEqual([3, 4, 5]);
    y.dispose();
  }
  disposeAll(step, x);
});
