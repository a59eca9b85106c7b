// Trains a model as scripts/golden/train.py does, and holds its losses against PyTorch's.
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { capture, nn, noGrad, optim, scope, type Tensor } from "wgrad";
import { fillParameters, images, labels } from "./deterministic.ts";

interface Run {
  readonly frozen: number;
  readonly released: number;
  readonly losses: readonly number[];
  readonly logits: readonly number[];
}

interface Golden {
  readonly batch: number;
  readonly lr: number;
  readonly releasedLr: number;
  readonly resnet18: Run;
  readonly cifarAlexnet: Run;
}

const golden = JSON.parse(readFileSync(new URL("../golden/train.json", import.meta.url), "utf8")) as Golden;

/** Relative to a loss; relative to the largest logit. */
const TOLERANCE = 1e-3;

/**
 * Steps of Adam with all but `head` frozen, then all released at a lower rate. `captured`: through `capture()`, whose
 * replays must do the same.
 */
export async function follow(
  name: "resnet18" | "cifarAlexnet",
  model: nn.Module,
  head: string,
  captured: boolean,
): Promise<void> {
  const { batch, lr, releasedLr, [name]: run } = golden;
  await fillParameters(model);
  const opt = new optim.Adam(model.parameters(), { lr, weightDecay: 1e-4 });
  for (const [parameter, p] of model.namedParameters()) p.requiresGrad = parameter.startsWith(`${head}.`);
  const train = (x: Tensor, y: Tensor): Tensor => {
    opt.zeroGrad();
    const loss = scope(() => nn.functional.crossEntropy(model.forward(x), y));
    loss.backward();
    opt.step();
    return loss;
  };
  const recorded = captured ? capture(train) : null;
  const step = recorded ?? train;
  const losses: number[] = [];
  for (let i = 0; i < run.losses.length; i++) {
    if (i === run.frozen) {
      model.requiresGrad_();
      opt.paramGroups[0].lr = releasedLr;
    }
    const [x, y] = [images(i, batch), labels(i, batch)];
    const loss = step(x, y);
    losses.push(await loss.item());
    for (const t of [x, y, loss]) t.dispose();
  }
  const errors = losses.map((loss, i) => Math.abs(loss / run.losses[i]! - 1));
  expect(Math.max(...errors), `losses ${losses}, PyTorch's ${run.losses}`).toBeLessThan(TOLERANCE);

  model.eval();
  const x = images(99, batch);
  const logits = noGrad(() => scope(() => model.forward(x.narrow(0, 0, 2))));
  const got = await logits.data();
  const scale = Math.max(...run.logits.map(Math.abs));
  const worst = Math.max(...run.logits.map((value, i) => Math.abs(got[i]! - value) / scale));
  expect(worst, `logits ${got}, PyTorch's ${run.logits}`).toBeLessThan(TOLERANCE);

  recorded?.dispose();
  for (const disposable of [x, logits, opt, model]) disposable.dispose();
}
