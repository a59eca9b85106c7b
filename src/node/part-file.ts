// The file that a download is written to: a name of its own for each call, and what an earlier call left of the same file.
import { constants } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { onDisk } from "./disk.ts";
import { leftBehind, sweep, temporaryPath } from "./temporary.ts";

const ENDING = "part";
const ADVICE = { advice: "or choose another folder (for the cache: set WGRAD_CACHE)" };

/**
 * Two calls, or two processes, that fetch the same file each write a file of their own, and the last to rename it wins:
 * both are complete and checked. That costs the traffic twice where a lock would not, but a lock has to be told from one
 * that a killed process left, which no clock or process number does for sure.
 */
export class PartFile {
  readonly path: string;
  readonly #dest: string;
  readonly #file: FileHandle;
  /** Bytes from the start that are there. */
  length: number;

  private constructor(dest: string, path: string, file: FileHandle, length: number) {
    this.#dest = dest;
    this.path = path;
    this.#file = file;
    this.length = length;
  }

  /** For `dest`. With `resume` it begins with what an earlier call left, where there is something. */
  static async open(dest: string, resume: boolean): Promise<PartFile> {
    const path = temporaryPath(dest, ENDING);
    if (!resume) await sweep(dest, ENDING);
    else {
      for (const left of [keptPath(dest), ...(await leftBehind(dest, ENDING))]) {
        // Renaming takes it from all others at once.
        const taken = await rename(left, path).then(
          () => true,
          () => false,
        );
        const file = taken && (await reopen(path));
        if (file) return new PartFile(dest, path, file, (await file.stat()).size);
        if (taken) await rm(path, { recursive: true, force: true });
      }
    }
    return new PartFile(dest, path, await onDisk("download", path, () => open(path, "wx"), ADVICE), 0);
  }

  async append(chunk: Uint8Array): Promise<void> {
    await onDisk(
      "download",
      this.#dest,
      async () => {
        for (let at = 0; at < chunk.length; ) {
          const { bytesWritten } = await this.#file.write(chunk, at, chunk.length - at, this.length);
          at += bytesWritten;
          this.length += bytesWritten;
        }
      },
      ADVICE,
    );
  }

  /** Starts anew. */
  async clear(): Promise<void> {
    this.length = 0;
    await onDisk("download", this.#dest, () => this.#file.truncate(0), ADVICE);
  }

  async sync(): Promise<void> {
    await onDisk("download", this.#dest, () => this.#file.sync(), ADVICE);
  }

  /** Becomes the file itself; what earlier calls left of it goes. */
  async finish(): Promise<void> {
    await this.#file.close();
    await onDisk("download", this.#dest, () => rename(this.path, this.#dest), ADVICE);
    await rm(keptPath(this.#dest), { force: true });
    await sweep(this.#dest, ENDING);
  }

  /** Leaves what is there for a later call, or removes it. */
  async abandon(keep: boolean): Promise<void> {
    await this.#file.close();
    const kept =
      keep &&
      this.length > 0 &&
      (await rename(this.path, keptPath(this.#dest)).then(
        () => true,
        () => false,
      ));
    if (!kept) await rm(this.path, { force: true });
  }
}

const keptPath = (dest: string): string => `${dest}.${ENDING}`;

/** A part file of this user's that no link leads to or from: others cannot go on writing to it. */
async function reopen(path: string): Promise<FileHandle | undefined> {
  const file = await open(path, constants.O_RDWR | (constants.O_NOFOLLOW ?? 0)).catch(() => undefined);
  const info = await file?.stat();
  if (info?.isFile() && info.nlink === 1 && (!process.getuid || info.uid === process.getuid())) return file;
  await file?.close();
  return undefined;
}
