// A data set of 8-bit images on the device, and the batches that are gathered from it there.
import { apply } from "../autograd/apply.ts";
import { type Op, withoutGradient } from "../autograd/op.ts";
import { check, checkNumber, checkOptions, ShapeError, StateError, told, ValueError } from "../errors.ts";
import { checkDevice, currentDevice, type Device } from "../gpu/device.ts";
import { faultCode } from "../gpu/faults.ts";
import { Kernel } from "../kernels/kernel.ts";
import gatherWgsl from "../kernels/wgsl/gather-images.wgsl";
import { fromHost } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { keep, scope } from "../tensor/scope.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ImageDataset } from "./datasets/image-dataset.ts";
import { checkNormalize, imageGrid, statistics } from "./transform-ops.ts";
import type { NormalizeStep } from "./transform-steps.ts";
import { checkTransform, Transform } from "./transforms.ts";

/** A batch on the device. Free both with `dispose()`, or let a `scope` do it. */
export interface ImageBatch {
  /** f32 [N, C, H, W] */
  readonly images: Tensor;
  /** i32 [N] */
  readonly labels: Tensor;
}

/** What `GpuDataset` takes beside the images. */
export interface GpuDatasetOptions {
  /** The device that the images live on, and their batches. Default: the one that `init` opened last, see `useDevice`. */
  device?: Device;
  /** Bytes of images in one buffer at most. Default: what the adapter binds at once, and no more than 1 GiB. */
  chunkBytes?: number;
}

interface Layout {
  readonly shape: readonly [channels: number, height: number, width: number];
  /** Images altogether, and in every chunk but the last. */
  readonly length: number;
  readonly perChunk: number;
  /** An image's words of four bytes. */
  readonly words: number;
}
type GatherAttrs = Layout & { readonly normalize: NormalizeStep | null };

const kernel = new Kernel(gatherWgsl);
const MAX_CHUNK = 2 ** 30;

const INDEX_FAULT = faultCode(
  (index, length) =>
    new ValueError(
      `[GpuDataset.batch] there is no image ${index}; expected 0..${length - 1} (or -1, which pads a batch)`,
    ),
);

type GatherOp = Op<
  readonly [indices: Tensor, labels: Tensor, ...chunks: Tensor[]],
  GatherAttrs,
  readonly [images: Tensor, labels: Tensor]
>;

const gatherOp: GatherOp = {
  name: "gatherImages",
  infer([indices], { shape, normalize }) {
    checkDtype("GpuDataset.batch", "indices", indices.dtype, "i32");
    const [n = 0] = indices.shape;
    check(
      indices.shape.length === 1,
      () => `[GpuDataset.batch] indices must have shape [N], got ${show(indices.shape)}`,
      ShapeError,
    );
    checkNormalize(shape[0], normalize);
    return [
      { shape: [n, ...shape], dtype: "f32" },
      { shape: [n], dtype: "i32" },
    ];
  },
  forward(run, [index, label, ...chunks], [y, label_out], { shape, length, perChunk, words, normalize }) {
    const [channels, height, width] = shape;
    const plane = height * width;
    const { grid, stride } = imageGrid(run.device.info, words, index.numel);
    const image = { words, elements: channels * plane, plane, ...statistics(normalize) };
    const { faults } = run.queue;
    for (const [i, chunk] of chunks.entries()) {
      const first = i * perChunk;
      const range = { first, count: Math.min(perChunk, length - first), total: length };
      kernel.launch(
        run,
        { image: chunk, label, index, y, label_out, faults },
        { ...image, ...range, stride, blank: i === 0 ? 1 : 0, fault: INDEX_FAULT },
        grid,
      );
    }
  },
  ...withoutGradient,
};

const identity = new Transform([]);

/**
 * A data set of 8-bit images that lives on the device, four bytes a word. Batches are gathered, augmented and normalized
 * there, also inside a captured step, with the indices as its input.
 */
export class GpuDataset {
  /** Class names; a label is an index into it. */
  readonly classes: readonly string[];
  /** The device that it lives on. */
  readonly device: Device;
  readonly #layout: Layout;
  readonly #labels: Tensor;
  readonly #chunks: readonly Tensor[];

  /**
   * Uploads the images.
   * @throws ValueError for a data set without images, or an image larger than a chunk
   */
  constructor(dataset: ImageDataset, options: GpuDatasetOptions = {}) {
    check(
      dataset instanceof ImageDataset,
      () =>
        `[GpuDataset] got ${told(dataset)} in the place of an ImageDataset: make one with new ImageDataset({ ... })`,
      ValueError,
    );
    checkOptions("GpuDataset", options, ["device", "chunkBytes"]);
    checkDevice("GpuDataset", options.device);
    if (options.chunkBytes !== undefined) checkNumber("GpuDataset", "chunkBytes", options.chunkBytes, 1);
    const { images, labels, classes, shape, length } = dataset;
    check(length > 0, () => "[GpuDataset] the data set has no images", ValueError);
    const { device = currentDevice() } = options;
    const { limits } = device.gpu;
    // The pool rounds a buffer up by an eighth at most.
    const most = Math.min(limits.maxStorageBufferBindingSize, Math.floor((limits.maxBufferSize * 8) / 9), MAX_CHUNK);
    const chunkBytes = Math.min(options.chunkBytes ?? most, most);
    const bytes = shape[0] * shape[1] * shape[2];
    const words = Math.ceil(bytes / 4);
    const perChunk = Math.min(length, Math.floor(chunkBytes / (4 * words)));
    check(
      perChunk > 0,
      () => `[GpuDataset] an image of shape ${show(shape)} does not fit into a chunk of ${chunkBytes} bytes`,
      ValueError,
    );
    this.classes = classes;
    this.device = device;
    this.#layout = { shape, length, perChunk, words };
    this.#labels = keep(fromHost(labels.slice(), [length], "i32", { device }));
    this.#chunks = Array.from({ length: Math.ceil(length / perChunk) }, (_, i) => {
      const part = images.subarray(i * perChunk * bytes, (i + 1) * perChunk * bytes);
      return keep(fromHost(pack(part, bytes, words), [(part.length / bytes) * words], "u32", { device }));
    });
  }

  /** The number of images. */
  get length(): number {
    return this.#layout.length;
  }

  /** `[C, H, W]` of every image as stored. */
  get shape(): readonly [channels: number, height: number, width: number] {
    return this.#layout.shape;
  }

  /**
   * The images and labels at `indices: i32 [N]`, as f32 in [0, 1] (torchvision's ToTensor), then transformed. A negative
   * index gives a black image with label -100, the target that cross-entropy ignores: it pads a last batch.
   *
   * @param draws the transform's random numbers, see `Transform.forward`; drawn anew by default
   * @throws ShapeError, DtypeError for indices or a transform that do not fit; StateError after `dispose()`.
   *   DeviceError for indices on another device than the data set's.
   *   An index beyond the end is a ValueError at the next readback: only the device sees it
   */
  batch(indices: Tensor, transform: Transform = identity, draws?: Tensor): ImageBatch {
    check(!this.disposed, () => "[GpuDataset.batch] the data set was disposed: upload it again", StateError);
    checkTransform("GpuDataset.batch", transform);
    return scope(() => {
      const { first, rest } = transform.split();
      const inputs = [indices, this.#labels, ...this.#chunks] as const;
      const [raw, labels] = apply(gatherOp, inputs, { ...this.#layout, normalize: first });
      return { images: rest(raw, draws), labels };
    });
  }

  /** Whether it was freed: it gives no batches any more. */
  get disposed(): boolean {
    return this.#labels.disposed;
  }

  /** Frees the device memory. Safe to call twice. */
  dispose(): void {
    for (const t of [this.#labels, ...this.#chunks]) t.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Images of `bytes` bytes as words, each image beginning a new word. */
function pack(images: Uint8Array, bytes: number, words: number): Uint32Array<ArrayBuffer> {
  const count = images.length / bytes;
  const packed = new Uint32Array(count * words);
  const target = new Uint8Array(packed.buffer);
  if (bytes === 4 * words) target.set(images);
  else for (let i = 0; i < count; i++) target.set(images.subarray(i * bytes, (i + 1) * bytes), i * 4 * words);
  return packed;
}
