// Numbers in Chromium on SwiftShader: the library bundled for browsers, with test files of `npm test` (special numbers, PyTorch's
// own samples, steps of ResNet-18) and long sums. Ends with 1 where one fails, and where there is no Chromium.
// Usage: npm run test:browser; CHROME_PATH=... names another browser than the system's.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { launch, printed } from "./chromium.mjs";
import { esbuild as wgsl } from "./wgsl-plugin.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const path = (name) => `${root}${name}`;

/** Files that lie beside a test are asked for at their path. */
const places = {
  name: "places",
  setup(build) {
    build.onLoad({ filter: /[/\\]test[/\\].*\.ts$/ }, ({ path: file }) => ({
      contents: readFileSync(file, "utf8").replaceAll(
        "import.meta.url",
        `new URL(${JSON.stringify(`/${relative(root, file)}`)}, location.href)`,
      ),
      loader: "ts",
    }));
  },
};

async function bundle() {
  const result = await build({
    entryPoints: [path("test/browser/main.ts")],
    alias: {
      wgrad: path("src/index.ts"),
      vitest: path("test/browser/vitest.ts"),
      "node:fs": path("test/browser/fs.ts"),
    },
    plugins: [places, wgsl()],
    bundle: true,
    format: "esm",
    // package.json says for users that files may be left out: not those that declare tests.
    ignoreAnnotations: true,
    platform: "browser",
    target: "es2022",
    write: false,
    logLevel: "error",
  });
  return result.outputFiles[0].text;
}

let browser;
let server;
try {
  browser = await launch();
  const pages = {
    "/": ["text/html", '<!doctype html><script type="module" src="/main.js"></script>'],
    "/main.js": ["text/javascript", await bundle()],
    "/favicon.ico": ["image/x-icon", ""],
  };
  server = createServer(({ url }, response) => {
    const data = url.startsWith("/test/golden/") ? readFileSync(path(url.slice(1))) : null;
    const [type, text] = pages[url] ?? ["application/json", data];
    response.writeHead(text === null ? 404 : 200, { "content-type": type });
    response.end(text ?? `no ${url}`);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const lines = await printed(browser, `http://127.0.0.1:${server.address().port}/`, (line) => /^end /.test(line), 8);
  for (const line of lines) if (/^FAIL /.test(line)) console.error(`[browser] ${line}`);
  const { passed, failed } = JSON.parse(lines.at(-1).slice(4));
  console.log(`[browser] Chromium ${browser.version()}: ${passed} passed, ${failed} failed`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
} catch (error) {
  console.error(`[browser] failed: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  await browser?.close();
  server?.close();
}
