// The README's thirty lines are examples/quickstart.ts, and they learn what they say they do.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = new URL("../../", import.meta.url);
const text = (path: string) => readFileSync(new URL(path, root), "utf8");

test("the README shows examples/quickstart.ts as it is", () => {
  expect(text("README.md")).toContain(`\`\`\`ts\n${text("examples/quickstart.ts")}\`\`\`\n`);
});

test("examples/quickstart.ts tells the spirals apart, and ends by itself", async () => {
  const args = ["scripts/run.mjs", "examples/quickstart.ts"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: fileURLToPath(root), timeout: 100_000 });
  const accuracy = Number(/accuracy ([\d.]+) %/.exec(stdout)?.[1]);
  expect(accuracy).toBeGreaterThan(95);
});

test("examples/custom-op.ts, under forty lines, finds its gradient right", async () => {
  expect(text("examples/custom-op.ts").trimEnd().split("\n").length).toBeLessThan(40);
  expect(text("examples/custom-op.ts").match(/from "/g)).toHaveLength(1);
  const args = ["scripts/run.mjs", "examples/custom-op.ts"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: fileURLToPath(root), timeout: 100_000 });
  expect(stdout).toContain("gradient as by differences: true");
  expect(stdout.match(/mean of swish/g)).toHaveLength(3);
});
