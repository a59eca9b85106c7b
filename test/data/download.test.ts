// download(): checksums, resuming, servers without ranges, error answers, stalls and aborts, against a local server.
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DataError, ValueError } from "../../src/errors.ts";
import { type DownloadOptions, type DownloadProgress, download } from "../../src/node/download.ts";
import { type Answer, type FileServer, serve } from "./file-server.ts";

const BYTES = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 8) * 13) & 255);
const MD5 = createHash("md5").update(BYTES).digest("hex");
const SHA256 = createHash("sha256").update(BYTES).digest("hex");
const FAST: DownloadOptions = { retryDelay: 1, stallTimeout: 5000 };

let folder: string;
let dest: string;
let server: FileServer | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wgrad-test-"));
  dest = join(folder, "deep", "file.bin");
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

async function start(answers: readonly Answer[] = [], bytes = BYTES): Promise<string> {
  server = await serve(bytes, answers);
  return server.url;
}

// Comparing 300,000 elements one by one, as toEqual does, takes a second.
const expectOnDisk = async (bytes: Uint8Array) => expect(Buffer.compare(await readFile(dest), bytes)).toBe(0);
const files = () => readdir(join(folder, "deep"));

describe("a whole file", () => {
  test.each<[string, DownloadOptions]>([
    ["no checksum", {}],
    ["md5", { md5: MD5 }],
    ["sha256", { sha256: SHA256.toUpperCase() }],
    ["the start of a sha256", { sha256: SHA256.slice(0, 8) }],
  ])("%s", async (_, checksum) => {
    const seen: DownloadProgress[] = [];
    const url = await start();
    expect(await download(url, dest, { ...FAST, ...checksum, onProgress: (p) => seen.push(p) })).toBe(dest);
    await expectOnDisk(BYTES);
    expect(await files()).toEqual(["file.bin"]);
    expect(seen[0]).toEqual({ url, received: 0, total: BYTES.length });
    expect(seen.at(-1)).toEqual({ url, received: BYTES.length, total: BYTES.length });
  });

  test("a server that tells no length", async () => {
    await download(await start([{ noLength: true }]), dest, { ...FAST, md5: MD5 });
    await expectOnDisk(BYTES);
  });

  test("an empty file", async () => {
    await download(await start([], new Uint8Array()), dest, FAST);
    await expectOnDisk(new Uint8Array());
  });

  test("a file that is there with the right checksum is not fetched again; one with another is replaced", async () => {
    const url = await start();
    await download(url, dest, { ...FAST, md5: MD5 });
    await download(url, dest, { ...FAST, md5: MD5 });
    expect(server?.ranges).toHaveLength(1);
    await writeFile(dest, "something else");
    await download(url, dest, { ...FAST, md5: MD5 });
    await expectOnDisk(BYTES);
  });
});

describe("a wrong checksum", () => {
  const other = "0".repeat(32);

  test("both sums are told, the part file is deleted, the old file stays", async () => {
    const url = await start();
    await download(url, dest, FAST);
    const act = download(url, dest, { ...FAST, md5: other });
    await expect(act).rejects.toThrow(DataError);
    await expect(act).rejects.toThrow(new RegExp(`md5 ${MD5}, but md5 ${other} was expected`));
    expect(await files()).toEqual(["file.bin"]);
    await expectOnDisk(BYTES);
  });

  test("a part file of something else: fetched anew, not blamed on the server", async () => {
    const url = await start();
    await download(url, dest, FAST);
    await rm(dest);
    await writeFile(`${dest}.part`, "of an older version");
    await download(url, dest, { ...FAST, md5: MD5 });
    await expectOnDisk(BYTES);
    expect(server?.ranges).toEqual(["", "bytes=19-", ""]);
  });

  test("something that is no checksum", async () => {
    await expect(download("http://127.0.0.1:9/", dest, { md5: "abc" })).rejects.toThrow(ValueError);
    await expect(download("http://127.0.0.1:9/", dest, { md5: MD5, sha256: SHA256 })).rejects.toThrow(ValueError);
  });
});

describe("an interrupted download", () => {
  test("goes on where it broke off", async () => {
    const url = await start([{ breakAfter: 100_000 }, { breakAfter: 50_000 }]);
    await download(url, dest, { ...FAST, md5: MD5 });
    await expectOnDisk(BYTES);
    expect(server?.ranges).toEqual(["", "bytes=100000-", "bytes=150000-"]);
  });

  test("goes on in the next call", async () => {
    const url = await start([{ breakAfter: 100_000 }]);
    await expect(download(url, dest, { ...FAST, md5: MD5, retries: 0 })).rejects.toThrow(DataError);
    expect(await files()).toEqual(["file.bin.part"]);
    const seen: number[] = [];
    await download(url, dest, { ...FAST, md5: MD5, onProgress: (p) => seen.push(p.received) });
    await expectOnDisk(BYTES);
    expect(server?.ranges).toEqual(["", "bytes=100000-"]);
    expect(seen[0]).toBe(100_000);
  });

  test("a server without ranges: from the start again", async () => {
    const url = await start([{ breakAfter: 100_000 }, { noRange: true }]);
    await download(url, dest, { ...FAST, md5: MD5 });
    await expectOnDisk(BYTES);
  });

  test("a Content-Range that was not asked for: from the start again", async () => {
    const url = await start([{ breakAfter: 100_000 }, { contentRange: "bytes 5-299999/300000" }]);
    await download(url, dest, { ...FAST, md5: MD5 });
    await expectOnDisk(BYTES);
    expect(server?.ranges).toEqual(["", "bytes=100000-", ""]);
  });

  test("416 for a complete part file; 416 for one that is too long", async () => {
    const url = await start();
    await download(url, dest, FAST);
    await rm(dest);
    await writeFile(`${dest}.part`, BYTES);
    await download(url, dest, { ...FAST, md5: MD5 });
    await expectOnDisk(BYTES);
    await rm(dest);
    await writeFile(`${dest}.part`, new Uint8Array(BYTES.length + 1));
    await download(url, dest, { ...FAST, md5: MD5 });
    await expectOnDisk(BYTES);
    expect(server?.ranges.slice(1)).toEqual(["bytes=300000-", "bytes=300001-", ""]);
  });

  test("the file changed on the server between the pieces: its ETag tells", async () => {
    const newer = BYTES.map((byte) => byte ^ 1);
    const url = await start([
      { breakAfter: 100_000, etag: '"1"' },
      { etag: '"2"', bytes: newer },
    ]);
    await download(url, dest, FAST);
    await expectOnDisk(newer);
  });

  test("that never completes leaves no part file without a checksum", async () => {
    const url = await start([{ breakAfter: 10 }, { breakAfter: 10 }]);
    const act = download(url, dest, { ...FAST, retries: 1 });
    await expect(act).rejects.toThrow(/could not be downloaded in 2 attempts/);
    expect(await files()).toEqual([]);
  });
});

describe("a server that fails", () => {
  test("404 is final", async () => {
    const act = download(await start([{ status: 404 }]), dest, FAST);
    await expect(act).rejects.toThrow(DataError);
    await expect(act).rejects.toThrow(/404 Not Found; expected 200/);
    expect(server?.ranges).toHaveLength(1);
  });

  test("503 is tried again", async () => {
    const url = await start([{ status: 503 }, { status: 503 }]);
    await download(url, dest, { ...FAST, md5: MD5 });
    await expectOnDisk(BYTES);
    const act = download(await start(Array(2).fill({ status: 503 })), dest, { ...FAST, retries: 1 });
    await expect(act).rejects.toThrow(/in 2 attempts: the server answered 503/);
  });

  test("nothing listens there", async () => {
    const url = await start();
    await server?.close();
    server = undefined;
    const act = download(url, dest, { ...FAST, retries: 0 });
    await expect(act).rejects.toThrow(DataError);
    await expect(act).rejects.toThrow(/ECONNREFUSED/);
  });

  test.each<[string, Answer]>([
    ["before it answers", { silent: true }],
    ["in the middle", { stallAfter: 1000 }],
  ])("it stalls %s", async (_, answer) => {
    const act = download(await start([answer]), dest, { stallTimeout: 200, retries: 0 });
    await expect(act).rejects.toThrow(DataError);
    await expect(act).rejects.toThrow(/no byte came for 0.2 s/);
  });

  test("a stall is mended by another try", async () => {
    const url = await start([{ stallAfter: 1000 }]);
    await download(url, dest, { stallTimeout: 200, retryDelay: 1, md5: MD5 });
    await expectOnDisk(BYTES);
  });
});

describe("aborting", () => {
  test("stops at once with the signal's reason, and what came is kept", async () => {
    const url = await start([{ stallAfter: 100_000 }]);
    const controller = new AbortController();
    const reason = new Error("the user left");
    const act = download(url, dest, {
      md5: MD5,
      signal: controller.signal,
      onProgress: ({ received }) => {
        if (received === 100_000) setTimeout(() => controller.abort(reason), 20);
      },
    });
    await expect(act).rejects.toBe(reason);
    expect(await files()).toEqual(["file.bin.part"]);
    await download(url, dest, { ...FAST, md5: MD5 });
    expect(server?.ranges).toEqual(["", "bytes=100000-"]);
  });

  test("also while it waits to try again", async () => {
    const url = await start([{ status: 503 }]);
    const signal = AbortSignal.timeout(100);
    await expect(download(url, dest, { retryDelay: 60_000, signal })).rejects.toMatchObject({ name: "TimeoutError" });
  });
});

test("a folder that cannot be created", async () => {
  await writeFile(join(folder, "deep"), "a file where a folder should be");
  const act = download(await start(), dest, FAST);
  await expect(act).rejects.toThrow(DataError);
  await expect(act).rejects.toThrow(/WGRAD_CACHE/);
});
