// Every public name, member and option says what it is where an editor shows it, and points nowhere into our sources.
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { publicDocs } from "../../scripts/public-docs.ts";

test("the public API is documented", () => {
  const { problems, looked } = publicDocs(fileURLToPath(new URL("../..", import.meta.url)));
  expect(problems).toEqual([]);
  // Should the walk ever end early, it finds no problems either.
  expect(looked).toBeGreaterThan(600);
});
