// Of the production build: an error about a mistake in the program keeps its class and `[tag]`, and loses its text.
import ts from "typescript";

/**
 * Mistakes in a program, which the development build explains when it runs again. The other errors come from a device, a
 * file or the network, once and on somebody else's machine: they keep their texts. `Kind` is what a check of arguments in
 * src/errors.ts throws, one of the mistakes.
 */
const MISTAKES = new Set(["ShapeError", "DtypeError", "ValueError", "StateError", "StateDictError", "Error", "Kind"]);
/** What `check` of src/errors.ts throws where it is given no class. */
const DEFAULT_CLASS = "ShapeError";
const POINTER = " see the development build";

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Of `check(condition, () => "[tag] text")` the tag alone is left, `check(condition, "tag")`, where it is a text or a variable: such
 * a check makes no function, either. Cuts other messages in `check(condition, () => message, Kind?)` and `new Kind(message)` behind their tags, which may hold
 * expressions: `[${name}]`. A message without a tag, or one that is not written out there, stays.
 */
export function shortErrors(source: string): string {
  const edits: Edit[] = [];
  const visit = (node: ts.Node): void => {
    const message = messageOf(node);
    const tag = message && ts.isArrowFunction(message.parent) ? tagOf(message) : null;
    if (message && tag) edits.push({ start: message.parent.getStart(), end: message.parent.end, text: tag });
    else if (message) edits.push(...cuts(message));
    else ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("source.ts", source, ts.ScriptTarget.Latest, true));
  return edits.reduceRight((text, edit) => text.slice(0, edit.start) + edit.text + text.slice(edit.end), source);
}

function messageOf(node: ts.Node): ts.Expression | null {
  if (ts.isNewExpression(node)) {
    const [message] = node.arguments ?? [];
    return message && MISTAKES.has(node.expression.getText()) ? message : null;
  }
  if (!ts.isCallExpression(node) || node.expression.getText() !== "check") return null;
  const [, message, kind] = node.arguments;
  if (!message || !ts.isArrowFunction(message) || ts.isBlock(message.body)) return null;
  return MISTAKES.has(kind?.getText() ?? DEFAULT_CLASS) ? message.body : null;
}

/** The expression of a tag that costs nothing to evaluate; null where it is another. */
function tagOf(message: ts.Expression): string | null {
  if (ts.isBinaryExpression(message)) return tagOf(message.left);
  const literal = ts.isTemplateExpression(message) ? message.head : message;
  const tag = ts.isLiteralExpression(literal) || ts.isTemplateHead(literal) ? /^\[([^\]]*)\]/.exec(literal.text) : null;
  if (tag) return JSON.stringify(tag[1]);
  if (!ts.isTemplateExpression(message) || message.head.text !== "[") return null;
  const [span] = message.templateSpans;
  return span && ts.isIdentifier(span.expression) && span.literal.text.startsWith("]") ? span.expression.text : null;
}

/** Of "a" + b the whole is cut behind the tag of "a"; of `c ? "a" : "b"` each branch behind its own. */
function cuts(message: ts.Expression, end = message.end): Edit[] {
  if (ts.isParenthesizedExpression(message)) return cuts(message.expression);
  if (ts.isConditionalExpression(message)) return [...cuts(message.whenTrue), ...cuts(message.whenFalse)];
  if (ts.isBinaryExpression(message)) return cuts(message.left, end);
  const start = endOfTag(message);
  return start === null ? [] : [{ start, end, text: POINTER + message.getText().charAt(0) }];
}

/** Where the text of a literal is past its "[tag]"; null where it has none. */
function endOfTag(message: ts.Expression): number | null {
  if (!/^["'`]\[/.test(message.getText())) return null;
  const literals = ts.isTemplateExpression(message)
    ? [message.head, ...message.templateSpans.map((span) => span.literal)]
    : [message];
  for (const literal of literals) {
    const at = literal.getText().indexOf("]");
    if (at >= 0) return literal.getStart() + at + 1;
  }
  return null;
}
