// Every public operation is called under its public name by some test: what only its inside is tested for may be wrong outside.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { init, nn, Tensor } from "wgrad";
import type { Recording } from "../support/replay.ts";

const root = new URL("../", import.meta.url);
const sources = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.startsWith("reference"))
  .map((file) => readFileSync(new URL(file, root), "utf8").replace(/\/\/.*$|\/\*[\s\S]*?\*\//gm, ""));
const recording: Recording = JSON.parse(readFileSync(new URL("golden/op_db.json", root), "utf8"));
const recorded = new Set(recording.cases.map(({ call: [kind, name] }) => `${kind} ${name}`));

const called = (before: string, name: string): boolean => {
  const call = new RegExp(`${before}${name}(<[^>]*>)?\\(`);
  return sources.some((text) => call.test(text));
};

/** Of the class, but for the library alone. */
const INTERNAL = new Set(["constructor", "swapGrad"]);

const extended = (name: string): boolean => {
  const heading = new RegExp(`\\bextends nn\\.${name}\\b`);
  return sources.some((text) => heading.test(text));
};

describe("tests call", () => {
  test("every function of nn.functional", () => {
    const missing = Object.keys(nn.functional).filter(
      (name) => !recorded.has(`functional ${name}`) && !called("\\b(F|functional)\\.", name),
    );
    expect(missing).toEqual([]);
  });

  test("every class and function of nn", () => {
    const names = Object.entries(nn).flatMap(([name, value]) => (typeof value === "function" ? [name] : []));
    expect(names.filter((name) => !called("\\bnn\\.", name) && !extended(name))).toEqual([]);
    const inits = Object.keys(nn.init).filter((name) => !called("\\binit\\.", name));
    expect(inits).toEqual([]);
  });

  test("every method of Tensor", async () => {
    const device = await init();
    const names = Object.entries(Object.getOwnPropertyDescriptors(Tensor.prototype)).flatMap(([name, { value }]) =>
      typeof value === "function" && !INTERNAL.has(name) ? [name] : [],
    );
    device.destroy();
    expect(names.length).toBeGreaterThan(70);
    expect(names.filter((name) => !recorded.has(`method ${name}`) && !called("\\.", name))).toEqual([]);
  });
});
