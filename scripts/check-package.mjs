// Checks the package as its users get it: what the tarball holds, its types, and that it trains when installed from it,
// as an ES module, as CommonJS and in a browser's bundle. Run `npm run build` first.
// Usage: node scripts/check-package.mjs [--skip=STEP,STEP]
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { tsImport } from "tsx/esm/api";
import { readmeBlock } from "./readme-blocks.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name) => join(root, "node_modules/.bin", name);
const folder = mkdtempSync(join(tmpdir(), "wgrad-package-"));

/**
 * What programs may weigh in a browser's bundle, in bytes, minified and gzipped: in production, and in development with the
 * full texts of errors. README.md names those of production. The aims for `wgrad/mini` are 48,000 for ResNet18 and 30,000 for the
 * MLP; a limit keeps a bundle from growing unnoticed.
 */
const BUNDLES = [
  {
    name: "ResNet18",
    program: 'import { init, optim, resnet18 } from "wgrad"; globalThis.app = { init, optim, resnet18 };',
    production: 79_300,
    development: 85_000,
  },
  {
    name: "init, tensor",
    program: 'import { init, tensor } from "wgrad"; globalThis.app = { init, tensor };',
    production: 42_400,
    development: 45_200,
  },
  {
    name: "mini: ResNet18",
    program: `import { backward, crossEntropy, init, resnet18, tensor } from "wgrad/mini"; import { SGD } from "wgrad/optim";
      globalThis.app = { init, tensor, model: () => resnet18(), SGD, crossEntropy, backward };`,
    production: 62_800,
    development: 67_400,
  },
  {
    name: "mini: an MLP",
    program: `import { backward, crossEntropy, init, tensor } from "wgrad/mini"; import { Linear, ReLU, Sequential } from "wgrad/nn";
      import { Adam } from "wgrad/optim"; globalThis.app = { init, tensor, Linear, ReLU, Sequential, Adam, crossEntropy, backward };`,
    production: 39_900,
    development: 43_100,
  },
  {
    name: "mini: init, tensor",
    program: 'import { init, tensor } from "wgrad/mini"; globalThis.app = { init, tensor };',
    production: 10_100,
    development: 11_100,
  },
  // esbuild, which bundles here, keeps a namespace whole where one class of it is used; Rollup does not.
  {
    name: "nn.Linear",
    program: 'import { init, nn } from "wgrad"; globalThis.app = { init, layer: new nn.Linear(2, 3) };',
    production: 109_500,
    development: 117_200,
  },
];

/** The compilers that users have, by the name of their package here. Their files by path: both are called `tsc`. */
const COMPILERS = {
  typescript: join(root, "node_modules/typescript/bin/tsc"),
  "typescript-7": join(root, "node_modules/typescript-7/bin/tsc"),
};

/** `moduleResolution`, the `module` with it, and the endings of a program's files. */
const RESOLUTIONS = [
  ["bundler", "esnext", ["ts"]],
  ["node16", "node16", ["mts", "cts"]],
  ["nodenext", "nodenext", ["mts", "cts"]],
];

/** `exports` conditions by mode, as bundlers set them. */
const MODES = { production: ["production"], development: ["development"] };

const run = (command, args, cwd = folder) =>
  execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

const kb = (bytes) => `${(bytes / 1000).toFixed(1)} KB`;

function expect(condition, message) {
  if (!condition) throw new Error(typeof message === "function" ? message() : message);
}

function compile(compiler, compilerOptions, include) {
  const file = join(folder, "tsconfig.json");
  writeFileSync(file, JSON.stringify({ compilerOptions, include }));
  const { status, stdout } = spawnSync(process.execPath, [COMPILERS[compiler], "-p", file], {
    cwd: folder,
    encoding: "utf8",
  });
  const setup = () => `${compiler} ${version(compiler)} with ${JSON.stringify(compilerOptions)}`;
  expect(status === 0, () => `${setup()}:\n${stdout}`);
}

/** Runs a program with Node; it must end by itself within a minute, with code 0. Returns the JSON on its last line. */
function runProgram(args) {
  const options = { cwd: folder, encoding: "utf8", timeout: 60_000 };
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, options);
  expect(status === 0, `node ${args.join(" ")} ended with ${signal ?? status}:\n${stdout}${stderr}`);
  expect(!/ExperimentalWarning|DeprecationWarning/.test(stderr), `node ${args.join(" ")} warns:\n${stderr}`);
  return JSON.parse(stdout.trimEnd().split("\n").at(-1));
}

/** What a command prints. It must end by itself within a minute, with code 0. */
function output(command, ...args) {
  const options = { cwd: folder, encoding: "utf8", timeout: 60_000 };
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, options);
  expect(status === 0, `${command} ${args.join(" ")} ended with ${error ?? signal ?? status}:\n${stdout}${stderr}`);
  return stdout;
}

function expectTrained({ losses, typed, names }) {
  expect(losses.length === 10 && losses[9] < losses[0] / 2, `the loss does not fall: ${losses}`);
  expect(String(names) === "0.weight,0.bias", `parameters are named ${names}`);
  expect(typed, "a wrong shape is not a ShapeError of the package");
}

function expectMini({ losses, typed, bare, doubled }) {
  expect(losses.length === 40 && losses[39] < losses[0] / 4, `mini: the loss does not fall: ${losses}`);
  expect(typed, "mini: a wrong shape is not a ShapeError of the package");
  expect(bare, "mini: tensors have methods");
  expect(String(doubled) === "2,4", `mini: mul gives ${doubled}`);
}

/** Has ONNX Runtime run the file that a program wrote. */
async function expectExported({ bytes, pixels, logits, typed }) {
  const session = await InferenceSession.create(Uint8Array.from(bytes), { logSeverityLevel: 3 });
  const results = await session.run({ pixels: new OrtTensor("float32", Float32Array.from(pixels), [2, 1, 4, 4]) });
  const found = Array.from(results.logits.data);
  const near = found.length === 6 && found.every((value, i) => Math.abs(value - logits[i]) < 1e-5);
  expect(near, `onnx: ONNX Runtime gives ${found}, the library ${logits}`);
  expect(typed, "onnx: what has no mapping is not an ExportError of the package");
  await session.release();
}

const steps = {
  "npm pack": () => {
    const [{ filename, size, files }] = JSON.parse(run("npm", ["pack", "--json", "--pack-destination", folder], root));
    tarball = join(folder, filename);
    const strays = files
      .map((f) => f.path)
      .filter((p) => !/^(dist\/|README\.md$|CHANGELOG\.md$|LICENSE$|package\.json$)/.test(p));
    expect(strays.length === 0, `the tarball holds ${strays.join(", ")}`);
    for (const name of ["README.md", "LICENSE", "CHANGELOG.md"])
      expect(
        files.some((f) => f.path === name),
        `no ${name}`,
      );
    const relativeLinks = readFileSync(join(root, "README.md"), "utf8").match(/\]\((?!https:\/\/)[^)]*\)/g);
    expect(!relativeLinks, `README.md links to what a user of the package does not have: ${relativeLinks}`);
    return `${files.length} files, ${kb(size)} packed`;
  },
  publint: () => void run(bin("publint"), ["run", tarball, "--strict"]),
  // node10 knows no `exports`; the package asks for Node 20.
  attw: () => void run(bin("attw"), [tarball, "--profile", "node16", "--format", "ascii", "--no-emoji", "--no-color"]),
  install: () => {
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true }));
    run("npm", [
      "install",
      "--prefer-offline",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
      tarball,
      `@types/node@${version("@types/node")}`,
    ]);
  },
  contents: () => {
    for (const [path, text] of texts("node_modules/wgrad/dist")) {
      expect(!text.includes('"#platform"'), `${path} imports #platform`);
      if (/\.d\.c?ts$/.test(path))
        expect(!/["']\.\.?\/[^"']*(?<!\.d)\.ts["']/.test(text), `${path} refers to a .ts file`);
      if (/\/browser[^/]*\//.test(path)) {
        const imports = [...text.matchAll(/(?:^import|\bfrom|\bimport\()\s*["']([^"']+)["']/gm)].map((m) => m[1]);
        const bad = imports.find((name) =>
          name.startsWith(".")
            ? !existsSync(resolve(folder, dirname(path), name))
            : name === "webgpu" || name.startsWith("node:"),
        );
        expect(!bad, `${path} imports ${bad}`);
      }
    }
  },
  types: () => {
    for (const name of [
      "consumer",
      "consumer-mini",
      "consumer-node",
      "consumer-onnx",
      "types",
      "types-mini",
      "types-webgpu",
    ]) {
      for (const ending of ["mts", "cts", "ts"]) {
        cpSync(join(root, `test/package/${name}.ts`), join(folder, `${name}.${ending}`));
      }
    }
    // The library's declarations are checked too: no skipLibCheck.
    const base = { strict: true, target: "es2022", lib: ["es2022"], types: [], noEmit: true };
    for (const compiler of Object.keys(COMPILERS)) {
      const dom = { lib: ["es2022", "dom"], types: ["node"] };
      // Of itself TypeScript 5 knows nothing of WebGPU.
      const webgpu = { ...dom, types: compiler === "typescript" ? ["@webgpu/types"] : [] };
      for (const [resolution, module, endings] of RESOLUTIONS) {
        const options = { ...base, module, moduleResolution: resolution };
        const files = (...names) => names.flatMap((name) => endings.map((ending) => `${name}.${ending}`));
        compile(compiler, options, files("types"));
        compile(compiler, { ...options, ...dom }, files("types", "consumer", "consumer-node", "consumer-onnx"));
        // Apart: where `wgrad` is imported, tensors have methods.
        compile(compiler, { ...options, ...dom }, files("types-mini", "consumer-mini"));
        if (resolution === "bundler") compile(compiler, { ...options, ...webgpu }, files("types-webgpu"));
      }
    }
    // For the steps that run them.
    compile("typescript", { ...base, module: "nodenext", types: ["node"], noEmit: false }, [
      "consumer*.mts",
      "consumer*.cts",
    ]);
    const names = Object.keys(COMPILERS).map((name) => `${name} ${version(name)}`);
    return `${names.join(" and ")}; ${RESOLUTIONS.map(([name]) => name).join(", ")}; with the DOM library and without`;
  },
  // What an editor shows comes from the declarations, which might lose what the sources say.
  documentation: async () => {
    const { publicDocs } = await tsImport("./public-docs.ts", import.meta.url);
    const { problems, looked } = publicDocs(root, "dist/types");
    expect(problems.length === 0, problems.join("\n"));
    expect(looked > 600, `only ${looked} names were looked at`);
    return `${looked} names and members`;
  },
  "run from ESM": async () => {
    expectTrained(runProgram(["consumer.mjs"]));
    expect(runProgram(["consumer-node.mjs"]).sameErrors, "wgrad/node has errors of its own");
    expectMini(runProgram(["consumer-mini.mjs"]));
    await expectExported(runProgram(["consumer-onnx.mjs"]));
  },
  "run from CommonJS": async () => {
    expectTrained(runProgram(["consumer.cjs"]));
    expect(runProgram(["consumer-node.cjs"]).sameErrors, "wgrad/node has errors of its own");
    expectMini(runProgram(["consumer-mini.cjs"]));
    await expectExported(runProgram(["consumer-onnx.cjs"]));
    const same = 'Tensor === require("wgrad").Tensor && Tensor === require("wgrad/mini").Tensor';
    const both = `import("wgrad").then(({ Tensor }) => console.log(${same}))`;
    expect(runProgram(["--eval", both]), "CommonJS or wgrad/mini has a Tensor of its own");
  },
  "run the README's program in Node, a worker, Bun and Deno": () => {
    for (const name of ["quickstart.ts", "quickstart.mjs"])
      cpSync(join(root, "examples/quickstart.ts"), join(folder, name));
    const worker = readmeBlock("js", 'from "node:worker_threads"').replace("./worker.js", "./quickstart.mjs");
    writeFileSync(join(folder, "worker.mjs"), worker);
    const node = [process.execPath, "quickstart.mjs"];
    const expected = output(...node);
    expect(/^step 200: loss 0\.0\d+$/m.test(expected), `${node.join(" ")} prints\n${expected}`);
    const [bun, deno] = readmeBlock("sh", "bun add")
      .split("\n")
      .map((line) => line.slice(line.indexOf("&& ") + 3).split(" "));
    for (const [command, ...args] of [[process.execPath, "worker.mjs"], bun, deno]) {
      const found = output(command === process.execPath ? command : bin(command), ...args);
      expect(found === expected, `${command} ${args.join(" ")} prints\n${found}and Node\n${expected}`);
    }
    return expected.trimEnd();
  },
  "run from a browser's bundle": async () => {
    // Node with WebGPU's globals stands in for the browser: Dawn is what Chrome has, too.
    const shim = 'import { create, globals } from "webgpu"; Object.assign(globalThis, globals);';
    const navigator = 'Object.defineProperty(globalThis, "navigator", { value: { gpu: create([]) } });';
    writeFileSync(join(folder, "browser.mjs"), `${shim}\n${navigator}\nawait import("./bundle.mjs");\n`);
    for (const [mode, conditions] of Object.entries(MODES)) {
      const outfile = join(folder, "bundle.mjs");
      await bundle({ entryPoints: [join(folder, "consumer.ts")], outfile, minify: true, conditions });
      const result = runProgram(["browser.mjs"]);
      expectTrained(result);
      const short = result.message === "[matmul] see the development build";
      expect(short === (mode === "production"), `the message in ${mode} is ${result.message}`);
      await bundle({ entryPoints: [join(folder, "consumer-mini.ts")], outfile, minify: true, conditions });
      expectMini(runProgram(["browser.mjs"]));
      await bundle({ entryPoints: [join(folder, "consumer-onnx.ts")], outfile, minify: true, conditions });
      await expectExported(runProgram(["browser.mjs"]));
    }
  },
  "bundle size": async () => {
    const lines = [];
    const over = [];
    const readme = readFileSync(join(root, "README.md"), "utf8");
    for (const { name, program, ...limits } of BUNDLES) {
      expect(
        readme.includes(`${kb(limits.production)} |`),
        `README.md does not say ${kb(limits.production)} of ${name}`,
      );
      for (const [mode, conditions] of Object.entries(MODES)) {
        const options = { stdin: { contents: program, resolveDir: folder }, minify: true, write: false, conditions };
        const [file] = (await bundle(options)).outputFiles;
        // What only some programs need is not in those that do not ask for it.
        expect(!file.text.includes("wgrad.checkpoint"), `${name}, ${mode}: holds the code of checkpoints`);
        const bytes = gzipSync(file.contents, { level: 9 }).length;
        lines.push(`${name}, ${mode}: ${bytes} bytes minified and gzipped, at most ${limits[mode]}`);
        if (bytes > limits[mode]) over.push(lines.at(-1));
      }
    }
    expect(over.length === 0, `too heavy:\n${over.join("\n")}`);
    return lines.join("\n");
  },
};

let tarball = "";

const version = (name) => JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;

function* texts(path) {
  for (const entry of readdirSync(join(folder, path), { withFileTypes: true, recursive: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile()) yield [relative(folder, file), readFileSync(file, "utf8")];
  }
}

/** Bundles as an application for browsers would. */
function bundle(options) {
  const base = {
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    absWorkingDir: folder,
    logLevel: "error",
  };
  return build({ ...base, ...options });
}

try {
  const skipped =
    process.argv
      .find((arg) => arg.startsWith("--skip="))
      ?.slice(7)
      .split(",") ?? [];
  for (const [name, check] of Object.entries(steps)) {
    if (skipped.includes(name)) continue;
    const start = performance.now();
    const note = await check();
    console.log(
      `[package] ${name}: ok (${((performance.now() - start) / 1000).toFixed(1)} s)${note ? `\n${note}` : ""}`,
    );
  }
} catch (error) {
  console.error(`[package] failed: ${error instanceof Error ? error.message : error}`);
  if (error?.stdout) console.error(error.stdout);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
