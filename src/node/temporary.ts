// Names of files that are being written: not to be guessed, and telling whose they are, so that what a process left is found.
import { createHash, randomBytes } from "node:crypto";
import { lstat, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

/** Processes of two hosts, or containers, may have the same number. */
/** Asked for when it is needed: Deno wants a permission for it. */
const host = (): string => createHash("sha256").update(hostname()).digest("hex").slice(0, 8);

/** After so many milliseconds without a write, a file whose process cannot be asked for counts as left behind. */
const STALE = 24 * 60 * 60 * 1000;

/**
 * A path beside `path` for writing it: `.FILE.HOST-PROCESS-RANDOM.ENDING`. The random part keeps two calls apart, and
 * others from putting a file or link there first; open it with the flag "wx" all the same.
 */
export function temporaryPath(path: string, ending: string): string {
  return join(
    dirname(path),
    `.${basename(path)}.${host()}-${process.pid}-${randomBytes(12).toString("hex")}.${ending}`,
  );
}

/** Temporary files or folders for `path`, the user's own, whose process is gone without removing them. */
export async function leftBehind(path: string, ending: string): Promise<string[]> {
  const start = `.${basename(path)}.`;
  const names = await readdir(dirname(path)).catch(() => []);
  const left: string[] = [];
  for (const name of names) {
    if (!name.startsWith(start) || !name.endsWith(`.${ending}`)) continue;
    const owner = /^([0-9a-f]{8})-(\d+)-[0-9a-f]{24}$/.exec(name.slice(start.length, -ending.length - 1));
    if (!owner) continue;
    const file = join(dirname(path), name);
    const info = await lstat(file).catch(() => undefined);
    if (!info || !(info.isFile() || info.isDirectory()) || (process.getuid && info.uid !== process.getuid())) continue;
    const gone = owner[1] === host() ? !isAlive(Number(owner[2])) : Date.now() - info.mtimeMs > STALE;
    if (gone) left.push(file);
  }
  return left;
}

/** Removes what `leftBehind` finds. */
export async function sweep(path: string, ending: string): Promise<void> {
  for (const file of await leftBehind(path, ending)) await rm(file, { recursive: true, force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
