// safetensors: files written by others, every violation of the format, and roundtrips.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FormatError, ValueError, WgradError } from "../../src/errors.ts";
import type { HalfTensor, RawTensor } from "../../src/io/raw.ts";
import { parseSafetensors, serializeSafetensors } from "../../src/io/safetensors.ts";
import { expectedOf, fixture, plain } from "./fixtures.ts";

/** A file with this header and `size` bytes of data. */
function fileOf(header: unknown, size: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const f32 = (shape: number[], begin: number, end: number) => ({ dtype: "F32", shape, data_offsets: [begin, end] });
const values = (...data: number[]): RawTensor => ({ dtype: "f32", shape: [data.length], data: new Float32Array(data) });

describe("parseSafetensors", () => {
  it("reads every dtype that torch writes", () => {
    const { tensors, metadata } = parseSafetensors(fixture("all.safetensors"));
    expect(plain(tensors)).toEqual(expectedOf("all.safetensors"));
    expect([...metadata]).toEqual([["format", "pt"]]);
  });

  it("reads unsigned integers", () => {
    const bytes = fileOf({ a: { dtype: "U32", shape: [1], data_offsets: [0, 4] } }, 4).fill(255, -4);
    expect(plain(parseSafetensors(bytes).tensors)).toEqual({ a: { dtype: "u32", shape: [1], data: [2 ** 32 - 1] } });
    const short = fileOf({ a: { dtype: "U16", shape: [1], data_offsets: [0, 2] } }, 2).fill(255, -2);
    expect(plain(parseSafetensors(short).tensors)).toEqual({ a: { dtype: "i32", shape: [1], data: [65535] } });
  });

  it("names the tensor whose 64-bit integer does not fit", () => {
    const wide = (dtype: string) => fileOf({ "bn.count": { dtype, shape: [1], data_offsets: [0, 8] } }, 8);
    expect(() => parseSafetensors(wide("I64").fill(0x7f, -8))).toThrow(
      /\[bn\.count\] element 0 is 9187201950435737471 /,
    );
    expect(() => parseSafetensors(wide("U64").fill(255, -8))).toThrow(/is 18446744073709551615 \(u64\)/);
    expect(plain(parseSafetensors(wide("I64").fill(255, -8)).tensors)["bn.count"]?.data).toEqual([-1]);
  });

  // Values of the papers' tables: https://arxiv.org/abs/2209.05433 and OCP's microscaling formats.
  it.each<[string, number[], number[]]>([
    [
      "F8_E4M3",
      [0x00, 0x80, 0x01, 0x07, 0x08, 0x38, 0xb9, 0x7e, 0x7f, 0xff],
      [0, -0, 2 ** -9, 7 * 2 ** -9, 2 ** -6, 1, -1.125, 448, Number.NaN, Number.NaN],
    ],
    [
      "F8_E5M2",
      [0x00, 0x80, 0x01, 0x03, 0x04, 0x3c, 0xbd, 0x7b, 0x7c, 0xfc, 0x7d, 0xff],
      [0, -0, 2 ** -16, 3 * 2 ** -16, 2 ** -14, 1, -1.25, 57344, Infinity, -Infinity, Number.NaN, Number.NaN],
    ],
    ["F8_E8M0", [0, 126, 127, 128, 254, 255], [2 ** -127, 0.5, 1, 2, 2 ** 127, Number.NaN]],
  ])("reads %s", (dtype, bytes, values) => {
    const file = fileOf({ a: { dtype, shape: [bytes.length], data_offsets: [0, bytes.length] } }, bytes.length);
    file.set(bytes, file.length - bytes.length);
    expect(plain(parseSafetensors(file).tensors).a).toEqual({ dtype: "f32", shape: [bytes.length], data: values });
  });

  it("bounds what a header can ask for", () => {
    const many = `{"a":[${"0,".repeat(600_000)}0]}`;
    expect(() => parseSafetensors(fileOf(many, 0))).toThrow(/take more than twice the file and 16 MB/);
    expect(() => parseSafetensors(fileOf("[".repeat(1000), 0))).toThrow(/nests deeper/);
    const long = "n".repeat(1e6);
    expect(() => parseSafetensors(fileOf({ [long]: 1 }, 0))).toThrow(/^.{0,400}$/);
    expect(() => parseSafetensors(fileOf({ a: f32(Array(70).fill(1), 0, 4) }, 4))).toThrow(/70 dimensions/);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["no header length", new Uint8Array(7), /file of 7 bytes is too short/],
    ["a header above the limit", new Uint8Array(16).fill(255), /above the limit of 100000000/],
    ["a header beyond the end", fileOf({}, 0).subarray(0, 9), /the header needs 2 bytes but 1 follow/],
    ["a header that is not JSON", fileOf("{", 0), /not JSON in UTF-8/],
    ["a header that is not UTF-8", fileOf("{}", 0).fill(255, 8), /not JSON in UTF-8/],
    ["a header that is not an object", fileOf([], 0), /must be a JSON object/],
    ["an entry that is not an object", fileOf({ a: 1 }, 0), /"a" must have dtype, shape and data_offsets/],
    ["an unknown dtype", fileOf({ a: { ...f32([1], 0, 4), dtype: "F4" } }, 4), /dtype "F4"; known are F64, F32/],
    ["a dtype that is not text", fileOf({ a: { ...f32([1], 0, 4), dtype: [] } }, 4), /dtype of type object/],
    ["a negative size", fileOf({ a: f32([-1], 0, 4) }, 4), /shape that is not a list of whole numbers/],
    ["a fractional size", fileOf({ a: f32([0.5], 0, 4) }, 4), /shape that is not a list of whole numbers/],
    ["sizes whose product overflows", fileOf({ a: f32([2 ** 40, 2 ** 40], 0, 4) }, 4), /takes 4 bytes but F32/],
    ["offsets in the wrong order", fileOf({ a: f32([1], 4, 0) }, 4), /not \[begin, end\]/],
    [
      "offsets that do not match the shape",
      fileOf({ a: f32([2], 0, 4) }, 4),
      /takes 4 bytes but F32 of shape \[2\] takes 8/,
    ],
    ["data beyond the end", fileOf({ a: f32([2], 0, 8) }, 4), /ends at byte 8 but the file holds 4/],
    ["an overlap", fileOf({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8), /"b" begins at byte 4 but 8 was expected/],
    ["a gap", fileOf({ a: f32([1], 4, 8) }, 8), /"a" begins at byte 4 but 0 was expected/],
    ["bytes left over", fileOf({ a: f32([1], 0, 4) }, 8), /describes 4 bytes of data but the file holds 8/],
    [
      "metadata that is not text",
      fileOf({ __metadata__: { epoch: 3 } }, 0),
      /"epoch" is a number but must be a string/,
    ],
    ["metadata that is not an object", fileOf({ __metadata__: "pt" }, 0), /must be an object of strings/],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => parseSafetensors(bytes)).toThrow(FormatError);
    expect(() => parseSafetensors(bytes)).toThrow(message);
  });
});

describe("serializeSafetensors", () => {
  it("writes the official layout", () => {
    const half: HalfTensor = { dtype: "f16", shape: [1], data: new Uint16Array([0x3c00]) };
    const bytes = serializeSafetensors(
      [
        ["half", half],
        ["b", values(2)],
        ["a", values(1)],
      ],
      { format: "pt" },
    );
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const header = new TextDecoder().decode(bytes.subarray(8, 8 + length));
    expect(
      header.startsWith('{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'),
    ).toBe(true);
    expect(JSON.parse(header).half).toEqual({ dtype: "F16", shape: [1], data_offsets: [8, 10] });
    expect([...bytes.subarray(8 + length)]).toEqual([0, 0, 128, 63, 0, 0, 0, 64, 0, 60]);
  });

  it("refuses what the format cannot hold", () => {
    expect(() => serializeSafetensors([["__metadata__", values(1)]])).toThrow(ValueError);
    expect(() =>
      serializeSafetensors([
        ["a", values(1)],
        ["a", values(2)],
      ]),
    ).toThrow(/"a" is given twice/);
    expect(() => serializeSafetensors([["a", { ...values(1, 2), shape: [3] }]])).toThrow(
      /has 2 values but shape \[3\]/,
    );
  });

  const tensor: fc.Arbitrary<RawTensor> = fc
    .tuple(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }), fc.constantFrom("f32", "i32", "u32"), fc.gen())
    .map(([shape, dtype, gen]): RawTensor => {
      const n = shape.reduce((a, b) => a * b, 1);
      const words = Uint32Array.from({ length: n }, () => gen(fc.integer, { min: 0, max: 2 ** 32 - 1 }));
      if (dtype === "f32") return { dtype, shape, data: new Float32Array(words.buffer).map((x) => x) };
      return dtype === "i32" ? { dtype, shape, data: new Int32Array(words.buffer) } : { dtype, shape, data: words };
    });

  it("is undone by parsing", () => {
    const names = fc
      .oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "0"))
      .filter((s) => s !== "__metadata__");
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(names, tensor), { selector: ([name]) => name, maxLength: 6 }),
        fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
        (entries, metadata) => {
          const bytes = serializeSafetensors(entries, metadata);
          const parsed = parseSafetensors(bytes);
          expect(plain(parsed.tensors)).toEqual(plain(entries));
          expect([...parsed.metadata].sort()).toEqual(Object.entries(metadata).sort());
          expect(serializeSafetensors(parsed.tensors, metadata)).toEqual(bytes);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("survives damage with a typed error or a correct parse", () => {
    const good = fixture("all.safetensors");
    const headerEnd = 8 + Number(new DataView(good.buffer, good.byteOffset).getBigUint64(0, true));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(headerEnd - 1), fc.nat(255)), { maxLength: 3 }),
        fc.nat(good.length),
        fc.boolean(),
        (flips, length, cut) => {
          const bytes = cut ? good.slice(0, length) : good.slice();
          for (const [at, value] of flips) if (at < bytes.length) bytes[at] = value;
          try {
            for (const { shape, data } of parseSafetensors(bytes).tensors.values()) {
              expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
            }
          } catch (error) {
            if (!(error instanceof WgradError)) throw error;
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
