// npm run test:torchrun: PyTorch's torchrun trains the fine-tuning example's recipe as this library does.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { init, manualSeed, nn, noGrad, resnet18, saveSafetensors, scope, tensor, vision } from "wgrad";
import { loadEmoji } from "../../examples/finetune/emoji.ts";
import type { EpochRecord, Metrics } from "../../examples/finetune/run-folder.ts";
import { findLauncher } from "../../examples/finetune/torchrun-process.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const CLASSES = 9;
let folder: string;
let weights: string;

beforeAll(async () => {
  await findLauncher();
  await init();
  folder = await mkdtemp(join(tmpdir(), "wgrad-test-"));
  weights = join(folder, "first.safetensors");
  await writeFile(weights, await saveSafetensors(firstModel().stateDict()));
});
afterAll(() => rm(folder, { recursive: true }));

function firstModel() {
  manualSeed(5);
  return resnet18({ numClasses: CLASSES });
}

/** Runs the example without augmentation from the same first weights. */
async function train(name: string, ...args: string[]): Promise<Metrics> {
  const always = ["--dataset", "emoji", "--augment", "none", "--weights", weights, "--out", join(folder, name)];
  await promisify(execFile)(process.execPath, ["scripts/run.mjs", "examples/finetune/main.ts", ...always, ...args], {
    cwd: root,
  });
  return JSON.parse(await readFile(join(folder, name, "metrics.json"), "utf8")) as Metrics;
}

const largest = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? Number.NaN))));

/** Of 101 test pictures one may fall on either side. */
function expectSameTest(a: Pick<EpochRecord, "testLoss" | "testAcc"> | undefined, b: typeof a) {
  expect(a?.testLoss).toBeCloseTo(b?.testLoss ?? Number.NaN, 3);
  expect(Math.abs((a?.testAcc ?? Number.NaN) - (b?.testAcc ?? Number.NaN))).toBeLessThan(1.5 / 101);
}

test("20 steps of one process have this library's losses", async () => {
  // Rates at which rounding errors stay what they are: Adam's first steps are as large for gradients that are all rounding error.
  const recipe = ["--train-size", "640", "--test-size", "101", "--epochs", "2", "--freeze-epochs", "1"];
  const rates = ["--lr", "1e-3", "--unfreeze-lr", "1e-5"];
  const ours = await train("wgrad", ...recipe, ...rates);
  const theirs = await train("torchrun", ...recipe, ...rates, "--engine", "torchrun");
  expect(theirs.iterations).toHaveLength(20);
  expect(largest(theirs.iterations, ours.iterations)).toBeLessThan(1e-3);
  for (const [i, epoch] of theirs.epochs.entries()) {
    expectSameTest(epoch, ours.epochs[i]);
    const { phase, lr } = epoch;
    expect({ phase, lr }).toEqual({ phase: ours.epochs[i]?.phase, lr: ours.epochs[i]?.lr });
    expect(epoch.trainLoss).toBeCloseTo(ours.epochs[i]?.trainLoss ?? Number.NaN, 3);
    expect(Math.abs(epoch.trainAcc - (ours.epochs[i]?.trainAcc ?? Number.NaN))).toBeLessThan(2.5 / 640);
  }
  expectSameTest(theirs.reread, theirs.epochs.at(-1));
});

test("two processes share each batch, and their metrics are those of the whole", async () => {
  // The last of three batches has 63 pictures: one process gets one twice.
  const recipe = ["--train-size", "191", "--test-size", "101", "--epochs", "1", "--freeze-epochs", "0"];
  const metrics = await train("two", ...recipe, "--engine", "torchrun", "--nproc", "2");
  expect(metrics.iterations).toHaveLength(3);
  expectSameTest(metrics.reread, metrics.epochs.at(-1));
  const [first = 0, second = 0, third = 0] = metrics.iterations;
  expect(metrics.epochs[0]?.trainLoss).toBeCloseTo((64 * (first + second) + 63 * third) / 191, 6);

  // The first batch's loss is the mean of two halves, each with batch statistics of its own.
  const pictures = (await loadEmoji({ log: () => {} })).train.subset(191);
  const set = new vision.GpuDataset(pictures);
  const order = new vision.DataLoader(set, { batchSize: 64, shuffle: true }).order(0);
  const model = firstModel();
  const half = (rank: number) => {
    const indices = tensor(
      [...order.subarray(0, 64)].filter((_, i) => i % 2 === rank),
      { dtype: "i32" },
    );
    const { images, labels } = set.batch(indices, vision.normalize(vision.IMAGENET_MEAN, vision.IMAGENET_STD));
    return nn.functional.crossEntropy(model.forward(images), labels);
  };
  const halves = [0, 1].map((rank) => noGrad(() => scope(() => half(rank))));
  const [a, b] = await Promise.all(halves.map((loss) => loss.item()));
  expect(first).toBeCloseTo(((a ?? Number.NaN) + (b ?? Number.NaN)) / 2, 4);
});
