// Emits the declarations of the public API, file by file, once for ESM (.d.ts) and once for CommonJS (.d.cts).
// Not rolled up into one file: a bundler of declarations loses `declare module` blocks, which add the methods of Tensor.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import ts from "typescript";

const ROOTS = ["index", "data/index", "mini", "nn/index", "node/index", "onnx/index", "optim/index", "vision/index"];
/** What the declarations need besides their own imports: `Symbol.dispose`. */
const HEADER = '/// <reference lib="esnext.disposable" />\n';
const SPECIFIER = /(["'])(\.\.?\/[^"']+)\.ts\1/g;

/** Writes the declarations that the roots reach into `outDir`. Throws where one cannot be made. */
export function emitTypes(outDir: string): void {
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail };
  const config = ts.getParsedCommandLineOfConfigFile("tsconfig.json", {}, host)!;
  const emit = { noEmit: false, declaration: true, emitDeclarationOnly: true, rootDir: "src", outDir };
  const options = { ...config.options, ...emit };
  const program = ts.createProgram([...ROOTS.map((name) => `src/${name}.ts`), "src/kernels/wgsl.d.ts"], options);
  const emitted = new Map<string, string>();
  const result = program.emit(undefined, (path, text) => void emitted.set(resolve(path), text));
  const problems = [...result.diagnostics, ...program.getDeclarationDiagnostics()];
  if (problems.length > 0) fail(...problems);

  rmSync(outDir, { recursive: true, force: true });
  const roots = ROOTS.map((name) => resolve(outDir, `${name}.d.ts`));
  const reached = new Set(roots);
  // A set's iteration also visits what is added on the way.
  for (const path of reached) {
    const text = emitted.get(path);
    if (text === undefined) throw new Error(`[emit-types] ${path} was not emitted`);
    for (const [, , specifier] of text.matchAll(SPECIFIER)) reached.add(resolve(dirname(path), `${specifier}.d.ts`));
    const header = roots.includes(path) ? HEADER : "";
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, header + text.replace(SPECIFIER, "$1$2.js$1"));
    writeFileSync(path.replace(/\.ts$/, ".cts"), header + text.replace(SPECIFIER, "$1$2.cjs$1"));
  }
  console.log(`TYP ${outDir}: ${reached.size} files, each as .d.ts and .d.cts`);
}

function fail(...diagnostics: ts.Diagnostic[]): never {
  throw new Error(`[emit-types]\n${ts.formatDiagnostics(diagnostics, ts.createCompilerHost({}))}`);
}
