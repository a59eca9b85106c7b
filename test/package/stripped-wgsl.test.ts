// The build strips comments and spaces from the kernels: each must stay valid, and offer the same declarations to override.
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Device, init } from "wgrad";
import { stripped } from "../../scripts/wgsl-plugin.mjs";

const folder = new URL("../../src/kernels/wgsl/", import.meta.url);
const declarations = (text: string) => [...text.matchAll(/^(?:const|alias|fn)[ \t]+(\w+)/gm)].map(([, name]) => name);

async function errors({ gpu }: Device, code: string): Promise<string[]> {
  gpu.pushErrorScope("validation");
  const { messages } = await gpu.createShaderModule({ code }).getCompilationInfo();
  await gpu.popErrorScope();
  return messages.filter(({ type }) => type === "error").map(({ message }) => message);
}

test("stripped kernels compile and keep their declarations", async () => {
  const device = await init();
  for (const name of readdirSync(folder)) {
    const source = readFileSync(new URL(name, folder), "utf8");
    const text = stripped(source);
    expect(text.length, name).toBeLessThan(source.length);
    expect(declarations(text), name).toEqual(declarations(source));
    const needed = source.includes("enable f16") && !device.info.features.includes("shader-f16");
    if (!needed) expect(await errors(device, text), `${name}\n${text}`).toEqual([]);
  }
});
