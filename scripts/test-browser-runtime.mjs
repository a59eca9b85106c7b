// Trains the README's thirty lines in Chromium, as its section on browsers says: in a page with its import map, without a
// bundler, and in a module worker that esbuild has bundled. The losses must be those of Node.
// Usage: npm run build && npm run test:browser:runtime; CHROME_PATH=... names another browser than the system's Chromium.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { launch, printed } from "./chromium.mjs";
import { readmeBlock } from "./readme-blocks.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const path = (name) => `${root}/${name}`;
// Plain JavaScript, though its name ends in .ts.
const program = readFileSync(path("examples/quickstart.ts"), "utf8");
const importMap = readmeBlock("html", "importmap").replace(
  /https:\/\/cdn\.jsdelivr\.net\/npm\/([\w-]+)@[\d.]+\//g,
  (_, name) => (name === "wgrad" ? "/" : `/node_modules/${name}/`),
);

async function worker() {
  const stdin = { contents: program, resolveDir: root };
  const alias = { wgrad: path("dist/browser-production/index.js") };
  const options = { stdin, alias, bundle: true, format: "esm", platform: "browser", write: false, logLevel: "error" };
  return (await build(options)).outputFiles[0].text;
}

/** What the browser asks for, by path; everything else is a file of this folder. */
const pages = {
  "/page.html": ["text/html", importMap],
  "/program.js": ["text/javascript", program],
  "/worker.html": ["text/html", '<script type="module">new Worker("/worker.js", { type: "module" })</script>'],
  "/worker.js": ["text/javascript", await worker()],
  "/favicon.ico": ["image/x-icon", ""],
};

const server = createServer(({ url }, response) => {
  const file = path(url.slice(1));
  const [type, text] = pages[url] ?? ["text/javascript", existsSync(file) ? readFileSync(file) : null];
  response.writeHead(text === null ? 404 : 200, { "content-type": type });
  response.end(text ?? `no ${url}`);
});

/** The lines of a program's output that do not name the adapter, up to the accuracy. */
const results = (lines) => lines.filter((line) => /^(step|accuracy)/.test(line));

/** Line by line; another adapter sums in another order. */
function expectAlike(name, lines, expected) {
  const numbers = (line) => line.match(/[\d.]+/g).map(Number);
  const same =
    lines.length === expected.length &&
    lines.every((line, i) =>
      numbers(line).every((value, j) => Math.abs(value - numbers(expected[i])[j]) <= 1e-4 + 0.01 * value),
    );
  if (!same) throw new Error(`${name} prints\n${lines.join("\n")}\nand Node\n${expected.join("\n")}`);
}

let browser;
try {
  const node = execFileSync(process.execPath, ["scripts/run.mjs", "examples/quickstart.ts"], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const expected = results(node.split("\n"));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  browser = await launch();
  for (const name of ["page", "worker"]) {
    const lines = await printed(browser, `${origin}/${name}.html`, (line) => line.startsWith("accuracy"));
    console.log(`[browser] ${name}, Chromium ${browser.version()}, ${lines[0]}`);
    console.log(results(lines).join("\n"));
    expectAlike(`the ${name}`, results(lines), expected);
  }
  console.log("[browser] as in Node");
} catch (error) {
  console.error(`[browser] failed: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  await browser?.close();
  server.close();
}
