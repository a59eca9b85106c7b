// Kernel: a .wgsl file as a value. A launch names its buffers and parameters; variants replace declarations by name.
import type { Shader } from "../gpu/pipeline.ts";
import type { Binding, Grid, Queue } from "../gpu/queue.ts";
import { type Overrides, specialize } from "./specialize.ts";

/** What a launch binds: a range of a buffer, or a tensor for its whole storage. */
export type Buffer = Binding | { readonly storage: Binding };

/** What the build makes of a .wgsl file, with the types that scripts/wgsl-types.mjs reads from it. */
export interface KernelSource<B, P, D extends string> {
  readonly name: string;
  /** Its own text, and those of its parts. A part may come more than once. */
  readonly text: readonly string[];
  /** Columns that were cut from the start of each line. */
  readonly indent?: number;
  /** Whether the text declares its bindings and `Params` itself: a user's. The library's leave out what the next two say. */
  readonly whole?: boolean;
  /** "x:r:array<f32> weight:r?:array<f32>": name, how it is used, whether it may be null, and type, by binding number. */
  readonly bindings: string;
  /** "n:u eps:f shape:u8": name, type, and words where they are more than one, in WGSL's order. Null: no parameters. */
  readonly params: string | null;
  readonly types?: { readonly buffers: B; readonly params: P; readonly declared: D };
}

/** Replacements for declarations of a kernel: a constant's or alias's value, the text of a function or struct. */
export type OverridesOf<D extends string> = { readonly [K in D]?: string | number | boolean };

/** Of a use of a binding: its type in a layout, and its address space in WGSL. */
const ACCESS: Readonly<Record<string, readonly [GPUBufferBindingType, space: string]>> = {
  r: ["read-only-storage", "storage"],
  w: ["storage", "storage, read_write"],
  u: ["uniform", "uniform"],
};

interface Slot {
  readonly name: string;
  readonly type: GPUBufferBindingType;
  /** The module-scope declarations of it. */
  readonly text: string;
}

const slotsOf = (bindings: string): Slot[] =>
  bindings
    .split(" ")
    .filter(Boolean)
    .map((binding, i) => {
      const [name = "", [access = "", optional] = "", wgsl] = binding.split(":");
      const [type, space] = ACCESS[access] ?? ["storage", ""];
      const text = `@group(0) @binding(${i}) var<${space}> ${name}: ${wgsl};`;
      return { name, type, text: optional ? `${text}\nconst has_${name} = true;` : text };
    });

/** A member of `Params`: its place in words of four bytes, how many words it fills, and their type: f, i or u. */
interface Field {
  readonly name: string;
  readonly kind: string;
  readonly offset: number;
  readonly words: number;
}

/** Laid out by WGSL's rules for uniform blocks of scalars, vectors and arrays of vectors of four. */
function fieldsOf(params: string): Field[] {
  let end = 0;
  return params.split(" ").map((text) => {
    const [name = "", type = ""] = text.split(":");
    const words = Number(type.slice(1) || 1);
    const align = Math.min(4, words === 3 ? 4 : words);
    const offset = Math.ceil(end / align) * align;
    end = offset + words;
    return { name, kind: type.charAt(0), offset, words };
  });
}

function wgslType({ kind, words }: Field): string {
  if (words === 1) return `${kind}32`;
  return words > 4 ? `array<vec4${kind}, ${words / 4}>` : `vec${words}${kind}`;
}

type Values = Readonly<Record<string, number | readonly number[]>>;

/** Writes the members of a `Params` block into words; the same array each time. */
function packer(fields: readonly Field[]): (values: Values) => Uint32Array<ArrayBuffer> {
  const length = Math.max(...fields.map(({ offset, words }) => offset + words));
  const whole = new Uint32Array(length);
  const floats = new Float32Array(whole.buffer);
  return (values) => {
    for (const { name, kind, offset, words } of fields) {
      const target = kind === "f" ? floats : whole;
      const value = values[name] ?? 0;
      if (typeof value === "number") target[offset] = value;
      // What a list leaves out is 0.
      else for (let i = 0; i < words; i++) target[offset + i] = value[i] ?? 0;
    }
    return whole;
  };
}

/** A kernel with some declarations replaced. Made once and kept: its texts are those of few pipelines. */
export interface Variant<B, P> {
  /** Names it in error messages and profiles. */
  readonly key: string;
  /**
   * Records a launch. A buffer that is null is left out, together with its binding: the kernel's `has_NAME` is false then.
   * `grid` counts workgroups.
   */
  launch(on: { readonly queue: Queue }, buffers: B, params: P, grid: Grid): void;
}

export class Kernel<B, P, D extends string = string> {
  readonly name: string;
  readonly #source: KernelSource<B, P, D>;
  readonly #slots: readonly Slot[];
  readonly #fields: readonly Field[];
  readonly #pack: ((values: Values) => Uint32Array<ArrayBuffer>) | null;
  readonly #variants = new Map<string, { readonly overrides: Overrides; readonly variant: Variant<B, P> }>();

  constructor(source: KernelSource<B, P, D>) {
    this.name = source.name;
    this.#source = source;
    this.#slots = slotsOf(source.bindings);
    this.#fields = source.params === null ? [] : fieldsOf(source.params);
    this.#pack = source.params === null ? null : packer(this.#fields);
  }

  /** The whole text, parts included. */
  get text(): string {
    const parts = new Set(this.#source.text);
    if (!this.#source.whole) for (const text of this.#declarations()) parts.add(text);
    return [...parts].join("\n");
  }

  *#declarations(): Generator<string> {
    for (const { text } of this.#slots) yield text;
    if (!this.#pack) return;
    yield `struct Params { ${this.#fields.map((field) => `${field.name}: ${wgslType(field)}`).join(", ")} }`;
    yield `@group(0) @binding(${this.#slots.length}) var<uniform> p: Params;`;
  }

  /**
   * The variant with these overrides. `tag` names it among the kernel's variants where the overrides themselves are long:
   * one tag always stands for the same overrides.
   */
  variant(overrides: OverridesOf<D> = {}, tag = describe(overrides)): Variant<B, P> {
    const known = this.#variants.get(tag);
    if (known) return known.variant;
    const variant = this.#create(tag, overrides as Overrides);
    this.#variants.set(tag, { overrides: overrides as Overrides, variant });
    return variant;
  }

  /** Launches the kernel as its file stands. */
  launch(on: { readonly queue: Queue }, buffers: B, params: P, grid: Grid): void {
    this.variant().launch(on, buffers, params, grid);
  }

  #create(tag: string, overrides: Overrides): Variant<B, P> {
    const key = tag ? `${this.name} ${tag}` : this.name;
    const slots = this.#slots;
    const pack = this.#pack;
    // By the set of buffers that are left out, as bits.
    const shaders = new Map<number, Shader>();
    return {
      key,
      launch: ({ queue }, buffers, params, grid) => {
        const given = buffers as Readonly<Record<string, Buffer | null>>;
        const bound: Binding[] = [];
        let absent = 0;
        for (const [i, { name }] of slots.entries()) {
          const buffer = given[name];
          if (buffer) bound.push("storage" in buffer ? buffer.storage : buffer);
          else absent |= 1 << i;
        }
        let shader = shaders.get(absent);
        if (!shader) {
          shader = this.#shader(key, overrides, absent);
          shaders.set(absent, shader);
        }
        queue.dispatch(shader, bound, pack ? pack(params as Values) : null, grid);
      },
    };
  }

  #shader(key: string, overrides: Overrides, absent: number): Shader {
    const missing = this.#slots.filter((_, i) => absent & (1 << i)).map(({ name }) => name);
    let code = specialize(this.text, {
      ...overrides,
      ...Object.fromEntries(missing.map((name) => [`has_${name}`, "false"])),
    });
    // What no branch uses any more becomes a variable of its own: the text stays valid, and nothing is bound.
    for (const name of missing) {
      const declaration = new RegExp(
        `@group\\(0\\)\\s*@binding\\(\\d+\\)\\s*var<[^>]*>\\s*${name}\\s*:\\s*array<(.+)>;`,
      );
      code = code.replace(declaration, `var<private> ${name}: array<$1, 1>;`);
    }
    const entries = this.#slots.flatMap(({ type }, binding) => (absent & (1 << binding) ? [] : [{ binding, type }]));
    if (this.#pack) entries.push({ binding: this.#slots.length, type: "uniform" });
    const label = [key, ...missing.map((name) => `-${name}`)].join(" ");
    return { key: label, code, indent: this.#source.indent ?? 0, entries, params: this.#pack !== null };
  }
}

const describe = (overrides: object): string =>
  Object.entries(overrides)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
