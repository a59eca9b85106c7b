// What is known of published weights, and how a file of them is asked for.
import type { GlobalType } from "../../gpu/global-type.ts";
import type { ImageClassificationOptions } from "../transform-preset.ts";

/** A file of weights: `.pth` of any PyTorch, or `.safetensors`. */
export interface WeightsFile {
  /**
   * Where it is. As in `torch.hub`, hex digits before the ending (`resnet18-f37072fd.pth`) are the first of its sha256, and are
   * checked.
   */
  readonly url: string;
  /** All digits of its sha256, or the first eight and more. Default: those in the file's name. */
  readonly sha256?: string;
  /** Its size in bytes. Default: not checked. */
  readonly size?: number;
}

/**
 * Published ImageNet weights of a model. torchvision publishes the first digits of a file's sha256, in its name, and no sizes: where
 * all digits and the size are not known from elsewhere, `sha256` and `size` are missing, and those digits are what is checked.
 */
export interface WeightsEntry extends WeightsFile {
  /** How many parameters the model has. */
  readonly parameters: number;
  /** Accuracy on ImageNet's validation set, in percent. */
  readonly top1: number;
  /** How often the right class is among the first five there, in percent. */
  readonly top5: number;
  /** The shortest side of pictures that the model takes. */
  readonly minSize: number;
  /** What pictures go through before: `vision.imageClassification(entry.transforms)`. */
  readonly transforms: ImageClassificationOptions;
  /** Where the terms are that these weights may be used under. */
  readonly license: string;
  /** Options of the model that these weights were trained with. Default: none. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** How far a download is. */
export interface WeightsProgress {
  /** What is downloaded. */
  url: string;
  /** Bytes so far, those of an interrupted download included. */
  received: number;
  /** The file's size in bytes, where it is known. */
  total: number | undefined;
}

/** How weights come from the network, and where they are kept. */
export interface WeightsDownload {
  /** Another address for the same file, such as a mirror's. Its name, and so its checksum, stays. Default: the published one. */
  url?: string;
  /** In Node: the folder that downloads are kept in. Default: `weights` in the cache folder. */
  root?: string;
  /** Called as bytes come in. Default: nobody is told. */
  onProgress?: (progress: WeightsProgress) => void;
  /** Stops the download with the signal's reason. Default: none. */
  signal?: GlobalType<"AbortSignal">;
  /** How often to try again after a failed connection or a server's error. Default 3. */
  retries?: number;
}

/** A file of weights as the platforms fetch it: under which name it is kept, and what it is checked by. */
export interface WeightsRequest {
  /** Where it is asked for. */
  readonly url: string;
  /** Its name in caches. */
  readonly name: string;
  readonly sha256: string | undefined;
  readonly size: number | undefined;
}
