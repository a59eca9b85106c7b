// Checking a file's bytes against a published checksum.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { check, ValueError } from "../errors.ts";

/** A published checksum in hexadecimal; at most one of the two. */
export interface Checksum {
  /** All 32 digits. Default: not checked. */
  md5?: string;
  /** All 64 digits, or the first 8 or more: torch's convention in the names of weight files. Default: not checked. */
  sha256?: string;
}

/** `{ expected, actual }` where the file's checksum is another than the published one; undefined where it matches. */
export async function checksumMismatch(
  path: string,
  checksum: Checksum,
): Promise<{ expected: string; actual: string } | undefined> {
  const published = parseChecksum(checksum);
  if (!published) return undefined;
  const hash = createHash(published.algorithm);
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  const actual = hash.digest("hex");
  if (actual.startsWith(published.digits)) return undefined;
  return { expected: `${published.algorithm} ${published.digits}`, actual: `${published.algorithm} ${actual}` };
}

/** Throws `ValueError` for something that is no checksum: a typing error would otherwise reject every file. */
export function parseChecksum({ md5, sha256 }: Checksum): { algorithm: "md5" | "sha256"; digits: string } | undefined {
  check(!md5 || !sha256, () => "[checksum] both md5 and sha256 were given; expected one of them", ValueError);
  const digits = (md5 ?? sha256)?.toLowerCase();
  if (digits === undefined) return undefined;
  const form = md5 !== undefined ? /^[0-9a-f]{32}$/ : /^[0-9a-f]{8,64}$/;
  check(
    form.test(digits),
    () =>
      `[checksum] "${digits}" is no checksum; expected 32 hex digits for md5, 64 (or a prefix of 8 and more) for sha256`,
    ValueError,
  );
  return { algorithm: md5 !== undefined ? "md5" : "sha256", digits };
}
