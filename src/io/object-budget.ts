// A bound on the memory that a file's objects take, so that a small file cannot exhaust it.

/**
 * Twice the file and 16 MB: what reading may take beside the tensors. A byte of a pickle or of a header can ask for an
 * object of hundreds of bytes; honest files, where each object belongs to a tensor, stay far below.
 */
export class ObjectBudget {
  #left: number;
  readonly #exceeded: () => never;
  /** `exceeded` throws the error. */
  constructor(fileBytes: number, exceeded: () => never) {
    this.#left = 2 * fileBytes + 2 ** 24;
    this.#exceeded = exceeded;
  }
  charge(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) this.#exceeded();
  }
}
