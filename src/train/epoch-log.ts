// The losses and hits of an epoch's batches: on the device until some have come together, then read without making the loop wait.
import { NonFiniteLossError } from "../errors.ts";
import { stack } from "../ops/cat.ts";
import { keep } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { TrainScores } from "./events.ts";

/** An epoch so far: of each batch its loss and size. What a checkpoint in the middle of an epoch holds. */
export interface EpochPart {
  readonly losses: readonly number[];
  readonly sizes: readonly number[];
  readonly hits: number;
  readonly seconds: number;
  /** The first group's learning rate when the epoch began. */
  readonly lr: number;
}

/** Batches whose numbers are read together. */
const WINDOW = 64;

export class EpochLog {
  readonly #epoch: number;
  readonly #lr: number;
  readonly #losses: number[];
  readonly #sizes: number[];
  #hits: number;
  readonly #before: number;
  readonly #start = performance.now();
  /** On the device: losses and hits of the last batches. */
  #waiting: { loss: Tensor; hits: Tensor }[] = [];
  /** The window before, on its way. */
  #read: Promise<void> = Promise.resolve();

  constructor(epoch: number, lr: number, part: EpochPart | null) {
    this.#epoch = epoch;
    this.#lr = lr;
    this.#losses = [...(part?.losses ?? [])];
    this.#sizes = [...(part?.sizes ?? [])];
    this.#hits = part?.hits ?? 0;
    this.#before = part?.seconds ?? 0;
  }

  /** How many batches there were. */
  get batches(): number {
    return this.#sizes.length;
  }

  /** Takes over a batch's numbers. They live until the next `settle` or `part`. */
  push(loss: Tensor, hits: Tensor, samples: number): void {
    this.#sizes.push(samples);
    this.#waiting.push({ loss: keep(loss), hits: keep(hits) });
  }

  /**
   * Has a full window read.
   * @throws NonFiniteLossError for a loss of the window before.
   */
  async settle(): Promise<void> {
    if (this.#waiting.length < WINDOW) return;
    // The window before has long been computed.
    await this.#read;
    this.#read = this.#readWindow();
    this.#read.catch(() => {}); // told when it is awaited
  }

  async #readWindow(): Promise<void> {
    const window = this.#waiting;
    this.#waiting = [];
    if (window.length === 0) return;
    const [losses, hits] = [stack(window.map((each) => each.loss)), stack(window.map((each) => each.hits))];
    for (const each of window) for (const t of [each.loss, each.hits]) t.dispose();
    try {
      const [lossValues, hitValues] = await Promise.all([losses.data(), hits.data()]);
      for (const loss of lossValues) {
        this.#losses.push(loss);
        if (!Number.isFinite(loss)) this.#refuse(loss);
      }
      for (const count of hitValues) this.#hits += count;
    } finally {
      for (const t of [losses, hits]) t.dispose();
    }
  }

  #refuse(loss: number): never {
    const at = { epoch: this.#epoch, step: this.#losses.length, loss };
    throw new NonFiniteLossError(
      `[fit] the loss became ${loss} in epoch ${at.epoch}, step ${at.step}: lower the learning rate (findLearningRate suggests one), clip gradients (clipGradNorm), or look for the operation with detectAnomaly`,
      at,
    );
  }

  /**
   * Reads what is left.
   * @throws NonFiniteLossError where a loss is not finite.
   */
  async part(): Promise<EpochPart> {
    await this.#read;
    await this.#readWindow();
    return {
      losses: this.#losses,
      sizes: this.#sizes,
      hits: this.#hits,
      seconds: this.#before + (performance.now() - this.#start) / 1000,
      lr: this.#lr,
    };
  }

  dispose(): void {
    for (const { loss, hits } of this.#waiting) for (const t of [loss, hits]) t.dispose();
    this.#waiting = [];
  }
}

/** An epoch's numbers, each batch weighted by its samples. */
export function trainScores({ losses, sizes, hits, seconds }: EpochPart): TrainScores {
  const samples = sizes.reduce((a, b) => a + b, 0);
  const loss = losses.reduce((sum, value, i) => sum + value * (sizes[i] ?? 0), 0) / samples;
  return { loss, accuracy: hits / samples, losses, samples, seconds };
}
