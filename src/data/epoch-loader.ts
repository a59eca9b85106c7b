// Where a loader stands: which epoch, how many of its batches were given out, and what its order depends on.
import { check, checkWhole, StateDictError, told } from "../errors.ts";

/** What a loader's order depends on. */
export type OrderFacts = Readonly<Record<string, number | boolean>>;

/** What a loader needs to go on where it was. JSON. */
export interface LoaderState<Facts = OrderFacts> {
  /** The epoch that the next batch belongs to. */
  readonly epoch: number;
  /** How many batches of it were given out. */
  readonly batch: number;
  /** What the order depends on: it must be that of the loader that goes on. */
  readonly order: Facts;
}

/** What all loaders have in common: epochs, and a state from which a run goes on. */
export abstract class EpochLoader<Facts = OrderFacts> {
  readonly #name: string;
  #epoch = 0;
  /** Whether a loop has begun whose batches were not all given out. */
  #begun = false;
  /** Of its epoch: how many batches were given out. */
  #given = 0;
  /** The first batch of the next loop: above 0 where a state was loaded that was saved in the middle of an epoch. */
  #first = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** Batches an epoch, or infinity where only the epoch's end will tell. */
  protected abstract batchCount(): number;

  /** What the order of an epoch depends on. */
  protected abstract facts(epoch: number): Facts;

  /** A loop begins: which epoch, and with which of its batches. */
  protected begin(): { epoch: number; first: number } {
    const place = { epoch: this.#epoch++, first: this.#first };
    this.#first = 0;
    this.#given = place.first;
    this.#begun = true;
    return place;
  }

  /** So many batches of the epoch were given out. */
  protected give(batches: number): void {
    this.#given = batches;
  }

  /** The epoch's last batch was given out. */
  protected finish(): void {
    this.#begun = false;
  }

  /** The epoch that the next loop will be: counts up from 0 with each one. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Sets the epoch of the next loop: a resumed run sees the same order as an uninterrupted one. */
  setEpoch(epoch: number): void {
    checkWhole(this.#name, "the epoch", epoch, 0);
    this.#epoch = epoch;
    this.#first = 0;
    this.#given = 0;
    this.#begun = false;
  }

  /**
   * Where the loader stands, also in the middle of a loop or after one that was left by `break`: the batch that the loop has,
   * or had last, counts as given out.
   */
  stateDict(): LoaderState<Facts> {
    // An epoch whose last batch was given out is over.
    const inEpoch = this.#begun && this.#given < this.batchCount();
    const epoch = inEpoch ? this.#epoch - 1 : this.#epoch;
    return { epoch, batch: inEpoch ? this.#given : this.#first, order: this.facts(epoch) };
  }

  /**
   * The next loop goes on from a state: with the batches of its epoch that were not given out yet. Nothing changes when an
   * error is found.
   * @throws StateDictError for what is no state, or the state of a loader of other items, options or seed.
   */
  loadStateDict(state: LoaderState<Facts>): void {
    const expectFit = (condition: boolean, message: () => string) =>
      check(condition, () => `[loadStateDict] ${message()}`, StateDictError);
    const isCount = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0;
    const { epoch, batch, order } = state ?? {};
    expectFit(
      isCount(epoch) && isCount(batch) && typeof order === "object" && order !== null,
      () => `got ${told(state)} in the place of a DataLoader's state: pass what its stateDict() gave`,
    );
    const own = this.facts(epoch);
    const other = (Object.keys(own as object) as (keyof Facts)[]).filter((key) => order[key] !== own[key]);
    expectFit(
      other.length === 0,
      () =>
        `the loader has another order: ${other.map((key) => `${String(key)} was ${order[key]}, is ${own[key]}`).join(", ")}`,
    );
    expectFit(
      batch < this.batchCount() || batch === 0,
      () => `the state is of batch ${batch}, but an epoch has ${this.batchCount()}`,
    );
    this.setEpoch(epoch);
    this.#first = batch;
  }
}
