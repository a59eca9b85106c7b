// esbuild plugin: TypeScript files go through these functions before they are compiled.
import { readFile } from "node:fs/promises";
import type { Plugin } from "esbuild";

export const sourcePlugin = (...changes: readonly ((source: string) => string)[]): Plugin => ({
  name: "source",
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      return { contents: changes.reduce((text, change) => change(text), source), loader: "ts" };
    });
  },
});
