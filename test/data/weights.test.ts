// Published weights by name: the table, and files of them from a server, the cache, PyTorch's cache, or nowhere.
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  createModel,
  DataError,
  IMAGENET_CATEGORIES,
  listModels,
  loadWeights,
  memory,
  modelWeights,
  nn,
  resnetWeights,
  StateDictError,
  saveSafetensors,
  type Tensor,
  ValueError,
  vision,
  type WeightsProgress,
} from "wgrad";
import { cachePath } from "wgrad/node";
import { withDevice } from "../support/case.ts";
import { type Answer, type FileServer, serve } from "./file-server.ts";

withDevice();

let folder: string;
let server: FileServer;
/** What the server serves: a LeNet-5's weights for ten classes. */
let bytes: Uint8Array;
let file: string;
let url: string;

async function weightsOf(model: nn.Module): Promise<Uint8Array> {
  const state = model.stateDict();
  const saved = await saveSafetensors(state);
  for (const tensor of Object.values(state)) tensor.dispose();
  return saved;
}

async function start(...answers: readonly Answer[]): Promise<void> {
  server = await serve(bytes, answers);
  url = new URL(file, server.url).href;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wgrad-test-"));
  vi.stubEnv("WGRAD_CACHE", join(folder, "cache"));
  vi.stubEnv("TORCH_HOME", join(folder, "torch"));
  const model = createModel("lenet5");
  bytes = await weightsOf(model);
  model.dispose();
  file = `lenet5-${createHash("sha256").update(bytes).digest("hex").slice(0, 8)}.safetensors`;
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.close();
  await rm(folder, { recursive: true });
});

const valuesOf = async (model: nn.Module, prefix = ""): Promise<(readonly [string, unknown])[]> =>
  Promise.all(
    Array.from(model.namedParameters())
      .filter(([name]) => name.startsWith(prefix))
      .map(async ([name, p]) => [name, await p.data()] as const),
  );

describe("createModel with weights", () => {
  test("downloads once, tells how far it is, and gives the model", async () => {
    await start();
    const seen: WeightsProgress[] = [];
    const before = memory().tensors;
    const model = await createModel("lenet5", { weights: { url } }, { onProgress: (p) => seen.push(p) });
    expect(new Uint8Array(await weightsOf(model))).toEqual(bytes);
    expect(seen.at(-1)).toEqual({ url, received: bytes.length, total: bytes.length });
    const again = await createModel("lenet5", { weights: { url } });
    expect(await valuesOf(again)).toEqual(await valuesOf(model));
    expect(server.ranges).toEqual([""]);
    expect(memory().tensors - before).toBe(2 * ([...model.parameters()].length + [...model.buffers()].length));
    expect(await readdir(cachePath("weights"))).toEqual([file]);
    model.dispose();
    again.dispose();
  });

  test("goes on where it was interrupted", async () => {
    await start({ etag: '"1"', breakAfter: 1000 }, { etag: '"1"' });
    const model = await createModel("lenet5", { weights: { url } });
    expect(server.ranges).toEqual(["", "bytes=1000-"]);
    expect(new Uint8Array(await weightsOf(model))).toEqual(bytes);
    model.dispose();
  });

  test("leaves the head of another number of classes as it was made", async () => {
    await start();
    const all = await createModel("lenet5", { weights: { url } });
    const model = await createModel("lenet5", { weights: { url }, numClasses: 3 });
    expect(await valuesOf(model, "conv1.")).toEqual(await valuesOf(all, "conv1."));
    const head = new Map(model.namedParameters()).get(`${model.head}.weight`);
    expect(head?.shape[0]).toBe(3);
    model.dispose();
    all.dispose();
  });

  test("takes the file that PyTorch has downloaded, unless it is damaged", async () => {
    await start();
    const hub = join(folder, "torch", "hub", "checkpoints");
    await mkdir(hub, { recursive: true });
    await writeFile(join(hub, file), bytes);
    const model = await createModel("lenet5", { weights: { url } });
    expect(new Uint8Array(await weightsOf(model))).toEqual(bytes);
    expect(server.ranges).toEqual([]);
    await writeFile(join(hub, file), "damaged on disk");
    const downloaded = await createModel("lenet5", { weights: { url } });
    expect(server.ranges).toEqual([""]);
    model.dispose();
    downloaded.dispose();
  });

  test("a mirror serves the published file, or is found out", async () => {
    await start();
    const mirrored = await createModel("lenet5", { weights: { url: `https://example.invalid/${file}` } }, { url });
    expect(new Uint8Array(await weightsOf(mirrored))).toEqual(bytes);
    mirrored.dispose();
    const before = memory().tensors;
    const wrong = createModel("squeezenet1_1", { weights: "DEFAULT" }, { url });
    await expect(wrong).rejects.toThrow(DataError);
    await expect(wrong).rejects.toThrow("sha256 b8a52dc0");
    await expect(createModel("resnet18", { weights: "IMAGENET1K_V1" }, { url })).rejects.toThrow(
      `has ${bytes.length} bytes, but 46830571 were expected`,
    );
    const size = createModel("lenet5", { weights: { url: url.replace("lenet5", "other"), size: 7 } });
    await expect(size).rejects.toThrow(/but 7 were expected/);
    expect(memory().tensors).toBe(before);
  });

  test("offline: the error names the file, the address and the folders", async () => {
    await start();
    await server.close();
    const act = createModel("lenet5", { weights: { url } }, { retries: 0 });
    await expect(act).rejects.toThrow(DataError);
    for (const part of [file, url, cachePath("weights"), join(folder, "torch", "hub", "checkpoints"), "ECONNREFUSED"])
      await expect(act).rejects.toThrow(part);
    // What is put there by hand is used.
    await mkdir(cachePath("weights"), { recursive: true });
    await writeFile(cachePath("weights", file), bytes);
    (await createModel("lenet5", { weights: { url } }, { retries: 0 })).dispose();
  });

  test("files without a checksum in their names are told apart by their addresses", async () => {
    await start();
    const plain = new URL("a/weights.safetensors", server.url).href;
    (await createModel("lenet5", { weights: { url: plain } })).dispose();
    (await createModel("lenet5", { weights: { url: plain } })).dispose();
    expect(server.ranges).toEqual([""]);
    (await createModel("lenet5", { weights: { url: plain.replace("/a/", "/b/") } })).dispose();
    expect(server.ranges).toEqual(["", ""]);
  });

  test("another model's weights, and arguments that are none", async () => {
    await start();
    const before = memory().tensors;
    await expect(createModel("squeezenet1_1", { weights: { url } })).rejects.toThrow(StateDictError);
    const name: string = "IMAGENET1K_V9";
    // @ts-expect-error: a name from outside, such as the command line
    await expect(createModel("resnet50", { weights: name })).rejects.toThrow(
      'resnet50 has no weights "IMAGENET1K_V9": expected IMAGENET1K_V1, IMAGENET1K_V2, DEFAULT, { url } of a file',
    );
    // @ts-expect-error: LeNet-5 has no published weights
    await expect(createModel("lenet5", { weights: "DEFAULT" })).rejects.toThrow(ValueError);
    await expect(createModel("lenet5", { weights: { url: "ftp://example.com/a" } })).rejects.toThrow(ValueError);
    await expect(createModel("lenet5", { weights: { url, sha256: "abc" } })).rejects.toThrow(/is no sha256/);
    await expect(createModel("lenet5", { weights: { url }, numClasses: -1 })).rejects.toThrow(ValueError);
    expect(memory().tensors).toBe(before);
    const model = createModel("lenet5", { weights: null });
    await expect(loadWeights(model, { url }, { retries: -1 })).rejects.toThrow(ValueError);
    model.dispose();
  });
});

describe("the table", () => {
  const names = Object.entries(modelWeights);

  test("has every model of torchvision's here, each entry with a file that says its checksum", async () => {
    await start();
    const published = /^(alexnet|densenet|mobilenet_v2|resnet|resnext|shufflenet_v2|squeezenet|vgg|wide_resnet)/;
    const here = listModels().filter((name) => published.test(name));
    expect(here.length).toBeGreaterThan(25);
    expect(here.filter((name) => !Object.hasOwn(modelWeights, name))).toEqual([]);
    for (const [name, published] of names) {
      expect(Object.values(published), name).toContain(published.DEFAULT);
      for (const { url, sha256, top1, top5, transforms, minSize } of Object.values(published)) {
        const [, digits = ""] = /^https:\/\/download\.pytorch\.org\/models\/.*-([0-9a-f]{8,10})\.pth$/.exec(url) ?? [];
        expect(digits, url).not.toBe("");
        if (sha256 !== undefined) expect(sha256.startsWith(digits) && sha256.length === 64).toBe(true);
        expect(top1 < top5 && top5 < 100 && transforms.cropSize >= minSize, url).toBe(true);
        expect(() => vision.imageClassification(transforms)).not.toThrow();
      }
    }
  });

  test("the numbers of parameters are those of the models", async () => {
    await start();
    for (const name of ["resnet18", "squeezenet1_0", "mobilenet_v2", "shufflenet_v2_x0_5", "densenet121"] as const) {
      const model = createModel(name);
      expect(nn.countParameters(model).total).toBe(modelWeights[name].DEFAULT.parameters);
      model.dispose();
    }
  });

  test("a thousand names of classes", async () => {
    await start();
    expect([IMAGENET_CATEGORIES.length, IMAGENET_CATEGORIES[285], IMAGENET_CATEGORIES[967]]).toEqual([
      1000,
      "Egyptian cat",
      "espresso",
    ]);
    expect(resnetWeights.resnet50.DEFAULT).toBe(modelWeights.resnet50.IMAGENET1K_V2);
  });
});

test("names of earlier versions are today's", async () => {
  await start();
  /** The parts of a DenseNet and of a vision transformer whose names changed. */
  class Net extends nn.Module {
    readonly denselayer1 = new nn.ModuleDict({ norm1: new nn.BatchNorm2d(2), conv2: new nn.Conv2d(2, 2, 1) });
    readonly encoder = new nn.ModuleDict({
      mlp: new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU(), new nn.Identity(), new nn.Linear(3, 2)),
    });
    readonly classifier = new nn.Linear(2, 1);
    readonly head = "classifier";
    forward(x: Tensor): Tensor {
      return x;
    }
  }
  const source = new Net();
  const model = new Net();
  const state = source.stateDict();
  const old = Object.fromEntries(
    Object.entries(state).map(([name, tensor]) => [
      name
        .replace(/(norm|conv)([12])/, "$1.$2")
        .replace("mlp.0", "mlp.linear_1")
        .replace("mlp.3", "mlp.linear_2"),
      tensor,
    ]),
  );
  expect(Object.keys(old)).toContain("denselayer1.norm.1.running_mean");
  expect(await vision.loadPretrained(model, old)).toEqual({ missingKeys: [], unexpectedKeys: [] });
  expect(await valuesOf(model)).toEqual(await valuesOf(source));
  for (const tensor of Object.values(state)) tensor.dispose();
  source.dispose();
  model.dispose();
});
