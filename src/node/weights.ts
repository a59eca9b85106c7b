// Published weights in Node: from the cache, from PyTorch's, or downloaded into the cache.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { check, DataError, told, ValueError } from "../errors.ts";
import { modelWeights } from "../vision/models/weights/table.ts";
import type { WeightsDownload, WeightsRequest } from "../vision/models/weights-entry.ts";
import { cachePath } from "./cache.ts";
import { download } from "./download.ts";
import { fileNameOf } from "./http.ts";

/** A model of torchvision with published weights. */
export type WeightsName = keyof typeof modelWeights;

/** What `pretrainedWeights` and `weightsFromUrl` take. */
export type WeightsOptions = Pick<WeightsDownload, "root" | "onProgress" | "signal" | "retries">;

/** Where PyTorch keeps what it downloads. @see https://pytorch.org/docs/stable/hub.html#where-are-my-downloaded-models-saved */
function hubFolder(): string {
  const { TORCH_HOME, XDG_CACHE_HOME } = process.env;
  return join(TORCH_HOME || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "torch"), "hub", "checkpoints");
}

/** The file's bytes, where it is there and as it was published. */
async function kept(path: string, { sha256, size }: WeightsRequest): Promise<Uint8Array | undefined> {
  const bytes = await readFile(path).catch(() => undefined);
  if (!bytes || (size !== undefined && bytes.length !== size)) return undefined;
  // One whose checksum is not known is as good as the download that made it.
  if (sha256 === undefined) return bytes;
  return createHash("sha256").update(bytes).digest("hex").startsWith(sha256) ? bytes : undefined;
}

/** A file of weights, from the cache, PyTorch's or the network. See `loadWeights`. */
export async function fetchWeights(request: WeightsRequest, options: WeightsDownload): Promise<Uint8Array> {
  const { url, name, sha256, size } = request;
  const { root, onProgress, signal, retries } = options;
  const folder = root === undefined ? cachePath("weights") : resolve(root);
  const path = join(folder, name);
  const found = (await kept(path, request)) ?? (await kept(join(hubFolder(), name), request));
  if (found) return found;
  try {
    await download(url, path, {
      ...(sha256 !== undefined && { sha256 }),
      ...(size !== undefined && { size }),
      ...(onProgress && { onProgress }),
      ...(signal && { signal }),
      ...(retries !== undefined && { retries }),
    });
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new DataError(
      `[loadWeights] ${name} is neither in ${folder} nor in PyTorch's ${hubFolder()}, and could not be downloaded. Fetch ${url} by other means and put it into one of these folders.\n${error.message}`,
      { cause: error },
    );
  }
  return readFile(path);
}

/**
 * The bytes of torchvision's ImageNet weights (a torch `.pth`, for `loadTorch`) by the model's name: those that are
 * `modelWeights[name].DEFAULT`.
 *
 * @throws ValueError for a name that has none; DataError where they cannot be downloaded, or are not the published ones
 */
export function pretrainedWeights(name: WeightsName, options: WeightsOptions = {}): Promise<Uint8Array> {
  check(
    Object.hasOwn(modelWeights, name),
    () =>
      `[pretrainedWeights] there are no weights for ${told(name)}; expected one of ${Object.keys(modelWeights).join(", ")}`,
    ValueError,
  );
  const { url, size, sha256 } = modelWeights[name].DEFAULT;
  return fetchWeights({ ...requestFor(url), size, ...(sha256 !== undefined && { sha256 }) }, options);
}

/**
 * The bytes of a weights file at `url`, kept in the cache. As in `torch.hub`, hex digits before the file name's ending
 * (`resnet18-f37072fd.pth`) are the first of its sha256, and checked each time. Errors as for `pretrainedWeights`.
 */
export function weightsFromUrl(url: string, options: WeightsOptions = {}): Promise<Uint8Array> {
  return fetchWeights(requestFor(url), options);
}

function requestFor(url: string): WeightsRequest {
  const name = fileNameOf("weightsFromUrl", url);
  return { url, name, sha256: /-([0-9a-f]{8,64})\.\w+$/.exec(name)?.[1], size: undefined };
}
