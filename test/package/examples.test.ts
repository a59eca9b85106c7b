// Examples can be copied out: they import from the package's entries, from other packages and from beside them.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../examples", import.meta.url));
const paths = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));

test.each(paths)("%s imports nothing of the repository but its own folder's files", (path) => {
  const text = readFileSync(join(root, path), "utf8");
  const imports = [...text.matchAll(/(?:\bfrom|\bimport|\brequire)\s*\(?\s*"([^"]+)"/g)].flatMap(
    ([, name]) => name ?? [],
  );
  expect(imports.length).toBeGreaterThan(0);
  const folder = join(root, dirname(path));
  const outside = imports.filter(
    (name) => name.startsWith(".") && relative(folder, join(folder, name)).startsWith(".."),
  );
  expect(outside).toEqual([]);
  // These are all that the package exports.
  expect(imports.filter((name) => name.startsWith("wgrad") && !/^wgrad(\/(node|onnx))?$/.test(name))).toEqual([]);
});
