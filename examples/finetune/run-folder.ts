// The folder of a run: metrics.json, checkpoints and plots, written atomically, and read again by --resume.
import { readFile, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { DataError, type FitRun, type nn, saveSafetensors, ValueError } from "wgrad";
import { loadCheckpoint, writeFileAtomic } from "wgrad/node";

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
  /** Of a run by another engine: what its last weights give with this one. */
  readonly reread?: { readonly testLoss: number; readonly testAcc: number };
}

/** What is saved of a run that `fit` makes. */
export type Trainee = Pick<FitRun, "model" | "save">;

const STATE = "last.state.safetensors";
export const PLOTS = ["loss-by-iteration.png", "accuracy-and-loss-by-epoch.png"] as const;
/** What --engine torchrun hands over to Python: a folder. */
export const HANDOVER = "torchrun";
const RESULTS = [STATE, "last.safetensors", "best.safetensors", "metrics.json", HANDOVER, ...PLOTS];

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const infoOf = (path: string) => stat(path).catch(() => undefined);

export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** Throws where a run cannot go there: another one is there, or nothing to resume, or nothing can be written. */
  async prepare({ resume, overwrite }: { resume: boolean; overwrite: boolean }): Promise<void> {
    if ((await infoOf(this.path))?.isFile()) throw new DataError(`--out ${this.path} is a file: give a folder`);
    if (resume && !(await infoOf(this.file(STATE))))
      throw new DataError(`nothing to resume in ${this.path}: no ${STATE} there (start without --resume)`);
    for (const name of resume || overwrite ? [] : RESULTS) {
      if (await infoOf(this.file(name)))
        throw new ValueError(`${this.path} holds a run: --resume goes on with it, --overwrite replaces it`);
    }
    const probe = this.file("writable");
    await writeFileAtomic(probe, "");
    await rm(probe);
  }

  /** Throws where the checkpoints of `model`, and so many bytes more, will not fit on the disk. */
  async checkRoom(model: nn.AnyModule, more = 0): Promise<void> {
    const dict = Object.values(model.stateDict());
    const weights = dict.reduce((sum, t) => sum + 4 * t.numel, 0);
    for (const t of dict) t.dispose();
    // Two files of weights, and the state, whose old version stays until the new one is complete: weights and Adam's moments.
    const needed = 2 * weights + 2 * (3 * weights) + 1e6 + more;
    let there = 0;
    for (const name of RESULTS) there += (await infoOf(this.file(name)))?.size ?? 0;
    const { bavail, bsize } = await statfs(this.path);
    if (bavail * bsize + there < needed)
      throw new DataError(
        `${this.path} needs about ${megabytes(needed)} for checkpoints, but ${megabytes(bavail * bsize)} are free there: make room, or give another --out`,
      );
  }

  /** Removes the results of the run that was there before. */
  async clear(): Promise<void> {
    for (const name of RESULTS) await rm(this.file(name), { force: true, recursive: true });
  }

  /** Writes metrics and weights after an epoch, the best ones when this epoch is it. Each file is replaced atomically. */
  async save(trainee: Trainee, metrics: Metrics, isBest: boolean): Promise<void> {
    const dict = trainee.model.stateDict();
    const weights = await saveSafetensors(dict);
    for (const tensor of Object.values(dict)) tensor.dispose();
    if (isBest) await writeFileAtomic(this.file("best.safetensors"), weights);
    await writeFileAtomic(this.file("last.safetensors"), weights);
    await this.saveMetrics(metrics);
    await this.saveState(trainee, metrics);
  }

  saveMetrics(metrics: Metrics): Promise<void> {
    return writeFileAtomic(this.file("metrics.json"), `${JSON.stringify(metrics, null, 2)}\n`);
  }

  /** All that a resumed run needs, in one file: an interruption between two files cannot mix two epochs. */
  async saveState(trainee: Trainee, metrics: Metrics): Promise<void> {
    await writeFileAtomic(this.file(STATE), await trainee.save({ metrics }));
  }

  /** The last checkpoint, for `fit` to go on from, and its metrics. Throws where it belongs to other settings. */
  async resume(config: Metrics["config"]): Promise<{ bytes: Uint8Array; metrics: Metrics }> {
    const path = this.file(STATE);
    const { metrics } = (await loadCheckpoint(path, {}, { rng: false })) as { metrics: Metrics };
    const before = metrics.config;
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
    return { bytes: await readFile(path), metrics };
  }
}
