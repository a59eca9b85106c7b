// --engine wgrad: training on the device that this process has, with a checkpoint to go on from in the middle of an epoch.
import process from "node:process";
import { freeze, memory, nn, optim, unfreeze, vision } from "wgrad";
import { resumeCommand, stopOnInterrupt } from "./interrupt.ts";
import { batching, epochLine, phaseLine, type Run, SCHEDULE, trainTransform } from "./recipe.ts";
import type { EpochRecord, Metrics, Progress } from "./run-folder.ts";
import { evaluator, summarize, trainer } from "./train.ts";

const batches = (n: number) => `${n} batch${n === 1 ? "" : "es"}`;

/** Trains and saves after each epoch. Returns the whole run's metrics, or null where Ctrl-C stopped it. */
export async function trainWithWgrad(run: Run): Promise<Metrics | null> {
  const { device, folder, model, pictures, config, log } = run;
  const { options } = run.given;
  await folder.checkRoom(model);
  const trainSet = new vision.GpuDataset(pictures.train);
  const testSet = new vision.GpuDataset(pictures.test);
  const optimizer = new optim.Adam(model.parameters(), { lr: options.lr, weightDecay: options.weightDecay });
  const scheduler = new optim.ReduceLROnPlateau(optimizer, SCHEDULE);
  const loader = new vision.DataLoader(trainSet, batching(options, trainSet.length, 1));
  const trainee = { model, optimizer, scheduler, loader };
  const train = trainer(trainee, trainSet, trainTransform(options, pictures));
  const test = evaluator(model, testSet, vision.normalize(pictures.mean, pictures.std));

  const { name, vendor, isSoftware, subgroupSize } = device.info;
  const adapter = { name, vendor, isSoftware, subgroupSize };
  let progress: Progress = {
    metrics: { config, adapter, epochs: [], iterations: [] },
    bestLoss: Number.POSITIVE_INFINITY,
    part: null,
  };
  if (options.resume) {
    progress = await folder.resume(trainee, config);
    const { metrics, part } = progress;
    log(
      `resumed ${folder.path} after epoch ${metrics.epochs.length}${part ? ` and ${batches(part.losses.length)}` : ""}`,
    );
  } else await folder.clear();
  const { metrics } = progress;
  let { bestLoss, part } = progress;

  const stop = stopOnInterrupt(log);
  const first = metrics.epochs.length + 1;
  for (let epoch = first; epoch <= options.epochs && !stop.requested; epoch++) {
    const phase: EpochRecord["phase"] = epoch <= options.freezeEpochs ? "frozen" : "released";
    if (epoch === first || phase !== metrics.epochs.at(-1)?.phase) {
      if (phase === "frozen") freeze(model, { except: "head" });
      else unfreeze(model);
      if (phase === "released" && metrics.epochs.at(-1)?.phase !== "released")
        optimizer.paramGroups[0].lr = options.unfreezeLr;
      log(phaseLine(phase, nn.countParameters(model)));
    }
    const { lr } = optimizer.paramGroups[0];
    part = await train.epoch(device, `epoch ${epoch}/${options.epochs}`, part, stop);
    if (part.losses.length < loader.length) {
      await folder.saveState(trainee, { metrics, bestLoss, part });
      log(`stopped in epoch ${epoch} after ${batches(part.losses.length)} of ${loader.length}`);
      break;
    }
    const t = summarize(part);
    const { loss: testLoss, accuracy: testAcc } = await test.run();
    scheduler.step(testLoss);
    metrics.iterations.push(...part.losses);
    const record: EpochRecord = {
      ...{ epoch, phase, trainLoss: t.loss, testLoss, trainAcc: t.accuracy, testAcc, lr },
      ...{ seconds: t.seconds, imagesPerSecond: t.imagesPerSecond },
    };
    metrics.epochs.push(record);
    log(`${epochLine(record, options.epochs)}, ${(memory().bytes / 1e6).toFixed(0)} MB on the device`);
    const isBest = testLoss < bestLoss;
    if (isBest) bestLoss = testLoss;
    part = null;
    await folder.save(trainee, { metrics, bestLoss, part }, isBest);
  }
  if (!stop.requested) return metrics;
  log(`saved in ${folder.path}; go on with:\n  ${resumeCommand(process.argv.slice(2), folder.path)}`);
  process.exitCode = 130;
  return null;
}
