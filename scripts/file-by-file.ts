// esbuild plugin: emits each TypeScript file on its own. Imports between them stay imports; kernels are inlined, or imported
// from the one module that holds them all.
import type { Plugin } from "esbuild";

export interface FileByFileOptions {
  /** What `.ts` becomes in imports between the files. */
  ending: ".js" | ".cjs";
  /** What `#platform` becomes, without ending, in src/gpu/device.ts: the only file that asks for it. */
  platform: string;
  /** Where the kernels' module is, seen from the folders of `src/`; left out: each file carries the kernels it uses. */
  kernels?: string;
}

export const fileByFile = ({ ending, platform, kernels }: FileByFileOptions): Plugin => ({
  name: "file-by-file",
  setup(build) {
    build.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ kind, path }) =>
      kind === "entry-point" ? null : { path: path.replace(/\.ts$/, ending), external: true },
    );
    build.onResolve({ filter: /^#platform$/ }, () => ({ path: platform + ending, external: true }));
    if (kernels) build.onResolve({ filter: /^#kernels$/ }, () => ({ path: kernels, external: true }));
  },
});
