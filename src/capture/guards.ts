// Guards: what a recorded step depends on besides the shapes of its inputs. A step whose guards hold may be replayed.

/** Something that the step read while it was recorded. */
export interface Guard {
  /** Whether it still is as it was. */
  holds(): boolean;
  /** It may become again what it was: a training mode. Otherwise a recording that it fails is of no use any more. */
  readonly returns: boolean;
}

export class Guards {
  readonly #guards: Guard[] = [];
  readonly #keys = new Set<unknown>();

  /** Adds a guard, once for each `key`. */
  add(key: unknown, guard: Guard): void {
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    this.#guards.push(guard);
  }

  /** "held", "away": not now, but perhaps again; "lost": never again. */
  check(): "held" | "away" | "lost" {
    let state: "held" | "away" = "held";
    for (const guard of this.#guards) {
      if (guard.holds()) continue;
      if (!guard.returns) return "lost";
      state = "away";
    }
    return state;
  }
}
