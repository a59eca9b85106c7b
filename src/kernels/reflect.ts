// reflect: what the text of a kernel declares, as data. The build runs it on every .wgsl file, `kernel()` on a user's text.
// It imports nothing, so that the build can load it by itself.

/** How a kernel uses a binding: storage that it reads or writes, or a uniform block that is a buffer of its own. */
export type Access = "read" | "write" | "uniform";

/** A buffer that a launch must bind, `@binding(i)` at position i. */
export interface BindingDeclaration {
  readonly name: string;
  readonly access: Access;
  /** The text has `const has_NAME = true`: a launch may give null for it. */
  readonly optional: boolean;
  /** In WGSL, without spaces. */
  readonly type: string;
}

/** A member of a uniform block: its place in words of four bytes, and how many words it fills. */
export interface Field {
  readonly name: string;
  readonly offset: number;
  readonly words: number;
  /** Of its elements, in WGSL's short form. */
  readonly kind: Kind;
}

type Kind = "f" | "i" | "u";

export interface Reflection {
  /** All but the block of parameters, which comes last. */
  readonly bindings: readonly BindingDeclaration[];
  /** The members of `struct Params`; null where there is none. */
  readonly params: readonly Field[] | null;
  /** Constants with a number for a value. */
  readonly constants: Readonly<Record<string, number>>;
  /** Module-scope declarations that a variant may replace. */
  readonly declared: readonly string[];
}

export const withoutComments = (text: string): string => text.replace(/\/\/.*$|\/\*[\s\S]*?\*\//gm, "");

const VARIABLE =
  /@group\(0\)\s*@binding\((\d+)\)\s*var<\s*(storage|uniform)\s*(?:,\s*(read_write|read)\s*)?>\s*(\w+)\s*:\s*([^;]+);/g;
const DECLARATION = /^(?:const|alias|fn|struct)\s+(\w+)/gm;
const NUMBER = /^const\s+(\w+)\s*(?::\s*\w+\s*)?=\s*(-?(?:0x[\da-f]+|\d[\d.]*(?:e[+-]?\d+)?))[uif]?\s*;/gim;

/** Throws an Error where the text does not keep the conventions of docs/architecture.md. */
export function reflect(source: string): Reflection {
  const text = withoutComments(source);
  const constants = Object.fromEntries(Array.from(text.matchAll(NUMBER), ([, name, value]) => [name, Number(value)]));
  const bindings: BindingDeclaration[] = [];
  let params: readonly Field[] | null = null;
  const found = [...text.matchAll(VARIABLE)].sort(([, a], [, b]) => Number(a) - Number(b));
  for (const [, binding, space, access, name = "", type = ""] of found) {
    if (Number(binding) !== bindings.length || params) {
      throw new Error(
        `binding ${binding}, ${name}, must have the number ${bindings.length}, and Params must come last`,
      );
    }
    if (space === "uniform" && type.trim() === "Params") params = fieldsOf(text, constants);
    else {
      bindings.push({
        name,
        access: space === "uniform" ? "uniform" : access === "read_write" ? "write" : "read",
        optional: new RegExp(`^const\\s+has_${name}\\s*=\\s*true\\s*;`, "m").test(text),
        type: type.replace(/\s+/g, ""),
      });
    }
  }
  const declared = Array.from(text.matchAll(DECLARATION), ([, name = ""]) => name);
  return { bindings, params, constants, declared: [...new Set(declared)] };
}

const LETTERS = { read: "r", write: "w", uniform: "u" } as const;

/** Bindings and parameters as src/kernels/kernel.ts takes them. */
export function compact({ bindings, params }: Reflection): { bindings: string; params: string | null } {
  const binding = ({ name, access, optional, type }: BindingDeclaration) =>
    `${name}:${LETTERS[access]}${optional ? "?" : ""}:${type}`;
  const field = ({ name, words, kind }: Field) => `${name}:${kind}${words > 1 ? words : ""}`;
  return { bindings: bindings.map(binding).join(" "), params: params?.map(field).join(" ") ?? null };
}

/**
 * A kernel's text, or a part's, without what `compact` says of it: bindings, the constants of optional ones, and `struct Params`.
 * `Kernel` puts it back (src/kernels/kernel.ts).
 */
export const withoutDeclarations = (text: string): string =>
  text
    .replace(VARIABLE, "")
    .replace(/^const\s+has_\w+\s*=\s*true\s*;/gm, "")
    .replace(/\bstruct\s+Params\s*\{[^}]*\}/, "");

/** The members of `struct Params`, laid out by WGSL's rules for uniform blocks. */
function fieldsOf(text: string, constants: Readonly<Record<string, number>>): Field[] {
  const body = /\bstruct\s+Params\s*\{([^}]*)\}/.exec(text)?.[1];
  if (body === undefined) throw new Error("no struct Params is declared");
  const fields: Field[] = [];
  let end = 0;
  // Commas inside <...> belong to a type.
  for (const member of body.split(/,(?![^<]*>)/)) {
    if (!member.trim()) continue;
    const [, name, type] = /^\s*(\w+)\s*:\s*(.+?)\s*$/s.exec(member) ?? [];
    if (!name || !type) throw new Error(`Params has a member that is no "name: type": ${member.trim()}`);
    const { words, align, kind } = layoutOf(type.replace(/\s+/g, ""), constants);
    const offset = Math.ceil(end / align) * align;
    end = offset + words;
    fields.push({ name, offset, words, kind });
  }
  return fields;
}

const VECTOR = /^vec([234])(?:([uif])|<([uif])32>)$/;

/** Size and alignment, in words, of a scalar, a vector or an array of vectors of four. */
function layoutOf(type: string, constants: Readonly<Record<string, number>>) {
  const scalar = /^([uif])32$/.exec(type);
  if (scalar) return { words: 1, align: 1, kind: scalar[1] as Kind };
  const vector = VECTOR.exec(type);
  if (vector) {
    const n = Number(vector[1]);
    return { words: n, align: n === 2 ? 2 : 4, kind: (vector[2] ?? vector[3]) as Kind };
  }
  const [, element = "", count = ""] = /^array<(.+),(\w+)>$/.exec(type) ?? [];
  const inner = VECTOR.exec(element);
  const length = constants[count] ?? Number.parseInt(count, 10);
  if (inner?.[1] !== "4" || !(length > 0)) {
    throw new Error(`Params has a member of type ${type}: scalars, vectors and arrays of vectors of four are known`);
  }
  return { words: 4 * length, align: 4, kind: (inner[2] ?? inner[3]) as Kind };
}
