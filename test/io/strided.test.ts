// Tensors over storages: strides, bounds, byte order and the limit on memory.
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/errors.ts";
import { CopyBudget, materialize } from "../../src/io/strided-storage.ts";
import { StorageRef, TensorRef } from "../../src/io/torch-globals.ts";

const storage = new Uint8Array(Float32Array.of(0, 1, 2, 3, 4, 5).buffer);
const read = (shape: number[], strides: number[], offset = 0, budget = new CopyBudget(24)) =>
  materialize("w", new TensorRef(new StorageRef("0", "f32", 6), "f32", offset, shape, strides), storage, false, budget);

describe("materialize", () => {
  it.each([
    [[2, 3], [3, 1], 0, [0, 1, 2, 3, 4, 5]],
    [[3, 2], [1, 3], 0, [0, 3, 1, 4, 2, 5]],
    [[2, 2], [2, 0], 1, [1, 1, 3, 3]],
    [[2, 1, 2], [3, 99, 1], 1, [1, 2, 4, 5]],
    [[1, 2], [99, 1], 4, [4, 5]],
    [[], [], 5, [5]],
    [[0, 7], [7, 1], 99, []],
  ])("reads shape %j, strides %j, offset %j", (shape, strides, offset, values) => {
    expect([...read(shape, strides, offset).data]).toEqual(values);
  });

  it.each([
    [[7], [1], 0],
    [[2], [6], 0],
    [[], [], 6],
    [[2 ** 30, 2 ** 30], [0, 0], 0],
    [[2], [Number.MAX_SAFE_INTEGER], 1],
  ])("refuses shape %j, strides %j, offset %j", (shape, strides, offset) => {
    expect(() => read(shape, strides, offset)).toThrow(FormatError);
    expect(() => read(shape, strides, offset)).toThrow(/\[w\] f32 tensor .* reaches beyond its storage of 24 bytes/);
  });

  it("does not let a small file take much memory", () => {
    expect(() => read([2 ** 40], [0])).toThrow(/many times the file's size.*call \.contiguous\(\)/);
    const budget = new CopyBudget(24);
    const again = () => read([2 ** 20], [0], 0, budget); // 4 MiB each
    for (let i = 0; i < 4; i++) again();
    expect(again).toThrow(/expand to more than/);
  });
});
