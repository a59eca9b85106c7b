// Fine-tuning, the lesson: a pretrained network, a new head, a frozen backbone that is then released, lower rates on
// plateaus. `npm run example:finetune -- --help` lists the options.
import { init, manualSeed, WgradError } from "wgrad";
import { loadPictures } from "./data.ts";
import { buildModel } from "./model.ts";
import { type Given, ignoredOptions, type Options, parseOptions } from "./options.ts";
import { plotEpochs, plotIterations } from "./plots.ts";
import type { Run } from "./recipe.ts";
import { type Metrics, PLOTS, RunFolder } from "./run-folder.ts";
import { trainWithTorchrun } from "./torchrun-engine.ts";
import { findLauncher } from "./torchrun-process.ts";
import { trainWithWgrad } from "./wgrad-engine.ts";

const log = (line: string) => console.log(line);
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

/** What decides the numbers of a run. */
const configOf = (options: Options, dataset: string, weights: string): Metrics["config"] => {
  const { data: _data, out: _out, resume: _resume, overwrite: _overwrite, adapter: _adapter, ...rest } = options;
  const { python: _python, master: _master, nproc, nnodes, ...recipe } = rest;
  return { ...recipe, ...(options.engine === "torchrun" && { nproc, nnodes }), dataset, weights };
};

async function main(): Promise<void> {
  const given = parseOptions(process.argv.slice(2));
  const { options } = given;
  const folder = new RunFolder(options.out ?? `runs/${new Date().toISOString().slice(0, 19).replace(/:/g, "-")}`);
  const launcher = options.engine === "torchrun" ? await findLauncher(options.python) : null;
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

  const run: Run = { given, folder, device, pictures, model, config: configOf(options, pictures.name, weights), log };
  const metrics = launcher ? await trainWithTorchrun(run, launcher) : await trainWithWgrad(run);
  if (!metrics) return;
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
