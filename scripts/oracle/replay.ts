// Replays a recording of scripts/oracle/op_db.py and prints every disagreement with PyTorch; exits with 1 where there is one.
//   node scripts/run.mjs scripts/oracle/replay.ts RECORDING.json [operation ...]
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { init } from "wgrad";
import { type Disagreement, type Recording, replay } from "../../test/support/replay.ts";

const { positionals } = parseArgs({ allowPositionals: true });
const [path, ...only] = positionals;
if (!path) throw new Error("usage: node scripts/run.mjs scripts/oracle/replay.ts RECORDING.json [operation ...]");
const recording: Recording = JSON.parse(readFileSync(path, "utf8"));
await init();
const found: Disagreement[] = [];
let count = 0;
for (const c of recording.cases) {
  if (only.length > 0 && !only.includes(c.op)) continue;
  count++;
  const d = await replay(recording, c);
  if (d) {
    found.push(d);
    console.log(`${d.op}  ${d.where}: ${d.detail}`);
  }
}
const perOp = new Map<string, number>();
for (const { op, where } of found) perOp.set(`${op} ${where}`, (perOp.get(`${op} ${where}`) ?? 0) + 1);
console.log(`\n${count} cases against PyTorch ${recording.torch}: ${found.length} disagree`);
for (const [op, n] of perOp) console.log(`  ${op}: ${n}`);
process.exitCode = found.length > 0 ? 1 : 0;
