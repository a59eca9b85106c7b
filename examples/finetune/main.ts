// Fine-tuning, the lesson: a pretrained network, a new head, a frozen backbone that is then released, lower rates on
// plateaus. `npm run example:finetune -- --help` lists the options.
import { freeze, init, manualSeed, memory, nn, optim, unfreeze, vision, WgradError } from "wgrad";
import { loadPictures } from "./data.ts";
import { resumeCommand, stopOnInterrupt } from "./interrupt.ts";
import { buildModel } from "./model.ts";
import { type Given, ignoredOptions, type Options, parseOptions } from "./options.ts";
import { plotEpochs, plotIterations } from "./plots.ts";
import { type Metrics, PLOTS, type Progress, RunFolder } from "./run-folder.ts";
import { evaluator, summarize, trainer } from "./train.ts";

const log = (line: string) => console.log(line);
const percent = (part: number) => `${(100 * part).toFixed(1)} %`;
const batches = (n: number) => `${n} batch${n === 1 ? "" : "es"}`;
const thousands = (n: number) => n.toLocaleString("en-US");

/** What a software adapter can do in about five minutes, where the user does not say otherwise. */
const SOFTWARE_DEFAULTS = { trainSize: 2000, testSize: 500, epochs: 4, freezeEpochs: 1 } as const;

function adjustForSoftware({ options, isGiven }: Given): void {
  const changed: string[] = [];
  for (const name of ["trainSize", "testSize", "epochs", "freezeEpochs"] as const) {
    // Sizes are only cut for the default length of a run: who asks for epochs knows what they cost.
    if (isGiven(name)) continue;
    options[name] = SOFTWARE_DEFAULTS[name];
    changed.push(`--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} ${options[name]}`);
  }
  if (options.freezeEpochs > options.epochs) options.freezeEpochs = options.epochs;
  if (changed.length > 0) {
    log(`This adapter is a software one, so this run is cut to about five minutes: ${changed.join(" ")}.`);
    log("Give these options to choose otherwise.");
  }
}

const augmentation = (mean: readonly number[], std: readonly number[]) =>
  vision.compose([
    vision.randomCrop(32, { padding: 4 }),
    vision.randomHorizontalFlip(),
    vision.colorJitter({ brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1 }),
    vision.randomRotation(15),
    vision.normalize(mean, std),
  ]);

const configOf = (options: Options, dataset: string, weights: string): Metrics["config"] => {
  const { data: _data, out: _out, resume: _resume, overwrite: _overwrite, adapter: _adapter, ...rest } = options;
  return { ...rest, dataset, weights };
};

async function main(): Promise<void> {
  const given = parseOptions(process.argv.slice(2));
  const { options } = given;
  const folder = new RunFolder(options.out ?? `runs/${new Date().toISOString().slice(0, 19).replace(/:/g, "-")}`);
  await folder.prepare(options);
  const device = await init({ adapter: options.adapter });
  const { info } = device;
  log(`adapter: ${info.name}${info.isSoftware ? " (software: runs on the CPU)" : ""}`);
  if (info.isSoftware) adjustForSoftware(given);
  for (const line of ignoredOptions(given)) log(line);

  manualSeed(options.seed);
  const pictures = await loadPictures(given, log);
  const { classes } = pictures.train;
  log(
    `pictures: ${pictures.name}, ${thousands(pictures.train.length)} to train on, ${thousands(pictures.test.length)} to test on, ${classes.length} classes`,
  );
  const { model, weights } = await buildModel(given, classes.length, log);
  log(`model: ${options.model}, weights: ${weights}`);

  await folder.checkRoom(model);

  const trainSet = new vision.GpuDataset(pictures.train);
  const testSet = new vision.GpuDataset(pictures.test);
  const { mean, std } = pictures;
  const optimizer = new optim.Adam(model.parameters(), { lr: options.lr, weightDecay: options.weightDecay });
  const scheduler = new optim.ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 2 });
  const loader = new vision.DataLoader(trainSet, {
    batchSize: Math.min(options.batchSize, trainSet.length),
    shuffle: true,
    seed: options.seed,
    // Batch norm has no statistics of a single image.
    dropLast: trainSet.length % options.batchSize === 1 && trainSet.length > 1,
  });
  const trainee = { model, optimizer, scheduler, loader };
  const train = trainer(trainee, trainSet, augmentation(mean, std));
  const test = evaluator(model, testSet, vision.normalize(mean, std));

  const config = configOf(options, pictures.name, weights);
  const adapter = {
    name: info.name,
    vendor: info.vendor,
    isSoftware: info.isSoftware,
    subgroupSize: info.subgroupSize,
  };
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
    const phase = epoch <= options.freezeEpochs ? "frozen" : "released";
    if (epoch === first || phase !== metrics.epochs.at(-1)?.phase) {
      if (phase === "frozen") freeze(model, { except: "head" });
      else unfreeze(model);
      if (phase === "released" && metrics.epochs.at(-1)?.phase !== "released")
        optimizer.paramGroups[0].lr = options.unfreezeLr;
      const { total, frozen } = nn.countParameters(model);
      log(`${phase}: ${thousands(frozen)} of ${thousands(total)} parameters frozen`);
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
    metrics.epochs.push({
      ...{ epoch, phase, trainLoss: t.loss, testLoss, trainAcc: t.accuracy, testAcc, lr },
      ...{ seconds: t.seconds, imagesPerSecond: t.imagesPerSecond },
    });
    log(
      `epoch ${epoch}/${options.epochs} ${phase}  train ${t.loss.toFixed(4)} ${percent(t.accuracy)}  test ${testLoss.toFixed(4)} ${percent(testAcc)}  rate ${lr}  ${t.seconds.toFixed(1)} s, ${t.imagesPerSecond.toFixed(0)} images/s, ${(memory().bytes / 1e6).toFixed(0)} MB on the device`,
    );
    const isBest = testLoss < bestLoss;
    if (isBest) bestLoss = testLoss;
    part = null;
    await folder.save(trainee, { metrics, bestLoss, part }, isBest);
  }

  if (stop.requested) {
    log(`saved in ${folder.path}; go on with:\n  ${resumeCommand(process.argv.slice(2), folder.path)}`);
    process.exitCode = 130;
    return;
  }
  const subtitle = `${options.model} on ${pictures.name}, weights: ${weights.split("/").at(-1)}`;
  await plotIterations(metrics, folder.file(PLOTS[0]), { subtitle });
  await plotEpochs(metrics, folder.file(PLOTS[1]), { subtitle });
  log(`results: ${folder.path}/ (metrics.json, two plots, best and last checkpoint)`);
}

try {
  await main();
} catch (error) {
  // Expected failures (no adapter, missing data, bad files) need no stack; anything else does.
  console.error(error instanceof WgradError ? `${error.name}: ${error.message}` : error);
  process.exitCode = 1;
}
