// Tensors as text: rows aligned, long dimensions abbreviated.
import { expect, test } from "vitest";
import { format } from "../../src/tensor/format.ts";

test("aligns elements and abbreviates dimensions of more than eight", () => {
  const data = Float32Array.from({ length: 20 }, (_, i) => i / 3);
  expect(format(data, [2, 10], "f32")).toBe(
    [
      "[[      0, 0.33333, 0.66667, ...,  2.3333,  2.6667,       3],",
      " [ 3.3333,  3.6667,       4, ...,  5.6667,       6,  6.3333]]",
      "f32 [2, 10]",
    ].join("\n"),
  );
  expect(format([7], [], "i32")).toBe("7\ni32 []");
  expect(format([], [0], "u32")).toBe("[]\nu32 [0]");
});
