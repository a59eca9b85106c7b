// Checkpoints as files: those of io/checkpoint.ts, written in one step.
import { readFile } from "node:fs/promises";
import { DataError, FormatError } from "../errors.ts";
import * as bytes from "../io/checkpoint.ts";
import { writeFileAtomic } from "./atomic.ts";
import { checkPath } from "./cache.ts";
import { reasonOf } from "./disk.ts";

/**
 * Writes a run to the file `path`, as `saveCheckpoint` of `wgrad` makes it: parts with a `stateDict()`, other values, and the
 * state of the random numbers. The file there before stays until the new one is complete.
 *
 * ```ts
 * await saveCheckpoint("last.checkpoint", { model, optimizer, scheduler, loader, epoch, best });
 * ```
 *
 * @throws ValueError for a value that a checkpoint cannot hold; DataError where the file cannot be written
 */
export async function saveCheckpoint(path: string, parts: Readonly<Record<string, unknown>>): Promise<void> {
  await writeFileAtomic(path, await bytes.saveCheckpoint(parts));
}

/**
 * Reads the file of `saveCheckpoint` into `parts`, as `loadCheckpoint` of `wgrad` does, and returns its other values.
 *
 * ```ts
 * const { epoch, best } = await loadCheckpoint("last.checkpoint", { model, optimizer, scheduler, loader });
 * ```
 *
 * @throws DataError where the file cannot be read; FormatError for one that is damaged, cut off or no checkpoint;
 *   StateDictError for a part that it lacks or that does not fit
 */
export async function loadCheckpoint(
  path: string,
  parts: Readonly<Record<string, bytes.Stateful>> = {},
  options: bytes.LoadCheckpointOptions = {},
): Promise<Record<string, unknown>> {
  checkPath("loadCheckpoint", path);
  const content = await readFile(path).catch((cause) => {
    const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    const why = missing ? "there is no such file" : reasonOf(cause);
    throw new DataError(`[loadCheckpoint] ${path} cannot be read: ${why}`, { cause });
  });
  try {
    return await bytes.loadCheckpoint(content, parts, options);
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}
