// --engine torchrun: the same recipe trained by PyTorch in several processes, on one machine or more; its metrics and weights
// come back, and the weights are tested here.
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { evaluate, freeze, loadSafetensors, nn, unfreeze, vision } from "wgrad";
import { progressBar } from "./progress-bar.ts";
import { epochLine, phaseLine, type Run } from "./recipe.ts";
import { type EpochRecord, HANDOVER, type Metrics } from "./run-folder.ts";
import {
  commandLine,
  type Launch,
  type Launcher,
  type RunnerEvent,
  runTorchrun,
  TorchrunError,
} from "./torchrun-process.ts";
import { clearHandover, handoverBytes, writeRecipe } from "./torchrun-recipe.ts";

/** Relative, as other machines may have the folder elsewhere. */
const RUNNER = relative("", fileURLToPath(new URL("torchrun_runner.py", import.meta.url)));

/** Trains and saves after each epoch. Returns the run's metrics, or null where Ctrl-C stopped it. */
export async function trainWithTorchrun(run: Run, launcher: Launcher): Promise<Metrics | null> {
  const { folder, model, pictures, config, log } = run;
  const { epochs, nproc, nnodes, master } = run.given.options;
  await folder.checkRoom(model, handoverBytes(run));
  await folder.clear();
  const recipe = await writeRecipe(run);
  const launch: Launch = {
    ...{ launcher, script: [RUNNER, recipe], nproc, nnodes, master },
    errors: folder.file(join(HANDOVER, "stderr.txt")),
  };
  for (let node = 1; node < nnodes; node++) {
    if (node === 1)
      log("start this on the other machines, where they have this folder; training begins when all are there:");
    log(`  ${commandLine({ ...launch, launcher: ["torchrun"] }, node).join(" ")}`);
  }

  let metrics: Metrics = { config, adapter: {}, epochs: [], iterations: [] };
  let bar: ReturnType<typeof progressBar> | undefined;
  let phase: EpochRecord["phase"] | undefined;
  const onEvent = async (event: RunnerEvent): Promise<void> => {
    if (event.event === "batch") bar?.advance(event.images);
    else if (event.event === "start") {
      const { event: _, ...facts } = event;
      metrics = { ...metrics, adapter: facts };
      const { torch, torchvision, device, backend, processes } = facts;
      log(
        `PyTorch ${torch}, torchvision ${torchvision}: ${device}, ${backend}, ${processes} process${processes === 1 ? "" : "es"}`,
      );
    } else if (event.event === "epoch") {
      if (event.phase !== phase) {
        phase = event.phase;
        if (phase === "frozen") freeze(model, { except: "head" });
        else unfreeze(model);
        log(phaseLine(phase, nn.countParameters(model)));
      }
      bar = progressBar(`epoch ${event.epoch}/${epochs}`, pictures.train.length);
    } else {
      bar?.stop();
      metrics.iterations.push(...event.iterations);
      metrics.epochs.push(event.record);
      await folder.saveMetrics(metrics);
      log(epochLine(event.record, epochs));
    }
  };
  const isWhole = await runTorchrun(launch, onEvent, () => log("\nstopping torchrun's processes")).finally(() => {
    bar?.stop();
    return clearHandover(run);
  });
  if (!isWhole) {
    const done = metrics.epochs.length;
    log(
      `${done} of ${epochs} epochs are done${done > 0 ? `: ${folder.path}/ (metrics.json, best and last checkpoint)` : ""}`,
    );
    process.exitCode = 130;
    return null;
  }
  metrics = { ...metrics, reread: await testHere(run, metrics.epochs.at(-1)) };
  await folder.saveMetrics(metrics);
  return metrics;
}

/** The test set with last.safetensors in this library's model. */
async function testHere({ folder, model, pictures, log }: Run, theirs: EpochRecord | undefined) {
  const tensors = await loadSafetensors(await readFile(folder.file("last.safetensors")));
  await model.loadStateDict(tensors);
  for (const tensor of Object.values(tensors)) tensor.dispose();
  const set = new vision.GpuDataset(pictures.test);
  const transform = vision.normalize(pictures.mean, pictures.std);
  const loader = new vision.DataLoader(set, { batchSize: Math.min(100, set.length), transform });
  const { loss, top1: accuracy } = await evaluate(model, loader);
  set.dispose();
  const { testLoss = Number.NaN, testAcc = Number.NaN } = theirs ?? {};
  const show = (l: number, a: number) => `${l.toFixed(4)} ${(100 * a).toFixed(1)} %`;
  log(`last.safetensors with this library: test ${show(loss, accuracy)} (PyTorch: ${show(testLoss, testAcc)})`);
  // Convolutions on a GPU may round to ten bits there (TF32).
  if (!(Math.abs(loss - testLoss) <= 0.01 * (1 + Math.abs(testLoss))))
    throw new TorchrunError(
      `the weights in ${folder.file("last.safetensors")} give a test loss of ${loss} here, and of ${testLoss} there`,
    );
  return { testLoss: loss, testAcc: accuracy };
}
