// The folder that downloads and computed files are kept in from run to run.
import { mkdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import envPaths from "env-paths";
import { check, told, ValueError } from "../errors.ts";
import { onDisk } from "./disk.ts";

/**
 * The cache folder's path, or that of something in it: `WGRAD_CACHE` where it is set, else the system's own place
 * (`~/.cache/wgrad`, `~/Library/Caches/wgrad`, `%LOCALAPPDATA%\wgrad\Cache`). Nothing is created.
 */
export function cachePath(...parts: string[]): string {
  for (const part of parts) checkPath("cachePath", part);
  const root = process.env.WGRAD_CACHE || envPaths("wgrad", { suffix: "" }).cache;
  return join(resolve(root), ...parts);
}

/** Throws unless `path` is text. */
export function checkPath(name: string, path: unknown): void {
  check(typeof path === "string", () => `[${name}] a path is a text, got ${told(path)}`, ValueError);
}

/** Creates a folder, with those above it. Throws `DataError` where the system does not allow it. */
export async function makeFolder(path: string): Promise<string> {
  const advice = "choose another one (for the cache: set WGRAD_CACHE to a folder that can be written to)";
  const make = async (folder: string): Promise<void> => {
    if ((await stat(folder).catch(() => undefined))?.isDirectory()) return;
    // Not mkdir's own recursion, which never ends where a folder cannot be made for a reason like /proc's.
    if (dirname(folder) !== folder) await make(dirname(folder));
    await mkdir(folder).catch(async (error) => {
      // Another process may have been faster.
      if (!(await stat(folder).catch(() => undefined))?.isDirectory()) throw error;
    });
  };
  await onDisk("folder", path, () => make(resolve(path)), { advice });
  return path;
}
