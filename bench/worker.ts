// wgrad's process of bench:peers: the protocol of peers/protocol.mjs, and the figures that concern wgrad alone.
import { capture, init, nn, scope, type Tensor, tensor } from "wgrad";
import type { Device } from "../src/gpu/device.ts";
import { programs } from "../test/programs/index.ts";
import { serve, type Work } from "./peers/protocol.mjs";
import { familyWork } from "./support/families.ts";
import type { Spec } from "./support/figures.ts";
import { uniform } from "./support/formula.mjs";
import { compareCaptured, measureHost } from "./support/own-figures.ts";
import { record, replayer } from "./support/replay.ts";
import { loadFormula, workload } from "./support/training.ts";

const { functional: F } = nn;

let opened: Promise<Device> | null = null;
const open = (): Promise<Device> => {
  opened ??= init();
  return opened;
};

type Of<K extends Spec["kind"]> = Extract<Spec, { kind: K }>;

const given = (shape: readonly number[], seed: number, scale?: number): Tensor =>
  tensor(
    uniform(
      shape.reduce((a, b) => a * b, 1),
      seed,
      scale,
    ),
    { shape },
  );

/** A figure that computes `result()` by `compute()`. Measured as a captured step would run it: without the host's part. */
async function figure(owned: readonly Tensor[], compute: () => void, result: () => Tensor): Promise<Work> {
  const device = await open();
  await device.sync();
  const commands = await record(device, compute);
  return {
    run: replayer(device, commands),
    values: async () => (await result().data()) as Float32Array,
    dispose() {
      result().dispose();
      for (const t of owned) t.dispose();
    },
  };
}

async function forwardFigure(inputs: readonly Tensor[], compute: () => Tensor): Promise<Work> {
  let y: Tensor | null = null;
  return figure(
    inputs,
    () => {
      y = compute();
    },
    () => y!,
  );
}

async function conv({ pass, batch, channels, filters, size }: Of<"conv">): Promise<Work> {
  await open();
  const x = given([batch, channels, size, size], 1);
  const w = given([filters, channels, 3, 3], 2, 0.05);
  if (pass === "forward") return forwardFigure([x, w], () => F.conv2d(x, w, null, { padding: 1 }));
  const wanted = pass === "input" ? x : w;
  wanted.requiresGrad = true;
  const y = F.conv2d(x, w, null, { padding: 1 });
  const dy = given(y.shape, 3);
  return figure(
    [x, w, y, dy],
    () => y.backward(dy),
    () => wanted.grad!,
  );
}

async function matmul({ size }: Of<"matmul">): Promise<Work> {
  await open();
  const [a, b] = [given([size, size], 1), given([size, size], 2)];
  return forwardFigure([a, b], () => a.matmul(b));
}

async function batchNorm({ shape }: Of<"batchNorm">): Promise<Work> {
  await open();
  const channels = [shape[1]];
  const [x, dy] = [given(shape, 1), given(shape, 2)];
  const [w, b] = [given(channels, 3), given(channels, 4)];
  for (const t of [x, w, b]) t.requiresGrad = true;
  return figure(
    [x, w, b, dy],
    () => scope(() => F.batchNorm(x, null, null, w, b, { training: true }).backward(dy)),
    () => x.grad!,
  );
}

async function trainer(work: { step(): Tensor; dispose(): void }): Promise<Work> {
  const device = await open();
  await device.sync();
  return {
    async step() {
      const loss = work.step();
      const value = await loss.item();
      loss.dispose();
      return value;
    },
    async run(times) {
      for (let i = 0; i < times; i++) {
        work.step().dispose();
        await device.queue.idle(3);
      }
      await device.sync();
    },
    dispose: () => work.dispose(),
  };
}

async function train({ batch }: Of<"train">): Promise<Work> {
  await open();
  const work = await workload("resnet18", batch);
  return trainer({ step: () => work.trainCaptured(work.x, work.y), dispose: () => work.dispose() });
}

async function infer({ batch }: Of<"infer">): Promise<Work> {
  const device = await open();
  const work = await workload("resnet18", batch);
  work.model.eval();
  return {
    async run(times) {
      for (let i = 0; i < times; i++) work.inferCaptured(work.x).dispose();
      await device.sync();
    },
    async values() {
      const logits = work.inferCaptured(work.x);
      const data = (await logits.data()) as Float32Array;
      logits.dispose();
      return data;
    },
    dispose: () => work.dispose(),
  };
}

async function program({ name }: Of<"program">): Promise<Work> {
  await open();
  const { modules, batch, step, owned } = programs[name]();
  await loadFormula(modules);
  const inputs = batch();
  const captured = capture((...given: Tensor[]) => step(...given));
  return trainer({
    step: () => captured(...inputs),
    dispose() {
      for (const t of [captured, ...inputs, ...owned, ...modules]) t.dispose();
    },
  });
}

async function family({ name, batch }: Of<"family">): Promise<Work> {
  await open();
  return trainer(await familyWork(name, batch));
}

const own = process.argv[2];
if (own === "host") {
  console.log(JSON.stringify(await measureHost(await open())));
} else if (own === "captured") {
  console.log(JSON.stringify(await compareCaptured(await open())));
} else await serve({ conv, matmul, batchNorm, train, infer, program, family });
