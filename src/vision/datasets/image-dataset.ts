// A labelled set of equally sized 8-bit images in memory: what data sets hand to transforms and loaders.
import { type Dataset, positionsOf } from "../../data/dataset.ts";
import { HostTensor } from "../../data/host-tensor.ts";
import { check, checkOptions, ShapeError, told, ValueError } from "../../errors.ts";

/** The parts of an `ImageDataset`. */
export interface ImageDatasetParts {
  /** N*C*H*W bytes, image after image, each in CHW order (torchvision's layout), 0..255. */
  images: Uint8Array;
  /** N class indices, each within `0..classes.length - 1`. */
  labels: Int32Array;
  /** Class names; a label is an index into it. */
  classes: readonly string[];
  /** `[C, H, W]` of every image. */
  shape: readonly [channels: number, height: number, width: number];
}

/** A labelled set of equally sized 8-bit images in memory. Parts are kept by reference, not copied. */
export class ImageDataset implements ImageDatasetParts, Dataset<{ image: HostTensor; label: number }> {
  readonly images: Uint8Array;
  readonly labels: Int32Array;
  readonly classes: readonly string[];
  readonly shape: readonly [channels: number, height: number, width: number];

  /**
   * Throws `ShapeError` where the bytes do not make as many images as there are labels, and `ValueError` for a label
   * without a class.
   */
  constructor(parts: ImageDatasetParts) {
    checkOptions("ImageDataset", parts, ["images", "labels", "classes", "shape"]);
    const { images, labels, classes, shape } = parts;
    check(
      images instanceof Uint8Array && labels instanceof Int32Array && Array.isArray(classes),
      () =>
        `[ImageDataset] takes images as a Uint8Array, labels as an Int32Array and classes as an array, got ${told(images)}, ${told(labels)} and ${told(classes)}`,
      ValueError,
    );
    check(
      Array.isArray(shape) &&
        shape.length === 3 &&
        Array.from(shape).every((size) => Number.isInteger(size) && size > 0),
      () => `[ImageDataset] shape is ${told(shape)}; expected three positive whole numbers: channels, height, width`,
    );
    const [channels, height, width] = shape;
    const imageBytes = channels * height * width;
    check(
      images.length === labels.length * imageBytes,
      () =>
        `[ImageDataset] ${images.length} bytes of images for ${labels.length} labels; expected ${labels.length} x ` +
        `${imageBytes} bytes, one [${shape.join(", ")}] image for each label`,
      ShapeError,
    );
    const wrong = labels.findIndex((label) => label < 0 || label >= classes.length);
    check(
      wrong < 0,
      () =>
        `[ImageDataset] label ${labels[wrong]} of image ${wrong} is out of range; expected 0..${classes.length - 1}`,
      ValueError,
    );
    this.images = images;
    this.labels = labels;
    this.classes = classes;
    this.shape = shape;
  }

  /** The number of images. */
  get length(): number {
    return this.labels.length;
  }

  /** The C*H*W bytes of image `index`, as a view. Throws `ValueError` where there is no such image. */
  image(index: number): Uint8Array {
    check(
      Number.isInteger(index) && index >= 0 && index < this.length,
      () => `[ImageDataset] there is no image ${told(index)}; expected 0..${this.length - 1}`,
      ValueError,
    );
    const [channels, height, width] = this.shape;
    const size = channels * height * width;
    return this.images.subarray(index * size, (index + 1) * size);
  }

  /**
   * Image `index`, [C, H, W] of whole numbers 0..255, and its label: what a `data.DataLoader`, a `data.Subset` and the like ask
   * for. Throws `ValueError` where there is no such image.
   */
  get(index: number): { image: HostTensor; label: number } {
    return { image: new HostTensor(this.image(index), this.shape), label: this.labels[index] ?? 0 };
  }

  /** The first `count` images, as views of the same memory. Throws `ValueError` where there are fewer. */
  subset(count: number): ImageDataset {
    check(
      Number.isInteger(count) && count >= 0 && count <= this.length,
      () =>
        `[ImageDataset] a subset of ${told(count)} images was asked for; expected a whole number within 0..${this.length}`,
      ValueError,
    );
    const [channels, height, width] = this.shape;
    return new ImageDataset({
      images: this.images.subarray(0, count * channels * height * width),
      labels: this.labels.subarray(0, count),
      classes: this.classes,
      shape: this.shape,
    });
  }

  /**
   * The images at `indices`, copied, in that order: of a `data.Subset`, to upload it. Throws `ValueError` where there is no
   * such image.
   */
  select(indices: Iterable<number>): ImageDataset {
    const positions = positionsOf("ImageDataset.select", indices, this.length);
    const [channels, height, width] = this.shape;
    const size = channels * height * width;
    const images = new Uint8Array(positions.length * size);
    for (const [i, position] of positions.entries()) images.set(this.image(position), i * size);
    const labels = positions.map((position) => this.labels[position] ?? 0);
    return new ImageDataset({ images, labels, classes: this.classes, shape: this.shape });
  }

  /** How many images each class has, in the order of `classes`. */
  classCounts(): number[] {
    const counts = this.classes.map(() => 0);
    for (const label of this.labels) counts[label] = (counts[label] ?? 0) + 1;
    return counts;
  }
}
