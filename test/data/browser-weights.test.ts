// Weights in a browser: its caches played by maps, its network by Node's fetch and a local server.
import { createHash } from "node:crypto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DataError, type WeightsProgress } from "wgrad";
import { fetchWeights } from "../../src/gpu/browser-weights.ts";
import { type Answer, type FileServer, serve } from "./file-server.ts";

const BYTES = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7 + (i >> 8) * 13) & 255);
const sha256 = createHash("sha256").update(BYTES).digest("hex").slice(0, 8);
const name = `net-${sha256}.pth`;

let server: FileServer;
let cached: Map<string, Uint8Array>;
let files: Map<string, Uint8Array>;

const start = async (...answers: Answer[]) => {
  server = await serve(BYTES, answers);
  return { url: new URL(name, server.url).href, name, sha256, size: undefined };
};

const cacheStorage = () => ({
  open: async () => ({
    match: async (key: string) => (cached.has(key) ? new Response(Buffer.from(cached.get(key) ?? [])) : undefined),
    put: async (key: string, response: Response) => void cached.set(key, new Uint8Array(await response.arrayBuffer())),
  }),
});

const privateFiles = () => {
  const folder = {
    getDirectoryHandle: async () => folder,
    getFileHandle: async (file: string, { create = false } = {}) => {
      if (!create && !files.has(file)) throw new Error("NotFoundError");
      return {
        getFile: async () => new Blob([Buffer.from(files.get(file) ?? [])]),
        createWritable: async () => ({
          write: async (bytes: Uint8Array) => void files.set(file, bytes.slice()),
          close: async () => {},
        }),
      };
    },
  };
  return { storage: { getDirectory: async () => folder } };
};

beforeEach(() => {
  cached = new Map();
  files = new Map();
  vi.stubGlobal("caches", cacheStorage());
  vi.stubGlobal("navigator", privateFiles());
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await server.close();
});

test("are kept in the Cache API, and checked each time", async () => {
  const request = await start();
  const seen: WeightsProgress[] = [];
  const bytes = await fetchWeights(request, { onProgress: (p) => seen.push(p) });
  expect(bytes).toEqual(BYTES);
  expect(seen[0]).toEqual({ url: request.url, received: 0, total: BYTES.length });
  expect(seen.at(-1)?.received).toBe(BYTES.length);
  expect(await fetchWeights(request, {})).toEqual(BYTES);
  expect(server.ranges).toEqual([""]);
  expect([cached.size, files.size]).toEqual([1, 0]);
  for (const key of cached.keys()) cached.set(key, Uint8Array.of(1, 2, 3));
  expect(await fetchWeights(request, {})).toEqual(BYTES);
  expect(server.ranges).toEqual(["", ""]);
});

test("without a Cache API they are kept in the private file system, and without both not at all", async () => {
  const request = await start();
  vi.stubGlobal("caches", undefined);
  await fetchWeights(request, {});
  expect(await fetchWeights(request, {})).toEqual(BYTES);
  expect(server.ranges).toEqual([""]);
  expect([...files.keys()]).toEqual([name]);
  vi.stubGlobal("navigator", {});
  expect(await fetchWeights(request, {})).toEqual(BYTES);
  expect(server.ranges).toEqual(["", ""]);
});

test("an interrupted download goes on where it stopped; one without a checksum starts anew", async () => {
  const request = await start({ breakAfter: 40_000 }, {}, { breakAfter: 40_000 });
  expect(await fetchWeights(request, {})).toEqual(BYTES);
  expect(server.ranges[1]).toMatch(/^bytes=\d+-$/);
  expect(await fetchWeights({ ...request, name: "other.pth", sha256: undefined }, {})).toEqual(BYTES);
  expect(server.ranges.slice(2)).toEqual(["", ""]);
});

test("pieces of two versions are found out, and the file fetched in one go", async () => {
  const request = await start({ breakAfter: 40_000, bytes: BYTES.map((byte) => byte ^ 1) });
  expect(await fetchWeights(request, {})).toEqual(BYTES);
  expect(server.ranges).toEqual(["", expect.stringMatching(/^bytes=/), ""]);
});

test("another file, none, no network, and a signal", async () => {
  const request = await start({}, { status: 404 }, { status: 503 }, {});
  const wrong = fetchWeights({ ...request, sha256: "00000000" }, {});
  await expect(wrong).rejects.toThrow(DataError);
  await expect(wrong).rejects.toThrow(`has sha256 ${sha256}`);
  await expect(fetchWeights(request, {})).rejects.toThrow(/answered 404/);
  expect(cached.size).toBe(0);
  expect(await fetchWeights(request, {})).toEqual(BYTES);
  const stopped = fetchWeights({ ...request, name: "x" }, { signal: AbortSignal.abort(new Error("stop")) });
  await expect(stopped).rejects.toThrow("stop");
  await server.close();
  const offline = fetchWeights({ ...request, name: "y" }, { retries: 0 });
  await expect(offline).rejects.toThrow(DataError);
  await expect(offline).rejects.toThrow(request.url);
});
