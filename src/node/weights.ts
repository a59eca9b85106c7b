// torchvision's pretrained weights by name: from the cache, or downloaded into it.
import { readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { check, ValueError } from "../errors.ts";
import { cachePath } from "./cache.ts";
import { type DownloadOptions, download } from "./download.ts";

/** The `IMAGENET1K_V1` weights of torchvision. Source: torchvision/models/{resnet,alexnet}.py. */
const WEIGHTS = {
  resnet18: "https://download.pytorch.org/models/resnet18-f37072fd.pth",
  resnet34: "https://download.pytorch.org/models/resnet34-b627a593.pth",
  alexnet: "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
} as const;

/** A model of torchvision with published weights. */
export type WeightsName = keyof typeof WEIGHTS;

/** What `pretrainedWeights` and `weightsFromUrl` take. */
export interface WeightsOptions extends Pick<DownloadOptions, "onProgress" | "signal" | "retries"> {
  /** Where downloads are kept; the folder `weights` of the cache by default. */
  root?: string;
}

/**
 * The bytes of torchvision's ImageNet weights (a torch `.pth`, for `loadTorch`) by the model's name.
 *
 * @throws ValueError for a name that has none; DataError where they cannot be downloaded, or are not the published ones
 */
export function pretrainedWeights(name: WeightsName, options: WeightsOptions = {}): Promise<Uint8Array> {
  check(
    Object.hasOwn(WEIGHTS, name),
    () => `[pretrainedWeights] there are no weights for "${name}"; expected one of ${Object.keys(WEIGHTS).join(", ")}`,
    ValueError,
  );
  return weightsFromUrl(WEIGHTS[name], options);
}

/**
 * The bytes of a weights file at `url`, kept in the cache. As in `torch.hub`, hex digits before the file name's ending
 * (`resnet18-f37072fd.pth`) are the first of its sha256, and checked each time. Errors as for `pretrainedWeights`.
 */
export async function weightsFromUrl(url: string, options: WeightsOptions = {}): Promise<Uint8Array> {
  const { root, ...rest } = options;
  const file = basename(new URL(url).pathname);
  const sha256 = /-([0-9a-f]{8,64})\.\w+$/.exec(file)?.[1];
  const folder = root === undefined ? cachePath("weights") : resolve(root);
  const path = join(folder, file);
  // A file whose name tells no checksum is as good as the download that made it.
  const kept = sha256 === undefined && (await stat(path).catch(() => undefined))?.isFile();
  if (!kept) await download(url, path, { ...rest, ...(sha256 && { sha256 }) });
  return readFile(path);
}
