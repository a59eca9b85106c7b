// What the public API's documentation lacks, as TypeScript sees it and an editor shows it: names, members and options without
// text, options without a word on their default, and text that points into our sources, which users do not have.
import { relative, resolve } from "node:path";
import ts from "typescript";

const ROOTS = {
  wgrad: "index",
  "wgrad/data": "data/index",
  "wgrad/mini": "mini",
  "wgrad/nn": "nn/index",
  "wgrad/node": "node/index",
  "wgrad/onnx": "onnx/index",
  "wgrad/optim": "optim/index",
  "wgrad/vision": "vision/index",
};
/** A path of our sources. Addresses of web pages, which may look like one, are taken out before. */
const SOURCE_PATH =
  /\b(src|autograd|backward|capture|gpu|io|kernels|nn|node|onnx|ops|optim|tensor|vision)\/[\w-]+|[\w-]\.(ts|wgsl)\b/;

/**
 * One line for each thing that is missing or should not be there, sorted; and how many names and members were looked at.
 * `folder` holds the sources, or the declarations made from them.
 */
export function publicDocs(root: string, folder: "src" | "dist/types" = "src"): { problems: string[]; looked: number } {
  const ending = folder === "src" ? ".ts" : ".d.ts";
  const roots = Object.entries(ROOTS).map(([name, path]) => [name, resolve(root, folder, path + ending)] as const);
  const config = ts.getParsedCommandLineOfConfigFile(
    resolve(root, "tsconfig.json"),
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail },
  );
  const program = ts.createProgram(
    [...roots.map(([, path]) => path), resolve(root, "src/kernels/wgsl.d.ts")],
    config?.options ?? {},
  );
  const checker = program.getTypeChecker();
  const problems = new Set<string>();
  /** By declaration: the members of a generic class are other symbols in each class that extends it. */
  const seen = new Set<ts.Declaration>();

  const isOurs = (symbol: ts.Symbol) =>
    symbol.declarations?.some((d) => relative(root, d.getSourceFile().fileName).startsWith(folder)) ?? false;

  const resolved = (symbol: ts.Symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

  /** Looks at the text of a name. False where it was looked at before. */
  function look(name: string, symbol: ts.Symbol): boolean {
    const [declaration] = symbol.declarations ?? [];
    if (!declaration || seen.has(declaration)) return false;
    seen.add(declaration);
    const text = ts.displayPartsToString(symbol.getDocumentationComment(checker));
    const tags = symbol.getJsDocTags(checker).map((tag) => ts.displayPartsToString(tag.text));
    if (text.trim() === "") problems.add(`${name} has no documentation`);
    for (const words of [text, ...tags]) {
      const path = SOURCE_PATH.exec(words.replace(/https?:\S*/g, ""));
      if (path) problems.add(`${name} points into our sources: ${path[0]}`);
    }
    return true;
  }

  function exportsOf(prefix: string, module: ts.Symbol): void {
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = resolved(exported);
      const name = `${prefix}.${exported.name}`;
      if (symbol.flags & ts.SymbolFlags.ValueModule) exportsOf(name, symbol);
      else if (isOurs(symbol) && look(name, symbol)) {
        const { Type, Class, Value } = ts.SymbolFlags;
        if (symbol.flags & Type) membersOf(name, checker.getDeclaredTypeOfSymbol(symbol));
        if (symbol.flags & Value) optionsOf(name, checker.getTypeOfSymbol(symbol));
        if (symbol.flags & Class) for (const [, member] of symbol.exports ?? []) memberOf(name, member);
      }
    }
  }

  function membersOf(name: string, type: ts.Type): void {
    // Of a type such as `number | NestedArray[]` the members are JavaScript's own.
    for (const member of type.isUnion() ? [] : type.getProperties()) if (isOurs(member)) memberOf(name, member);
  }

  function memberOf(owner: string, member: ts.Symbol): void {
    const { Private, Protected } = ts.ModifierFlags;
    const hidden = member.declarations?.some((d) => ts.getCombinedModifierFlags(d) & (Private | Protected));
    if (hidden || /^#|^__[@#]|^prototype$/.test(member.name)) return;
    const type = checker.getTypeOfSymbol(member);
    // The layers of a model, which its own text describes, say themselves what they are.
    if (member.flags & ts.SymbolFlags.Property && checker.getNonNullableType(type).getProperty("namedModules")) return;
    if (look(`${owner}.${member.name}`, member)) optionsOf(`${owner}.${member.name}`, type);
  }

  /** Looks at the options that a function, method or class takes: what the parameters named so or taken apart hold. */
  function optionsOf(name: string, type: ts.Type): void {
    for (const signature of [...type.getCallSignatures(), ...type.getConstructSignatures()]) {
      for (const parameter of signature.getParameters()) {
        if (!/^(options|__\d+)$/.test(parameter.name)) continue;
        for (const option of checker.getNonNullableType(checker.getTypeOfSymbol(parameter)).getProperties()) {
          if (!isOurs(option)) continue;
          const path = `${name}(${parameter.name.replace(/^_.*/, "options")}.${option.name})`;
          if (!look(path, option)) continue;
          const text = ts.displayPartsToString(option.getDocumentationComment(checker));
          if (option.flags & ts.SymbolFlags.Optional && !/default/i.test(text)) {
            problems.add(`${path} does not say its default`);
          }
        }
      }
    }
  }

  for (const [name, path] of roots) {
    const source = program.getSourceFile(path);
    const module = source && checker.getSymbolAtLocation(source);
    if (module) exportsOf(name, module);
    else throw new Error(`[public-docs] ${path} is no module`);
  }
  return { problems: [...problems].sort(), looked: seen.size };
}

function fail(diagnostic: ts.Diagnostic): never {
  throw new Error(`[public-docs] ${ts.formatDiagnostic(diagnostic, ts.createCompilerHost({}))}`);
}
