// The table of bench:peers: measured, ratio, target, reached; for the terminal and for docs/performance.md.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { PeerName, TimedFigure } from "./figures.ts";
import type { Machine } from "./machine.ts";
import type { Timing } from "./measure.ts";
import type { LibraryName } from "./peer-process.ts";
import { markdownTable, significant, textTable } from "./table.ts";

/** One figure: a cell for each library, and how it stands to its targets. */
export interface Row {
  readonly figure: string;
  readonly cells: Readonly<Partial<Record<LibraryName, string>>>;
  readonly ratio: string;
  readonly target: string;
  readonly reached: boolean | null;
}

const titles: Readonly<Record<LibraryName, string>> = {
  wgrad: "wgrad",
  tfjs: "TensorFlow.js",
  jax: "jax-js",
  torch: "PyTorch CPU",
};
const order = ["wgrad", "tfjs", "jax", "torch"] as const;

/** What a library gave for a timed figure. */
export interface Outcome {
  readonly timing: Timing | null;
  readonly firstMs: number | null;
  readonly error: string | null;
  /** Largest deviation from the reference, relative; null for the reference itself. */
  readonly deviation: number | null;
  /** What it computed: losses of the first steps, or a norm and elements. */
  readonly values: readonly number[];
}
export type Outcomes = Readonly<Partial<Record<LibraryName, Outcome>>>;

/** How a figure stands to one of its targets. `reached` is null where the peer was not measured. */
interface Part {
  readonly ratio: string;
  readonly target: string;
  readonly reached: boolean | null;
}

/** No, if one target is missed; open, if one is not known. */
const verdict = (parts: readonly Part[]): boolean | null => {
  if (parts.some((p) => p.reached === false)) return false;
  return parts.length === 0 || parts.some((p) => p.reached === null) ? null : true;
};

/** The peer's time over wgrad's, against what that is to be at least. */
function compare(peer: PeerName, theirs: number | undefined, own: number | undefined, least: number): Part {
  const name = titles[peer];
  const target = least >= 1 ? `${least}x ${name}` : `at most ${significant(1 / least)}x ${name}'s time`;
  if (!own || !theirs) return { ratio: "", target, reached: null };
  return { ratio: `${significant(theirs / own)}x ${name}`, target, reached: theirs / own >= least };
}

const join = (figure: string, cells: Row["cells"], parts: readonly Part[]): Row => ({
  ...{ figure, cells },
  ratio: parts.flatMap((p) => p.ratio || []).join(", "),
  target: parts.map((p) => p.target).join(", "),
  reached: verdict(parts),
});

export function timedRow(figure: TimedFigure, outcomes: Outcomes): Row {
  const cells: Partial<Record<LibraryName, string>> = {};
  for (const name of order) {
    const o = outcomes[name];
    if (!o) continue;
    if (!o.timing) cells[name] = `failed: ${o.error}`;
    else {
      const { median } = o.timing;
      const rate = figure.flop ? ` (${significant(figure.flop / median / 1e6)} GFLOP/s)` : "";
      const image = figure.images ? ` (${significant(median / figure.images)} an image)` : "";
      const wrong = o.deviation !== null && o.deviation > figure.tolerance ? " WRONG" : "";
      cells[name] = `${significant(median)} ms${rate}${image}${wrong}`;
    }
  }
  const own = outcomes.wgrad?.timing?.median;
  const parts = (["jax", "tfjs", "torch"] as const).flatMap((peer) => {
    const least = figure.targets[peer];
    return least ? [compare(peer, outcomes[peer]?.timing?.median, own, least)] : [];
  });
  const row = join(figure.title, cells, parts);
  // What is fast and wrong has not been reached.
  return cells.wgrad?.endsWith("WRONG") ? { ...row, reached: false } : row;
}

export interface Cold {
  readonly firstStepMs: number;
  readonly peakRssMiB: number;
}

export function coldRows(cold: Readonly<Partial<Record<LibraryName, Cold | { error: string }>>>): Row[] {
  const cellsOf = (show: (c: Cold) => string) =>
    Object.fromEntries(
      Object.entries(cold).map(([name, c]) => [name, "error" in c ? `failed: ${c.error}` : show(c)]),
    ) as Row["cells"];
  const { wgrad, jax } = cold;
  if (!wgrad || "error" in wgrad) return [];
  const theirs = jax && !("error" in jax) ? jax.firstStepMs : undefined;
  const first = join(
    "first training step, empty driver cache",
    cellsOf((c) => `${significant(c.firstStepMs / 1e3)} s`),
    [
      { ratio: "", target: "under 15 s", reached: wgrad.firstStepMs < 15_000 },
      compare("jax", theirs, wgrad.firstStepMs, 10),
    ],
  );
  const megabytes = (c: Cold) => (c.peakRssMiB * 2 ** 20) / 1e6;
  return [
    first,
    {
      figure: "peak resident memory of ResNet18 training, batch 32",
      cells: cellsOf((c) => `${Math.round(megabytes(c))} MB`),
      ratio: "",
      target: "under 700 MB",
      reached: megabytes(wgrad) < 700,
    },
  ];
}

interface Host {
  readonly ms: number;
  readonly cpuMs: number | null;
}

export function hostRows(eager: Host, captured: Host, dispatches: number): Row[] {
  const [slow, fast] = [eager.cpuMs ?? eager.ms, captured.cpuMs ?? captured.ms];
  const each = (1000 * fast) / dispatches;
  const clock = captured.cpuMs === null ? "" : `, ${significant(captured.ms)} ms on the clock`;
  return [
    {
      figure: "host time of a captured ResNet18 step",
      cells: { wgrad: `${significant(fast)} ms (${significant(each)} us a dispatch, ${dispatches} of them${clock})` },
      ratio: "",
      target: "under 3 ms, 6 us a dispatch",
      reached: fast < 3 && each <= 6,
    },
    {
      figure: "host time, eager",
      cells: { wgrad: `${significant(slow)} ms` },
      ratio: `${significant(slow / fast)}x captured`,
      target: "5x captured at least",
      reached: slow / fast >= 5,
    },
  ];
}

export function capturedRow({
  eager,
  captured,
  identical,
}: {
  eager: readonly number[];
  captured: readonly number[];
  identical: boolean;
}): Row {
  const same = eager.filter((loss, i) => Object.is(loss, captured[i])).length;
  return {
    figure: "captured against eager: losses of 20 steps, frozen and released, with rate changes",
    cells: { wgrad: `${same} of ${eager.length} the same bit for bit` },
    ratio: "",
    target: "all",
    reached: identical,
  };
}

export function bundleRow(bytes: Readonly<Partial<Record<LibraryName, number>>>): Row {
  const cells = Object.fromEntries(Object.entries(bytes).map(([name, n]) => [name, `${(n / 1000).toFixed(1)} KB`]));
  return {
    figure: "bundle of `import { resnet18, optim, init }`, minified and gzipped",
    cells,
    ratio: "",
    target: "under 45 KB",
    reached: (bytes.wgrad ?? Number.POSITIVE_INFINITY) < 45_000,
  };
}

const yesNo = (reached: boolean | null) => (reached === null ? "-" : reached ? "yes" : "no");

function tableOf(rows: readonly Row[], missing: string): [string[], string[][]] {
  const present = order.filter((name) => rows.some((row) => row.cells[name]));
  return [
    ["figure", ...present.map((name) => titles[name]), "ratio", "target", "reached"],
    rows.map((row) => [
      ...[row.figure, ...present.map((name) => row.cells[name] ?? missing)],
      ...[row.ratio || missing, row.target || missing, yesNo(row.reached)],
    ]),
  ];
}

export const printable = (rows: readonly Row[]): string => textTable(...tableOf(rows, ""));

const START = "<!-- figures: written by `npm run bench:peers` -->";
const END = "<!-- /figures -->";
const page = fileURLToPath(new URL("../../docs/performance.md", import.meta.url));

/** Puts the table and the machine's description between the markers of docs/performance.md. */
export function writePage(rows: readonly Row[], machine: Machine): void {
  const text = readFileSync(page, "utf8");
  const [start, end] = [text.indexOf(START), text.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`docs/performance.md lacks the markers ${START} and ${END}`);
  const versions = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`);
  const facts = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; ${machine.system}.`,
    `Adapter: ${machine.adapter}${machine.isSoftware ? " (software)" : ""}, subgroups of ${machine.subgroupSize || "no fixed size"}.`,
    `Node ${machine.node}; ${versions.join(", ")}.`,
    `Commit ${machine.commit}, ${machine.date.slice(0, 10)}; load ${machine.load.toFixed(2)} before the run.`,
  ];
  const block = [START, "", facts.join("\n"), "", markdownTable(...tableOf(rows, "-")), "", END].join("\n");
  writeFileSync(page, text.slice(0, start) + block + text.slice(end + END.length));
}
