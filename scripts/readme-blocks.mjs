// Reads the README's code blocks, for checks that run what it shows.
import { readFileSync } from "node:fs";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

/** All blocks of a language, in order. */
export const readmeBlocks = (language) =>
  Array.from(readme.matchAll(/^```(\w*)\n(.*?)^```$/gms), ([, found, text]) => [found, text])
    .filter(([found]) => found === language)
    .map(([, text]) => text);

/** The one block of a language that contains `part`. */
export function readmeBlock(language, part) {
  const found = readmeBlocks(language).filter((text) => text.includes(part));
  if (found.length !== 1) throw new Error(`README.md has ${found.length} \`${language}\` blocks with ${part}`);
  return found[0];
}
