// Of the browser builds: what constants at module scope are made of is marked as pure, so that an application's bundler leaves
// out those that nobody uses, say an operation with its kernel. Bundlers cannot know that a call has no effect, or that what stands
// in a template is text. Here none has, as `sideEffects: false` in package.json says of whole files.
import ts from "typescript";

interface Insertion {
  readonly at: number;
  readonly text: string;
}

const PURE = "/* @__PURE__ */ ";

/** Marks calls and `new` outside of functions. A constant with a template that is not all text is made by a function, called at once. */
export function pureCalls(source: string): string {
  const file = ts.createSourceFile("source.ts", source, ts.ScriptTarget.Latest, true);
  const insertions = file.statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => [...declarationList.declarations])
    .flatMap(({ initializer }) => (initializer ? marksOf(initializer, file) : []));
  return insertions.reduceRight((text, { at, text: mark }) => text.slice(0, at) + mark + text.slice(at), source);
}

/** In the order of their places. */
function marksOf(initializer: ts.Expression, file: ts.SourceFile): Insertion[] {
  const calls: Insertion[] = [];
  let templates = false;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) || ts.isClassLike(node)) return;
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) calls.push({ at: node.getStart(file), text: PURE });
    if (ts.isTemplateExpression(node)) templates = true;
    ts.forEachChild(node, visit);
  };
  visit(initializer);
  if (!templates) return calls;
  return [
    { at: initializer.getStart(file), text: `${PURE}(() => (` },
    { at: initializer.end, text: "))()" },
  ];
}
