// esbuild plugin: emits each TypeScript file on its own. Imports between them stay imports; kernels come from the one module
// that holds them all.
import { relative, resolve, sep } from "node:path";
import type { Plugin } from "esbuild";

export interface FileByFileOptions {
  /** The path of what `#platform` becomes, without its ending. */
  platform: string;
  /** Where the kernels' module is, seen from the folders of `src/`. */
  kernels: string;
}

export const fileByFile = ({ platform, kernels }: FileByFileOptions): Plugin => ({
  name: "file-by-file",
  setup(build) {
    build.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ kind, path }) =>
      kind === "entry-point" ? null : { path: path.replace(/\.ts$/, ".js"), external: true },
    );
    build.onResolve({ filter: /^#platform$/ }, ({ resolveDir }) => {
      const path = relative(resolveDir, resolve(platform)).split(sep).join("/");
      return { path: `${path.startsWith(".") ? "" : "./"}${path}.js`, external: true };
    });
    build.onResolve({ filter: /^#kernels$/ }, () => ({ path: kernels, external: true }));
  },
});
