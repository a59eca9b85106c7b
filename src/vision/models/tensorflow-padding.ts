// Where zeros go around a map at stride 2: as PyTorch has it, or as TensorFlow's "SAME" has it.
import { check, told, ValueError } from "../../errors.ts";
import type { ConvMaker } from "../../nn/blocks.ts";
import { Conv2d } from "../../nn/conv-layers.ts";
import { conv2d } from "../../ops/conv2d.ts";
import { pad } from "../../ops/movement.ts";
import { scope } from "../../tensor/scope.ts";
import { pair } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** What models take whose weights may come from TensorFlow or Keras. */
export interface PaddingOptions {
  /**
   * Where the convolutions of stride 2 add their zeros. "torch" (the default): as many on each side, (kernel - 1) / 2, as
   * torchvision's weights expect. "tensorflow": as TensorFlow's "SAME", for weights that were trained with it (Keras, and timm's
   * models whose names begin with `tf_`): no more than are needed, and of an odd number the last one below and on the right. For a
   * 3x3 kernel and an even input that is none before and one behind. Names and shapes of the weights are the same; with the wrong one
   * of the two a pretrained network sees everything moved by a pixel, and loses accuracy.
   * @see https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2
   */
  padding?: ModelPadding;
}

/** See `PaddingOptions`. */
export type ModelPadding = "torch" | "tensorflow";

/** `padding`, its default filled in. */
export function paddingOf(name: string, { padding = "torch" }: PaddingOptions): ModelPadding {
  check(
    padding === "torch" || padding === "tensorflow",
    () => `[${name}] padding must be "torch" or "tensorflow", got ${told(padding)}`,
    ValueError,
  );
  return padding;
}

/** Zeros that `size` elements need for ceil(size / stride) results. */
const totalOf = (size: number, kernel: number, stride: number, dilation: number): number =>
  Math.max(0, (Math.ceil(size / stride) - 1) * stride + dilation * (kernel - 1) + 1 - size);

/** A convolution whose padding goes by the input's size: x: [N, C, H, W] to [N, filters, ceil(H / stride), ceil(W / stride)]. */
class TensorFlowConv2d extends Conv2d {
  override forward(x: Tensor): Tensor {
    const { weight, bias, options, kernelSize } = this;
    const [stride, dilation] = [options.stride, options.dilation].map((o) => pair("Conv2d", "option", o));
    const total = (i: 0 | 1) => totalOf(x.shape[i + 2] ?? 0, kernelSize[i], stride?.[i] ?? 1, dilation?.[i] ?? 1);
    const [rows, columns] = [total(0), total(1)];
    const padding = [Math.floor(rows / 2), Math.floor(columns / 2)] as const;
    if (rows % 2 === 0 && columns % 2 === 0) return conv2d(x, weight, bias, { ...options, padding });
    return scope(() => conv2d(pad(x, [0, columns % 2, 0, rows % 2]), weight, bias, { ...options, padding }));
  }

  override describe(): string {
    return `${super.describe()}, padding as TensorFlow's "SAME"`;
  }
}

/** Makes the convolutions of a model. At stride 1 both paddings are the same. */
export const convMaker =
  (padding: ModelPadding): ConvMaker =>
  (inChannels, outChannels, kernelSize, options) =>
    padding === "tensorflow" && options.stride !== 1
      ? new TensorFlowConv2d(inChannels, outChannels, kernelSize, { ...options, padding: 0 })
      : new Conv2d(inChannels, outChannels, kernelSize, options);
