// Counts WGSL that is written twice: significant lines within a window of four that recurs in another file of src/kernels/wgsl.
// A significant line, its comment and outer spaces removed, is not empty and more than a brace (`}`, `{`, `} }`).
// Usage: node scripts/wgsl-duplicates.mjs [--max=PERCENT] (exits 1 above it)
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { kernelPaths } from "./wgsl-plugin.mjs";

const WINDOW = 4;
const folder = fileURLToPath(new URL("../src/kernels/wgsl/", import.meta.url));

/** The significant lines of a WGSL text, in order. */
export const significantLines = (text) =>
  text
    .split("\n")
    .map((line) => line.replace(/\/\/.*$/, "").trim())
    .filter((line) => /[^{}\s]/.test(line));

/** For each file, by name, how many significant lines it has and how many of them recur in another one. */
export function countRecurring(texts) {
  const files = Object.entries(texts).map(([name, text]) => ({ name, lines: significantLines(text) }));
  const windowsOf = (lines) => lines.slice(WINDOW - 1).map((_, i) => lines.slice(i, i + WINDOW).join("\n"));
  const owners = new Map();
  for (const { name, lines } of files) {
    for (const window of windowsOf(lines)) owners.set(window, (owners.get(window) ?? new Set()).add(name));
  }
  return files.map(({ name, lines }) => {
    const recurring = new Set();
    for (const [i, window] of windowsOf(lines).entries()) {
      if (owners.get(window).size > 1) for (let k = 0; k < WINDOW; k++) recurring.add(i + k);
    }
    return { name, lines: lines.length, recurring: recurring.size };
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { max: { type: "string" } } });
  const max = Number(values.max ?? 100);
  if (!(max >= 0)) throw new Error(`--max=${values.max} is no number`);
  const { kernels, parts } = await kernelPaths();
  const texts = [...kernels, ...parts].map((path) => [relative(folder, path), readFileSync(path, "utf8")]);
  const files = countRecurring(Object.fromEntries(texts));
  const sum = (field) => files.reduce((total, file) => total + file[field], 0);
  const percent = (100 * sum("recurring")) / sum("lines");
  const worst = files.filter((file) => file.recurring > 0).sort((a, b) => b.recurring - a.recurring);
  for (const { name, lines, recurring } of worst.slice(0, 10)) console.log(`${recurring} of ${lines} ${name}`);
  console.log(
    `${sum("recurring")} of ${sum("lines")} lines (${percent.toFixed(1)} %) recur in another file, at most ${max} %`,
  );
  process.exitCode = percent > max ? 1 : 0;
}
