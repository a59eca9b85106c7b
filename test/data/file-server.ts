// A local HTTP server for the download tests: serves bytes, with or without ranges, and fails as told.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

export interface Answer {
  /** Do not understand Range. */
  noRange?: boolean;
  /** Break the connection after so many bytes of this answer's body. */
  breakAfter?: number;
  /** Send so many bytes of the body and then nothing more. */
  stallAfter?: number;
  /** Never answer. */
  silent?: boolean;
  status?: number;
  /** Send this Content-Range whatever the body is. */
  contentRange?: string;
  /** No Content-Length: the body's end is the connection's. */
  noLength?: boolean;
  etag?: string;
  bytes?: Uint8Array;
  /** Redirect to this address. */
  location?: string;
  /** Further headers, which replace others of the same name. */
  headers?: Readonly<Record<string, string>>;
  /** Send the range even if If-Range names another version. */
  ignoreIfRange?: boolean;
  /** Bytes after those that were announced. */
  extra?: Uint8Array;
  /** Send no more than so many bytes of a range, as a range of its own. */
  pieces?: number;
  /** Send this body, whatever was asked for. */
  body?: Uint8Array;
}

export interface FileServer {
  url: string;
  /** The Range header of each request so far ("" for none). */
  ranges: string[];
  /** The If-Range header of each request so far ("" for none). */
  ifRanges: string[];
  close(): Promise<void>;
}

/** Serves `bytes` at any path under 127.0.0.1. The n-th request is answered as `answers[n]` says, later ones as `others`. */
export async function serve(
  bytes: Uint8Array,
  answers: readonly Answer[] = [],
  others: Answer = {},
): Promise<FileServer> {
  const ranges: string[] = [];
  const ifRanges: string[] = [];
  const server = createServer((request, response) => {
    const answer = answers[ranges.length] ?? others;
    ranges.push(request.headers.range ?? "");
    ifRanges.push(String(request.headers["if-range"] ?? ""));
    respond(request, response, answer.bytes ?? bytes, answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (!address || typeof address === "string") throw new Error("the test server has no port");
  return {
    url: `http://127.0.0.1:${address.port}/file.bin`,
    ranges,
    ifRanges,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function respond(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array, answer: Answer): void {
  if (answer.silent) return;
  if (answer.location !== undefined) {
    response.writeHead(answer.status ?? 302, { location: answer.location }).end();
    return;
  }
  if (answer.status) {
    response.writeHead(answer.status, answer.headers).end("an error page");
    return;
  }
  if (answer.body) {
    response.writeHead(200, answer.headers).end(answer.body);
    return;
  }
  if (answer.etag) response.setHeader("etag", answer.etag);
  const { range, "if-range": ifRange } = request.headers;
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
  let body = bytes;
  if (
    range &&
    !answer.noRange &&
    (ifRange === undefined ||
      answer.ignoreIfRange ||
      [answer.etag, answer.headers?.["last-modified"]].includes(String(ifRange)))
  ) {
    if (start >= bytes.length) {
      response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
      return;
    }
    body = bytes.subarray(start, start + (answer.pieces ?? bytes.length));
    response.statusCode = 206;
    const last = start + body.length - 1;
    response.setHeader("content-range", answer.contentRange ?? `bytes ${start}-${last}/${bytes.length}`);
  }
  if (!answer.noLength) response.setHeader("content-length", body.length);
  if (answer.extra) body = Uint8Array.of(...body, ...answer.extra);
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  const cut = answer.breakAfter ?? answer.stallAfter;
  if (cut === undefined) {
    response.end(body);
    return;
  }
  response.write(body.subarray(0, cut), () => {
    // Give the client time to read what was sent: a reset connection may drop it.
    if (answer.breakAfter !== undefined) setTimeout(() => response.destroy(), 30);
  });
}
