// Gradients over several captured calls: added to, dropped, filled with zeros, and used outside.
import { expect, test } from "vitest";
import { capture, optim, scope, type Tensor, tensor } from "wgrad";
import { withDevice } from "../support/case.ts";

withDevice();

interface Run {
  readonly w: Tensor;
  readonly optimizer: optim.SGD;
  readonly call: (step: (x: Tensor) => Tensor, x: number) => void;
}

/** What `play` leaves in w, with steps captured or eager. */
async function played(
  captured: boolean,
  make: (w: Tensor, optimizer: optim.SGD) => ((x: Tensor) => Tensor)[],
  play: (run: Run, ...steps: ((x: Tensor) => Tensor)[]) => void,
): Promise<number[]> {
  const w = tensor([1, 2], { requiresGrad: true });
  const optimizer = new optim.SGD([w], { lr: 0.5, momentum: 0.5 });
  const made = make(w, optimizer).map((step) => ({ step, captured: capture(step) }));
  const call: Run["call"] = (step, value) => {
    const x = tensor([value, 1]);
    (captured ? step(x) : scope(() => step(x))).dispose();
    x.dispose();
  };
  play({ w, optimizer, call }, ...made.map((m) => (captured ? m.captured : m.step)));
  const values = [...(await w.data()), ...((await w.grad?.data()) ?? [])];
  if (captured) for (const m of made) expect(m.captured.recordings).toBeLessThanOrEqual(1);
  for (const item of [...made.map((m) => m.captured), optimizer, w]) item.dispose();
  return values;
}

const add = (w: Tensor) => (x: Tensor) => {
  const loss = w.square().mul(x).sum();
  loss.backward();
  return loss;
};
const reset = (w: Tensor, optimizer: optim.SGD) => (x: Tensor) => {
  optimizer.zeroGrad();
  const loss = w.mul(x).mul(3).sum();
  loss.backward();
  return loss;
};

const cases: Record<string, Parameters<typeof played>> = {
  "several calls before one update outside": [
    true,
    (w) => [add(w)],
    ({ optimizer, call }, step) => {
      for (let round = 0; round < 2; round++) {
        if (!step) return;
        for (const x of [1, 2, 3]) call(step, x);
        optimizer.step();
        optimizer.zeroGrad();
      }
      if (step) call(step, 4);
    },
  ],
  "a step that drops them first, and one that adds, in turns": [
    true,
    (w, optimizer) => [reset(w, optimizer), add(w)],
    ({ optimizer, call }, first, more) => {
      for (let round = 0; round < 3; round++) {
        if (!first || !more) return;
        call(first, 1 + round);
        call(more, 2);
        call(more, 3);
        optimizer.step();
      }
      if (more) call(more, 4);
    },
  ],
  "zeros filled in from outside": [
    true,
    (w) => [add(w)],
    ({ optimizer, call }, step) => {
      for (let round = 0; round < 3; round++) {
        if (!step) return;
        optimizer.zeroGrad({ setToNull: false });
        call(step, 1);
        call(step, round);
        optimizer.step();
      }
    },
  ],
  "zeros filled in by the step": [
    true,
    (w, optimizer) => [
      (x) => {
        optimizer.zeroGrad({ setToNull: false });
        const loss = w.mul(x).sum();
        loss.backward();
        optimizer.step();
        return loss;
      },
    ],
    ({ call }, step) => {
      for (let i = 0; i < 3; i++) if (step) call(step, i);
    },
  ],
  "dropped at the end of the step": [
    true,
    (w, optimizer) => [
      (x) => {
        const loss = w.mul(x).sum();
        loss.backward();
        optimizer.step();
        optimizer.zeroGrad();
        return loss;
      },
    ],
    ({ call }, step) => {
      for (let i = 0; i < 3; i++) if (step) call(step, i);
    },
  ],
};

test.each(Object.entries(cases))("%s: as the eager steps leave them", async (_, [, make, play]) => {
  const expected = await played(false, make, play);
  expect(await played(true, make, play)).toEqual(expected);
});

test("an input that requires a gradient gets its own at each call", async () => {
  const step = capture((x: Tensor) => {
    const loss = x.square().sum();
    loss.backward();
    return loss;
  });
  for (const value of [1, 2]) {
    const x = tensor([value], { requiresGrad: true });
    step(x).dispose();
    step(x).dispose();
    expect(await x.grad?.array()).toEqual([4 * value]);
    x.dispose();
  }
  expect(step.recordings).toBe(1);
  step.dispose();
});
