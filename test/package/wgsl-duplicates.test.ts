// The count of WGSL that is written twice.
import { expect, test } from "vitest";
import { countRecurring, significantLines } from "../../scripts/wgsl-duplicates.mjs";

test("comments, blank lines and lone braces are not significant, other punctuation is", () => {
  expect(significantLines("// formula\nlet a = 1; // one\n\n  }\n} }\n{\n  );\n} else {\n")).toEqual([
    "let a = 1;",
    ");",
    "} else {",
  ]);
});

test("lines count once where a window of four of theirs stands in another file, however it is indented", () => {
  const shared = ["a;", "b;", "c;", "d;", "e;"];
  const texts = {
    one: ["x;", ...shared, "y;"].join("\n"),
    two: shared.map((line) => `  ${line} // why\n\n  }`).join("\n"),
    // Three lines in a row are no window, and a file that repeats itself does not recur in another one.
    three: ["a;", "b;", "c;", "z;", "z;", "z;", "z;", "z;"].join("\n"),
  };
  expect(countRecurring(texts)).toEqual([
    { name: "one", lines: 7, recurring: 5 },
    { name: "two", lines: 5, recurring: 5 },
    { name: "three", lines: 8, recurring: 0 },
  ]);
});
