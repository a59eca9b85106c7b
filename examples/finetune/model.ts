// The network to fine-tune: architecture, and pretrained weights with a new head.
import { readFile } from "node:fs/promises";
import { cifarAlexnet, DataError, loadSafetensors, loadTorch, type nn, resnet18, resnet34, vision } from "wgrad";
import { pretrainedWeights } from "wgrad/node";
import { progressLine } from "./data.ts";
import type { Given } from "./options.ts";

export type Network = nn.Module & vision.Classifier;

const builders = { resnet18, resnet34, alexnet: cifarAlexnet };

export interface Built {
  readonly model: Network;
  /** Where its weights come from, for the log and metrics.json. */
  readonly weights: string;
}

/** Builds the model for `numClasses` and loads the weights that the options ask for. */
export async function buildModel(given: Given, numClasses: number, log: (line: string) => void): Promise<Built> {
  const { options } = given;
  const model = builders[options.model]({ numClasses });
  if (options.weights === "none") return { model, weights: "none (random initialisation)" };
  const dict = await loadWeights(given, log);
  if (!dict) return { model, weights: "none (random initialisation)" };
  const adapted = options.model === "alexnet" ? vision.adaptAlexnetWeights(dict.tensors) : dict.tensors;
  const { missingKeys } = await vision.loadPretrained(model, adapted);
  if (missingKeys.length > 0) log(`new head for ${numClasses} classes: ${missingKeys.join(", ")}`);
  for (const t of new Set([...Object.values(dict.tensors), ...Object.values(adapted)])) t.dispose();
  return { model, weights: dict.source };
}

async function loadWeights({ options }: Given, log: (line: string) => void) {
  const { weights, model } = options;
  if (weights !== undefined && weights !== "imagenet") {
    const bytes = await readFile(weights).catch((cause: unknown) => {
      throw new DataError(`--weights ${weights} cannot be read: ${String(cause)}`, { cause });
    });
    const load = weights.endsWith(".safetensors") ? loadSafetensors : loadTorch;
    return { tensors: await load(bytes), source: weights };
  }
  try {
    const bytes = await pretrainedWeights(model, { onProgress: progressLine(`${model}'s ImageNet weights`, log) });
    return { tensors: await loadTorch(bytes), source: `imagenet (torchvision's ${model})` };
  } catch (error) {
    if (!(error instanceof DataError) || weights !== undefined) throw error;
    log(`ImageNet weights are neither in the cache nor can they be downloaded (${error.message.split("\n")[0]}).`);
    log("Going on from random weights. For a pretrained start, pass --weights with a .pth or .safetensors file.");
    return null;
  }
}
