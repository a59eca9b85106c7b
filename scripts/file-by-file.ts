// esbuild plugin: emits each TypeScript file on its own. Imports between them stay imports; `.wgsl` files are inlined.
import type { Plugin } from "esbuild";

export interface FileByFileOptions {
  /** What `.ts` becomes in imports between the files. */
  ending: ".js" | ".cjs";
  /** What `#platform` becomes, without ending, in src/gpu/device.ts: the only file that asks for it. */
  platform: string;
}

export const fileByFile = ({ ending, platform }: FileByFileOptions): Plugin => ({
  name: "file-by-file",
  setup(build) {
    build.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ kind, path }) =>
      kind === "entry-point" ? null : { path: path.replace(/\.ts$/, ending), external: true },
    );
    build.onResolve({ filter: /^#platform$/ }, () => ({ path: platform + ending, external: true }));
  },
});
