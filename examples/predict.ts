// What a pretrained network says of pictures: npm run example:predict -- cat.jpg [--model resnet18] [--weights FILE] [--out page.html]
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { Command } from "commander";
import {
  createModel,
  DataError,
  IMAGENET_CATEGORIES,
  init,
  listModels,
  loadSafetensors,
  loadTorch,
  type ModelName,
  modelWeights,
  type nn,
  noGrad,
  scope,
  type Tensor,
  ValueError,
  vision,
  type WeightsEntry,
  WgradError,
} from "wgrad";
import { readImage, writeFileAtomic } from "wgrad/node";

interface Options {
  readonly model: string;
  readonly weights: string;
  readonly out?: string;
}

interface Guess {
  readonly category: string;
  /** A part of 1. */
  readonly probability: number;
}

const program = new Command("example:predict")
  .description("Name what is in pictures: the five best guesses of a pretrained network.")
  .argument("<image...>", "files of pictures")
  .option("--model <name>", "torchvision's name of the network", "resnet18")
  .option("--weights <name or file>", "published weights, or a .pth or .safetensors file of 1000 classes", "DEFAULT")
  .option("--out <file.html>", "write a page of the pictures with their guesses")
  .showHelpAfterError("(--help lists the options)")
  .parse();

const isModel = (name: string): name is ModelName => listModels().some((known) => known === name);
const isFile = (weights: string) => /\.(pth|pt|th|safetensors)$/.test(weights);

/** The network, and what is known of its published weights: what pictures go through before. */
async function load({ model: name, weights }: Options): Promise<{ model: nn.Module; entry: WeightsEntry }> {
  if (!isModel(name)) throw new ValueError(`--model ${name}: there is none; expected ${listModels().join(", ")}`);
  const published: Readonly<Record<string, WeightsEntry>> =
    Object.entries(modelWeights).find(([key]) => key === name)?.[1] ?? {};
  const entry = published[isFile(weights) ? "DEFAULT" : weights];
  if (!entry) throw new ValueError(`--weights ${weights}: ${name} has ${Object.keys(published).join(", ") || "none"}`);
  if (!isFile(weights)) {
    const model = (await createModel(name, { weights: entry } as never)) as nn.Module;
    return { model, entry };
  }
  const bytes = await readFile(weights).catch((cause: unknown) => {
    throw new DataError(`--weights ${weights} cannot be read: ${String(cause)}`, { cause });
  });
  const dict = await (weights.endsWith(".safetensors") ? loadSafetensors : loadTorch)(bytes);
  const model = createModel(name, entry.options ?? {}) as nn.Module;
  await model.loadStateDict(dict);
  for (const tensor of Object.values(dict)) tensor.dispose();
  return { model, entry };
}

/** The five best guesses for a picture i32 [3, H, W]. */
async function guess(model: nn.Module, picture: Tensor, transform: vision.Transform): Promise<Guess[]> {
  const { values, indices } = scope(() =>
    noGrad(() => model.forward(transform.forward(picture).unsqueeze(0)).softmax(1).topk(5)),
  );
  const [probabilities, classes] = await Promise.all([values.data(), indices.data()]);
  for (const t of [values, indices]) t.dispose();
  return Array.from(probabilities, (probability, i) => ({
    category: IMAGENET_CATEGORIES[classes[i] ?? 0] ?? "?",
    probability,
  }));
}

const percent = (part: number) => `${(100 * part).toFixed(1)} %`;
const escaped = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** A page of pictures with bars as long as their guesses are probable. */
function pageOf(title: string, pictures: readonly { file: string; guesses: readonly Guess[] }[]): string {
  const figures = pictures.map(({ file, guesses }) => {
    const rows = guesses.map(
      ({ category, probability }) =>
        `<li><span style="width:${percent(probability)}"></span>${escaped(category)} ${percent(probability)}</li>`,
    );
    return `<figure><img src="${escaped(pathToFileURL(file).href)}" alt="${escaped(basename(file))}"><ol>${rows.join("")}</ol></figure>`;
  });
  const style =
    "body{font:15px system-ui;display:flex;flex-wrap:wrap;gap:2em}h1{width:100%}figure{margin:0;width:320px}img{width:100%}" +
    "ol{padding:0;list-style:none}li{position:relative;padding:2px 6px}span{position:absolute;inset:0 auto 0 0;background:#9cf8;z-index:-1}";
  return `<!doctype html><meta charset="utf-8"><title>${escaped(title)}</title><style>${style}</style><h1>${escaped(title)}</h1>${figures.join("\n")}\n`;
}

async function main(files: readonly string[], options: Options): Promise<void> {
  await init();
  const { model, entry } = await load(options);
  model.eval();
  const transform = vision.imageClassification(entry.transforms);
  const pictures = [];
  for (const file of files) {
    const picture = await readImage(file);
    const guesses = await guess(model, picture, transform);
    picture.dispose();
    console.log(file);
    for (const { category, probability } of guesses) console.log(`  ${percent(probability).padStart(7)}  ${category}`);
    pictures.push({ file, guesses });
  }
  if (options.out) {
    await writeFileAtomic(options.out, pageOf(`${options.model}: ${options.weights}`, pictures));
    console.log(`page: ${options.out}`);
  }
}

try {
  await main(program.args, program.opts<Options>());
} catch (error) {
  console.error(error instanceof WgradError ? `${error.name}: ${error.message}` : error);
  process.exitCode = 1;
}
