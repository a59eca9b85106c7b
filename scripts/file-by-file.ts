// esbuild plugin: emits each TypeScript file on its own. Imports between them stay imports; kernels come from the one module
// that holds them all.
import type { Plugin } from "esbuild";

export interface FileByFileOptions {
  /** What `#platform` becomes in src/gpu/device.ts, the only file that asks for it. */
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
    build.onResolve({ filter: /^#platform$/ }, () => ({ path: platform, external: true }));
    build.onResolve({ filter: /^#kernels$/ }, () => ({ path: kernels, external: true }));
  },
});
