// specialize: a kernel variant from a .wgsl file by replacing module-scope declarations by name.
import { WgradError } from "../errors.ts";

/** Replacements by declaration name: the value of a `const` or `alias`, or the whole text of a `fn` or `struct`. */
export type Overrides = Readonly<Record<string, string | number | boolean>>;

const escaped = (name: string) => name.replace(/[^\w]/g, "\\$&");

/**
 * The WGSL text with each named module-scope declaration replaced: `const NAME = value;` and `alias NAME = value;` get a
 * new value, `fn name(...) {...}` and `struct Name {...}` become the given text. Throws unless exactly one declaration matches.
 */
export function specialize(source: string, overrides: Overrides): string {
  let text = source;
  for (const [name, value] of Object.entries(overrides)) {
    const declaration = new RegExp(`^(const|alias|fn|struct)[ \\t]+${escaped(name)}\\b`, "gm");
    const found = [...text.matchAll(declaration)];
    const [only] = found;
    if (!only || found.length !== 1) {
      throw new WgradError(`[specialize] ${found.length} module-scope declarations of ${name}, expected exactly one`);
    }
    const { index, 1: kind } = only;
    const whole = kind === "fn" || kind === "struct";
    const end = whole ? endOfBraces(text, index) : text.indexOf(";", index) + 1;
    const declared = text.slice(index, end);
    const next = whole ? String(value) : declared.replace(/=[^;]*;$/, `= ${value};`);
    text = text.slice(0, index) + next + text.slice(end);
  }
  return text;
}

function endOfBraces(text: string, start: number): number {
  let depth = 0;
  for (let i = text.indexOf("{", start); i < text.length; i++) {
    if (text[i] === "{") depth++;
    else if (text[i] === "}" && --depth === 0) return i + 1;
  }
  throw new WgradError("[specialize] a declaration has no closing brace");
}
