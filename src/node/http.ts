// One GET request: redirects followed but never from https to http, and the body as the server sent it. `fetch` would unpack
// bodies by itself, also archives that a server declares as "Content-Encoding: gzip", and tell neither of the two.
import { get as httpGet, type IncomingMessage } from "node:http";
import { get as httpsGet } from "node:https";
import { basename } from "node:path";
import { check, DataError, ValueError } from "../errors.ts";

const MAX_REDIRECTS = 10;
const REDIRECTS = [301, 302, 303, 307, 308];

/** An http or https address. Throws `ValueError` for anything else. */
export function parseAddress(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  check(
    url?.protocol === "http:" || url?.protocol === "https:",
    () => `[${name}] ${JSON.stringify(text)} is no http or https address`,
    ValueError,
  );
  return url;
}

/** The file name that an address ends in; throws `ValueError` where it has none. */
export function fileNameOf(name: string, address: string): string {
  const file = basename(parseAddress(name, address).pathname);
  check(file !== "", () => `[${name}] ${address} ends in no file name`, ValueError);
  return file;
}

/**
 * The answer to a GET request, once its headers are there. Rejects with what the system reports, or with the signal's reason.
 * @throws DataError for redirects that go on and on, or to where none may lead
 */
export async function get(
  address: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  let url = address;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const response = await request(url, headers, signal);
    const { location } = response.headers;
    if (!REDIRECTS.includes(response.statusCode ?? 0) || location === undefined) return response;
    response.destroy();
    url = redirectTarget(url, location);
  }
  throw new DataError(`[download] ${address} redirects more than ${MAX_REDIRECTS} times: check the address`);
}

/** Where a redirect from `from` leads. Throws `DataError` for what is neither https nor http, or from https to http. */
export function redirectTarget(from: URL, location: string): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  const allowed = from.protocol === "https:" ? ["https:"] : ["http:", "https:"];
  if (to && allowed.includes(to.protocol)) return to;
  throw new DataError(
    `[download] ${from} redirects to ${location}, which is not followed: expected an address of ${allowed.join(" or ")}`,
  );
}

function request(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<IncomingMessage> {
  const send = url.protocol === "https:" ? httpsGet : httpGet;
  // A connection of its own: one that is kept alive may be closed just when it is used again.
  return new Promise((resolve, reject) => send(url, { headers, signal, agent: false }, resolve).on("error", reject));
}

/** What the system reports, in one line. */
export function networkMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Several addresses were tried (IPv6 and IPv4): the errors say what happened, the whole says nothing.
  if (error instanceof AggregateError) return error.errors.map(networkMessage).join("; ");
  return error.message || ("code" in error ? String(error.code) : error.name);
}
