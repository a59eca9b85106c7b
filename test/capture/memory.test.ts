// Device memory of captured steps: what they free, and that forgotten ones are collected with it.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { capture, memory, nn, optim, type Tensor, zeros } from "wgrad";
import { currentDevice } from "../../src/gpu/device.ts";
import { withDevice } from "../support/case.ts";

withDevice();

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

/** Collects until `done`, since finalizers run some time later. */
async function collected(done: () => boolean): Promise<boolean> {
  for (let i = 0; i < 50 && !done(); i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return done();
}

/** A model that knows its own captured step. */
class Trainer extends nn.Module {
  readonly fc = new nn.Linear(64, 64);
  readonly optimizer = new optim.SGD(this.fc.parameters(), { lr: 0.1, momentum: 0.9 });
  readonly step = capture((x: Tensor) => {
    this.optimizer.zeroGrad();
    const loss = this.forward(x).square().mean();
    loss.backward();
    this.optimizer.step();
    return loss;
  });

  forward(x: Tensor): Tensor {
    return this.training ? this.fc.forward(x) : x;
  }
}

test("a forgotten captured step gives its memory back, also one that its model knows", async () => {
  const x = zeros([32, 64]);
  await currentDevice().sync();
  const before = memory();
  const use = () => {
    const trainer = new Trainer();
    for (let i = 0; i < 3; i++) trainer.step(x).dispose();
    // A captured step of nobody's.
    const other = capture((t: Tensor) => t.matmul(t.permute([1, 0])));
    other(x).dispose();
  };
  use();
  await currentDevice().sync();
  expect(memory().bytes).toBeGreaterThan(before.bytes + 64 * 64 * 4);
  const used = currentDevice().pool.usedBytes;
  expect(await collected(() => memory().bytes === before.bytes)).toBe(true);
  expect(currentDevice().pool.usedBytes).toBeLessThan(used);
  expect(memory().tensors).toBe(before.tensors);
  x.dispose();
});

test("dispose() frees the recordings; the next call records again", async () => {
  const x = zeros([256]);
  const step = capture((t: Tensor) => t.add(1).mul(2));
  const before = memory();
  step(x).dispose();
  expect(memory().bytes).toBeGreaterThan(before.bytes);
  step.dispose();
  expect(memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
  const y = step(x);
  expect(step.recordings).toBe(2);
  for (const t of [step, x, y]) t.dispose();
});
