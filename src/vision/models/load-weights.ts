// loadWeights: a file of weights, from the cache or the network, into a model.
import { fetchWeights } from "#platform";
import { check, checkFunction, checkOptions, checkWhole, told, ValueError } from "../../errors.ts";
import { loadSafetensors, loadTorch } from "../../io/index.ts";
import type { LoadResult } from "../../nn/load-state-dict.ts";
import { type Classifier, checkClassifier, loadPretrained } from "./pretrained.ts";
import type { WeightsDownload, WeightsFile, WeightsRequest } from "./weights-entry.ts";

const DOWNLOAD = ["url", "root", "onProgress", "signal", "retries"];

/** The last part of an address. Throws `ValueError` for what is no address of a file. */
function fileOf(url: unknown): string {
  const parsed = typeof url === "string" && URL.canParse(url) ? new URL(url) : undefined;
  const file = parsed?.pathname.split("/").at(-1);
  check(
    (parsed?.protocol === "http:" || parsed?.protocol === "https:") && file !== undefined && file !== "",
    () => `[loadWeights] ${told(url)} is no http or https address of a file`,
    ValueError,
  );
  return file;
}

/** What the platform is asked for. Throws `ValueError`. */
function requestOf(weights: WeightsFile, download: WeightsDownload): WeightsRequest {
  check(
    typeof weights === "object" && weights !== null && "url" in weights,
    () =>
      `[loadWeights] got ${told(weights)} in the place of weights: pass resnetWeights.resnet18.DEFAULT and the like, or { url } of a file`,
    ValueError,
  );
  checkOptions("loadWeights", download, DOWNLOAD);
  const { url = weights.url, root, onProgress, retries } = download;
  const file = fileOf(weights.url);
  fileOf(url);
  const { sha256 = /-([0-9a-f]{8,64})\.\w+$/.exec(file)?.[1], size } = weights;
  check(
    sha256 === undefined || (typeof sha256 === "string" && /^[0-9a-f]{8,64}$/i.test(sha256)),
    () => `[loadWeights] ${told(sha256)} is no sha256; expected 64 hex digits, or the first 8 and more`,
    ValueError,
  );
  if (size !== undefined) checkWhole("loadWeights", "size", size, 1);
  if (retries !== undefined) checkWhole("loadWeights", "retries", retries, 0);
  if (onProgress !== undefined) checkFunction("loadWeights", "onProgress", onProgress);
  check(
    root === undefined || typeof root === "string",
    () => `[loadWeights] root is the path of a folder, got ${told(root)}`,
    ValueError,
  );
  // Files without a checksum are told apart by their addresses alone.
  const { host, pathname } = new URL(weights.url);
  const name = sha256 === undefined ? `${host}${pathname}`.replace(/[^\w.-]+/g, "_").slice(-200) : file;
  return { url, name, sha256: sha256?.toLowerCase(), size };
}

/**
 * Loads published weights into a model, as `loadPretrained` does: a last layer for another number of classes stays as it is.
 *
 * ```ts
 * const model = resnet18({ numClasses: 10 });
 * await loadWeights(model, resnetWeights.resnet18.DEFAULT, { onProgress: ({ received, total }) => ... });
 * ```
 *
 * Node keeps files in the cache folder, and takes those that PyTorch has downloaded (`$TORCH_HOME/hub/checkpoints`); browsers keep
 * them in the Cache API, or in the origin's private file system where there is none. Files are checked each time.
 *
 * @throws ValueError for arguments that are none; DataError, which names the file and where to put it, where it can neither be found
 *   nor downloaded, or is another one than was published; FormatError for a damaged one; StateDictError for another model's
 */
export async function loadWeights(
  model: Classifier,
  weights: WeightsFile,
  download: WeightsDownload = {},
): Promise<LoadResult> {
  checkClassifier("loadWeights", model);
  const request = requestOf(weights, download);
  const bytes = await fetchWeights(request, download);
  const load = request.name.endsWith(".safetensors") ? loadSafetensors : loadTorch;
  const dict = await load(bytes);
  try {
    return await loadPretrained(model, dict);
  } finally {
    for (const tensor of Object.values(dict)) tensor.dispose();
  }
}
