// What lies at a path, and its bytes.
import { readFile, stat } from "node:fs/promises";
import { DataError } from "../errors.ts";

/** Whether there is a file or a folder; undefined for neither. */
export async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  const info = await stat(path).catch(() => undefined);
  return info?.isFile() ? "file" : info?.isDirectory() ? "folder" : undefined;
}

/** A file's bytes, or undefined where there is no file. Throws `DataError` where it cannot be read. */
export async function readIfThere(name: string, path: string): Promise<Uint8Array | undefined> {
  return (await kindOf(path)) === "file" ? readOrThrow(name, path) : undefined;
}

/** A file's bytes. Throws `DataError` where it cannot be read. */
export async function readOrThrow(name: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new DataError(`[${name}] ${path} cannot be read: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}
