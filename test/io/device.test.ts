// Weight files on the device: what is loaded arrives there, and what is saved can be read again.
import { beforeAll, describe, expect, it } from "vitest";
import { init, memory, type Tensor, tensor } from "../../src/index.ts";
import { loadSafetensors, loadTorch, saveSafetensors } from "../../src/io/index.ts";
import { parseSafetensors } from "../../src/io/safetensors.ts";
import { type Expected, expectedOf, fixture } from "./fixtures.ts";

beforeAll(async () => {
  await init({ adapter: "auto" });
});

async function read(dict: Record<string, Tensor>): Promise<Record<string, Expected>> {
  const entries = Object.entries(dict).map(async ([name, t]): Promise<[string, Expected]> => {
    const data = [...(await t.data())];
    return [name, { dtype: t.dtype, shape: [...t.shape], data }];
  });
  return Object.fromEntries(await Promise.all(entries));
}

const dispose = (dict: Record<string, Tensor>) => Object.values(dict).forEach((t) => void t.dispose());

describe("weight files on the device", () => {
  it.each([
    ["zip.pth", loadTorch],
    ["legacy.pth", loadTorch],
    ["wrapped.pth", loadTorch],
    ["untyped.pth", loadTorch],
    ["all.safetensors", loadSafetensors],
  ])("loads %s", async (file, load) => {
    const before = memory().tensors;
    const dict = await load(fixture(file));
    expect(await read(dict)).toEqual(expectedOf(file));
    dispose(dict);
    expect(memory().tensors).toBe(before);
  });

  it("takes Node's Buffer at any alignment", async () => {
    const bytes = fixture("legacy.pth");
    const shifted = Buffer.alloc(bytes.length + 1);
    shifted.set(bytes, 1);
    const dict = await loadTorch(shifted.subarray(1));
    expect(await read(dict)).toEqual(expectedOf("legacy.pth"));
    dispose(dict);
  });

  it("takes an ArrayBuffer", async () => {
    const dict = await loadTorch(fixture("zip.pth").slice().buffer as ArrayBuffer);
    expect(Object.keys(dict)).toEqual(Object.keys(expectedOf("zip.pth")));
    dispose(dict);
  });

  it("saves what it loads", async () => {
    const dict = await loadTorch(fixture("zip.pth"));
    const bytes = await saveSafetensors(dict, { format: "pt" });
    const again = await loadSafetensors(bytes);
    expect(await read(again)).toEqual(await read(dict));
    expect([...parseSafetensors(bytes).metadata]).toEqual([["format", "pt"]]);
    dispose(dict);
    dispose(again);
  });

  it("saves the state at the time of the call", async () => {
    const t = tensor([1, 2]);
    const saved = saveSafetensors({ t });
    t.dispose();
    expect([...parseSafetensors(await saved).tensors.get("t")!.data]).toEqual([1, 2]);
  });
});
