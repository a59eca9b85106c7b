// Prints the whole text of kernels, parts and all, as they are compiled: npm run wgsl -- softmax
// With --types writes src/kernels/wgsl.d.ts instead.
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { kernelPaths, linked } from "./wgsl-plugin.mjs";
import { wgslTypes } from "./wgsl-types.mjs";

const { values, positionals } = parseArgs({ options: { types: { type: "boolean" } }, allowPositionals: true });
const { kernels } = await kernelPaths();
if (values.types) {
  const file = new URL("../src/kernels/wgsl.d.ts", import.meta.url);
  const text = await wgslTypes();
  let before = "";
  try {
    before = readFileSync(file, "utf8");
  } catch {}
  if (text !== before) writeFileSync(file, text);
  console.log(`src/kernels/wgsl.d.ts: ${kernels.length} kernels${text === before ? ", as before" : ""}`);
} else {
  const names = kernels.map((path) => basename(path, ".wgsl"));
  const unknown = positionals.filter((name) => !names.includes(name));
  if (positionals.length === 0 || unknown.length > 0) {
    console.error(
      `${unknown.length > 0 ? `no kernel ${unknown.join(", ")}` : "usage: npm run wgsl -- NAME..."}\n${names.join(" ")}`,
    );
    process.exitCode = 1;
  } else for (const name of positionals) console.log(await linked(kernels[names.indexOf(name)]));
}
