// torchvision's pretrained weights by name: from the cache, or downloaded into it.
import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { check, ValueError } from "../errors.ts";
import { cachePath } from "./cache.ts";
import { type DownloadOptions, download } from "./download.ts";
import { fileNameOf } from "./http.ts";

/**
 * The `IMAGENET1K_V1` weights of torchvision. Source of the addresses: torchvision/models/{resnet,alexnet}.py. Their names have
 * the first eight digits of the sha256; all digits and the sizes are those of the files at these addresses.
 */
const WEIGHTS = {
  resnet18: {
    url: "https://download.pytorch.org/models/resnet18-f37072fd.pth",
    size: 46_830_571,
    sha256: "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
  },
  resnet34: {
    url: "https://download.pytorch.org/models/resnet34-b627a593.pth",
    size: 87_319_819,
    sha256: "b627a593bcbe140c234610266fe4f8ae95ea42fc881d091c9b6052e6b1d0590f",
  },
  alexnet: {
    url: "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    size: 244_408_911,
    sha256: "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
  },
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
  const { url, ...expected } = WEIGHTS[name];
  return fetchWeights(url, expected, options);
}

/**
 * The bytes of a weights file at `url`, kept in the cache. As in `torch.hub`, hex digits before the file name's ending
 * (`resnet18-f37072fd.pth`) are the first of its sha256, and checked each time. Errors as for `pretrainedWeights`.
 */
export function weightsFromUrl(url: string, options: WeightsOptions = {}): Promise<Uint8Array> {
  const sha256 = /-([0-9a-f]{8,64})\.\w+$/.exec(fileNameOf("weightsFromUrl", url))?.[1];
  return fetchWeights(url, sha256 === undefined ? {} : { sha256 }, options);
}

async function fetchWeights(
  url: string,
  expected: Pick<DownloadOptions, "sha256" | "size">,
  { root, ...options }: WeightsOptions,
): Promise<Uint8Array> {
  const folder = root === undefined ? cachePath("weights") : resolve(root);
  const path = join(folder, fileNameOf("weightsFromUrl", url));
  // A file whose checksum is not known is as good as the download that made it.
  const kept = expected.sha256 === undefined && (await stat(path).catch(() => undefined))?.isFile();
  if (!kept) await download(url, path, { ...options, ...expected });
  return readFile(path);
}
