// What a browser's bundle weighs, minified and gzipped: wgrad's for training ResNet18, and the peers'.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { LibraryName } from "./peer-process.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const peers = `${root}bench/peers`;

const programs: Partial<Record<LibraryName, { readonly from: string; readonly contents: string }>> = {
  wgrad: {
    from: root,
    contents: 'import { init, optim, resnet18 } from "wgrad"; globalThis.app = { init, optim, resnet18 };',
  },
  jax: { from: peers, contents: 'import * as jax from "@jax-js/jax"; globalThis.app = jax;' },
  tfjs: {
    from: peers,
    contents: 'import * as tf from "@tensorflow/tfjs"; import "@tensorflow/tfjs-backend-webgpu"; globalThis.app = tf;',
  },
};

/** Bytes by library; a library that is not installed is left out. */
export async function bundleBytes(): Promise<Partial<Record<LibraryName, number>>> {
  const sizes: Partial<Record<LibraryName, number>> = {};
  // What a user gets is the package's build.
  execFileSync("npm", ["run", "-s", "build"], { cwd: root, stdio: "ignore" });
  for (const name of ["wgrad", "tfjs", "jax"] as const) {
    const { from, contents } = programs[name]!;
    if (!existsSync(`${from}/node_modules`)) continue;
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: from },
      bundle: true,
      format: "esm",
      platform: "browser",
      target: "es2022",
      minify: true,
      write: false,
      logLevel: "silent",
      alias: { wgrad: `${root}dist/browser/index.js` },
    });
    sizes[name] = gzipSync(outputFiles[0]!.contents, { level: 9 }).length;
  }
  return sizes;
}
