// Which models `npm run test:models` takes: those that MODELS names, separated by commas; without it all.
import { expect } from "vitest";

/** Of `all`, those that MODELS names. Fails where it names one that is none. */
export function chosen<N extends string>(all: readonly N[]): readonly N[] {
  const wanted = process.env.MODELS?.split(",");
  if (!wanted) return all;
  expect(all).toEqual(expect.arrayContaining(wanted));
  return all.filter((name) => wanted.includes(name));
}
