// MNIST's form: IDX files parsed, found in folders, and downloaded from a server.
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { DataError, data, FormatError, init, ValueError, vision } from "wgrad";
import { cachePath, FashionMNIST, KMNIST, MNIST } from "wgrad/node";
import { type FileServer, serve } from "./file-server.ts";

const word = (n: number) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const idx = (shape: number[], values: ArrayLike<number>) =>
  Uint8Array.from([0, 0, 8, shape.length, ...shape.flatMap(word), ...Array.from(values)]);
/** The files of one part: `count` pictures, number i full of 10 + i with label i mod 10. */
const files = (part: "train" | "t10k", count: number) =>
  new Map([
    [
      `${part}-images-idx3-ubyte`,
      idx(
        [count, 28, 28],
        Uint8Array.from({ length: count * 784 }, (_, i) => 10 + Math.floor(i / 784)),
      ),
    ],
    [
      `${part}-labels-idx1-ubyte`,
      idx(
        [count],
        Uint8Array.from({ length: count }, (_, i) => i % 10),
      ),
    ],
  ]);

let folder: string;
let server: FileServer | undefined;
beforeAll(async () => void (await init()));
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

describe("from what is there", () => {
  test("gzipped or not, in the folder or in torchvision's root", async () => {
    const raw = join(folder, "root", "MNIST", "raw");
    await mkdir(raw, { recursive: true });
    await mkdir(join(folder, "plain"));
    for (const [name, bytes] of files("train", 12)) await writeFile(join(raw, `${name}.gz`), gzipSync(bytes));
    for (const [name, bytes] of files("train", 12)) await writeFile(join(folder, "plain", name), bytes);
    const train = await MNIST({ train: true, data: raw });
    expect([train.length, ...train.shape, train.classes[3]]).toEqual([12, 1, 28, 28, "3 - three"]);
    expect([train.labels[11], train.image(11)[5]]).toEqual([1, 21]);
    expect(await MNIST({ train: true, data: join(folder, "root") })).toEqual(train);
    expect((await FashionMNIST({ train: true, data: join(folder, "plain") })).classes[9]).toBe("Ankle boot");
    const nothing = MNIST({ train: false, data: raw });
    await expect(nothing).rejects.toThrow(DataError);
    await expect(nothing).rejects.toThrow(/holds no t10k-images-idx3-ubyte/);
    // @ts-expect-error: which part must be said
    await expect(MNIST({ data: raw })).rejects.toThrow(ValueError);
  });

  test("damaged files are told", async () => {
    expect(() => vision.parseIdx(Uint8Array.of(0, 0, 9, 1, 0, 0, 0, 0))).toThrow(/it is no IDX file of bytes/);
    expect(() => vision.parseIdx(Uint8Array.of(0, 0, 8, 2, 0, 0))).toThrow(/ends in its header/);
    expect(() => vision.parseIdx(idx([3], [1, 2]), "x")).toThrow(
      new FormatError("[parseIdx] x has 2 values; expected 3 for shape [3]: fetch it again"),
    );
    const [images = new Uint8Array(), labels = new Uint8Array()] = files("train", 2).values();
    await expect(vision.readMnist("mnist", images, idx([3], [1, 2, 3]))).rejects.toThrow(
      /expected \[N, height, width\] and \[N\]/,
    );
    await expect(vision.readMnist("mnist", images, idx([2], [1, 10]))).rejects.toThrow(
      /label 10 of image 1 is out of range/,
    );
    await expect(vision.readMnist("mnist", gzipSync(images).subarray(0, 30), labels)).rejects.toThrow(
      /compressed data breaks off/,
    );
  });

  test("in any loader: 8-bit pictures and labels", async () => {
    const [images = new Uint8Array(), labels = new Uint8Array()] = files("t10k", 5).values();
    const set = await vision.readMnist("kmnist", images, labels);
    const [part = new data.Subset(set, [])] = data.randomSplit(set, [3, 2]);
    for await (const { image, label } of new data.DataLoader(part, { batchSize: 3 })) {
      expect([image.dtype, ...image.shape]).toEqual(["i32", 3, 1, 28, 28]);
      expect(await label.array()).toEqual([...part.indices]);
      expect((await image.data())[784]).toBe(10 + (part.indices[1] ?? 0));
    }
  });
});

describe("downloaded", () => {
  test("each file once, checked, then from the cache", async () => {
    const [images = new Uint8Array(), labels = new Uint8Array()] = [...files("t10k", 4).values()].map((bytes) =>
      gzipSync(bytes),
    );
    const md5 = Object.fromEntries(
      [["t10k-images-idx3-ubyte.gz", images] as const, ["t10k-labels-idx1-ubyte.gz", labels] as const].map(
        ([name, bytes]) => [name, createHash("md5").update(bytes).digest("hex")],
      ),
    );
    server = await serve(images, [{ bytes: images }, { bytes: labels }]);
    const url = new URL(".", server.url).href;
    const test = await KMNIST({ train: false, url, md5 });
    expect(test.length).toBe(4);
    expect((await KMNIST({ train: false, md5, download: false })).images).toEqual(test.images);
    expect(server.ranges).toHaveLength(2);
    expect((await readdir(cachePath("datasets", "KMNIST", "raw"))).sort()).toEqual(Object.keys(md5));
    await expect(MNIST({ train: false, url: "nowhere" })).rejects.toThrow(ValueError);
    // Another file than the published one.
    await expect(MNIST({ train: false, url })).rejects.toThrow(/md5 9fb629c4189551a2d022fa330f9573f3 was expected/);
    await expect(MNIST({ train: false, download: false })).rejects.toThrow(/downloading it is switched off/);
  });
});
