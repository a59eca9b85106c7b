// --engine wgrad: training on the device that this process has, with a checkpoint to go on from in the middle of an epoch.
import process from "node:process";
import { type Callbacks, fit, memory, nn, optim, type Tensor, vision } from "wgrad";
import { resumeCommand, type Stop, stopOnInterrupt } from "./interrupt.ts";
import { progressBar } from "./progress-bar.ts";
import { batching, epochLine, phaseLine, type Run, SCHEDULE, trainTransform } from "./recipe.ts";
import type { EpochRecord, Metrics } from "./run-folder.ts";

const batchesOf = (n: number) => `${n} batch${n === 1 ? "" : "es"}`;

/** Trains and saves after each epoch. Returns the whole run's metrics, or null where Ctrl-C stopped it. */
export async function trainWithWgrad(run: Run, stop: Stop = stopOnInterrupt(run.log)): Promise<Metrics | null> {
  const { device, folder, pictures, config, log } = run;
  const { options } = run.given;
  const model: nn.Module = run.model;
  await folder.checkRoom(model);
  const trainSet = new vision.GpuDataset(pictures.train);
  const testSet = new vision.GpuDataset(pictures.test);
  const train = new vision.DataLoader(trainSet, {
    ...batching(options, trainSet.length, 1),
    transform: trainTransform(options, pictures),
  });
  const test = new vision.DataLoader(testSet, {
    batchSize: Math.min(100, testSet.length),
    transform: vision.normalize(pictures.mean, pictures.std),
  });

  const { name, vendor, isSoftware, subgroupSize } = device.info;
  let metrics: Metrics = { config, adapter: { name, vendor, isSoftware, subgroupSize }, epochs: [], iterations: [] };
  const resumed = options.resume ? await folder.resume(config) : null;
  if (resumed) metrics = resumed.metrics;
  else await folder.clear();

  const phaseOf = (epoch: number): EpochRecord["phase"] => (epoch <= options.freezeEpochs ? "frozen" : "released");
  const callbacks = [showing(run, train.batchSize, phaseOf), saving(run, metrics, stop, phaseOf)];
  const { epochs, freezeEpochs, lr, unfreezeLr, weightDecay } = options;
  const { stopped } = await fit(
    model,
    { train, test },
    {
      epochs,
      optimizer: (model) => new optim.Adam(model.parameters(), { lr, weightDecay }),
      epochScheduler: (optimizer) => new optim.ReduceLROnPlateau(optimizer, SCHEDULE),
      phases: [
        { from: 1, freeze: { except: "head" } },
        { from: freezeEpochs + 1, unfreeze: {}, lr: unfreezeLr },
      ],
    },
    { callbacks, ...(resumed && { resume: resumed.bytes }) },
  );
  for (const set of [trainSet, testSet]) set.dispose();
  if (!stopped) return metrics;
  log(`saved in ${folder.path}; go on with:\n  ${resumeCommand(process.argv.slice(2), folder.path)}`);
  process.exitCode = 130;
  return null;
}

type Phases = (epoch: number) => EpochRecord["phase"];

/** Shows where the run is: the phase that begins, and a bar through the epoch. */
function showing(
  { given, pictures, device, folder, log }: Run,
  batchSize: number,
  phaseOf: Phases,
): Callbacks<unknown, Tensor> {
  let bar: ReturnType<typeof progressBar> | undefined;
  let batches = 0;
  let phase: string | undefined;
  /** Images of the present epoch that were seen before the run was resumed. */
  let seen = 0;
  const end = () => {
    device.onCompile = null;
    bar?.stop();
  };
  return {
    onFitStart({ run, batches }) {
      seen = batches * batchSize;
      if (!given.options.resume) return;
      log(`resumed ${folder.path} after epoch ${run.epochs.length}${batches > 0 ? ` and ${batchesOf(batches)}` : ""}`);
    },
    onEpochStart(event) {
      if (phase !== phaseOf(event.epoch)) log(phaseLine(phaseOf(event.epoch), nn.countParameters(event.run.model)));
      phase = phaseOf(event.epoch);
      batches = event.batches;
      bar = progressBar(`epoch ${event.epoch}/${given.options.epochs}`, pictures.train.length);
      bar.advance(seen);
      seen = 0;
      device.onCompile = bar.compiled;
    },
    onStep({ samples, step }) {
      bar?.advance(samples);
      if (step === batches) end();
    },
    onFitEnd: end,
  };
}

/** Saves after each epoch, and in the middle of the one that is stopped. */
function saving(
  { given, folder, log }: Run,
  metrics: Metrics,
  stop: Stop,
  phaseOf: Phases,
): Callbacks<unknown, Tensor> {
  let batches = 0;
  return {
    onEpochStart(event) {
      batches = event.batches;
    },
    onStep({ run }) {
      if (stop.requested) run.stop();
    },
    async onEpochEnd({ run, record: { epoch, lr, train, test }, isBest }) {
      const { seconds } = train;
      const record: EpochRecord = {
        ...{ epoch, phase: phaseOf(epoch), trainLoss: train.loss, testLoss: test?.loss ?? Number.NaN },
        ...{ trainAcc: train.accuracy, testAcc: test?.top1 ?? Number.NaN, lr },
        ...{ seconds, imagesPerSecond: train.samples / seconds },
      };
      metrics.iterations.push(...train.losses);
      metrics.epochs.push(record);
      log(`${epochLine(record, given.options.epochs)}, ${(memory().bytes / 1e6).toFixed(0)} MB on the device`);
      await folder.save(run, metrics, isBest);
    },
    async onFitEnd(event) {
      if (event.batches === 0) return;
      await folder.saveState(event.run, metrics);
      log(`stopped in epoch ${event.run.epochs.length + 1} after ${batchesOf(event.batches)} of ${batches}`);
    },
  };
}
