// Optimizers in a captured step: the same trajectories as PyTorch's, with rates that change and parameters that are
// frozen and released between replays.
import { describe, expect, test } from "vitest";
import { capture, nn, optim, StateError, scope, type Tensor, tensor } from "wgrad";
import { withDevice } from "../support/case.ts";
import { golden, gradient, initial, optimizers, shapesOf } from "./golden.ts";

withDevice();

const fill = (shape: readonly number[], f: (i: number) => number): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => f(i)),
    { shape },
  );

describe("trajectories", () => {
  for (const t of golden.trajectories) {
    test(t.name, async () => {
      const shapes = shapesOf(t);
      const params = shapes.map((s, k) => new nn.Parameter(fill(s, (i) => initial(k, i))));
      const groups = t.groups.map((group) => ({ ...group, params: group.params.map((k) => params[k]!) }));
      const opt = new optimizers[t.kind](groups, t.options);
      // The gradient of sum(p * c) is c.
      const step = capture((...c: Tensor[]) =>
        scope(() => {
          opt.zeroGrad();
          const loss = c.map((x, k) => params[k]!.mul(x).sum()).reduce((a, b) => a.add(b));
          loss.backward();
          opt.step();
          return loss;
        }),
      );
      for (let i = 0; i < golden.steps; i++) {
        for (const [g, lr] of (t.lrs[i] ?? []).entries()) opt.paramGroups[g]!.lr = lr;
        for (const [k, p] of params.entries()) {
          const [from, to] = t.absent[k] ?? [0, 0];
          p.requiresGrad = i < from || i >= to;
        }
        const c = shapes.map((s, k) => fill(s, (j) => gradient(i, k, j)));
        step(...c).dispose();
        for (const x of c) x.dispose();
      }
      const ends = new Set(Object.values(t.absent).flat());
      ends.delete(0);
      expect(step.recordings).toBe(1 + ends.size);
      for (const [k, p] of params.entries()) {
        const got = await p.data();
        t.values.at(-1)![k]!.forEach((value, i) => {
          expect(Math.abs(got[i]! - value), `parameter ${k}, element ${i}`).toBeLessThan(
            4e-6 * Math.max(1, Math.abs(value)),
          );
        });
      }
      step.dispose();
      for (const disposable of [opt, ...params]) disposable.dispose();
    });
  }
});

test("a captured step whose parameters took other steps apart says so", () => {
  const [a, b] = [new nn.Parameter(fill([2], () => 1)), new nn.Parameter(fill([2], () => 1))];
  const opt = new optim.Adam([a, b]);
  const step = capture((x: Tensor) =>
    scope(() => {
      opt.zeroGrad();
      const loss = a.mul(x).add(b).sum();
      loss.backward();
      opt.step();
      return loss;
    }),
  );
  const x = fill([2], () => 1);
  step(x).dispose();
  b.grad = null;
  opt.step();
  expect(() => step(x)).toThrow(StateError);
  step.dispose();
  for (const disposable of [x, opt, a, b]) disposable.dispose();
});

/** Values of `p` after some steps, captured or not; `change` runs after the first. */
async function after(captured: boolean, step: (x: Tensor) => Tensor, p: Tensor, change: () => void) {
  const replayed = capture((x: Tensor) => scope(() => step(x)));
  for (let i = 0; i < 4; i++) {
    const x = fill(p.shape, (j) => i + j + 1);
    (captured ? replayed(x) : scope(() => step(x))).dispose();
    x.dispose();
    if (i === 0) change();
  }
  const { recordings } = replayed;
  replayed.dispose();
  return { values: Array.from(await p.data()), recordings };
}

const cases: Record<
  string,
  { make(p: Tensor): optim.Optimizer; steps: number; change?: (group: object) => void; recordings: number }
> = {
  "several steps of one optimizer": { make: (p) => new optim.Adam([p], { lr: 0.1 }), steps: 3, recordings: 1 },
  "a new decay": {
    make: (p) => new optim.RMSprop([p]),
    steps: 1,
    change: (group) => Object.assign(group, { alpha: 0.5, lr: 0.2 }),
    recordings: 1,
  },
  "another formula": {
    make: (p) => new optim.Adam([p], { lr: 0.1 }),
    steps: 1,
    change: (group) => Object.assign(group, { amsgrad: true }),
    recordings: 2,
  },
  "other iterations": {
    make: (p) => new optim.Muon([p], { lr: 0.1 }),
    steps: 1,
    change: (group) => Object.assign(group, { nsSteps: 2, momentum: 0.5 }),
    recordings: 2,
  },
};

describe("what a captured step sees", () => {
  for (const [name, { make, steps, change, recordings }] of Object.entries(cases)) {
    test(name, async () => {
      const results = [];
      for (const captured of [false, true]) {
        const p = new nn.Parameter(fill([3, 2], (i) => i / 5));
        const opt = make(p);
        const step = (x: Tensor) => {
          opt.zeroGrad();
          const loss = p.mul(x).sum();
          loss.backward();
          optim.clipGradNorm_([p], 2);
          for (let k = 0; k < steps; k++) opt.step();
          return loss;
        };
        results.push(await after(captured, step, p, () => change?.(opt.paramGroups[0])));
        for (const disposable of [opt, p]) disposable.dispose();
      }
      const [eager, replayed] = results;
      expect(replayed?.values).toEqual(eager?.values);
      expect(replayed?.recordings).toBe(recordings);
    });
  }
});
