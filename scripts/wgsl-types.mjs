// Writes src/kernels/wgsl.d.ts: what TypeScript knows of each `.wgsl` import. Usage: npm run wgsl -- --types
// (a test fails where the file is not what this would write).
import { basename } from "node:path";
import { kernelPaths, reflected } from "./wgsl-plugin.mjs";

const VECTORS = { 1: "number", 2: "Wgsl.Two", 3: "Wgsl.Three", 4: "Wgsl.Four" };

const block = (fields) =>
  fields.map(({ name, words }) => `${name}: ${VECTORS[words] ?? "readonly number[]"}`).join("; ");

export async function wgslTypes() {
  const { kernels } = await kernelPaths();
  const modules = await Promise.all(
    kernels.map(async (path) => {
      const { bindings, params, constants, declared } = await reflected(path);
      const buffers = bindings
        .map(({ name, optional }) => `${name}: Wgsl.Buffer${optional ? " | null" : ""}`)
        .join("; ");
      const types = [
        buffers ? `{ ${buffers} }` : "object",
        params ? `{ ${block(params)} }` : "null",
        declared
          .filter((name) => name !== "main")
          .map((name) => JSON.stringify(name))
          .join(" | "),
      ];
      const lines = [
        `declare module "*/${basename(path)}" {`,
        "  const source: Wgsl.Source<",
        types.map((type) => `    ${type}`).join(",\n"),
        "  >;",
        "  export default source;",
        ...Object.entries(constants).map(([name, value]) => `  export const ${name}: ${value};`),
        "}",
      ];
      return lines.join("\n");
    }),
  );
  return `// What the kernels declare, read from their texts by scripts/wgsl-types.mjs: do not edit, run \`npm run wgsl -- --types\`.

declare namespace Wgsl {
  type Source<B, P, D extends string> = import("./kernel.ts").KernelSource<B, P, D>;
  type Buffer = import("./kernel.ts").Buffer;
  type Two = readonly [number, number];
  type Three = readonly [number, number, number];
  type Four = readonly [number, number, number, number];
}

${modules.join("\n\n")}
`;
}
