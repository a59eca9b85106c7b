// Unpacking gzip, in Node and the browser, no further than a limit.
import { FormatError } from "../errors.ts";

const CHUNK_BYTES = 1 << 20;

/**
 * The bytes in a gzip file.
 *
 * @param name what is called, and `source` the file's name, for error messages
 * @param limit how many bytes it may unpack to
 * @throws FormatError where it is damaged or truncated, or unpacks to more
 */
export async function gunzip(name: string, archive: Uint8Array, source: string, limit: number): Promise<ArrayBuffer> {
  let at = 0;
  // Small pieces: the whole archive as one chunk would be copied and inflated in one go, doubling peak memory.
  const pieces = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (at >= archive.length) return controller.close();
      controller.enqueue(archive.slice(at, at + CHUNK_BYTES));
      at += CHUNK_BYTES;
    },
  });
  let unpacked = 0;
  const meter = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(piece, controller) {
      unpacked += piece.length;
      if (unpacked > limit) {
        throw new FormatError(
          `[${name}] ${source} unpacks to more than ${limit} bytes from ${archive.length}; if you trust it, unpack it ` +
            "and pass the folder",
        );
      }
      controller.enqueue(piece);
    },
  });
  try {
    return await new Response(pieces.pipeThrough(new DecompressionStream("gzip")).pipeThrough(meter)).arrayBuffer();
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(
      `[${name}] ${source} is damaged or truncated: the compressed data breaks off or fails its check. Fetch it again`,
      { cause },
    );
  }
}
