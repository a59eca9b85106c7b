// npm run tune: tunes the matrix kernels for this machine's adapter, over the training steps of whole models.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { init, type TunedClass, tune } from "wgrad";
import { type DefaultVariants, defaultVariants } from "../src/kernels/default-variants.ts";
import { adapterClass } from "../src/kernels/variants.ts";
import { percent, textTable } from "./support/table.ts";
import { type ModelName, modelNames, workload } from "./support/training.ts";

interface Options {
  models: string;
  batch: number;
  largeBatch: number;
  budget: number;
  again?: true;
  write?: true;
}

const o = new Command("tune")
  .description(
    "Measures the variants of the matrix kernels on this adapter, and keeps the fastest where init() finds them.",
  )
  .option("--models <names>", `whose training steps, of ${modelNames.join(", ")}`, "resnet18,cifarAlexnet")
  .option("--batch <n>", "images of 32x32 in a batch", Number, 32)
  .option("--large-batch <n>", "images of 224x224 in a batch", Number, 4)
  .option("--budget <s>", "seconds to spend in all", Number, 300)
  .option("--again", "measure also what is known already")
  .option("--write", "write the table of defaults, src/kernels/default-variants.ts, for adapters of this class")
  .parse()
  .opts<Options>();

const device = await init();
process.stdout.write(`${device.info.name}, subgroups of ${device.info.subgroupSize}\n`);
const deadline = performance.now() + 1000 * o.budget;
const all: TunedClass[] = [];
for (const name of o.models.split(",")) {
  const work = await workload(name as ModelName, name === "alexnet" ? o.largeBatch : o.batch);
  const tuned = await tune(() => work.train(), {
    budget: deadline - performance.now(),
    again: o.again ?? false,
    onProgress: ({ done, total, newest: { key, chosen } }) =>
      process.stderr.write(`${name} ${done}/${total}: ${key}: ${chosen}\n`),
  });
  all.push(...tuned);
  work.dispose();
}
const rows = all.map(({ key, chosen, saved, ms }) => {
  const [first, time] = Object.entries(ms)[0]!;
  return [key, first, time, chosen, ms[chosen]!, percent(saved)];
});
process.stdout.write(`\n${textTable(["class", "usual", "ms", "chosen", "ms", "saved"], rows)}\n`);

if (o.write) {
  const path = fileURLToPath(new URL("../src/kernels/default-variants.ts", import.meta.url));
  // What saves little is not worth a pipeline of its own in everyone's first step.
  const differing = all.filter(({ saved, ms }) => saved > 0.1 && saved * Object.values(ms)[0]! > 0.3);
  const entries: DefaultVariants = Object.fromEntries(
    differing.map(({ key, chosen }) => [key, chosen] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const table = { ...defaultVariants, [adapterClass(device.info)]: entries };
  writeFileSync(
    path,
    `// Variants of the matrix kernels that were measured to be faster than the first of their list: written by
// \`npm run tune -- --again --write\`.

/** Name of a variant by kind and class of shapes. */
export type DefaultVariants = Readonly<Record<string, string>>;

/** By class of adapters, see \`adapterClass\`. */
export const defaultVariants: Readonly<Record<string, DefaultVariants>> = ${JSON.stringify(table, null, 2)};
`,
  );
  execFileSync("npx", ["biome", "format", "--write", path], { stdio: "ignore" });
  process.stdout.write(`written to ${path}\n`);
}
device.destroy();
