// Trains the README's thirty lines in Chromium, as its section on browsers says: in a page with its import map, without a
// bundler, and in a module worker that esbuild has bundled. The losses must be those of Node. A third page reads pictures of all
// kinds that a browser has into tensors, and shows one.
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

/** Prints a line for each kind of picture: "NAME: ok", or what it found. */
const pixelsProgram = `
import { init, vision } from "wgrad";
await init();
const [width, height] = [3, 2];
const colors = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [0, 255, 255], [51, 102, 204]];
const image = new ImageData(Uint8ClampedArray.from(colors.flatMap((rgb) => [...rgb, 255])), width, height);
const canvas = Object.assign(document.createElement("canvas"), { width, height });
canvas.getContext("2d").putImageData(image, 0, 0);
const offscreen = new OffscreenCanvas(width, height);
offscreen.getContext("2d").putImageData(image, 0, 0);
const element = new Image();
element.src = canvas.toDataURL("image/png");
element.width = 50; // where it is shown; its own size counts
await element.decode();
const expected = [0, 1, 2].flatMap((c) => colors.map((rgb) => rgb[c]));
const far = (a, b) => Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));
async function tryOne(name, source, most = 0) {
  const levels = vision.fromPixels(source, { dtype: "i32" });
  const floats = vision.fromPixels(source);
  const found = await levels.data();
  const difference = far(found, expected);
  const same = far(await floats.data(), Array.from(found, (value) => value / 255)) < 1e-6;
  const good = String(levels.shape) === "3,2,3" && difference <= most && same;
  console.log(name + (good ? ": ok" : ": " + levels + " " + found));
}
await tryOne("ImageData", image);
await tryOne("HTMLCanvasElement", canvas);
await tryOne("OffscreenCanvas", offscreen);
await tryOne("ImageBitmap", await createImageBitmap(image));
await tryOne("HTMLImageElement", element);
const frame = new VideoFrame(canvas, { timestamp: 0 });
await tryOne("VideoFrame", frame, 2);
frame.close();
const shown = document.createElement("canvas");
await vision.toPixels(vision.fromPixels(image), shown);
await tryOne("toPixels", shown);
console.log("the end");
`;

/** What the browser asks for, by path; everything else is a file of this folder. */
const pages = {
  "/page.html": ["text/html", importMap],
  "/program.js": ["text/javascript", program],
  "/pixels.html": ["text/html", importMap.replace("program.js", "pixels.js")],
  "/pixels.js": ["text/javascript", pixelsProgram],
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
  const pictures = (await printed(browser, `${origin}/pixels.html`, (line) => line.startsWith("the end"))).filter(
    (line) => line.includes(": "),
  );
  console.log(pictures.join("\n"));
  const wrong = pictures.filter((line) => !line.endsWith(": ok"));
  if (wrong.length > 0 || pictures.length < 7) throw new Error(`pictures are read as\n${wrong.join("\n")}`);
} catch (error) {
  console.error(`[browser] failed: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  await browser?.close();
  server.close();
}
