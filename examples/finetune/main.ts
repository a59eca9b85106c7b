// Fine-tuning, the lesson: a pretrained network, a new head, a frozen backbone that is then released, lower rates on
// plateaus. `npm run example:finetune -- --help` lists the options.
import { getRngState, init, manualSeed, memory, nn, optim, setRngState, vision, WgradError } from "wgrad";
import { loadPictures } from "./data.ts";
import { buildModel, freezeBackbone } from "./model.ts";
import { type Given, type Options, parseOptions } from "./options.ts";
import { plotEpochs, plotIterations } from "./plots.ts";
import { type Metrics, RunFolder } from "./run-folder.ts";
import { evaluator, trainer } from "./train.ts";

const log = (line: string) => console.log(line);
const percent = (part: number) => `${(100 * part).toFixed(1)} %`;
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
  const { data: _data, out: _out, resume: _resume, adapter: _adapter, ...rest } = options;
  return { ...rest, dataset, weights };
};

async function main(): Promise<void> {
  const given = parseOptions(process.argv.slice(2));
  const { options } = given;
  const device = await init({ adapter: options.adapter });
  const { info } = device;
  log(`adapter: ${info.name}${info.isSoftware ? " (software: runs on the CPU)" : ""}`);
  if (info.isSoftware) adjustForSoftware(given);

  manualSeed(options.seed);
  const pictures = await loadPictures(given, log);
  const { classes } = pictures.train;
  log(
    `pictures: ${pictures.name}, ${thousands(pictures.train.length)} to train on, ${thousands(pictures.test.length)} to test on, ${classes.length} classes`,
  );
  const { model, weights } = await buildModel(given, classes.length, log);
  log(`model: ${options.model}, weights: ${weights}`);

  const folder = new RunFolder(options.out ?? `runs/${new Date().toISOString().slice(0, 19).replace(/:/g, "-")}`);
  const optimizer = new optim.Adam(model.parameters(), { lr: options.lr, weightDecay: options.weightDecay });
  const scheduler = new optim.ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 2 });
  const trainee = { model, optimizer, scheduler };
  const config = configOf(options, pictures.name, weights);
  let metrics: Metrics = {
    config,
    adapter: { name: info.name, vendor: info.vendor, isSoftware: info.isSoftware, subgroupSize: info.subgroupSize },
    epochs: [],
    iterations: [],
  };
  let bestLoss = Number.POSITIVE_INFINITY;
  if (options.resume) {
    const resumed = await folder.resume(trainee, config);
    ({ metrics } = resumed);
    bestLoss = resumed.bestLoss ?? Number.POSITIVE_INFINITY;
    setRngState(resumed.rng);
    log(`resumed ${folder.path} after epoch ${metrics.epochs.length}`);
  }

  const trainSet = new vision.GpuDataset(pictures.train);
  const testSet = new vision.GpuDataset(pictures.test);
  const { mean, std } = pictures;
  const loader = new vision.DataLoader(trainSet, {
    batchSize: Math.min(options.batchSize, trainSet.length),
    shuffle: true,
    seed: options.seed,
    // Batch norm has no statistics of a single image.
    dropLast: trainSet.length % options.batchSize === 1 && trainSet.length > 1,
  });
  const train = trainer(trainee, trainSet, augmentation(mean, std));
  const test = evaluator(model, testSet, vision.normalize(mean, std));

  for (let epoch = metrics.epochs.length + 1; epoch <= options.epochs; epoch++) {
    const phase = epoch <= options.freezeEpochs ? "frozen" : "released";
    if (epoch === 1 || phase !== metrics.epochs.at(-1)?.phase || options.resume) {
      freezeBackbone(model, phase === "frozen");
      if (phase === "released" && metrics.epochs.at(-1)?.phase !== "released")
        optimizer.paramGroups[0].lr = options.unfreezeLr;
      const { total, frozen } = nn.countParameters(model);
      log(`${phase}: ${thousands(frozen)} of ${thousands(total)} parameters frozen`);
    }
    const { lr } = optimizer.paramGroups[0];
    loader.setEpoch(epoch - 1);
    const t = await train.epoch(device, loader, `epoch ${epoch}/${options.epochs}`);
    const { loss: testLoss, accuracy: testAcc } = await test.run();
    scheduler.step(testLoss);
    metrics.iterations.push(...t.losses);
    metrics.epochs.push({
      ...{ epoch, phase, trainLoss: t.loss, testLoss, trainAcc: t.accuracy, testAcc, lr },
      ...{ seconds: t.seconds, imagesPerSecond: t.imagesPerSecond },
    });
    log(
      `epoch ${epoch}/${options.epochs} ${phase}  train ${t.loss.toFixed(4)} ${percent(t.accuracy)}  test ${testLoss.toFixed(4)} ${percent(testAcc)}  rate ${lr}  ${t.seconds.toFixed(1)} s, ${t.imagesPerSecond.toFixed(0)} images/s, ${(memory().bytes / 1e6).toFixed(0)} MB on the device`,
    );
    const isBest = testLoss < bestLoss;
    if (isBest) bestLoss = testLoss;
    await folder.save(trainee, metrics, bestLoss, isBest, getRngState());
  }

  const subtitle = `${options.model} on ${pictures.name}, weights: ${weights.split("/").at(-1)}`;
  await plotIterations(metrics, folder.file("loss-by-iteration.png"), { subtitle });
  await plotEpochs(metrics, folder.file("accuracy-and-loss-by-epoch.png"), { subtitle });
  log(`results: ${folder.path}/ (metrics.json, two plots, best and last checkpoint)`);
}

try {
  await main();
} catch (error) {
  // Expected failures (no adapter, missing data, bad files) need no stack; anything else does.
  console.error(error instanceof WgradError ? `${error.name}: ${error.message}` : error);
  process.exitCode = 1;
}
