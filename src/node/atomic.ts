// Writing a file so that a reader, or the next run after a crash, sees either the old file or the whole new one.
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { check, told, ValueError } from "../errors.ts";
import { checkPath, makeFolder } from "./cache.ts";
import { onDisk } from "./disk.ts";
import { sweep, temporaryPath } from "./temporary.ts";

const ENDING = "tmp";

/**
 * Writes `data` to `path`: into a temporary file beside it, flushed to the disk, then renamed. Folders are created, and
 * temporary files removed that a killed process left there. On failure the old file stays.
 * @throws DataError with the reason where the system does not allow it, such as a full disk.
 */
export async function writeFileAtomic(path: string, data: Uint8Array | string): Promise<void> {
  checkPath("writeFileAtomic", path);
  check(
    typeof data === "string" || data instanceof Uint8Array,
    () => `[writeFileAtomic] data is text or a Uint8Array, got ${told(data)}`,
    ValueError,
  );
  await makeFolder(dirname(path));
  await sweep(path, ENDING);
  const temporary = temporaryPath(path, ENDING);
  const bytes = typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
  await onDisk(
    "writeFileAtomic",
    path,
    async () => {
      try {
        const file = await open(temporary, "wx");
        try {
          await file.writeFile(data);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
    { bytes },
  );
}
