// Checkpoints as training scripts write them: weights under any key, objects of Python beside them, hostile ones.
import { strToU8, zipSync } from "fflate";
import { beforeAll, describe, expect, it } from "vitest";
import { FormatError, init, loadSafetensors, loadTorch, memory, UnsafePickleError } from "wgrad";

beforeAll(async () => {
  await init({ adapter: "auto" });
});

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
/** A pickle's text, of at most 255 bytes. */
const str = (text: string): string => `\x8c${String.fromCharCode(text.length)}${text}`;
const num = (n: number): string => `J${String.fromCharCode(n & 255, (n >> 8) & 255, (n >> 16) & 255, n >>> 24)}`;
const dict = (entries: Record<string, string>): string =>
  `}(${Object.entries(entries)
    .map(([key, value]) => str(key) + value)
    .join("")}u`;
/** A tensor over the file's one storage of 16 bytes. */
const tensorOf = (shape: number[], { stride = 1, storage = "Float", key = "0" } = {}): string =>
  `ctorch._utils\n_rebuild_tensor_v2\n((${str("storage")}ctorch\n${storage}Storage\n${str(key)}${str("cpu")}${num(key === "0" ? 4 : 2)}tQK\x00(` +
  `${shape.map(num).join("")}t(${shape.map(() => num(stride)).join("")}t\x89ccollections\nOrderedDict\n)RtR`;
const weight = tensorOf([2]);
const scalar = tensorOf([]);
const fileOf = (tree: string): Uint8Array =>
  zipSync({ "a/data.pkl": latin1(`\x80\x02${tree}.`), "a/data/0": new Uint8Array(16) }, { level: 0 });
/** In the format before PyTorch 1.6. Every storage has two elements. */
const legacyFile = (tree: string, storages: Record<string, Uint8Array>): Uint8Array =>
  Uint8Array.from([
    ...latin1("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}."),
    ...latin1(`\x80\x02${tree}.\x80\x02](${Object.keys(storages).map(str).join("")}e.`),
    ...Object.values(storages).flatMap((bytes) => [2, 0, 0, 0, 0, 0, 0, 0, ...bytes]),
  ]);

async function keys(tree: string, key?: string): Promise<string[]> {
  const tensors = await loadTorch(fileOf(tree), key === undefined ? {} : { key });
  for (const t of Object.values(tensors)) t.dispose();
  return Object.keys(tensors);
}

describe("where the weights are", () => {
  it.each<[string, string]>([
    ["under net", dict({ net: dict({ weight }), acc: "K\x5a", epoch: "K\x03" })],
    ["under model_ema", dict({ model_ema: dict({ weight }), epoch: "K\x03" })],
    ["under a key of one's own", dict({ mine: dict({ weight }) })],
    ["two deep", dict({ run: dict({ nets: dict({ weight }) }) })],
    ["beside tensors of one value", dict({ net: dict({ weight }), acc: scalar, metrics: dict({ loss: scalar }) })],
    [
      "beside an optimizer's numbered state",
      dict({ net: dict({ weight }), optim: dict({ state: `}K\x00${dict({ m: weight })}s` }) }),
    ],
    ["under state_dict, beside others", dict({ ema: dict({ other: weight }), state_dict: dict({ weight }) })],
    ["behind module.", dict({ net: dict({ "module.weight": weight }) })],
  ])("finds them %s", async (_, tree) => {
    expect(await keys(tree)).toEqual(["weight"]);
  });

  it("names a single tensor, and those of a list", async () => {
    expect(await keys(weight)).toEqual(["tensor"]);
    expect(await keys(`](${weight}${weight}e`)).toEqual(["0", "1"]);
  });

  it("lists the paths where there are several", async () => {
    const tree = dict({ a: dict({ x: weight }), b: dict({ c: dict({ y: weight }) }) });
    await expect(keys(tree)).rejects.toThrow(FormatError);
    await expect(keys(tree)).rejects.toThrow(
      'several dicts of tensors: tensors are at "a", "b.c", name one as { key: "a" }',
    );
  });

  it("takes a path", async () => {
    const tree = dict({
      a: dict({ x: weight }),
      "b.c": dict({ d: dict({ y: weight }) }),
      top: weight,
      list: `](${dict({ z: weight })}e`,
    });
    expect(await keys(tree, "a")).toEqual(["x"]);
    expect(await keys(tree, "b.c.d")).toEqual(["y"]);
    expect(await keys(tree, "list.0")).toEqual(["z"]);
    expect(await keys(tree, "")).toEqual(["top"]);
    expect(await keys(tree, "a.x")).toEqual(["tensor"]);
    await expect(keys(tree, "nowhere")).rejects.toThrow(
      /there is no "nowhere" in the file: tensors are at "", "a", "b.c.d"/,
    );
    await expect(keys(tree, "b.c")).rejects.toThrow(/"b.c" is a dict of 1, but named tensors were expected/);
  });
});

describe("objects of Python", () => {
  const beside: [string, string][] = [
    ["argparse.Namespace", `cargparse\nNamespace\n)\x81${dict({ lr: "K\x01" })}b`],
    ["a class with keyword arguments", `cm\nC\n)${dict({ a: "N" })}\x92`],
    ["a dict and a list of one's own", `cm\nD\n)R(K\x01K\x02u(Ne`],
    ["a bound method", `c__builtin__\ngetattr\ncm\nC\n)\x81${str("f")}\x86R`],
    ["a float16", `cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n${str("f2")}K\x00K\x01\x87RC\x02\x00\x38\x86R`],
    [
      "text of NumPy",
      `cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n${str("U1")}K\x00K\x01\x87RC\x04a\x00\x00\x00\x86R`,
    ],
    ["an array", `cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87RNb`],
    ["defaultdict(int)", "ccollections\ndefaultdict\nc__builtin__\nint\n\x85R(K\x01K\x02u"],
    ["a date", "cdatetime\ndatetime\nC\x02\x07\xe4\x85R"],
    ["a path", `cpathlib\nPosixPath\n${str("a")}\x85R`],
    ["a complex tensor", tensorOf([2], { storage: "ComplexFloat" })],
    ["text that is not UTF-8", "U\x01\xff"],
  ];
  it.each(beside)("may lie beside the weights: %s", async (_, value) => {
    expect(await keys(dict({ state_dict: dict({ weight }), extra: value }))).toEqual(["weight"]);
    expect(await keys(dict({ extra: value, net: dict({ weight }) }))).toEqual(["weight"]);
  });

  it("may lie in a legacy file, whose storages follow one another", async () => {
    const wide = (storage: string, key: string) => tensorOf([2], { storage, key });
    const tree = dict({ net: dict({ weight: wide("Float", "1") }), fft: wide("ComplexFloat", "0") });
    const file = legacyFile(tree, { "0": new Uint8Array(16), "1": new Uint8Array(Float32Array.of(3, 4).buffer) });
    const { weight: loaded } = await loadTorch(file);
    expect(Array.from(await loaded!.data())).toEqual([3, 4]);
    loaded!.dispose();
    const unknown = dict({ net: dict({ weight: wide("Float", "1") }), odd: wide("Odd", "0") });
    await expect(loadTorch(legacyFile(unknown, { "0": new Uint8Array(2) }))).rejects.toThrow(
      /asks for torch.OddStorage/,
    );
  });

  it.each([
    ["the whole", "cm\nNet\n)\x81Nb"],
    ["the model", dict({ model: "cm\nNet\n)\x81Nb", ema: dict({ weight }) })],
    ["the only value", dict({ net: "cm\nNet\n)\x81Nb", epoch: "K\x01" })],
    ["a weight", dict({ state_dict: dict({ weight, other: "cm\nNet\n)\x81" }) })],
    ["a parameter", dict({ weight, other: "ctorch._utils\n_rebuild_parameter\ncm\nNet\n)\x81\x88N\x87R" })],
  ])("are refused in the place of %s", async (_, tree) => {
    const before = memory().tensors;
    await expect(keys(tree)).rejects.toThrow(UnsafePickleError);
    await expect(keys(tree)).rejects.toThrow("the pickle asks for m.Net, which is not on the list");
    expect(memory().tensors).toBe(before);
  });

  it("are refused with a key, too", async () => {
    await expect(keys(dict({ net: "cm\nNet\n)\x81", ema: dict({ weight }) }), "net")).rejects.toThrow(
      UnsafePickleError,
    );
  });

  it.each(["os\nsystem", "posix\nsystem", "builtins\neval", "subprocess\nPopen", "torch.storage\n_load_from_bytes"])(
    "that only an attack asks for are refused anywhere: %j",
    async (name) => {
      const tree = dict({ state_dict: dict({ weight }), extra: `c${name}\n${str("true")}\x85R` });
      await expect(keys(tree)).rejects.toThrow(UnsafePickleError);
    },
  );
});

describe("whole models", () => {
  const module = (own: Record<string, string>, children: Record<string, string> = {}) =>
    `cm\nNet\n)\x81${dict({ _parameters: dict(own), _buffers: dict({ kept: weight, left: weight, none: "N" }), _modules: dict(children), _non_persistent_buffers_set: `\x8f(${str("left")}\x90` })}b`;

  it("give what their state dict has", async () => {
    const model = module({ w: weight, b: "N" }, { inner: module({ w: weight }), empty: "N" });
    const names = ["w", "kept", "inner.w", "inner.kept"];
    expect(await keys(model)).toEqual(names);
    expect(await keys(dict({ model, epoch: "K\x01" }))).toEqual(names);
    expect(await keys(dict({ net: model, epoch: "K\x01" }))).toEqual(names);
    expect(await keys(dict({ a: model, b: dict({ weight }) }), "a")).toEqual(names);
  });

  it("may not have a Python object as a parameter", async () => {
    await expect(keys(module({ w: "cm\nTensor\n)\x81" }))).rejects.toThrow(/asks for m\.Tensor/);
  });

  it("may not multiply, nor contain themselves", async () => {
    const bare = (children: Record<string, string>) =>
      `cm\nNet\n)\x81${dict({ _parameters: "}", _buffers: "}", _modules: dict(children) })}b`;
    // Each level has the one below twice, as the memo's first entry.
    const double = (of: (children: Record<string, string>) => string) => of({ a: "h\x00", b: "h\x00" });
    const levels = (first: string, of: (children: Record<string, string>) => string) =>
      first + Array.from({ length: 29 }, () => `${double(of)}q\x00`).join("0");
    await expect(keys(levels(`${bare({})}q\x000`, bare))).rejects.toThrow(/more than 100000 modules/);
    await expect(keys(levels(`${module({ w: weight })}q\x000`, (children) => module({}, children)))).rejects.toThrow(
      /take megabytes/,
    );
    const cycle = `cm\nNet\n)\x81q\x00${dict({ _parameters: "}", _buffers: "}", _modules: dict({ me: "h\x00" }) })}b`;
    await expect(keys(cycle)).rejects.toThrow(/nests more than 100 deep/);
  });
});

describe("quantised tensors", () => {
  const quantised = (params: string) =>
    `ctorch._utils\n_rebuild_qtensor\n((${str("storage")}ctorch\nQUInt8Storage\n${str("0")}${str("cpu")}${num(16)}tQK\x00(${num(2)}t(${num(1)}t(${params}t\x89)tR`;
  it("need a scale for each index", async () => {
    expect(
      await keys(dict({ w: quantised("ctorch\nper_tensor_affine\nG?\xf0\x00\x00\x00\x00\x00\x00K\x01") })),
    ).toEqual(["w"]);
    const channels = `ctorch\nper_channel_affine\n](K\x01K\x02K\x03e](K\x00K\x00K\x00eK\x00`;
    await expect(keys(dict({ w: quantised(channels) }))).rejects.toThrow(
      /\[w\] the quantised tensor has 3 scales .* 2 of each/,
    );
    await expect(keys(dict({ w: quantised("ctorch\nother\nNN") }))).rejects.toThrow(UnsafePickleError);
  });
});

it.each([
  ["torch._utils\n_rebuild_sparse_tensor", /"w" is a sparse tensor: call \.to_dense/],
  ["torch._utils\n_rebuild_meta_tensor_no_storage", /"w" is a tensor of the meta device/],
  ["torch.nn.parameter\nUninitializedParameter", /"w" is a parameter of a lazy layer/],
  ["numpy.core.multiarray\n_reconstruct", /"w" is an array of NumPy/],
])("says how to save what %j makes", async (path, message) => {
  const odd = `c${path}\n)R`;
  await expect(keys(dict({ w: odd, weight }))).rejects.toThrow(FormatError);
  await expect(keys(dict({ w: odd, weight }))).rejects.toThrow(message);
  expect(await keys(dict({ state_dict: dict({ weight }), odd }))).toEqual(["weight"]);
});

describe("hostile files", () => {
  it("may not expand to many times their size", async () => {
    const tree = dict({ w: tensorOf([5_000_000], { stride: 0, storage: "Bool" }) });
    await expect(keys(tree)).rejects.toThrow(FormatError);
    await expect(keys(tree)).rejects.toThrow(/\[w\] the file's tensors expand to more than/);
  });

  it.each<[string, Record<string, Uint8Array>]>([
    ["pickle", { "a/data.pkl": latin1("}".repeat(1_000_000)) }],
    ["storage", { "a/data.pkl": latin1(`\x80\x02${dict({ weight })}.`), "a/data/0": new Uint8Array(2 ** 25) }],
  ])("may not unpack to many times their size: %s", async (_, entries) => {
    const bytes = zipSync(entries, { level: 9 });
    await expect(loadTorch(bytes)).rejects.toThrow(FormatError);
    await expect(loadTorch(bytes)).rejects.toThrow(/unpacks to many times its size/);
  });

  it("may not nest prefixes without end", async () => {
    expect(await keys(dict({ "module._orig_mod.module.w": weight }))).toEqual(["w"]);
    await expect(keys(dict({ [`${"module.".repeat(20)}w`]: weight }))).rejects.toThrow(/more than 8 times module\./);
  });

  it("may not have names that are not text", async () => {
    const tree = `}(U\x02w\xff${weight}U\x02w\xfe${weight}u`;
    await expect(keys(tree)).rejects.toThrow(FormatError);
    await expect(keys(tree)).rejects.toThrow(/a weight's name is not text in UTF-8/);
  });

  it.each([
    ['{"w":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}', "shape"],
    [
      '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0077" : {"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
      "w",
    ],
    ['{"__metadata__":{"a\\\\\\"":"{","a\\\\\\"":"1"},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 'a\\"'],
  ])("may not say a thing twice in a safetensors header %#", async (header, key) => {
    const json = strToU8(header);
    const bytes = new Uint8Array(8 + json.length + 4);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
    bytes.set(json, 8);
    await expect(loadSafetensors(bytes)).rejects.toThrow(FormatError);
    await expect(loadSafetensors(bytes)).rejects.toThrow(`the header has "${key}" twice`);
  });
});
