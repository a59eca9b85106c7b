// Tensors as text: rows aligned, long dimensions abbreviated.
import { inspect } from "node:util";
import { expect, test, vi } from "vitest";
import { tensor } from "wgrad";
import { format } from "../../src/tensor/format.ts";
import { withDevice } from "../support/case.ts";

withDevice();

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

test("print() prints the elements, and returns what it printed", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  using t = tensor([
    [1, 2.5],
    [-3, 4],
  ]);
  const text = "[[  1, 2.5],\n [ -3,   4]]\nf32 [2, 2]";
  try {
    expect(await t.print()).toBe(text);
    expect(log.mock.calls).toEqual([[text]]);
  } finally {
    log.mockRestore();
  }
});

test("console.log shows a tensor as a template does", () => {
  using t = tensor([1, 2], { requiresGrad: true });
  using y = t.relu();
  expect(String(t)).toBe("Tensor(f32 [2], requiresGrad)");
  expect(inspect(t)).toBe(`${t}`);
  expect(inspect({ y })).toBe(`{ y: ${y} }`);
});
