// Files of weights in a browser: kept in the Cache API or the origin's private file system, downloaded by fetch.
import { DataError } from "../errors.ts";
import type { WeightsDownload, WeightsRequest } from "../vision/models/weights-entry.ts";

const CACHE = "wgrad-weights";
const RETRY_DELAY = 500;

/** A place that keeps files from visit to visit. What it cannot do it rejects. */
interface Store {
  get(name: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  put(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** The Cache API, in which files have addresses: those of no server. */
const cacheStore: Store = {
  async get(name) {
    const found = await (await caches.open(CACHE)).match(`https://weights.invalid/${name}`);
    return found && new Uint8Array(await found.arrayBuffer());
  },
  async put(name, bytes) {
    await (await caches.open(CACHE)).put(`https://weights.invalid/${name}`, new Response(bytes));
  },
};

/** The origin's private file system. */
const fileStore: Store = {
  async get(name) {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(CACHE, { create: true });
    const file = await (await folder.getFileHandle(name)).getFile();
    return new Uint8Array(await file.arrayBuffer());
  },
  async put(name, bytes) {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(CACHE, { create: true });
    const file = await (await folder.getFileHandle(name, { create: true })).createWritable();
    await file.write(bytes);
    await file.close();
  },
};

/** In this order. Private windows, old browsers and full disks lack the one or the other. */
const STORES = [cacheStore, fileStore];

/** What is not as it was published; undefined where all that is known agrees. */
async function mismatch(bytes: Uint8Array<ArrayBuffer>, { sha256, size }: WeightsRequest): Promise<string | undefined> {
  if (size !== undefined && bytes.length !== size) return `has ${bytes.length} bytes, but ${size} were expected`;
  if (sha256 === undefined) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const actual = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return actual.startsWith(sha256) ? undefined : `has sha256 ${actual}, but ${sha256} was expected`;
}

/** What has come of a file so far. */
interface Received {
  readonly chunks: Uint8Array[];
  bytes: number;
  /** Whether the chunks are of several answers. */
  resumed: boolean;
}

/** One request, its body added to what is there. */
async function transfer(request: WeightsRequest, received: Received, options: WeightsDownload): Promise<void> {
  const { url, sha256 } = request;
  const startAnew = () => {
    received.chunks.length = 0;
    received.bytes = 0;
  };
  // Without a checksum nothing tells pieces of two versions apart.
  if (sha256 === undefined) startAnew();
  const have = received.bytes;
  const signal = options.signal as AbortSignal | undefined;
  const headers: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {};
  const response = await fetch(url, { headers, ...(signal && { signal }) });
  const { status } = response;
  if (status !== 200 && status !== 206) {
    const answer = `the server answered ${status} ${response.statusText}`.trimEnd();
    startAnew();
    if (status >= 500 || status === 429 || status === 408 || status === 416) throw new Error(answer);
    throw new DataError(`${answer}; expected 200 OK`);
  }
  if (status === 200) startAnew();
  received.resumed = status === 206;
  const length = response.headers.get("content-length");
  const total = request.size ?? (length === null ? undefined : received.bytes + Number(length));
  options.onProgress?.({ url, received: received.bytes, total });
  const reader = response.body?.getReader();
  for (;;) {
    const { done = true, value } = (await reader?.read()) ?? {};
    if (done || !value) break;
    received.chunks.push(value);
    received.bytes += value.length;
    options.onProgress?.({ url, received: received.bytes, total });
  }
  // Where the body came packed its length says nothing.
  if (total !== undefined && received.bytes < total && !response.headers.has("content-encoding"))
    throw new Error(`${received.bytes} bytes came of ${total}`);
}

async function download(request: WeightsRequest, options: WeightsDownload): Promise<Uint8Array<ArrayBuffer>> {
  const { url, name } = request;
  const { retries = 3 } = options;
  const signal = options.signal as AbortSignal | undefined;
  const received: Received = { chunks: [], bytes: 0, resumed: false };
  for (let attempt = 0; ; attempt++) {
    const before = received.bytes;
    try {
      signal?.throwIfAborted();
      await transfer(request, received, options);
      const bytes = new Uint8Array(received.bytes);
      let at = 0;
      for (const chunk of received.chunks) {
        bytes.set(chunk, at);
        at += chunk.length;
      }
      const wrong = await mismatch(bytes, request);
      if (wrong === undefined) return bytes;
      received.chunks.length = 0;
      received.bytes = 0;
      // Pieces may have been of two versions.
      if (!received.resumed) throw new DataError(`it ${wrong}`);
    } catch (error) {
      signal?.throwIfAborted();
      if (received.bytes > before) attempt = 0;
      if (error instanceof DataError || attempt >= retries) {
        const why = error instanceof Error ? error.message : String(error);
        throw new DataError(
          `[loadWeights] ${name} is not in this browser's cache, and ${url} could not be downloaded: ${why}. Check the network, and that the server allows this origin (CORS); or put the file on a server of your own and pass { url }`,
          { cause: error },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY * 2 ** attempt));
    }
  }
}

/** A file of weights, from the browser's caches or the network. See `loadWeights`. */
export async function fetchWeights(
  request: WeightsRequest,
  options: WeightsDownload,
): Promise<Uint8Array<ArrayBuffer>> {
  for (const store of STORES) {
    const kept = await store.get(request.name).catch(() => undefined);
    if (kept && (await mismatch(kept, request)) === undefined) return kept;
  }
  const bytes = await download(request, options);
  for (const store of STORES) {
    const isKept = await store.put(request.name, bytes).then(
      () => true,
      () => false,
    );
    if (isKept) break;
  }
  return bytes;
}
