// download() against servers that redirect, change the file, answer otherwise than asked or pack it, and beside other
// calls and processes that fetch the same file.
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { link, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DataError, ValueError } from "../../src/errors.ts";
import { writeFileAtomic } from "../../src/node/atomic.ts";
import { onDisk } from "../../src/node/disk.ts";
import { type DownloadOptions, download } from "../../src/node/download.ts";
import { redirectTarget } from "../../src/node/http.ts";
import { temporaryPath } from "../../src/node/temporary.ts";
import { weightsFromUrl } from "../../src/node/weights.ts";
import { type Answer, type FileServer, serve } from "./file-server.ts";

const BYTES = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7 + (i >> 8) * 13) & 255);
const NEWER = BYTES.map((byte) => byte ^ 1);
const SHA256 = createHash("sha256").update(BYTES).digest("hex");
const FAST: DownloadOptions = { retryDelay: 1, stallTimeout: 5000 };

let folder: string;
let dest: string;
let server: FileServer | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wgrad-test-"));
  dest = join(folder, "file.bin");
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

async function start(answers: readonly Answer[] = [], bytes = BYTES, others: Answer = {}): Promise<string> {
  server = await serve(bytes, answers, others);
  return server.url;
}
const expectOnDisk = async (bytes: Uint8Array) => {
  expect(Buffer.compare(await readFile(dest), bytes)).toBe(0);
  expect(await readdir(folder)).toEqual(["file.bin"]);
};

describe("redirects", () => {
  test("relative and absolute ones are followed, also while resuming", async () => {
    const url = await start([{ location: "/other" }, { breakAfter: 40_000 }, { location: "../a?b" }, {}]);
    await download(url, dest, { ...FAST, sha256: SHA256 });
    await expectOnDisk(BYTES);
    expect(server?.ranges).toEqual(["", "", "bytes=40000-", "bytes=40000-"]);
  });

  test("in a circle: an error, at once", async () => {
    const act = download(await start([], BYTES, { location: "/again" }), dest, FAST);
    await expect(act).rejects.toThrow(DataError);
    await expect(act).rejects.toThrow(/redirects more than 10 times/);
    expect(server?.ranges).toHaveLength(11);
  });

  test.each([["ftp://example.com/x"], ["file:///etc/passwd"], ["http://"]])("to %s: not followed", async (location) => {
    const act = download(await start([{ location }]), dest, FAST);
    await expect(act).rejects.toThrow(DataError);
    await expect(act).rejects.toThrow(/which is not followed/);
    expect(await readdir(folder)).toEqual([]);
  });

  test("never from https to http", () => {
    const [secure, plain] = [new URL("https://a.example/x"), new URL("http://a.example/x")];
    expect(redirectTarget(secure, "/y").href).toBe("https://a.example/y");
    expect(redirectTarget(plain, "https://b.example/").href).toBe("https://b.example/");
    expect(redirectTarget(plain, "http://b.example/").href).toBe("http://b.example/");
    for (const location of ["http://a.example/x", "HTTP://a.example", "data:text/plain,x"])
      expect(() => redirectTarget(secure, location)).toThrow(DataError);
  });

  test("addresses that are none", async () => {
    for (const url of ["", "nothing", "ftp://a/b", "file:///etc/passwd"])
      await expect(download(url, dest)).rejects.toThrow(ValueError);
    await expect(async () => weightsFromUrl("https://example.com/")).rejects.toThrow(/ends in no file name/);
  });
});

describe("two versions are never put together", () => {
  const modified = (day: number) => ({ headers: { "last-modified": `Mon, 0${day} Jan 2024 00:00:00 GMT` } });

  test.each<[string, Answer, Answer]>([
    ["by its ETag", { etag: '"1"' }, { etag: '"2"' }],
    ["by Last-Modified", modified(1), modified(2)],
    ["by its ETag, from a server that ignores If-Range", { etag: '"1"' }, { etag: '"2"', ignoreIfRange: true }],
    ["by Last-Modified, from such a server", modified(1), { ...modified(2), ignoreIfRange: true }],
  ])("the file changed: told %s", async (_, before, after) => {
    const url = await start([{ ...before, breakAfter: 40_000 }], NEWER, after);
    await download(url, dest, FAST);
    await expectOnDisk(NEWER);
    expect(server?.ranges[1]).toBe("bytes=40000-");
    expect(server?.ifRanges[1]).toBe(before.etag ?? before.headers?.["last-modified"]);
  });

  test("the file changed: told by its size", async () => {
    const longer = Uint8Array.of(...NEWER, 1);
    const url = await start([{ etag: '"1"', bytes: BYTES, breakAfter: 40_000 }], longer, { etag: '"1"' });
    await download(url, dest, FAST);
    await expectOnDisk(longer);
    expect(server?.ranges).toEqual(["", "bytes=40000-", ""]);
  });

  test("without validator and checksum a broken download begins anew", async () => {
    const url = await start([{ breakAfter: 40_000 }], NEWER);
    await download(url, dest, FAST);
    await expectOnDisk(NEWER);
    expect(server?.ranges).toEqual(["", ""]);
  });

  test("nor with a weak ETag alone", async () => {
    const url = await start([{ breakAfter: 40_000, etag: 'W/"1"' }], NEWER);
    await download(url, dest, FAST);
    expect(server?.ranges).toEqual(["", ""]);
    await expectOnDisk(NEWER);
  });
});

describe("answers that are not what was asked for", () => {
  const resumed = { ...FAST, sha256: SHA256 };

  test.each<[string, Answer]>([
    ["another start", { contentRange: "bytes 39999-99999/100000" }],
    ["an end beyond the file", { contentRange: "bytes 40000-100000/100000" }],
    ["an end before the start", { contentRange: "bytes 40000-39999/100000" }],
    ["another size", { contentRange: "bytes 40000-99999/100001" }],
    ["no numbers", { contentRange: "bytes */100000" }],
    ["another unit", { contentRange: "items 40000-99999/100000" }],
    ["another length than the body's", { contentRange: "bytes 40000-99998/100000" }],
    ["a packed piece", { headers: { "content-encoding": "gzip" } }],
    ["more than announced", { noLength: true, extra: Uint8Array.of(1, 2, 3) }],
  ])("a piece with %s: from the start again", async (_, answer) => {
    const url = await start(
      [
        { breakAfter: 40_000, etag: '"1"' },
        { etag: '"1"', ...answer },
      ],
      BYTES,
      { etag: '"1"' },
    );
    await download(url, dest, FAST);
    await expectOnDisk(BYTES);
    expect(server?.ranges).toEqual(["", "bytes=40000-", ""]);
  });

  test("pieces smaller than asked for are put together", async () => {
    const url = await start([{ breakAfter: 10_000 }], BYTES, { pieces: 30_000 });
    await download(url, dest, resumed);
    await expectOnDisk(BYTES);
    expect(server?.ranges).toEqual(["", "bytes=10000-", "bytes=40000-", "bytes=70000-"]);
  });

  test("too little, again and again: goes on, since every try brings something", async () => {
    const url = await start([], BYTES, { breakAfter: 15_000 });
    await download(url, dest, { ...resumed, retries: 1 });
    await expectOnDisk(BYTES);
    expect(server?.ranges).toHaveLength(7);
  });

  test("nothing new in any try: given up", async () => {
    const url = await start([{ breakAfter: 40_000 }], BYTES, { breakAfter: 0 });
    const act = download(url, dest, { ...resumed, retries: 2 });
    await expect(act).rejects.toThrow(/could not be downloaded in 3 attempts/);
    expect(server?.ranges).toEqual(["", "bytes=40000-", "bytes=40000-"]);
  });

  test("another size than expected is refused before it is read", async () => {
    const act = download(await start(), dest, { ...FAST, size: 99_999 });
    await expect(act).rejects.toThrow(DataError);
    await expect(act).rejects.toThrow(/has 100000 bytes, but 99999 were expected/);
    expect(server?.ranges).toHaveLength(1);
  });

  test("another size than expected, from a server that tells none", async () => {
    for (const size of [99_999, 100_001]) {
      const url = await start([], BYTES, { noLength: true });
      await expect(download(url, dest, { ...FAST, retries: 1, size })).rejects.toThrow(DataError);
      expect(await readdir(folder)).toEqual([]);
      await server?.close();
    }
  });

  test("a page in the place of the weights", async () => {
    const page = new TextEncoder().encode("<html>Log in to this network</html>");
    const url = await start([{ body: page }]);
    await expect(download(url, dest, resumed)).rejects.toThrow(/but sha256 .* was expected/);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("a packed body", () => {
  const packed = gzipSync(BYTES);
  const encoded = (encoding: string) => ({ headers: { "content-encoding": encoding } });

  test("is unpacked, and begins anew after an interruption", async () => {
    const url = await start([{ ...encoded("gzip"), breakAfter: 500 }], packed, encoded("gzip"));
    await download(url, dest, { ...FAST, sha256: SHA256 });
    await expectOnDisk(BYTES);
    expect(server?.ranges).toEqual(["", ""]);
  });

  test.each(["gzip", "x-gzip"])("an archive that is called %s stays one", async (encoding) => {
    const url = new URL("data.tar.gz", await start([{ breakAfter: 500 }], packed, encoded(encoding))).href;
    const sha256 = createHash("sha256").update(packed).digest("hex");
    await download(url, dest, { ...FAST, sha256 });
    await expectOnDisk(packed);
  });

  test("in a way that is not known", async () => {
    const act = download(await start([], BYTES, encoded("zstd2")), dest, FAST);
    await expect(act).rejects.toThrow(/packs \/file.bin as "zstd2"/);
  });
});

describe("a server that is busy", () => {
  test("Retry-After is waited for, in seconds or until a date", async () => {
    const date = new Date(Date.now() + 1500).toUTCString();
    const url = await start([
      { status: 429, headers: { "retry-after": "1" } },
      { status: 503, headers: { "retry-after": date } },
      { status: 503, headers: { "retry-after": "soon" } },
    ]);
    const begin = performance.now();
    await download(url, dest, FAST);
    await expectOnDisk(BYTES);
    // A timer may fire a millisecond early.
    expect(performance.now() - begin).toBeGreaterThan(990);
  });

  test("too long a wait is told, not waited for", async () => {
    const url = await start([{ status: 429, headers: { "retry-after": "3600" } }]);
    await expect(download(url, dest, FAST)).rejects.toThrow(/429 Too Many Requests, and asks to wait 3600 s/);
  });
});

describe("names of part files", () => {
  test("a link that somebody put there is not written through", async () => {
    const victim = join(folder, "victim");
    await writeFile(victim, "untouched");
    for (const plant of [symlink, link]) {
      const url = await start([{ breakAfter: 40_000 }]);
      await plant(victim, `${dest}.part`);
      await download(url, dest, { ...FAST, sha256: SHA256 });
      expect(server?.ranges[0]).toBe("");
      expect(await readFile(victim, "utf8")).toBe("untouched");
      expect((await readdir(folder)).sort()).toEqual(["file.bin", "victim"]);
      await rm(dest);
      await server?.close();
    }
  });

  test("differ from call to call and cannot be guessed", () => {
    const names = Array.from({ length: 100 }, () => temporaryPath(dest, "part"));
    expect(new Set(names).size).toBe(100);
    for (const name of names) expect(name).toMatch(/[0-9a-f]{24}\.part$/);
  });

  test("what a killed process left is resumed with a checksum, and removed without", async () => {
    // No process has this number: the largest on Linux is 2^22.
    const left = () => temporaryPath(dest, "part").replace(`-${process.pid}-`, "-99999999-");
    await writeFile(left(), BYTES.subarray(0, 30_000));
    await writeFile(left(), "");
    await download(await start(), dest, { ...FAST, sha256: SHA256 });
    await expectOnDisk(BYTES);
    await server?.close();
    await rm(dest);
    await writeFile(left(), BYTES.subarray(0, 30_000));
    await download(await start(), dest, FAST);
    expect(server?.ranges).toEqual([""]);
    await expectOnDisk(BYTES);
    await writeFile(temporaryPath(dest, "tmp").replace(`-${process.pid}-`, "-99999999-"), "left");
    await writeFileAtomic(dest, BYTES);
    await expectOnDisk(BYTES);
  });

  test("what a running process writes is left alone", async () => {
    const other = temporaryPath(dest, "part").replace(`-${process.pid}-`, `-${process.ppid}-`);
    await writeFile(other, "in progress");
    await download(await start(), dest, { ...FAST, sha256: SHA256 });
    expect(await readFile(other, "utf8")).toBe("in progress");
  });
});

describe("the same file at the same time", () => {
  test("by calls in one process", async () => {
    const url = await start([{ breakAfter: 40_000 }, { breakAfter: 70_000 }]);
    const calls = Array.from({ length: 4 }, () => download(url, dest, { ...FAST, sha256: SHA256 }));
    expect(await Promise.all(calls)).toEqual(Array(4).fill(dest));
    await expectOnDisk(BYTES);
  });

  const child = ["scripts/run.mjs", "test/data/download-child.ts"];
  const cwd = fileURLToPath(new URL("../..", import.meta.url));

  test("by two processes, one of which is killed; the next goes on where it was", async () => {
    const url = await start([{ stallAfter: 60_000 }], BYTES);
    const args = [...child, url, dest, SHA256];
    const killed = spawn(process.execPath, args, { cwd, stdio: "ignore" });
    const ended = new Promise((resolve) => killed.on("exit", resolve));
    const parts = async () => (await readdir(folder)).filter((name) => name.endsWith(".part"));
    const sizes = async () =>
      Promise.all((await parts()).map(async (name) => (await readFile(join(folder, name))).length));
    while (!(await sizes()).includes(60_000)) await delay(20);
    // Beside it another one fetches the whole file, without touching the first one's part.
    const beside = await promisify(execFile)(process.execPath, args, { cwd });
    expect(beside.stdout).toContain("downloaded");
    expect(Buffer.compare(await readFile(dest), BYTES)).toBe(0);
    expect(await sizes()).toEqual([60_000]);
    killed.kill("SIGKILL");
    await ended;
    await rm(dest);
    await download(url, dest, { ...FAST, sha256: SHA256 });
    expect(server?.ranges).toEqual(["", "", "bytes=60000-"]);
    await expectOnDisk(BYTES);
  });
});

test("the reason why a file cannot be written is told in words", async () => {
  const fail = (code: string) => async () => {
    throw Object.assign(new Error(`${code}: write`), { code });
  };
  const act = onDisk("download", "/a/b", fail("ENOSPC"), { bytes: 1234567 });
  await expect(act).rejects.toThrow(DataError);
  await expect(act).rejects.toThrow("[download] /a/b (1,234,567 bytes) cannot be written: the disk is full");
  await expect(onDisk("x", "y", fail("EROFS"))).rejects.toThrow(/file system is read-only/);
  await expect(onDisk("x", "y", fail("EWHAT"))).rejects.toThrow(/EWHAT: write/);
  await mkdir(join(folder, "taken"));
  await expect(writeFileAtomic(join(folder, "taken"), "x")).rejects.toThrow(/a folder is in the place of the file/);
  expect(await readdir(folder)).toEqual(["taken"]);
});
