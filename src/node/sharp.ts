// The image codecs: sharp, an optional peer dependency, loaded when a picture is read or written for the first time.
import { DataError } from "../errors.ts";

type Sharp = typeof import("sharp")["default"];

/** sharp's function. Throws `DataError` where the package is not installed. */
export async function loadSharp(
  name: string,
  load: () => Promise<{ default: Sharp }> = () => import("sharp"),
): Promise<Sharp> {
  try {
    return (await load()).default;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(
      `[${name}] pictures are read and written by the package sharp, which cannot be loaded: npm install sharp (${why})`,
      { cause },
    );
  }
}
