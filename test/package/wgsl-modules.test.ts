// Kernels as modules: each compiles once it is linked, stripped as the build ships it too, and TypeScript knows what it declares.
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Device, init } from "wgrad";
import { allKernels, kernelPaths, linked, reflected, stripped } from "../../scripts/wgsl-plugin.mjs";
import { wgslTypes } from "../../scripts/wgsl-types.mjs";
import { Kernel, type KernelSource } from "../../src/kernels/kernel.ts";
import { reflect } from "../../src/kernels/reflect.ts";

const { kernels } = await kernelPaths();
const declarations = (text: string) =>
  [...text.matchAll(/^(?:const|alias|fn|struct)[ \t]+(\w+)/gm)].map(([, name]) => name);

async function errors({ gpu }: Device, code: string): Promise<string[]> {
  gpu.pushErrorScope("validation");
  const { messages } = await gpu.createShaderModule({ code }).getCompilationInfo();
  await gpu.popErrorScope();
  return messages.filter(({ type }) => type === "error").map(({ message, lineNum }) => `${lineNum}: ${message}`);
}

test("linked kernels compile, as they are read and as they are shipped", async () => {
  const device = await init();
  for (const path of kernels) {
    const name = basename(path);
    const source = await linked(path);
    const text = stripped(source);
    expect(text.length, name).toBeLessThan(source.length);
    expect(declarations(text), name).toEqual(declarations(source));
    expect(reflect(text), name).toEqual(await reflected(path));
    const needed = source.includes("enable f16") && !device.info.features.includes("shader-f16");
    if (!needed) expect(await errors(device, text), `${name}\n${text}`).toEqual([]);
  }
});

test("a shipped kernel gets back the declarations that its text leaves out", async () => {
  const device = await init();
  const shipped = await import(`data:text/javascript,${encodeURIComponent(await allKernels())}`);
  for (const path of kernels) {
    const source: KernelSource<unknown, unknown, string> = shipped[basename(path, ".wgsl").replaceAll("-", "_")];
    expect(source.text.join("\n"), source.name).not.toMatch(/@binding|struct Params/);
    const { text } = new Kernel(source);
    const { bindings, params, constants, declared } = await reflected(path);
    const found = reflect(text);
    expect({ ...found, declared: [...found.declared].sort() }, source.name).toEqual({
      ...{ bindings, params, constants },
      declared: [...declared].sort(),
    });
    const needed = text.includes("enable f16") && !device.info.features.includes("shader-f16");
    if (!needed) expect(await errors(device, text), `${source.name}\n${text}`).toEqual([]);
  }
});

test("variables of functions are given a value where they are declared", async () => {
  // WGSL zeroes them at each turn of a loop; Mesa's software driver leaves them as the turn before did.
  const { kernels, parts } = await kernelPaths();
  for (const path of [...kernels, ...parts]) {
    expect(readFileSync(path, "utf8").match(/^[ \t]+var \w+ *:[^=;]*;/gm) ?? [], basename(path)).toEqual([]);
  }
});

test("exponentials and logarithms are those that know NaN and infinities", async () => {
  // Adapters give what they like for them: SwiftShader's exp(NaN) is infinite, its log(0) is -88. Exempt are the definitions
  // themselves, and draws and weights whose arguments are known to be finite.
  const exempt = [
    "nan.wgsl",
    "beta.wgsl",
    "random-window.wgsl",
    "resample-weights.wgsl",
    "blur-images.wgsl",
    "random.ts",
    "truncated-normal.ts",
  ];
  const { kernels, parts } = await kernelPaths();
  const ops = new URL("../../src/ops/", import.meta.url);
  const tables = readdirSync(ops).map((name) => fileURLToPath(new URL(name, ops)));
  for (const path of [...kernels, ...parts, ...tables]) {
    const name = basename(path);
    if (exempt.includes(name)) continue;
    const text = readFileSync(path, "utf8").replace(/^\s*(?:\/\/|\/?\*).*$/gm, "");
    // In TypeScript, code in strings and templates: `exp(` of functions and methods is the library's.
    const code = name.endsWith(".ts") ? (text.match(/"(?:[^"\\\n]|\\.)*"|`[^`]*`/g) ?? []).join("\n") : text;
    expect(code.match(/(?<![\w.])(?:exp2?|log2?|pow|tanh)\(.*/g) ?? [], name).toEqual([]);
  }
});

test("src/kernels/wgsl.d.ts is what `npm run wgsl -- --types` writes", async () => {
  const file = new URL("../../src/kernels/wgsl.d.ts", import.meta.url);
  expect(await wgslTypes()).toBe(readFileSync(file, "utf8"));
});
