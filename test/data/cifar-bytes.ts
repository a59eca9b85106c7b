// Synthetic CIFAR files for the tests: folder contents and archives like the official ones, with few records.
import { createTarGzip } from "nanotar";
import { CIFAR_LAYOUT, type CifarName } from "../../src/vision/datasets/cifar.ts";

export interface Records {
  labels: readonly { fine: number; coarse: number }[];
  pixels: Uint8Array;
}

export const PIXELS = 3 * 32 * 32;

/** Record bytes as the official binary version has them. */
export function encodeRecords(name: CifarName, { labels, pixels }: Records): Uint8Array {
  const parts = labels.map(({ fine, coarse }, i) => [
    ...(name === "cifar10" ? [fine] : [coarse, fine]),
    ...pixels.subarray(i * PIXELS, (i + 1) * PIXELS),
  ]);
  return Uint8Array.from(parts.flat());
}

/** `count` records whose labels and pixels follow from `seed`. */
export function makeRecords(name: CifarName, count: number, seed: number): Records {
  const labels = Array.from({ length: count }, (_, i) => ({
    fine: (seed * 7 + i) % (name === "cifar10" ? 10 : 100),
    coarse: (seed + i) % 20,
  }));
  return {
    labels,
    pixels: Uint8Array.from({ length: count * PIXELS }, (_, i) => (i * 31 + seed * 17 + (i >> 7)) & 255),
  };
}

/** All files of a small data set by name: `perFile` records in each. */
export function makeFiles(name: CifarName, perFile: number): Map<string, Uint8Array> {
  const { train, test, names } = CIFAR_LAYOUT[name];
  const files = new Map<string, Uint8Array>();
  [...train, ...test].forEach((file, i) => {
    files.set(file, encodeRecords(name, makeRecords(name, perFile, i)));
  });
  const lines = (word: string, count: number) =>
    new TextEncoder().encode(`${Array.from({ length: count }, (_, i) => `${word}${i}\n`).join("")}\n`);
  files.set(names.fine, lines("fine", name === "cifar10" ? 10 : 100));
  if (names.coarse) files.set(names.coarse, lines("coarse", 20));
  return files;
}

/** The `.tar.gz` of such files, in the official folder. */
export function makeArchive(name: CifarName, files: Map<string, Uint8Array>): Promise<Uint8Array> {
  const { folder } = CIFAR_LAYOUT[name];
  return createTarGzip([
    { name: `${folder}/` },
    ...[...files].map(([file, data]) => ({ name: `${folder}/${file}`, data })),
  ]);
}
