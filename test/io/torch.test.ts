// PyTorch weight files: what torch.save writes in each of its formats, hostile files and damaged ones.
import fc from "fast-check";
import { zipSync } from "fflate";
import { createTar } from "nanotar";
import { describe, expect, it } from "vitest";
import { FormatError, UnsafePickleError, WgradError } from "../../src/errors.ts";
import { parseTorch, parseTorchStateDict, stateDictOf } from "../../src/io/torch.ts";
import { expectedOf, fixture, plain } from "./fixtures.ts";

describe("parseTorchStateDict", () => {
  it.each([
    "zip.pth",
    "legacy.pth",
    "protocol4.pth",
    "torch2.pth",
    "deflated.pth",
    "big-endian.pth",
    "wrapped.pth",
    "wrapped-legacy.pth",
    "model-key.pth",
    "untyped.pth",
    "protocol0.pth",
    "protocol0-legacy.pth",
    "protocol1.pth",
    "protocol1-legacy.pth",
    "script.pt",
    "trace.pt",
    "module.pth",
    "module-legacy.pth",
    "module-protocol0.pth",
    "averaged.pth",
    "quantized.pth",
    "quantized-legacy.pth",
    "tar.pth",
  ])("reads %s as torch does", async (file) => {
    const tensors = await parseTorchStateDict(fixture(file));
    expect(plain(tensors)).toEqual(expectedOf(file));
    expect([...tensors.keys()]).toEqual(Object.keys(expectedOf(file))); // the model's order
  });

  it("shares memory where the file does", async () => {
    const tensors = await parseTorchStateDict(fixture("zip.pth"));
    expect(tensors.get("shared.rows")?.data.buffer).toBe(tensors.get("f32")?.data.buffer);
  });

  it("names the entry that does not fit 32 bits", async () => {
    await expect(parseTorchStateDict(fixture("wide.pth"))).rejects.toThrow(
      "[layer.count] element 1 is 2147483648 (i64), which does not fit i32",
    );
  });

  it("reads a file of one tensor", async () => {
    expect([...(await parseTorchStateDict(fixture("tensor.pth"))).keys()]).toEqual(["tensor"]);
  });
});

describe("parseTorch", () => {
  it("keeps the plain values beside the weights", async () => {
    const tree = await parseTorch(fixture("wrapped-legacy.pth"));
    if (!(tree instanceof Map)) throw new Error("the file holds a dict");
    const { state_dict, optimizer, dtype, device, ...rest } = Object.fromEntries(tree);
    expect(rest).toEqual(
      Object.fromEntries([
        ["epoch", 3],
        ["best_prec1", 91.25],
        [
          "milestones",
          new Map([
            [30, 1],
            [60, 1],
          ]),
        ],
        ["shape", [1, 2]],
        ["classes", new Set(["a", "b"])],
        ["raw", new Uint8Array([0, 255])],
        ["huge", 2n ** 70n],
        ["__proto__", new Map([["polluted", true]])],
      ]),
    );
    expect(optimizer.get("param_groups")[0].get("lr")).toBe(0.001);
    expect(optimizer.get("state").get(0).get("exp_avg").shape).toEqual([2, 1, 3, 3]);
    expect(plain(stateDictOf(tree))).toEqual(expectedOf("wrapped-legacy.pth"));
  });

  it("needs every tensor to fit, and names the one that does not", async () => {
    await expect(parseTorch(fixture("wrapped.pth"))).rejects.toThrow("[seed] element 0 is 1099511627776 (i64)");
  });

  it("does not touch prototypes", async () => {
    await parseTorchStateDict(fixture("wrapped.pth"));
    expect("polluted" in {}).toBe(false);
  });

  it.each([
    ["hostile-posix-system.pth", "posix.system"],
    ["hostile-eval.pth", "builtins.eval"],
    ["hostile-eval-legacy.pth", "__builtin__.eval"],
    ["hostile-load-from-bytes.pth", "torch.storage._load_from_bytes"],
    ["hostile-os-system.pth", "os.system"],
    ["hostile-plain.pkl", "posix.system"],
  ])("refuses %s", async (file, name) => {
    for (const parse of [parseTorch, parseTorchStateDict]) {
      await expect(parse(fixture(file))).rejects.toThrow(UnsafePickleError);
      await expect(parse(fixture(file))).rejects.toThrow(`the pickle asks for ${name}, which is not on the list`);
    }
  });

  /** A zip64 archive of nothing whose end record claims 2^32 - 1 entries. */
  function endlessZip(): Uint8Array {
    const bytes = new Uint8Array(102);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, 0x04034b50, true);
    view.setUint32(4, 0x06064b50, true); // zip64 end record, at 4
    view.setUint32(4 + 32, 2 ** 32 - 1, true);
    view.setUint32(4 + 48, 102, true); // the directory begins at the file's end
    view.setUint32(60, 0x07064b50, true); // its locator
    view.setUint32(60 + 8, 4, true);
    view.setUint32(80, 0x06054b50, true); // end record
    view.setUint16(80 + 8, 0xffff, true);
    return bytes;
  }

  const text = (s: string) => new TextEncoder().encode(s);
  it.each<[string, Uint8Array, RegExp]>([
    ["an empty file", new Uint8Array(0), /the file is empty/],
    ["a safetensors file", fixture("all.safetensors"), /loadSafetensors/],
    ["a web page", text("<!DOCTYPE html><title>404</title>"), /looks like a web page/],
    ["a Git LFS pointer", text("version https://git-lfs.github.com/spec/v1\noid sha256:0"), /Git LFS pointer/],
    ["a tar of something else", createTar([{ name: "a", data: "a" }]), /the tar archive has no file storages/],
    ["anything else", text("GIF89a\x01\x00"), /begins with 47 49 46 38 39 61 01 00, but a zip archive/],
    ["another pickle", Uint8Array.of(0x80, 2, 0x4b, 1, 0x2e), /a pickle of number 1, but not from torch.save/],
    [
      "a zip without its end",
      fixture("zip.pth").subarray(0, 2000),
      /cannot be read \(invalid zip data\): it is cut off/,
    ],
    ["a zip with endless entries", endlessZip(), /the zip directory is damaged/],
    ["a zip of something else", zipSync({ "a.txt": text("a") }), /0 entries named data.pkl but 1 was expected/],
    [
      "a TorchScript archive",
      zipSync({ "m/data.pkl": text("N."), "m/constants.pkl": text("N.") }),
      /TorchScript archive has no named parameters.*save the state_dict/,
    ],
    ["a frozen program", fixture("frozen.pt"), /TorchScript archive has no named parameters/],
    ["a legacy file without its end", fixture("legacy.pth").subarray(0, 2400), /bytes are left: it is cut off/],
  ])("says what to do about %s", async (_, bytes, message) => {
    await expect(parseTorch(bytes)).rejects.toThrow(FormatError);
    await expect(parseTorch(bytes)).rejects.toThrow(message);
  });

  it.each(["zip.pth", "legacy.pth", "torch2.pth", "deflated.pth", "wrapped-legacy.pth", "tar.pth", "script.pt"])(
    "survives damage to %s with a typed error or a correct parse",
    async (file) => {
      const good = fixture(file);
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 }),
          fc.option(fc.nat(good.length)),
          async (flips, cut) => {
            const bytes = good.slice(0, cut ?? good.length);
            for (const [at, value] of flips) if (at < bytes.length) bytes[at] = value;
            for (const parse of [parseTorch, parseTorchStateDict]) {
              try {
                const parsed = await parse(bytes);
                if (!(parsed instanceof Map)) continue;
                for (const { shape, data } of stateDictOf(parsed).values()) {
                  expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
                }
              } catch (error) {
                if (!(error instanceof WgradError)) throw error;
              }
            }
          },
        ),
        { numRuns: 300 },
      );
    },
  );
});
