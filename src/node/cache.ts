// The folder that downloads and computed files are kept in from run to run.
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import envPaths from "env-paths";
import { check, DataError, told, ValueError } from "../errors.ts";

/**
 * The cache folder's path, or that of something in it: `WGRAD_CACHE` where it is set, else the system's own place
 * (`~/.cache/wgrad`, `~/Library/Caches/wgrad`, `%LOCALAPPDATA%\wgrad\Cache`). Nothing is created.
 */
export function cachePath(...parts: string[]): string {
  for (const part of parts)
    check(typeof part === "string", () => `[cachePath] parts of a path are texts, got ${told(part)}`, ValueError);
  const root = process.env.WGRAD_CACHE || envPaths("wgrad", { suffix: "" }).cache;
  return join(resolve(root), ...parts);
}

/** Creates a folder, with those above it. Throws `DataError` where the system does not allow it. */
export async function makeFolder(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw new DataError(
      `[cache] the folder ${path} cannot be created; choose another one (for the cache: set WGRAD_CACHE to a folder that can be written to)`,
      { cause },
    );
  }
  return path;
}
