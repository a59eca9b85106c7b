// Replays what scripts/oracle/op_db.py recorded: PyTorch's samples through the library's public names, results and gradients
// compared element by element.
import { cat, nn, scope, stack, Tensor, tensor, where } from "wgrad";

type Stored = readonly [dtype: "f32" | "i32", shape: readonly number[], base64: string];
interface TensorRef {
  readonly t: number;
  readonly id: number;
  readonly grad?: true;
}
type Value =
  | null
  | boolean
  | number
  | string
  | TensorRef
  | { readonly n: string }
  | { readonly o: { readonly [key: string]: Value } }
  | readonly Value[];

export interface RecordedCase {
  readonly op: string;
  readonly from: string;
  readonly call: readonly ["functional" | "method" | "top", string, readonly Value[]];
  readonly out: readonly number[];
  readonly dy?: readonly number[];
  readonly grads?: Readonly<Record<string, number>>;
}

export interface Recording {
  readonly torch: string;
  readonly tensors: readonly Stored[];
  readonly cases: readonly RecordedCase[];
}

export interface Disagreement {
  readonly op: string;
  /** "error", or the result or gradient that differs. */
  readonly where: string;
  readonly detail: string;
}

const TOP = { cat, stack, where };

function load(recording: Recording, index: number): { shape: readonly number[]; data: Float32Array | Int32Array } {
  const [dtype, shape, base64] = recording.tensors[index]!;
  const { buffer } = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  return { shape, data: dtype === "f32" ? new Float32Array(buffer) : new Int32Array(buffer) };
}

/** How far two results may be apart: PyTorch's tests of f32 have rtol 1.3e-6 and atol 1e-5 between two CPUs. */
const RTOL = 2e-5;
const ATOL = 1e-5;
/** exp2(b log2(a)) loses as many bits as b log2(a) has before the point. */
const LOOSE: Readonly<Record<string, number>> = { pow: 1e-4 };
/** Where all elements are equal, rounding is multiplied by 1 / sqrt(eps). */
const NORM = 1e-4;

function firstDifference(got: ArrayLike<number>, ref: ArrayLike<number>, rtol: number, atol: number): string | null {
  for (let i = 0; i < ref.length; i++) {
    const [g, r] = [got[i]!, ref[i]!];
    if (Object.is(g, r) || g === r) continue;
    if (Number.isFinite(r) && Math.abs(g - r) <= atol + rtol * Math.abs(r)) continue;
    return `[${i}] ${g}, PyTorch ${r}`;
  }
  return null;
}

/** Runs one case; what differs, or null. */
export async function replay(recording: Recording, c: RecordedCase): Promise<Disagreement | null> {
  const inputs = new Map<number, Tensor>();
  const made: Tensor[] = [];
  // What is not given is null to a function, and left out to a method and in options.
  const decode = (v: Value): unknown => {
    if (v === null) return c.call[0] === "functional" ? null : undefined;
    if (Array.isArray(v)) return v.map(decode);
    if (typeof v !== "object") return v;
    if ("n" in v) return Number(v.n);
    if ("o" in v) return Object.fromEntries(Object.entries(v.o).map(([k, x]) => [k, decode(x)]));
    if ("t" in v) {
      const known = inputs.get(v.id);
      if (known) return known;
      const { shape, data } = load(recording, v.t);
      const t = tensor(data, { shape, requiresGrad: v.grad === true });
      inputs.set(v.id, t);
      made.push(t);
      return t;
    }
    throw new Error("not a value of a recording");
  };
  const say = (where: string, detail: string): Disagreement => ({
    op: c.op,
    where,
    detail: `${detail}; ${describe(recording, c)}`,
  });
  try {
    const rtol = LOOSE[c.op] ?? RTOL;
    const atol = c.op.endsWith("_norm") ? NORM : ATOL;
    const [kind, name, stored] = c.call;
    const args = stored.map(decode);
    const outputs = scope((): Tensor[] => {
      const table: object = kind === "functional" ? nn.functional : kind === "top" ? TOP : Tensor.prototype;
      const f: unknown = Reflect.get(table, name);
      if (typeof f !== "function") throw new Error(`no ${kind} ${name}`);
      const result: unknown = kind === "method" ? f.apply(args[0], args.slice(1)) : f(...args);
      if (result instanceof Tensor) return [result];
      if (Array.isArray(result)) return result;
      return Object.values(result as Record<string, Tensor>);
    });
    made.push(...outputs);
    if (outputs.length !== c.out.length) return say("out", `${outputs.length} results, PyTorch ${c.out.length}`);
    for (const [i, index] of c.out.entries()) {
      const ref = load(recording, index);
      const y = outputs[i]!;
      if (`${y.shape}` !== `${ref.shape}`) return say("out", `shape [${y.shape}], PyTorch [${ref.shape}]`);
      const difference = firstDifference(await y.data(), ref.data, rtol, atol);
      if (difference) return say("out", difference);
    }
    if (!c.dy) return null;
    const differentiable = outputs.filter((y) => y.requiresGrad);
    for (const [i, index] of c.dy.entries()) {
      const { shape, data } = load(recording, index);
      const dy = tensor(data, { shape });
      made.push(dy);
      const y = differentiable[i];
      if (!y) return say("grad", "the result requires no gradient");
      y.backward(dy, { retainGraph: i + 1 < c.dy.length });
    }
    for (const [id, index] of Object.entries(c.grads ?? {})) {
      const ref = load(recording, index);
      const { grad } = inputs.get(Number(id))!;
      if (!grad) return say(`grad ${id}`, "none");
      const difference = firstDifference(await grad.data(), ref.data, rtol, atol);
      if (difference) return say(`grad ${id}`, difference);
    }
    return null;
  } catch (error) {
    return say("error", error instanceof Error ? error.message : String(error));
  } finally {
    for (const t of made) t.dispose();
  }
}

/** The call with short tensors written out, to find what a disagreement comes from. */
function describe(recording: Recording, c: RecordedCase): string {
  const show = (v: Value): string => {
    if (v === null || typeof v !== "object") return String(v);
    if (Array.isArray(v)) return `[${v.map(show).join(", ")}]`;
    if ("n" in v) return v.n;
    if ("t" in v) {
      const { shape, data } = load(recording, v.t);
      return `tensor[${shape}]${data.length <= 24 ? `(${[...data].map((x) => (Object.is(x, -0) ? "-0" : x)).join(" ")})` : ""}`;
    }
    return `{${Object.entries("o" in v ? v.o : {})
      .map(([k, x]) => `${k}: ${show(x)}`)
      .join(", ")}}`;
  };
  const dy = c.dy?.map((t) => show({ t, id: -1 })).join(", ");
  return `${c.from} ${c.call[1]}(${c.call[2].map(show).join(", ")})${dy ? `, dy ${dy}` : ""}`;
}
