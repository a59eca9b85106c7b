// Production's short messages: tag, class and condition stay, and a program behaves as before.
import { readdirSync, readFileSync } from "node:fs";
import { transform } from "esbuild";
import ts from "typescript";
import { expect, test } from "vitest";
import { shortErrors } from "../../scripts/short-errors.ts";
import * as errors from "../../src/errors.ts";

const { DataError, DeviceError, ShapeError, StateError, ValueError } = errors;

/** Throws in as many ways as src/ does; `how` chooses one. */
const program = `
export function run(how: string, name: string, found: boolean): string {
  const { check, DataError, DeviceError, StateError, ShapeError, ValueError } = errors;
  switch (how) {
    case "template": check(false, () => \`[conv2d] input has \${name} channels [\${1 + 1}]\`); break;
    case "string": check(false, () => "[slice] a step must be 1", ValueError); break;
    case "named": check(false, () => \`[\${name.toUpperCase()}] takes [N, C]\`, StateError); break;
    case "joined": throw new ValueError("[init] one " + name + \` and \${name}\`);
    case "either": check(false, () => (found ? "[a] is here" : \`[\${name}] is not\`)); break;
    case "cause": throw new StateError("[read] failed [again]", { cause: name });
    case "untagged": check(false, () => "no tag: stays"); break;
    case "elsewhere": { const message = () => "[made] elsewhere"; check(false, message); break; }
    case "device": check(false, () => \`[device] \${name} was lost\`, DeviceError); break;
    case "data": throw new DataError("[cifar] no such folder");
  }
  check(name.length > 0, () => "[run] holds");
  return "[result] stays as it is";
}`;

type Run = (how: string, name: string, found: boolean) => string;

async function load(source: string): Promise<Run> {
  const { code } = await transform(source, { loader: "ts", format: "cjs" });
  const module: { exports: { run?: Run } } = { exports: {} };
  new Function("module", "exports", "errors", code)(module, module.exports, errors);
  return module.exports.run ?? (() => "");
}

const pointer = "see the development build";

test.each([
  ["template", ShapeError, `[conv2d] ${pointer}`],
  ["string", ValueError, `[slice] ${pointer}`],
  ["named", StateError, `[PAD] ${pointer}`],
  ["joined", ValueError, `[init] ${pointer}`],
  ["either", ShapeError, `[pad] ${pointer}`],
  ["cause", StateError, `[read] ${pointer}`],
  ["untagged", ShapeError, "no tag: stays"],
  ["elsewhere", ShapeError, "[made] elsewhere"],
  ["device", DeviceError, "[device] pad was lost"],
  ["data", DataError, "[cifar] no such folder"],
])("%s: a %o with a short message", async (how, Kind, message) => {
  const thrown = async (source: string) => {
    const run = await load(source);
    try {
      return run(how, "pad", false);
    } catch (error) {
      return error;
    }
  };
  const [full, short] = [await thrown(program), await thrown(shortErrors(program))];
  expect(full).toBeInstanceOf(Kind);
  expect(short).toBeInstanceOf(Kind);
  expect(short).toHaveProperty("message", message);
  expect(short).toHaveProperty("name", Kind.name);
  if (how === "cause") expect(short).toHaveProperty("cause", "pad");
});

test("what holds is not thrown, and other strings stay", async () => {
  const run = await load(shortErrors(program));
  expect(run("none", "pad", true)).toBe("[result] stays as it is");
});

/**
 * A program's tokens, with "text" for each string that starts with a tag and for what is added to it, and for what stands in the
 * place of a check's message.
 */
function outline(source: string): string {
  const kinds: string[] = [];
  const visit = (node: ts.Node): void => {
    const message = ts.isStringLiteralLike(node) || ts.isTemplateExpression(node) || ts.isBinaryExpression(node);
    const checked = ts.isCallExpression(node.parent ?? node) && node.parent.getText().startsWith("check(");
    const second = checked && (node.parent as ts.CallExpression).arguments[1] === node;
    if ((message && /^["'`]\[/.test(node.getText())) || second) kinds.push("text");
    else if (node.getChildCount() === 0) kinds.push(node.getText());
    else node.getChildren().forEach(visit);
  };
  visit(ts.createSourceFile("source.ts", source, ts.ScriptTarget.Latest, true));
  return kinds.join(" ");
}

test("in src/ messages are all that changes", () => {
  const root = new URL("../../src/", import.meta.url);
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  let saved = 0;
  for (const name of files) {
    const source = readFileSync(new URL(name, root), "utf8");
    const short = shortErrors(source);
    expect(outline(short), name).toBe(outline(source));
    expect(shortErrors(short), name).toBe(short);
    saved += source.length - short.length;
  }
  expect(saved).toBeGreaterThan(20_000);
});
