// The files in a `.tar.gz`, from bytes, in Node and the browser.
import { parseTar } from "nanotar";
import { FormatError } from "../../errors.ts";

const HEADER_BYTES = 512;
const CHUNK_BYTES = 1 << 20;

/**
 * The regular files of a `.tar.gz` by path. They are views of one buffer.
 *
 * @param archive the bytes of the archive
 * @param source the archive's name, for error messages
 * @throws FormatError where the bytes are not gzip, are damaged or truncated, or hold no tar
 */
export async function readTarGzip(archive: Uint8Array, source: string): Promise<Map<string, Uint8Array>> {
  if (archive[0] !== 0x1f || archive[1] !== 0x8b) {
    throw new FormatError(
      `[readTarGzip] ${source} does not start like gzip (${archive.length} bytes); expected a .tar.gz archive. ` +
        "A web page saved in its place looks like this: fetch it again",
    );
  }
  const tar = await gunzip(archive, source);
  checkTarHeader(tar, source);
  const files = new Map<string, Uint8Array>();
  try {
    const isFile = ({ type, size = 0 }: { type?: string; size?: number }) => {
      // The parser would go back to an entry that it has read, for ever.
      if (size < 0) throw damaged(source, "an entry of the tar inside has a negative size");
      return type === "file";
    };
    for (const entry of parseTar(tar, { filter: isFile })) {
      files.set(entry.name, entry.data ?? new Uint8Array());
    }
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    // The parser reads past the end of a tar that was cut within a file.
    throw damaged(source, "the tar inside ends in the middle of a file", cause);
  }
  return files;
}

async function gunzip(archive: Uint8Array, source: string): Promise<ArrayBuffer> {
  let at = 0;
  // Small pieces: the whole archive as one chunk would be copied and inflated in one go, doubling peak memory.
  const pieces = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (at >= archive.length) return controller.close();
      controller.enqueue(archive.slice(at, at + CHUNK_BYTES));
      at += CHUNK_BYTES;
    },
  });
  try {
    return await new Response(pieces.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  } catch (cause) {
    throw damaged(source, "the compressed data breaks off or fails its check", cause);
  }
}

/** A tar header ends its sums with a checksum over itself; the parser does not look at it. */
function checkTarHeader(tar: ArrayBuffer, source: string): void {
  const header = new Uint8Array(tar, 0, Math.min(HEADER_BYTES, tar.byteLength));
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  const field = new TextDecoder().decode(header.subarray(148, 156));
  if (header.length < HEADER_BYTES || Number.parseInt(field, 8) !== sum) {
    throw new FormatError(
      `[readTarGzip] ${source} is gzip, but what it holds (${tar.byteLength} bytes) is not a tar; expected a .tar.gz archive`,
    );
  }
}

function damaged(source: string, what: string, cause?: unknown): FormatError {
  return new FormatError(`[readTarGzip] ${source} is damaged or truncated: ${what}. Fetch it again`, { cause });
}
