// EMNIST: an archive of the official layout, unpacked split by split, and the classes of the splits.
import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DataError, FormatError, ValueError, vision } from "wgrad";
import { cachePath, EMNIST } from "wgrad/node";
import { type FileServer, serve } from "./file-server.ts";

const word = (n: number) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const idx = (shape: number[], values: ArrayLike<number>) =>
  Uint8Array.from([0, 0, 8, shape.length, ...shape.flatMap(word), ...Array.from(values)]);

/** Three pictures of 2 x 3 bytes that count from `from`, with labels. */
const part = (name: string, from: number, labels: number[]): Record<string, Uint8Array> => ({
  [`gzip/emnist-${name}-images-idx3-ubyte.gz`]: gzipSync(
    idx(
      [3, 2, 3],
      Array.from({ length: 18 }, (_, i) => from + i),
    ),
  ),
  [`gzip/emnist-${name}-labels-idx1-ubyte.gz`]: gzipSync(idx([3], labels)),
});
const archive = zipSync({
  ...part("letters-train", 10, [1, 26, 2]),
  ...part("letters-test", 50, [3, 4, 5]),
  ...part("byclass-train", 90, [0, 61, 36]),
  ...part("digits-train", 130, [0, 10, 1]),
});
const md5 = createHash("md5").update(archive).digest("hex");

let folder: string;
let server: FileServer | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wgrad-test-"));
  vi.stubEnv("WGRAD_CACHE", join(folder, "cache"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

test("the archive is fetched once, and each split unpacked when it is asked for", async () => {
  server = await serve(archive);
  const { url } = server;
  const train = await EMNIST({ split: "letters", train: true, url, md5 });
  expect([...train.labels].map((label) => train.classes[label])).toEqual(["a", "z", "b"]);
  expect([...train.shape]).toEqual([1, 2, 3]);
  expect([...train.image(1)]).toEqual([16, 17, 18, 19, 20, 21]);
  const raw = cachePath("datasets", "EMNIST", "raw");
  const unpacked = ["images-idx3-ubyte.gz", "labels-idx1-ubyte.gz"].map((end) => `emnist-letters-train-${end}`);
  expect((await readdir(raw)).sort()).toEqual([...unpacked, "gzip.zip"]);
  const byClass = await EMNIST({ split: "byclass", train: true, download: false, md5 });
  expect([...byClass.labels].map((label) => byClass.classes[label])).toEqual(["0", "z", "a"]);
  expect(server.ranges).toHaveLength(1);
  // From the folder, and without the archive.
  await rm(join(raw, "gzip.zip"));
  expect(await EMNIST({ split: "letters", train: true, data: raw })).toEqual(train);
  expect(await EMNIST({ split: "letters", train: true, download: false })).toEqual(train);
  const upright = await EMNIST({ split: "letters", train: true, upright: true, download: false });
  expect([...upright.shape]).toEqual([1, 3, 2]);
  expect([...upright.image(1)]).toEqual([16, 19, 17, 20, 18, 21]);
});

test("what is missing, damaged or unknown is told", async () => {
  server = await serve(archive, [{}, { bytes: archive.subarray(0, 40) }]);
  const { url } = server;
  const digits = EMNIST({ split: "digits", train: true, url, md5 });
  await expect(digits).rejects.toThrow(/label 10 of image 1 is out of range; expected 0\.\.9/);
  await expect(EMNIST({ split: "mnist", train: true, md5 })).rejects.toThrow(/holds no emnist-mnist-train-images/);
  await rm(cachePath("datasets", "EMNIST", "raw"), { recursive: true });
  const cut = createHash("md5").update(archive.subarray(0, 40)).digest("hex");
  await expect(EMNIST({ split: "letters", train: true, url, md5: cut })).rejects.toThrow(FormatError);
  await rm(cachePath("datasets", "EMNIST", "raw"), { recursive: true });
  // Another file than the published one.
  await expect(EMNIST({ split: "letters", train: true, url })).rejects.toThrow(/md5 58c8d27c78d21e728a6bc7b3cc06412e/);
  await expect(EMNIST({ split: "letters", train: true, download: false })).rejects.toThrow(/switched off/);
  await writeFile(join(folder, "emnist-letters-train-images-idx3-ubyte"), idx([1, 1, 1], [1]));
  const half = EMNIST({ split: "letters", train: true, data: folder });
  await expect(half).rejects.toThrow(DataError);
  await expect(half).rejects.toThrow(/holds no emnist-letters-train-labels-idx1-ubyte/);
  // @ts-expect-error: no such split
  await expect(EMNIST({ split: "capitals", train: true })).rejects.toThrow(ValueError);
  // @ts-expect-error: which part must be said
  await expect(EMNIST({ split: "letters" })).rejects.toThrow(/train must be true or false/);
});

test("classes by number", async () => {
  const last = async (split: vision.EmnistSplit, label: number) => {
    const set = await vision.readEmnist(split, idx([1, 1, 1], [9]), idx([1], [label]));
    expect(set.classes).toHaveLength(label + 1);
    return set.classes[label];
  };
  // torchvision: sorted(digits and letters), less the fifteen that look alike.
  expect([await last("byclass", 61), await last("bymerge", 46), await last("balanced", 46)]).toEqual(["z", "t", "t"]);
  expect([await last("letters", 26), await last("digits", 9), await last("mnist", 9)]).toEqual(["z", "9", "9"]);
});
