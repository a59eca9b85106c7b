// One figure measured for several libraries, in turns.
import type { TimedFigure } from "./figures.ts";
import { summarize } from "./measure.ts";
import type { LibraryName, PeerProcess } from "./peer-process.ts";
import type { Outcome, Outcomes } from "./peer-report.ts";

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

const SAMPLE_MS = 20;
/** A library that needs longer for one run gets three rounds at most. */
const SLOW_MS = 3000;
const RUN_TIMEOUT_MS = 120_000;

interface Contestant {
  readonly peer: PeerProcess;
  readonly firstMs: number;
  readonly values: readonly number[];
  readonly times: number;
  readonly rounds: number;
  readonly samples: number[];
}

async function prepare(peer: PeerProcess, figure: TimedFigure, most: number): Promise<Contestant> {
  const { spec } = figure;
  const { firstMs, values } = await peer.ask({ do: "prepare", spec }, peer.library.coldTimeoutMs);
  const { ms } = await peer.ask({ do: "run", times: 1 }, RUN_TIMEOUT_MS);
  const times = Math.max(1, Math.min(1000, Math.ceil(SAMPLE_MS / ms)));
  return { peer, firstMs, values, times, rounds: ms > SLOW_MS ? Math.min(3, most) : most, samples: [] };
}

/** Everyone prepares, then takes turns, each round beginning with another: what disturbs the machine disturbs all. */
export async function measureFigure(
  peers: readonly PeerProcess[],
  figure: TimedFigure,
  most: number,
): Promise<Outcomes> {
  const outcomes: Partial<Record<LibraryName, Outcome>> = {};
  const fail = (peer: PeerProcess, error: unknown) => {
    outcomes[peer.library.name] = { timing: null, firstMs: null, error: messageOf(error), deviation: null, values: [] };
  };
  const contestants: Contestant[] = [];
  for (const peer of peers) {
    try {
      contestants.push(await prepare(peer, figure, most));
    } catch (error) {
      fail(peer, error);
    }
  }
  for (let round = 0; round < most; round++) {
    for (let i = 0; i < contestants.length; i++) {
      const { peer, times, rounds, samples } = contestants[(i + round) % contestants.length]!;
      if (round >= rounds || peer.library.name in outcomes) continue;
      try {
        samples.push((await peer.ask({ do: "run", times }, RUN_TIMEOUT_MS)).ms / times);
      } catch (error) {
        fail(peer, error);
      }
    }
  }
  const reference = contestants.find((c) => c.peer.library.name === "torch") ?? contestants[0];
  for (const c of contestants) {
    const { name } = c.peer.library;
    if (!(name in outcomes)) {
      outcomes[name] = {
        timing: { ...summarize(c.samples), batch: c.times },
        firstMs: c.firstMs,
        error: null,
        deviation: c === reference ? null : deviation(figure, c.values, reference!.values),
        values: c.values,
      };
    }
    if (!c.peer.ended) await c.peer.ask({ do: "release" }, RUN_TIMEOUT_MS).catch((error) => fail(c.peer, error));
  }
  return outcomes;
}

/** Of the first loss; or of the norm, and of elements by the largest of them. */
function deviation({ spec }: TimedFigure, values: readonly number[], reference: readonly number[]): number {
  const relative = (i: number, scale: number) => Math.abs(values[i]! - reference[i]!) / Math.abs(scale);
  const first = relative(0, reference[0]!);
  if (spec.kind === "train" || spec.kind === "program" || spec.kind === "family") return first;
  const largest = Math.max(...reference.slice(1).map(Math.abs));
  return Math.max(first, ...reference.slice(1).map((_, i) => relative(i + 1, largest)));
}
