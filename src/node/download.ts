// Downloading one file: streamed to disk, resumed after an interruption, checked, and put in place in one step.
import { randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DataError } from "../errors.ts";
import type { GlobalType } from "../gpu/global-type.ts";
import { makeFolder } from "./cache.ts";
import { type Checksum, checksumMismatch, parseChecksum } from "./checksum.ts";

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
  /** Called as bytes come in. Default: nobody is told. */
  onProgress?: (progress: DownloadProgress) => void;
  /** Stops the download with the signal's reason; what has come stays on disk, to be resumed. Default: none. */
  signal?: GlobalType<"AbortSignal">;
  /** How often to try again after a failed connection or a server's error; 3 by default. */
  retries?: number;
  /** Milliseconds without a byte after which a connection counts as failed; 30,000 by default. */
  stallTimeout?: number;
  /** Milliseconds before the first new try, doubled for each one after it; 500 by default. */
  retryDelay?: number;
}

/**
 * Downloads `url` to the file `dest` and returns `dest`. A `dest` whose checksum matches already is left alone.
 *
 * The bytes go to `dest.part`, which becomes `dest` by renaming once it is complete and its checksum matches. An
 * interrupted download goes on where it stopped, if the server supports ranges; from one call to the next only with a
 * checksum, which proves that the pieces belong together (without one, the part file has a random name).
 *
 * @throws DataError for an answer other than success, a connection that keeps failing or stalls, a wrong checksum, or a
 *   disk that cannot be written to; the signal's reason when aborted
 */
export async function download(url: string, dest: string, options: DownloadOptions = {}): Promise<string> {
  const hasChecksum = parseChecksum(options) !== undefined;
  options.signal?.throwIfAborted();
  await makeFolder(dirname(dest));
  if (hasChecksum && (await fileSize(dest)) > 0 && !(await checksumMismatch(dest, options))) return dest;

  // Without a checksum nothing would tell a piece of another version, or of another process, from ours.
  const part = hasChecksum ? `${dest}.part` : `${dest}.${randomUUID()}.part`;
  const kept = await fileSize(part);
  try {
    await transferWithRetries({ url, part, validator: undefined, options });
  } catch (error) {
    if (!hasChecksum) await rm(part, { force: true });
    throw error;
  }

  const wrong = await checksumMismatch(part, options);
  if (wrong) {
    await rm(part, { force: true });
    // The piece left by an earlier call may have been of another file: only a download in one go tells.
    if (kept > 0) return download(url, dest, options);
    throw new DataError(
      `[download] ${url} has ${wrong.actual}, but ${wrong.expected} was expected; the download was deleted. Try again; if ` +
        "it stays so, something between here and the server alters the file, or it was replaced there",
    );
  }
  await onDisk(dest, () => rename(part, dest));
  return dest;
}

interface Transfer {
  url: string;
  part: string;
  /** The strong ETag of the answer that the part file began with: a resumed piece must be of the same version. */
  validator: string | undefined;
  options: DownloadOptions;
}

/** A failure that another try may mend. */
class TransientError extends Error {}

async function transferWithRetries(state: Transfer): Promise<void> {
  const { retries = 3, retryDelay = 500, signal } = state.options;
  for (let attempt = 0; ; attempt++) {
    try {
      return await transfer(state);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof TransientError)) throw error;
      if (attempt >= retries) throw gaveUp(state.url, attempt + 1, error);
      await delay(retryDelay * 2 ** attempt, undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}

/** One request, its body appended to the part file. Returns once the part file is complete. */
async function transfer(state: Transfer): Promise<void> {
  const { url, part, options } = state;
  const connection = new Connection(options.signal, options.stallTimeout ?? 30_000);
  try {
    const have = await fileSize(part);
    const headers = new Headers({ "accept-encoding": "identity" });
    if (have > 0) {
      headers.set("range", `bytes=${have}-`);
      if (state.validator) headers.set("if-range", state.validator);
    }
    const response = await connection.run(() => fetch(url, { headers, signal: connection.signal }));
    if (response.status === 416) {
      await response.body?.cancel();
      // The server has no byte after ours: the part is complete, or of something else.
      if (have > 0 && contentRange(response)?.total === have) return;
      await rm(part, { force: true });
      throw new TransientError("the server refused the range to resume from");
    }
    if (response.status !== 200 && response.status !== 206) {
      await response.body?.cancel();
      throw badStatus(url, response);
    }

    const range = response.status === 206 ? contentRange(response) : undefined;
    if (response.status === 206 && range?.start !== have) {
      await response.body?.cancel();
      await rm(part, { force: true });
      throw new TransientError(
        `the server answered a request from byte ${have} with Content-Range "${response.headers.get("content-range")}"`,
      );
    }
    const etag = response.headers.get("etag");
    state.validator = etag?.startsWith('"') ? etag : undefined;
    const start = range ? have : 0;
    const total = range ? range.total : contentLength(response);
    const file = await onDisk(part, () => open(part, start > 0 ? "a" : "w"));
    try {
      const received = await saveBody(response, file, start, total, state, connection);
      if (total !== undefined && received !== total) {
        // More bytes than announced cannot be mended by resuming.
        if (received > total) await file.truncate(0);
        throw new TransientError(`${received} bytes came of ${total}`);
      }
    } finally {
      await file.close();
    }
  } finally {
    connection.close();
  }
}

async function saveBody(
  response: Response,
  file: FileHandle,
  start: number,
  total: number | undefined,
  { url, part, options }: Transfer,
  connection: Connection,
): Promise<number> {
  let received = start;
  options.onProgress?.({ url, received, total });
  const reader = response.body?.getReader();
  while (reader) {
    const { done, value } = await connection.run(() => reader.read());
    if (done) break;
    await onDisk(part, () => file.writeFile(value));
    received += value.length;
    options.onProgress?.({ url, received, total });
  }
  await onDisk(part, () => file.sync());
  return received;
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
    const stalled = new TransientError(`no byte came for ${this.#stallTimeout / 1000} s`);
    const timer = setTimeout(() => this.#controller.abort(stalled), this.#stallTimeout);
    try {
      return await wait();
    } catch (error) {
      this.#caller?.throwIfAborted();
      throw error === stalled ? stalled : new TransientError(networkMessage(error), { cause: error });
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
  return new DataError(
    `[download] ${url} could not be downloaded in ${attempts} attempt${attempts === 1 ? "" : "s"}: ${error.message}. Check ` +
      "the network (and proxy) and try again, which resumes; or fetch the file by other means and pass its path",
    { cause: error },
  );
}

function badStatus(url: string, { status, statusText }: Response): Error {
  const answer = `the server answered ${status} ${statusText}`.trimEnd();
  if (status >= 500 || status === 429 || status === 408) return new TransientError(answer);
  return new DataError(
    `[download] ${url}: ${answer}; expected 200 OK. Check the address, or fetch the file by other means and pass its path`,
  );
}

/** fetch says only "fetch failed"; what happened (ENOTFOUND, ECONNRESET) is in the cause. */
function networkMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

/** `Content-Range: bytes 100-199/200`, or for 416 its form without positions. */
function contentRange(response: Response): { start: number | undefined; total: number | undefined } | undefined {
  const match = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(response.headers.get("content-range")?.trim() ?? "");
  if (!match) return undefined;
  const [, start, total] = match;
  return { start: start ? Number(start) : undefined, total: total && total !== "*" ? Number(total) : undefined };
}

/** Undefined where the body is compressed on the way: its length is then another than the file's. */
function contentLength(response: Response): number | undefined {
  const length = response.headers.get("content-length");
  const encoded = (response.headers.get("content-encoding") ?? "identity") !== "identity";
  return length && !encoded ? Number(length) : undefined;
}

async function fileSize(path: string): Promise<number> {
  const info = await stat(path).catch(() => undefined);
  return info?.isFile() ? info.size : 0;
}

async function onDisk<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(
      `[download] ${path} cannot be written: ${why}. Make room, or choose another folder (the cache: set WGRAD_CACHE)`,
      { cause },
    );
  }
}
