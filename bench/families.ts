// npm run bench:families: a training step of a small model of each family at 32x32 beside PyTorch's CPU build; --table: all models.
import { Command } from "commander";
import { init } from "wgrad";
import { freshDriverCache } from "./support/child.ts";
import { type FamilyName, familyNames } from "./support/families.ts";
import type { TimedFigure } from "./support/figures.ts";
import { describeMachine, machineLine } from "./support/machine.ts";
import { libraries, PeerProcess } from "./support/peer-process.ts";
import type { Outcomes } from "./support/peer-report.ts";
import { measureFigure } from "./support/peer-turns.ts";
import { writeResults } from "./support/results.ts";
import { markdownTable, significant } from "./support/table.ts";

interface Options {
  only?: string[];
  batch: number;
  rounds: number;
  profile?: true;
  table?: true;
  json?: string;
}

const program = new Command("bench:families")
  .description(
    "Times a training step of one small model of each family, adapted to 32x32, in turns with PyTorch's CPU build.",
  )
  .option("--only <names...>", "only models whose name contains one of these", undefined)
  .option("--batch <n>", "images in a batch", Number, 16)
  .option("--rounds <n>", "rounds a model", Number, 3)
  .option("--profile", "device time by kernel instead, of the models of --only")
  .option(
    "--table",
    "write the tables of docs/models.md instead: what becomes of every model, its parameters and multiply-adds",
  )
  .option("--json <path>", "where to write the figures (default: bench/results/families.json)");
const o = program.parse().opts<Options>();
const names = familyNames.filter((name) => o.only?.some((text) => name.includes(text)) ?? true);
if (names.length === 0) program.error(`no model's name contains ${o.only?.join(" or ")}: ${familyNames.join(", ")}`);

const figureOf = (name: FamilyName): TimedFigure => ({
  key: name,
  title: name,
  spec: { kind: "family", name, batch: o.batch },
  targets: { torch: 1 / 2 },
  tolerance: 1e-3,
});

function row(name: FamilyName, { wgrad, torch }: Outcomes): string[] {
  const ms = (timing: { readonly median: number } | null | undefined) => (timing ? significant(timing.median) : "-");
  const ratio = wgrad?.timing && torch?.timing ? significant(wgrad.timing.median / torch.timing.median) : "-";
  const loss = (values: readonly number[] | undefined) => (values?.[0] === undefined ? "-" : values[0].toFixed(4));
  return [name, ms(wgrad?.timing), ms(torch?.timing), ratio, loss(wgrad?.values), loss(torch?.values)];
}

async function beside(): Promise<void> {
  const device = await init();
  const machine = describeMachine(device);
  device.destroy();
  console.log(`${machineLine(machine)}\n`);
  const cache = freshDriverCache();
  const peers = libraries()
    .filter(({ name }) => name === "wgrad" || name === "torch")
    .map((library) => new PeerProcess(library, cache.env));
  const results: { name: FamilyName; outcomes: Outcomes }[] = [];
  try {
    for (const name of names) {
      const outcomes = await measureFigure(peers, figureOf(name), o.rounds);
      results.push({ name, outcomes });
      const errors = Object.values(outcomes).flatMap(({ error }) => error ?? []);
      console.log([...row(name, outcomes), ...errors].join("  "));
    }
  } finally {
    for (const peer of peers) await peer.quit();
    cache.remove();
  }
  const header = ["model", "wgrad, ms", "PyTorch CPU, ms", "times as long", "first loss", "PyTorch's"];
  const rows = results.map(({ name, outcomes }) => row(name, outcomes));
  console.log(`\n${markdownTable(header, rows)}`);
  writeResults("families", machine, { options: o, results }, o.json);
}

if (o.table) await (await import("./support/model-table.ts")).writeTables();
else if (o.profile) await (await import("./support/family-profile.ts")).profileFamilies(names, o.batch);
else await beside();
