// The weight files that scripts/golden/io.py wrote, and their expected values.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { RawTensor } from "../../src/io/raw.ts";

/** A fixture's bytes, at an odd offset of their buffer: nothing may rely on alignment. */
export function fixture(file: string): Uint8Array {
  const bytes = readFileSync(fileURLToPath(new URL(`../golden/io/${file}`, import.meta.url)));
  const shifted = new Uint8Array(bytes.length + 1).subarray(1);
  shifted.set(bytes);
  return shifted;
}

export interface Expected {
  dtype: string;
  shape: number[];
  data: number[];
}

const all: Record<string, Record<string, Omit<Expected, "data"> & { data: (number | string)[] }>> = JSON.parse(
  new TextDecoder().decode(fixture("expected.json")),
);

/** What a fixture holds, by name. */
export const expectedOf = (file: string): Record<string, Expected> =>
  Object.fromEntries(
    Object.entries(all[file]!).map(([name, { dtype, shape, data }]) => [
      name,
      { dtype, shape, data: data.map(Number) },
    ]),
  );

/** Parsed tensors in the form of the expected ones. f32 values print exactly as their doubles do. */
export const plain = (tensors: Iterable<readonly [string, RawTensor]>): Record<string, Expected> =>
  Object.fromEntries(
    [...tensors].map(([name, { dtype, shape, data }]) => [name, { dtype, shape: [...shape], data: [...data] }]),
  );
