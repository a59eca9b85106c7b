// docs/models.md, from the library itself: what adaptToSmallImages changes in each family, and every model's parameters and multiply-adds.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  adaptToSmallImages,
  createModel,
  emptyCache,
  init,
  listModels,
  type ModelName,
  modelWeights,
  nn,
  type SmallImageModel,
  type SmallImageRules,
  type Tensor,
} from "wgrad";
import type { Device } from "../../src/gpu/device.ts";
import { statesOf, traceForward } from "../../src/onnx/trace.ts";
import type { AttentionAttrs } from "../../src/ops/attention.ts";
import type { View } from "../../src/ops/matmul.ts";
import { markdownTable } from "./table.ts";

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Multiply-adds of convolutions, products and attention for one image; a multiplication with padding counts, too. */
function multiplyAdds(model: nn.Module<readonly [Tensor], unknown>, shape: readonly number[], device: Device): number {
  const { calls, held } = traceForward(model, { shape, dtype: "f32" }, device, statesOf(model));
  let sum = 0;
  for (const { op, inputs, outputs, attrs } of calls) {
    if (op === "conv2d") sum += sizeOf(outputs[0]!.shape) * sizeOf(inputs[1]!.shape.slice(1));
    else if (op === "matmul") {
      const { a, c } = attrs as { readonly a: View; readonly c: View };
      sum += sizeOf(c.shape) * a.shape.at(-1)!;
    } else if (op === "scaledDotProductAttention") {
      const { batch, heads, queries, keys, width, valueWidth } = attrs as AttentionAttrs;
      sum += batch * heads * queries * keys * (width + valueWidth);
    }
  }
  for (const t of held) t.dispose();
  return sum;
}

/** Each model of `createModel` takes one tensor. */
const oneInput = (model: nn.AnyModule) => model as nn.Module<readonly [Tensor], unknown>;

/** Rows and columns that a model was made for. */
function ownSize(name: ModelName, model: object): number {
  const fixed: unknown = Reflect.get(model, "imageSize");
  if (typeof fixed === "number") return fixed;
  if (name === "lenet5") return 32;
  if (name === "inception_resnet_v2") return 299;
  const [, weights] = Object.entries(modelWeights).find(([key]) => key === name) ?? [];
  const [first] = Object.values(weights ?? {});
  return first?.transforms.cropSize ?? 224;
}

type Golden = Readonly<Record<string, unknown>>;
const goldenOf = (file: string): Golden =>
  JSON.parse(readFileSync(new URL(`../../test/golden/${file}.json`, import.meta.url), "utf8")) as Golden;
const golden = { ...goldenOf("models"), ...goldenOf("families") };
/** Those that torchvision lacks, written out in PyTorch in scripts/golden. */
const OWN = /_patch|moco_v3_vit|inception_resnet/;

function stateOf(name: ModelName): string {
  if (!(name in golden)) return "-";
  return OWN.test(name) ? "own reference" : "torchvision";
}

/** Each convolution below a path in words: its kernel and stride. */
const convolutions = (model: nn.AnyModule, path: string): string => {
  const found = [...model.namedModules()].flatMap(([name, layer]) =>
    (name === path || name.startsWith(`${path}.`)) && layer instanceof nn.Conv2d ? [layer] : [],
  );
  const told = found
    .filter(({ kernelSize, options }) => found.length === 1 || kernelSize[0] > 1 || options.stride !== 1)
    .map(({ kernelSize: [rows, columns], options: { stride } }) => `${rows}x${columns} stride ${stride}`);
  return [...new Set(told)].join(", ");
};

/** What the rules change, in words; the rest of it once the model has been changed. */
function changesOf(model: SmallImageModel, { stems = [], unstrided = [], dropped = [], ...more }: SmallImageRules) {
  const { averaged = {}, flattened = {}, patches = {}, positions = [], windows = {}, coloured = [] } = more;
  const code = (path: string) => `\`${path}\``;
  const before = [...stems, ...unstrided, ...Object.keys(patches)].map(
    (path) => [path, convolutions(model, path)] as const,
  );
  return () =>
    [
      ...before.map(([path, was]) => `${code(path)}: ${was} to ${convolutions(model, path)}`),
      ...dropped.map((path) => `${code(path)} left out`),
      ...Object.entries(averaged).map(([path, size]) => `${code(path)} averages to ${size}x${size}`),
      ...Object.entries(flattened).map(([path, size]) => `${code(path)} takes ${size} inputs, places added up`),
      ...positions.map((path) => `${code(path)} interpolated`),
      ...Object.entries(windows).map(
        ([path, side]) => `windows in ${code(path)} of ${side}x${side}, tables interpolated`,
      ),
      ...coloured.map((path) => `${code(path)} takes three colours`),
    ].join("; ");
}

const millions = (n: number): string => (n / 1e6).toFixed(n < 1e6 ? 3 : 1);
const parametersOf = (model: nn.AnyModule): number => Array.from(model.parameters()).reduce((n, p) => n + p.numel, 0);

const START = "<!-- tables: written by `npm run bench:families -- --table` -->";
const END = "<!-- /tables -->";
const page = fileURLToPath(new URL("../../docs/models.md", import.meta.url));

/** Puts both tables between the markers of docs/models.md. */
export async function writeTables(): Promise<void> {
  const device = await init();
  // Nothing is computed: random weights of seven thousand million parameters would take minutes, and counts need none.
  Object.assign(device.queue, { dispatch() {}, copy() {}, clear() {} });
  const families = new Map<string, { names: string[]; lastMap: number }>();
  const models: string[][] = [];
  for (const name of listModels()) {
    const model: SmallImageModel = createModel(name);
    const size = ownSize(name, model);
    const channels = name === "lenet5" ? 1 : 3;
    const whole = [parametersOf(model), multiplyAdds(oneInput(model), [1, channels, size, size], device)] as const;
    const rules = model.smallImages;
    const changes = changesOf(model, rules);
    adaptToSmallImages(model);
    const small = [parametersOf(model), multiplyAdds(oneInput(model), [1, 3, 32, 32], device)] as const;
    const family = families.get(changes()) ?? { names: [], lastMap: rules.lastMap };
    family.names.push(name);
    families.set(changes(), family);
    models.push([
      name,
      millions(whole[0]),
      `${size}x${size}`,
      millions(whole[1]),
      millions(small[0]),
      millions(small[1]),
      `${rules.lastMap}x${rules.lastMap}`,
      stateOf(name),
    ]);
    model.dispose();
    await device.sync();
    emptyCache();
    console.log(models.at(-1)?.join("  "));
  }
  const rows = [...families].map(([changes, { names, lastMap }]) => [
    names.join(", "),
    changes,
    `${lastMap}x${lastMap}`,
  ]);
  const header = ["model", "parameters", "made for", "multiply-adds", "parameters at 32x32", "multiply-adds at 32x32"];
  const changed = markdownTable(["models", "what is changed", "last map"], rows);
  const counted = markdownTable([...header, "last map", "agrees with"], models);
  const text = readFileSync(page, "utf8");
  const [start, end] = [text.indexOf(START), text.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`docs/models.md lacks the markers ${START} and ${END}`);
  const block = [START, "", changed, "", "Parameters and multiply-adds in millions:", "", counted, "", END].join("\n");
  writeFileSync(page, text.slice(0, start) + block + text.slice(end + END.length));
  console.log("written to docs/models.md");
  device.destroy();
}
