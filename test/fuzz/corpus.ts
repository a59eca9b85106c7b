// Valid files of every format that the library reads, and what reads them.
import { readdirSync, readFileSync } from "node:fs";
import { unzipSync } from "fflate";
import { unpickle } from "../../src/io/pickle.ts";
import type { RawTensor } from "../../src/io/raw.ts";
import { parseSafetensors, serializeSafetensors } from "../../src/io/safetensors.ts";
import { parseTorch, parseTorchStateDict } from "../../src/io/torch.ts";
import { torchGlobals } from "../../src/io/torch-globals.ts";
import { type CifarName, parseCifarRecords, readCifarArchive } from "../../src/vision/datasets/cifar.ts";
import { encodeRecords, makeArchive, makeFiles, makeRecords } from "../data/cifar-bytes.ts";
import { type Kind, mutate, Random } from "./mutate.ts";

export interface Sample {
  name: string;
  kind: Kind;
  bytes: Uint8Array;
}

const GOLDEN = new URL("../golden/io/", import.meta.url);

export async function corpus(): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const name of readdirSync(GOLDEN).filter((file) => !file.endsWith(".json"))) {
    const bytes = new Uint8Array(readFileSync(new URL(name, GOLDEN)));
    samples.push({ name, kind: name.endsWith(".safetensors") ? "safetensors" : "torch", bytes });
    const pickle =
      bytes[0] === 0x50 ? Object.entries(unzipSync(bytes)).find(([entry]) => entry.endsWith("data.pkl")) : undefined;
    if (pickle) samples.push({ name: `${name}: data.pkl`, kind: "pickle", bytes: pickle[1] });
  }
  const f32: RawTensor = { dtype: "f32", shape: [2, 3], data: Float32Array.from([1, 2, 3, 4, 5, 6]) };
  samples.push({
    name: "written",
    kind: "safetensors",
    bytes: serializeSafetensors(
      [
        ["a", f32],
        ["b.c", f32],
      ],
      { format: "pt" },
    ),
  });
  for (const name of ["cifar10", "cifar100"] as const) {
    samples.push({ name: `${name}.tar.gz`, kind: "cifar", bytes: await makeArchive(name, makeFiles(name, 1)) });
    samples.push({ name: `${name}.bin`, kind: "records", bytes: encodeRecords(name, makeRecords(name, 3, 1)) });
  }
  return samples;
}

/** The file with this number: the same one for the same seed, whatever was read before. */
export function fileOf(samples: readonly Sample[], seed: number, index: number): { sample: Sample; bytes: Uint8Array } {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  const sample = random.of(samples);
  return { sample, bytes: mutate(random, sample.kind, sample.bytes) };
}

/** The bytes that a tree of results holds, each buffer once. */
function bytesIn(values: Iterable<unknown>): number {
  const buffers = new Set<ArrayBufferLike>();
  for (const value of values) if (ArrayBuffer.isView(value)) buffers.add(value.buffer);
  return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

function checked(tensors: ReadonlyMap<string, RawTensor>): number {
  for (const [name, { shape, data }] of tensors) {
    const count = shape.reduce((a, b) => a * b, 1);
    if (data.length !== count) throw new Error(`${name} of shape [${shape}] has ${data.length} values`);
  }
  return bytesIn(Array.from(tensors.values(), ({ data }) => data));
}

/** Reads a file in every way that its format has, one after another. Each gives the bytes that its result takes. */
export function readersOf({ kind, name }: Sample): ((bytes: Uint8Array) => Promise<number>)[] {
  const cifar: CifarName = name.startsWith("cifar100") ? "cifar100" : "cifar10";
  switch (kind) {
    case "torch":
      return [
        async (bytes) => checked(await parseTorchStateDict(bytes)),
        async (bytes) => {
          const tree = await parseTorch(bytes);
          const values = tree instanceof Map ? [...tree.values()] : [tree];
          return bytesIn(values.flatMap((v) => (typeof v === "object" && v !== null && "data" in v ? [v.data] : [])));
        },
      ];
    case "pickle":
      return [
        async (bytes) => {
          const globals = torchGlobals("fuzz");
          unpickle(bytes, 0, { source: "fuzz", globals, opaque: true, persistent: () => null });
          return 0;
        },
      ];
    case "safetensors":
      return [async (bytes) => checked(parseSafetensors(bytes).tensors)];
    case "cifar":
      return [true, false].map((train) => async (bytes: Uint8Array) => {
        const set = await readCifarArchive(cifar, bytes, { train });
        return set.length * 3 * 32 * 32;
      });
    case "records":
      return [async (bytes) => parseCifarRecords(cifar, bytes, "fuzz").images.length];
  }
}
