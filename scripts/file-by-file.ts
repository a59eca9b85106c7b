// esbuild plugin: emits each TypeScript file on its own. Imports between them stay imports; `.wgsl` files are inlined.
import type { Plugin } from "esbuild";

/** Relative `.ts` imports become external `.js` ones, and `#platform` the browser's platform file. */
export const fileByFile = (): Plugin => ({
  name: "file-by-file",
  setup(build) {
    build.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ kind, path }) =>
      kind === "entry-point" ? null : { path: path.replace(/\.ts$/, ".js"), external: true },
    );
    // src/gpu/device.ts is the only file that asks for it.
    build.onResolve({ filter: /^#platform$/ }, () => ({ path: "./platform.js", external: true }));
  },
});
