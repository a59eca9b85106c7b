// The files in a tar or a `.tar.gz`, from bytes, in Node and the browser.
import { parseTar } from "nanotar";
import { FormatError } from "../errors.ts";
import { gunzip } from "./gunzip.ts";

const BLOCK_BYTES = 512;
/** More entries than archives of data sets or weights have. */
const MAX_ENTRIES = 10_000;
/** The parser merges headers for all files with one another: many would take it long. */
const MAX_GLOBAL_HEADERS = 16;
/** Bytes of long names and the like, which are not in the headers themselves. */
const MAX_EXTENSIONS = 1 << 20;

/**
 * The regular files of a `.tar.gz` by path. They are views of one buffer.
 *
 * @param archive the bytes of the archive
 * @param source the archive's name, for error messages
 * @param limit how many bytes it may unpack to, where that is more than twice the archive and 16 MB
 * @throws FormatError where the bytes are not gzip, are damaged or truncated, hold no tar, or unpack to more
 */
export async function readTarGzip(archive: Uint8Array, source: string, limit = 0): Promise<Map<string, Uint8Array>> {
  if (archive[0] !== 0x1f || archive[1] !== 0x8b) {
    throw new FormatError(
      `[readTarGzip] ${source} does not start like gzip (${archive.length} bytes); expected a .tar.gz archive. ` +
        "A web page saved in its place looks like this: fetch it again",
    );
  }
  return filesOf(await gunzip("readTarGzip", archive, source, Math.max(limit, 2 * archive.length + 2 ** 24)), source);
}

/** The regular files of a tar by path, views of a copy of `tar`. Errors as for `readTarGzip`. */
export function readTar(tar: Uint8Array, source: string): Map<string, Uint8Array> {
  return filesOf(tar.slice().buffer, source); // the parser looks at the whole buffer
}

function filesOf(tar: ArrayBuffer, source: string): Map<string, Uint8Array> {
  checkEntries(tar, source);
  const files = new Map<string, Uint8Array>();
  for (const { name, data } of parseTar(tar, { filter: ({ type }) => type === "file" })) {
    files.set(name, data ?? new Uint8Array());
  }
  return files;
}

/**
 * Walks the headers as the parser will: it looks at no checksum and no bounds, and a size below 0 would have it go back
 * to an entry that it has read, for ever.
 */
function checkEntries(tar: ArrayBuffer, source: string): void {
  const bytes = new Uint8Array(tar);
  let entries = 0;
  let globals = 0;
  let extensions = 0;
  for (let at = 0; at === 0 || at < bytes.length - BLOCK_BYTES; ) {
    const header = bytes.subarray(at, at + BLOCK_BYTES);
    if (header[0] === 0 && at > 0) return;
    const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
    if (octal(header.subarray(148, 156)) !== sum) {
      if (at > 0) throw damaged(source, `the tar's header at byte ${at} fails its check`);
      throw new FormatError(
        `[readTarGzip] ${source} holds ${bytes.length} bytes that are not a tar; expected a tar archive`,
      );
    }
    const size = octal(header.subarray(124, 136));
    if (Number.isNaN(size)) throw damaged(source, `the tar has an entry whose size is not a number of at least 0`);
    if (size > bytes.length - at - BLOCK_BYTES) throw damaged(source, "the tar ends in the middle of a file");
    entries++;
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === "g") globals++;
    if ("xgLNK".includes(type)) extensions += size;
    if (entries > MAX_ENTRIES || globals > MAX_GLOBAL_HEADERS || extensions > MAX_EXTENSIONS) {
      throw damaged(
        source,
        `the tar has more than ${MAX_ENTRIES} entries, or names of more than ${MAX_EXTENSIONS} bytes`,
      );
    }
    at += BLOCK_BYTES * (1 + Math.ceil(size / BLOCK_BYTES));
  }
}

/** A field in octal digits, after spaces and before spaces and zero bytes; NaN for anything else. */
function octal(field: Uint8Array): number {
  const digits = /^ *([0-7]+)[ \0]*$/.exec(String.fromCharCode(...field))?.[1];
  return digits === undefined ? Number.NaN : Number.parseInt(digits, 8);
}

function damaged(source: string, what: string, cause?: unknown): FormatError {
  return new FormatError(`[readTarGzip] ${source} is damaged or truncated: ${what}. Fetch it again`, { cause });
}
