// Downloading one file: streamed to disk, resumed after an interruption, checked, and put in place in one step.

import { stat } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { dirname } from "node:path";
import { pipeline, type Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { DataError } from "../errors.ts";
import type { GlobalType } from "../gpu/global-type.ts";
import { makeFolder } from "./cache.ts";
import { type Checksum, checksumMismatch, parseChecksum } from "./checksum.ts";
import { get, networkMessage, parseAddress } from "./http.ts";
import { PartFile } from "./part-file.ts";

/** How far a download is. */
export interface DownloadProgress {
  /** What is downloaded. */
  url: string;
  /** Bytes on disk so far, those of an interrupted download included. */
  received: number;
  /** The file's size in bytes, where the server tells it. */
  total: number | undefined;
}

/** What `download` takes: a checksum, and how patient it is. */
export interface DownloadOptions extends Checksum {
  /** The file's size in bytes: an answer of another one is refused before it is read. Default: what the server says. */
  size?: number;
  /** Called as bytes come in. Default: nobody is told. */
  onProgress?: (progress: DownloadProgress) => void;
  /** Stops the download with the signal's reason; what has come stays on disk, to be resumed. Default: none. */
  signal?: GlobalType<"AbortSignal">;
  /** How often to try again after a failed connection or a server's error, counted anew after each progress; 3 by default. */
  retries?: number;
  /** Milliseconds without a byte after which a connection counts as failed; 30,000 by default. */
  stallTimeout?: number;
  /** Milliseconds before the first new try, doubled for each one after it; 500 by default. A server's Retry-After counts. */
  retryDelay?: number;
}

/** The longest that a server's Retry-After is waited for, in milliseconds. */
const MAX_WAIT = 60_000;

/**
 * Downloads `url` to the file `dest` and returns `dest`. A `dest` whose checksum matches already is left alone.
 *
 * The bytes go to a file of another name beside it, which becomes `dest` by renaming once it is complete and its checksum
 * matches; several calls and processes may fetch the same file at once. An interrupted download goes on where it stopped,
 * if the server supports ranges and says that the file is the same (ETag, Last-Modified, size); from one call to the next
 * only with a checksum, which proves that the pieces belong together. Redirects never lead from https to http.
 *
 * Without a checksum or `size`, a file whose length the server does not tell may be cut off unnoticed.
 *
 * @throws DataError for an answer other than success, a connection that keeps failing or stalls, a wrong size or checksum,
 *   or a disk that cannot be written to; ValueError for an address that is not http or https; the signal's reason when aborted
 */
export async function download(url: string, dest: string, options: DownloadOptions = {}): Promise<string> {
  const hasChecksum = parseChecksum(options) !== undefined;
  const address = parseAddress("download", url);
  options.signal?.throwIfAborted();
  await makeFolder(dirname(dest));
  const isThere = async () => (await fileSize(dest)) > 0 && !(await checksumMismatch(dest, options));
  if (hasChecksum && (await isThere())) return dest;

  const part = await PartFile.open(dest, hasChecksum);
  const kept = part.length;
  let state: "unfinished" | "wrong" | "done" = "unfinished";
  try {
    await transferWithRetries({ url, address, part, hasChecksum, known: null, options, furthest: kept });
    const wrong = await checksumMismatch(part.path, options);
    if (!wrong) {
      await part.finish();
      state = "done";
      return dest;
    }
    state = "wrong";
    if (kept === 0)
      throw new DataError(
        `[download] ${url} has ${wrong.actual}, but ${wrong.expected} was expected; the download was deleted. Try again; if ` +
          "it stays so, something between here and the server alters the file, or it was replaced there",
      );
  } catch (error) {
    options.signal?.throwIfAborted();
    // Where a file cannot be renamed while others read it, theirs is as good.
    if (state === "unfinished" && hasChecksum && (await isThere())) return dest;
    throw error;
  } finally {
    if (state !== "done") await part.abandon(hasChecksum && state === "unfinished");
  }
  // The piece left by an earlier call may have been of another file: only a download in one go tells.
  return download(url, dest, options);
}

interface Transfer {
  readonly url: string;
  readonly address: URL;
  readonly part: PartFile;
  readonly hasChecksum: boolean;
  readonly options: DownloadOptions;
  /** What the server said of the file that the part begins with; null for a part of an earlier call. */
  known: Version | null;
  /** The most bytes that were ever there. */
  furthest: number;
}

/** What tells two versions of a file apart. */
interface Version {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly total: number | undefined;
  /** The server packed it although it was asked not to: pieces of it cannot be asked for. */
  readonly packed: boolean;
}

/** A failure that another try may mend, `wait` milliseconds from now at the earliest. */
class TransientError extends Error {
  readonly wait: number;

  constructor(message: string, { wait = 0, cause }: { wait?: number; cause?: unknown } = {}) {
    super(message, { cause });
    this.wait = wait;
  }
}

async function transferWithRetries(state: Transfer): Promise<void> {
  const { retries = 3, retryDelay = 500, signal } = state.options;
  for (let attempt = 0; ; attempt++) {
    const before = state.furthest;
    try {
      while (!(await transfer(state)));
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof TransientError)) throw error;
      if (state.furthest > before) attempt = 0;
      if (attempt >= retries || error.wait > MAX_WAIT) throw gaveUp(state.url, attempt + 1, error);
      const wait = Math.max(error.wait, retryDelay * 2 ** attempt);
      await delay(wait, undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}

/** One request, its body appended to the part file. Returns whether that is complete. */
async function transfer(state: Transfer): Promise<boolean> {
  const { address, part, options } = state;
  const connection = new Connection(options.signal, options.stallTimeout ?? 30_000);
  try {
    const validator = state.known && (strong(state.known.etag) ?? state.known.lastModified);
    // Without a validator or a checksum nothing tells a piece of another version from one of this.
    if (state.known ? state.known.packed || !(validator || state.hasChecksum) : !state.hasChecksum) await part.clear();
    const have = part.length;
    const headers: Record<string, string> = { "accept-encoding": "identity" };
    if (have > 0) headers.range = `bytes=${have}-`;
    if (have > 0 && validator) headers["if-range"] = validator;
    const response = await connection.run(() => get(address, headers, connection.signal));
    const range = contentRange(response);
    const { statusCode: status = 0 } = response;
    if (status === 416 && have > 0) {
      // The server has no byte after ours: the part is complete, or of something else.
      if (range?.total === have && (options.size ?? have) === have) return true;
      return await startAnew(state, "the server refused the range to resume from");
    }
    if (status !== 200 && status !== 206) throw badStatus(state.url, response);

    const length = wholeNumber(response.headers["content-length"]);
    const unpack = unpacker(address, response);
    const version: Version = {
      etag: response.headers.etag,
      lastModified: response.headers["last-modified"],
      total: status === 206 ? (range?.total ?? state.known?.total) : unpack ? undefined : length,
      packed: unpack !== null,
    };
    let end = version.total;
    if (status === 206) {
      const told = response.headers["content-range"];
      const fits = range?.start === have && isOf(range, length) && version.total !== undefined && !unpack;
      if (!fits || range.end === undefined)
        return await startAnew(state, `the server answered a request from byte ${have} with Content-Range "${told}"`);
      if (have > 0 && state.known && isOther(state.known, version))
        return await startAnew(state, "the file changed on the server");
      end = range.end + 1;
    } else if (have > 0) await part.clear();
    const { total } = version;
    if (total !== undefined && options.size !== undefined && total !== options.size)
      throw new DataError(
        `[download] ${state.url} has ${total} bytes, but ${options.size} were expected: it was replaced there, or something between here and the server answers in its place`,
      );
    state.known = status === 206 && have > 0 ? { ...version, ...defined(state.known) } : version;

    await saveBody(unpack ? pipeline(response, unpack, () => {}) : response, end, total, state, connection);
    if (end !== undefined && part.length < end)
      throw new TransientError(`${part.length} bytes came of ${total ?? end}`);
    const missing = (total ?? options.size ?? part.length) - part.length;
    if (missing !== 0 && total === undefined)
      return await startAnew(state, `${part.length} bytes came, but ${options.size} were expected`);
    // A server may answer with less than it was asked for.
    return missing === 0;
  } finally {
    connection.close();
  }
}

async function startAnew({ part }: Transfer, why: string): Promise<never> {
  await part.clear();
  throw new TransientError(why);
}

async function saveBody(
  body: Readable,
  end: number | undefined,
  total: number | undefined,
  state: Transfer,
  connection: Connection,
): Promise<void> {
  const { url, part, options } = state;
  const most = end ?? options.size ?? Number.POSITIVE_INFINITY;
  options.onProgress?.({ url, received: part.length, total });
  const chunks = body[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await connection.run(() => chunks.next());
    if (done) break;
    if (part.length + value.length > most) await startAnew(state, `more than the announced ${most} bytes came`);
    await part.append(value);
    state.furthest = Math.max(state.furthest, part.length);
    options.onProgress?.({ url, received: part.length, total });
  }
  await part.sync();
}

/** The abort signal of one request: the caller's, or no byte for too long. */
class Connection {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #stallTimeout: number;
  readonly #abort = () => this.#controller.abort(this.#caller?.reason);

  constructor(caller: AbortSignal | undefined, stallTimeout: number) {
    this.#caller = caller;
    this.#stallTimeout = stallTimeout;
    caller?.addEventListener("abort", this.#abort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Waits for the network, but not longer than the stall timeout; failures become `TransientError`. */
  async run<T>(wait: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const stall = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new TransientError(`no byte came for ${this.#stallTimeout / 1000} s`));
      }, this.#stallTimeout);
    });
    try {
      return await Promise.race([wait(), stall]);
    } catch (error) {
      this.#caller?.throwIfAborted();
      if (error instanceof DataError || error instanceof TransientError) throw error;
      throw new TransientError(networkMessage(error), { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Lets go of the socket and of the caller's signal. */
  close(): void {
    this.#caller?.removeEventListener("abort", this.#abort);
    this.#controller.abort();
  }
}

function gaveUp(url: string, attempts: number, error: TransientError): DataError {
  const wait = error.wait > MAX_WAIT ? `, and asks to wait ${Math.ceil(error.wait / 1000)} s` : "";
  return new DataError(
    `[download] ${url} could not be downloaded in ${attempts} attempt${attempts === 1 ? "" : "s"}: ${error.message}${wait}. Check ` +
      "the network (and proxy) and try again, which resumes; or fetch the file by other means and pass its path",
    { cause: error },
  );
}

function badStatus(url: string, { statusCode: status = 0, statusMessage = "", headers }: IncomingMessage): Error {
  const answer = `the server answered ${status} ${statusMessage}`.trimEnd();
  if (status >= 500 || status === 429 || status === 408)
    return new TransientError(answer, { wait: retryAfter(headers["retry-after"]) });
  return new DataError(
    `[download] ${url}: ${answer}; expected 200 OK. Check the address, or fetch the file by other means and pass its path`,
  );
}

/** Milliseconds to wait, of seconds or a date. */
function retryAfter(text: string | undefined): number {
  if (text === undefined) return 0;
  const seconds = wholeNumber(text);
  const wait = seconds === undefined ? Date.parse(text) - Date.now() : 1000 * seconds;
  return Number.isFinite(wait) ? Math.max(0, wait) : 0;
}

interface ContentRange {
  readonly start: number | undefined;
  readonly end: number | undefined;
  readonly total: number | undefined;
}

/** `Content-Range: bytes 100-199/200`, or for 416 its form without positions. */
function contentRange({ headers }: IncomingMessage): ContentRange | undefined {
  const match = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(headers["content-range"]?.trim() ?? "");
  if (!match) return undefined;
  return { start: wholeNumber(match[1]), end: wholeNumber(match[2]), total: wholeNumber(match[3]) };
}

/** Whether a range agrees with itself and with the length of the body. */
const isOf = ({ start = 0, end = 0, total = Number.POSITIVE_INFINITY }: ContentRange, length: number | undefined) =>
  start <= end && end < total && (length === undefined || length === end - start + 1);

/** Whether the server says that the file is another one now. What it does not say does not count. */
const isOther = (a: Version, b: Version): boolean =>
  (["etag", "lastModified", "total"] as const).some(
    (key) => a[key] !== undefined && b[key] !== undefined && a[key] !== b[key],
  );

const defined = (version: Version | null): Partial<Version> =>
  Object.fromEntries(Object.entries(version ?? {}).filter(([, value]) => value !== undefined));

/** An ETag that proves equal bytes, not only equal meaning. */
const strong = (etag: string | undefined): string | undefined => (etag?.startsWith('"') ? etag : undefined);

const wholeNumber = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text.trim()) ? Number(text) : undefined;

/**
 * What unpacks a body that the server packed although it was asked not to; null where the body is the file. Of a file that is
 * packed itself, an archive, some servers say so in this header: it is to be kept as it is.
 */
function unpacker({ pathname }: URL, { headers }: IncomingMessage) {
  const encoding = (headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (encoding === "identity" || encoding === "") return null;
  const gzip = encoding === "gzip" || encoding === "x-gzip";
  if (gzip) return /\.t?gz$/i.test(pathname) ? null : createGunzip();
  if (encoding === "br") return createBrotliDecompress();
  if (encoding === "deflate") return createInflate();
  throw new DataError(`[download] the server packs ${pathname} as "${encoding}", which is not known: expected gzip`);
}

async function fileSize(path: string): Promise<number> {
  const info = await stat(path).catch(() => undefined);
  return info?.isFile() ? info.size : 0;
}
