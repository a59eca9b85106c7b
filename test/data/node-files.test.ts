// The Node side of data: atomic files, the cache folder, CIFAR from folders, archives and a server, weights by address.
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DataError, FormatError, ValueError } from "../../src/errors.ts";
import {
  CIFAR10,
  CIFAR100,
  cachePath,
  pretrainedWeights,
  weightsFromUrl,
  writeFileAtomic,
} from "../../src/node/index.ts";
import { makeArchive, makeFiles } from "./cifar-bytes.ts";
import { type FileServer, serve } from "./file-server.ts";

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

async function writeFiles(path: string, files: Map<string, Uint8Array>): Promise<void> {
  await mkdir(path, { recursive: true });
  for (const [file, bytes] of files) await writeFile(join(path, file), bytes);
}

describe("writeFileAtomic", () => {
  test("creates folders, replaces, and leaves nothing else behind", async () => {
    const path = join(folder, "a", "b.txt");
    await writeFileAtomic(path, "one");
    await writeFileAtomic(path, Uint8Array.of(116, 119, 111));
    expect(await readFile(path, "utf8")).toBe("two");
    expect(await readdir(join(folder, "a"))).toEqual(["b.txt"]);
  });

  test("a failure leaves the old file and no temporary one", async () => {
    await mkdir(join(folder, "taken", "inside"), { recursive: true });
    await expect(writeFileAtomic(join(folder, "taken"), "x")).rejects.toThrow();
    expect(await readdir(folder)).toEqual(["taken"]);
  });

  test("two writers at once: one of the two contents, whole", async () => {
    const path = join(folder, "x");
    const contents = ["a".repeat(1e6), "b".repeat(1e6)];
    await Promise.all(contents.map((content) => writeFileAtomic(path, content)));
    expect(contents).toContain(await readFile(path, "utf8"));
  });
});

test("the cache folder: WGRAD_CACHE, else the system's", () => {
  expect(cachePath("datasets", "x")).toBe(join(folder, "cache", "datasets", "x"));
  vi.stubEnv("WGRAD_CACHE", "");
  expect(cachePath("datasets")).toMatch(/wgrad/);
});

describe("CIFAR from what is there", () => {
  test("the folder, one that holds it, the archive, one that holds that: all the same", async () => {
    const files = makeFiles("cifar10", 2);
    const inner = join(folder, "holder", "cifar-10-batches-bin");
    await writeFiles(inner, files);
    const archive = join(folder, "archives", "cifar-10-binary.tar.gz");
    await writeFiles(
      join(folder, "archives"),
      new Map([["cifar-10-binary.tar.gz", await makeArchive("cifar10", files)]]),
    );
    const expected = await CIFAR10({ data: inner, train: true });
    expect(expected.length).toBe(10);
    for (const data of [join(folder, "holder"), archive, join(folder, "archives")]) {
      expect(await CIFAR10({ data, train: true })).toEqual(expected);
    }
    expect((await CIFAR10({ data: archive, train: false })).length).toBe(2);
  });

  test("CIFAR-100, fine and coarse", async () => {
    const data = join(folder, "cifar-100-binary");
    await writeFiles(data, makeFiles("cifar100", 3));
    expect((await CIFAR100({ data, train: true })).classes).toHaveLength(100);
    expect((await CIFAR100({ data, train: true, labels: "coarse" })).classes).toHaveLength(20);
  });

  test("errors say what was expected", async () => {
    const nowhere = CIFAR10({ data: join(folder, "nowhere"), train: true });
    await expect(nowhere).rejects.toThrow(DataError);
    await expect(nowhere).rejects.toThrow(/there is nothing at .*nowhere/);
    await expect(CIFAR10({ data: folder, train: true })).rejects.toThrow(
      /holds no CIFAR-10; expected cifar-10-batches-bin/,
    );
    await writeFile(join(folder, "page.tar.gz"), "<html>");
    await expect(CIFAR10({ data: join(folder, "page.tar.gz"), train: true })).rejects.toThrow(FormatError);
    const data = join(folder, "part");
    const files = makeFiles("cifar10", 1);
    files.delete("data_batch_3.bin");
    files.set("test_batch.bin", (files.get("test_batch.bin") ?? new Uint8Array()).subarray(1));
    await writeFiles(data, files);
    await expect(CIFAR10({ data, train: true })).rejects.toThrow(/has no data_batch_3.bin/);
    await expect(CIFAR10({ data, train: false })).rejects.toThrow(FormatError);
  });
});

describe("CIFAR downloaded", () => {
  test("once, then from the cache, without the archive's space", async () => {
    const archive = await makeArchive("cifar10", makeFiles("cifar10", 2));
    const md5 = createHash("md5").update(archive).digest("hex");
    server = await serve(archive);
    const progress: number[] = [];
    const source = { url: server.url, md5, onProgress: (p: { received: number }) => progress.push(p.received) };
    const train = await CIFAR10({ ...source, train: true });
    expect(train.length).toBe(10);
    expect(progress.at(-1)).toBe(archive.length);
    expect((await CIFAR10({ ...source, train: false })).length).toBe(2);
    expect((await CIFAR10({ train: true, download: false })).images).toEqual(train.images);
    expect(server.ranges).toHaveLength(1);
    expect(await readdir(cachePath("datasets"))).toEqual(["cifar-10-batches-bin"]);
  });

  test("a wrong checksum: nothing is unpacked", async () => {
    server = await serve(await makeArchive("cifar10", makeFiles("cifar10", 1)));
    const act = CIFAR10({ url: server.url, train: true });
    await expect(act).rejects.toThrow(DataError);
    await expect(act).rejects.toThrow(/has \d+ bytes, but 170052171 were expected/);
    expect(await readdir(cachePath("datasets"))).toEqual([]);
  });

  test("an archive put into the root by hand is used and kept", async () => {
    const archive = await makeArchive("cifar10", makeFiles("cifar10", 2));
    const md5 = createHash("md5").update(archive).digest("hex");
    const root = join(folder, "root");
    await writeFiles(root, new Map([["cifar-10-binary.tar.gz", archive]]));
    expect((await CIFAR10({ root, md5, train: true, download: false })).length).toBe(10);
    expect((await readdir(root)).sort()).toEqual(["cifar-10-batches-bin", "cifar-10-binary.tar.gz"]);
  });

  test("switched off", async () => {
    const act = CIFAR10({ train: true, download: false, root: join(folder, "empty") });
    await expect(act).rejects.toThrow(DataError);
    await expect(act).rejects.toThrow(/downloading it is switched off/);
  });
});

describe("weights", () => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i & 255);
  const digits = createHash("sha256").update(bytes).digest("hex").slice(0, 8);

  test("are kept in the cache, and checked against the hex digits in their name", async () => {
    server = await serve(bytes);
    const url = new URL(`net-${digits}.pth`, server.url).href;
    expect(new Uint8Array(await weightsFromUrl(url))).toEqual(bytes);
    expect(new Uint8Array(await weightsFromUrl(url))).toEqual(bytes);
    expect(server.ranges).toHaveLength(1);
    await writeFile(cachePath("weights", `net-${digits}.pth`), "damaged on disk");
    expect(new Uint8Array(await weightsFromUrl(url))).toEqual(bytes);
    const wrong = weightsFromUrl(new URL("net-00000000.pth", server.url).href);
    await expect(wrong).rejects.toThrow(DataError);
    await expect(wrong).rejects.toThrow(`sha256 ${digits}`);
  });

  test("a name without digits is cached, too", async () => {
    server = await serve(bytes);
    const url = new URL("net.pth", server.url).href;
    await weightsFromUrl(url);
    await weightsFromUrl(url);
    expect(server.ranges).toHaveLength(1);
  });

  test("a model that has none", () => {
    const name: string = "resnet1000";
    // @ts-expect-error: a name from outside, such as the command line
    expect(() => pretrainedWeights(name)).toThrow(ValueError);
  });
});
