// The folder of a run: metrics.json, checkpoints and plots, written atomically, and read again by --resume.
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  DataError,
  loadSafetensors,
  type nn,
  type optim,
  type RngState,
  safetensorsMetadata,
  saveSafetensors,
  Tensor,
  ValueError,
} from "wgrad";
import { writeFileAtomic } from "wgrad/node";

export interface EpochRecord {
  /** Counted from 1. */
  readonly epoch: number;
  readonly phase: "frozen" | "released";
  readonly trainLoss: number;
  readonly testLoss: number;
  /** Parts of 1. */
  readonly trainAcc: number;
  readonly testAcc: number;
  readonly lr: number;
  readonly seconds: number;
  readonly imagesPerSecond: number;
}

export interface Metrics {
  readonly config: Readonly<Record<string, unknown>>;
  readonly adapter: Readonly<Record<string, unknown>>;
  readonly epochs: EpochRecord[];
  /** Training loss of every batch. */
  readonly iterations: number[];
}

/** Where a run stands, beside its tensors: the metadata of `last.state.safetensors`. */
interface Progress {
  readonly metrics: Metrics;
  readonly steps: Readonly<Record<string, number>>;
  readonly paramGroups: optim.OptimizerStateDict["paramGroups"];
  readonly scheduler: optim.PlateauState;
  readonly bestLoss: number;
  readonly rng: RngState;
}

export interface Resumed {
  readonly metrics: Metrics;
  readonly bestLoss: number;
  readonly rng: RngState;
}

export interface Trainee {
  readonly model: nn.AnyModule;
  readonly optimizer: optim.Adam;
  readonly scheduler: optim.ReduceLROnPlateau;
}

const MODEL = "model.";
const OPTIMIZER = "optimizer.";

export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** Writes metrics and the last checkpoint, and the best one when this epoch is it. Each file is replaced atomically. */
  async save(trainee: Trainee, metrics: Metrics, bestLoss: number, isBest: boolean, rng: RngState): Promise<void> {
    await mkdir(this.path, { recursive: true });
    const model = trainee.model.stateDict();
    const optimizer = trainee.optimizer.stateDict();
    const steps: Record<string, number> = {};
    const everything: Record<string, Tensor> = {};
    for (const [name, tensor] of Object.entries(model)) everything[MODEL + name] = tensor;
    for (const [index, entry] of Object.entries(optimizer.state)) {
      for (const [name, value] of Object.entries(entry)) {
        if (value instanceof Tensor) everything[`${OPTIMIZER}${index}.${name}`] = value;
        else steps[index] = value;
      }
    }
    const { paramGroups } = optimizer;
    const progress: Progress = { metrics, steps, paramGroups, scheduler: trainee.scheduler.stateDict(), bestLoss, rng };
    const weights = await saveSafetensors(model);
    if (isBest) await writeFileAtomic(this.file("best.safetensors"), weights);
    await writeFileAtomic(this.file("last.safetensors"), weights);
    await writeFileAtomic(this.file("metrics.json"), `${JSON.stringify(metrics, null, 2)}\n`);
    // All that a resumed run needs is in one file: an interruption between two files cannot mix two epochs.
    const state = await saveSafetensors(everything, { progress: JSON.stringify(progress) });
    await writeFileAtomic(this.file("last.state.safetensors"), state);
    for (const tensor of Object.values(everything)) tensor.dispose();
  }

  /** Loads the last checkpoint into the trainee. Throws where there is none, or it belongs to other settings. */
  async resume(trainee: Trainee, config: Metrics["config"]): Promise<Resumed> {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(this.file("last.state.safetensors"));
    } catch (cause) {
      throw new DataError(
        `nothing to resume in ${this.path}: no last.state.safetensors there (start without --resume)`,
        {
          cause,
        },
      );
    }
    const progress = JSON.parse(safetensorsMetadata(bytes).progress ?? "null") as Progress;
    const before = progress.metrics.config;
    // More epochs may be added to a run; everything else must be as it was, or the numbers would not be the same.
    const changed = Object.keys(config).filter(
      (k) => k !== "epochs" && JSON.stringify(config[k]) !== JSON.stringify(before[k]),
    );
    if (changed.length > 0) {
      const list = changed
        .map((k) => `${k} (${JSON.stringify(before[k])}, now ${JSON.stringify(config[k])})`)
        .join(", ");
      throw new ValueError(`${this.path} was started with other settings: ${list}. Use the same, or another --out`);
    }
    const tensors = await loadSafetensors(bytes);
    const model: Record<string, Tensor> = {};
    const state: Record<number, Record<string, Tensor | number>> = {};
    for (const [index, step] of Object.entries(progress.steps)) state[Number(index)] = { step };
    for (const [name, tensor] of Object.entries(tensors)) {
      if (name.startsWith(MODEL)) model[name.slice(MODEL.length)] = tensor;
      else {
        const [, index, key = ""] = name.split(".");
        const entry = state[Number(index)];
        if (entry) entry[key] = tensor;
      }
    }
    await trainee.model.loadStateDict(model);
    trainee.optimizer.loadStateDict({ state, paramGroups: progress.paramGroups });
    trainee.scheduler.loadStateDict(progress.scheduler);
    for (const tensor of Object.values(tensors)) tensor.dispose();
    return { metrics: progress.metrics, bestLoss: progress.bestLoss, rng: progress.rng };
  }
}
