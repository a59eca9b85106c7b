// What a model computes of no input: constants, which both forwards have to agree on but for repetition along the batch.
import { check } from "../errors.ts";
import { type Shape, sameShape, sizeOf, stridesOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { NotLinear } from "./sizes.ts";
import type { Traced, Value } from "./trace.ts";

/** Of an element as `data()` gives it, whatever the dtype. */
const BYTES = 4;

export const bytesOf = async (t: Tensor): Promise<Uint8Array> => new Uint8Array((await t.data()).buffer);

/** What is repeated along the dimensions of size 1 to give a constant that follows the batch. */
export interface Repeated {
  readonly shape: Shape;
  readonly bytes: Uint8Array;
}

/** The elements of a tensor of `shape` at the first place of the dimensions that `kept` has 1 for; null if others differ from them. */
function firstOf(data: Uint8Array, shape: Shape, kept: Shape): Uint8Array | null {
  const count = sizeOf(shape);
  const strides = stridesOf(shape);
  const to = stridesOf(kept);
  const found = new Uint8Array(sizeOf(kept) * BYTES);
  const seen = new Uint8Array(sizeOf(kept));
  for (let i = 0; i < count; i++) {
    let at = 0;
    for (const [d, n] of kept.entries()) at += (Math.floor(i / (strides[d] ?? 1)) % n) * (to[d] ?? 1);
    const element = data.subarray(i * BYTES, (i + 1) * BYTES);
    if (!seen[at]) found.set(element, at * BYTES);
    else if (element.some((byte, k) => byte !== found[at * BYTES + k])) return null;
    seen[at] = 1;
  }
  return found;
}

const sameBytes = (a: Uint8Array | null, b: Uint8Array | null): boolean =>
  a !== null && b !== null && a.length === b.length && a.every((byte, i) => byte === b[i]);

async function repeatedOf(a: Value, b: Value): Promise<Repeated | null> {
  if (!a.tensor || !b.tensor || a.shape.length !== b.shape.length) return null;
  const shape = a.shape.map((n, d) => (n === b.shape[d] ? n : 1));
  const first = firstOf(await bytesOf(a.tensor), a.shape, shape);
  const second = firstOf(await bytesOf(b.tensor), b.shape, shape);
  return first && sameBytes(first, second) ? { shape, bytes: first } : null;
}

/** Those constants whose shapes differ from one forward to the other, and that say the same over and over where they do. */
export async function repeatedConstants(first: Traced, second: Traced): Promise<ReadonlyMap<Value, Repeated>> {
  const all = new Map<Value, Repeated>();
  const values = ({ calls, output }: Traced) => [...calls.flatMap(({ inputs }) => inputs), output];
  const others = values(second);
  for (const [i, value] of values(first).entries()) {
    const twin = others[i];
    if (value?.kind !== "constant" || twin?.kind !== "constant" || sameShape(value.shape, twin.shape)) continue;
    const repeated = all.get(value) ?? (await repeatedOf(value, twin));
    if (repeated) all.set(value, repeated);
  }
  return all;
}

/** Throws unless constants are the same in both forwards. */
export async function checkTwins(name: string, twins: readonly [Value, Value, string][]): Promise<void> {
  for (const [{ tensor: a }, { tensor: b }, what] of twins) {
    if (!a || !b || a === b) continue;
    check(
      sameBytes(await bytesOf(a), await bytesOf(b)),
      () => `[${name}] a constant in ${what} has other values for each batch`,
      NotLinear,
    );
  }
}
