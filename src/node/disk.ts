// Why a file or a folder could not be written, in words.
import { DataError } from "../errors.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full: make room",
  EDQUOT: "the disk quota is used up: make room",
  EROFS: "the file system is read-only",
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  ENOTDIR: "a file is in the place of a folder",
  EEXIST: "a file is in the place of a folder",
  EISDIR: "a folder is in the place of the file",
};

/** The reason of a system's error, in words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  return REASONS[code] ? `${REASONS[code]} (${code})` : error.message;
}

/** Runs `act`; where the system refuses, `DataError`s say why `path` cannot be written. `bytes`: how many were to be. */
export async function onDisk<T>(
  what: string,
  path: string,
  act: () => Promise<T>,
  { bytes, advice = "or choose another folder" }: { bytes?: number; advice?: string } = {},
): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const size = bytes === undefined ? "" : ` (${bytes.toLocaleString("en-US")} bytes)`;
    throw new DataError(`[${what}] ${path}${size} cannot be written: ${reasonOf(cause)}, ${advice}`, { cause });
  }
}
