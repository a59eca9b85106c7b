// Convolutions and matrix products over the shapes of ResNet18 and AlexNet, and square products.
import { rand } from "wgrad";
import { conv2d, linear } from "../../src/nn/functional.ts";
import { type Batches, backwardOf, type KernelCase, leaf } from "./cases.ts";

interface ConvLayer {
  readonly layer: string;
  readonly channels: number;
  readonly filters: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly size: number;
}

function resnet18Layers(size: number): ConvLayer[] {
  const layers: ConvLayer[] = [
    { layer: "stem", channels: 3, filters: 64, kernel: 7, stride: 2, padding: 3, size },
    { layer: "layer1", channels: 64, filters: 64, kernel: 3, stride: 1, padding: 1, size: size / 4 },
  ];
  for (const i of [2, 3, 4]) {
    const filters = 32 * 2 ** i;
    const outer = { channels: filters / 2, filters, stride: 2, size: size / 2 ** i };
    layers.push(
      { ...outer, layer: `layer${i} first`, kernel: 3, padding: 1 },
      { ...outer, layer: `layer${i} shortcut`, kernel: 1, padding: 0 },
      { layer: `layer${i}`, channels: filters, filters, kernel: 3, stride: 1, padding: 1, size: size / 2 ** (i + 1) },
    );
  }
  return layers;
}

/** `sizes`: of the maps that the five convolutions see. */
function alexnetLayers(stem: Pick<ConvLayer, "kernel" | "stride" | "padding">, sizes: readonly number[]): ConvLayer[] {
  const widths = [3, 64, 192, 384, 256, 256];
  return sizes.map((size, i) => ({
    layer: `conv${i + 1}`,
    channels: widths[i]!,
    filters: widths[i + 1]!,
    size,
    ...(i === 0 ? stem : { kernel: i === 1 ? 5 : 3, stride: 1, padding: i === 1 ? 2 : 1 }),
  }));
}

/** Multiply-adds along one axis: pairs of an output position and a tap that falls inside the image. */
function liveTaps({ kernel, stride, padding, size }: ConvLayer): number {
  const out = outSize({ kernel, stride, padding, size });
  let live = 0;
  for (let o = 0; o < out; o++) {
    for (let k = 0; k < kernel; k++) {
      const at = o * stride - padding + k;
      if (at >= 0 && at < size) live++;
    }
  }
  return live;
}

const outSize = ({ kernel, stride, padding, size }: Pick<ConvLayer, "kernel" | "stride" | "padding" | "size">) =>
  Math.floor((size + 2 * padding - kernel) / stride) + 1;

function convCases(model: string, batch: number, l: ConvLayer): KernelCase[] {
  const { channels, filters, kernel, stride, padding, size } = l;
  const options = { stride, padding };
  const x = [batch, channels, size, size];
  const w = [filters, channels, kernel, kernel];
  const common = {
    shape: `${batch}x${channels}x${size}x${size} to ${filters}, ${kernel}x${kernel}${stride > 1 ? `/${stride}` : ""}`,
    work: { flop: 2 * batch * channels * filters * liveTaps(l) ** 2 },
  };
  const named = (pass: string) => ({ name: `conv ${pass}, ${model} ${l.layer}`, ...common });
  const cases: KernelCase[] = [
    {
      ...named("forward"),
      setup(hold) {
        const [input, weight] = [hold(rand(x)), hold(rand(w))];
        return () => hold(conv2d(input, weight, null, options));
      },
    },
    {
      ...named("d-weight"),
      setup(hold) {
        const [input, weight] = [hold(rand(x)), leaf(hold, w)];
        return backwardOf(hold, () => conv2d(input, weight, null, options));
      },
    },
  ];
  // The gradient of an image is never computed.
  if (channels === 3) return cases;
  cases.splice(1, 0, {
    ...named("d-input"),
    setup(hold) {
      const [input, weight] = [leaf(hold, x), hold(rand(w))];
      return backwardOf(hold, () => conv2d(input, weight, null, options));
    },
  });
  return cases;
}

function matmulCase(size: number): KernelCase {
  return {
    name: `matmul, ${size} cubed`,
    shape: `${size}x${size} by ${size}x${size}`,
    work: { flop: 2 * size ** 3 },
    setup(hold) {
      const [a, b] = [hold(rand([size, size])), hold(rand([size, size]))];
      return () => hold(a.matmul(b));
    },
  };
}

function linearCases(layer: string, batch: number, from: number, to: number): KernelCase[] {
  const common = { shape: `${batch}x${from} to ${to}`, work: { flop: 2 * batch * from * to } };
  return [
    {
      name: `linear forward, ${layer}`,
      ...common,
      setup(hold) {
        const [x, w] = [hold(rand([batch, from])), hold(rand([to, from]))];
        return () => hold(linear(x, w));
      },
    },
    {
      name: `linear d-input, ${layer}`,
      ...common,
      setup(hold) {
        const [x, w] = [leaf(hold, [batch, from]), hold(rand([to, from]))];
        return backwardOf(hold, () => linear(x, w));
      },
    },
    {
      name: `linear d-weight, ${layer}`,
      ...common,
      setup(hold) {
        const [x, w] = [hold(rand([batch, from])), leaf(hold, [to, from])];
        return backwardOf(hold, () => linear(x, w));
      },
    },
  ];
}

export function matrixCases({ small, large }: Batches): KernelCase[] {
  const convs = (model: string, batch: number, layers: readonly ConvLayer[]) =>
    layers.flatMap((layer) => convCases(model, batch, layer));
  const wide = { kernel: 3, stride: 1, padding: 1 };
  return [
    ...[256, 384, 512, 768, 1024].map(matmulCase),
    ...convs("A", small, [{ layer: "64 at 32x32", channels: 64, filters: 64, size: 32, ...wide }]),
    ...convs("B", small, [{ layer: "256 at 8x8", channels: 256, filters: 256, size: 8, ...wide }]),
    ...convs("resnet18@32", small, resnet18Layers(32)),
    ...convs("resnet18@224", large, resnet18Layers(224)),
    ...convs("alexnet@32", small, alexnetLayers(wide, [32, 16, 7, 7, 7])),
    ...convs("alexnet@224", large, alexnetLayers({ kernel: 11, stride: 4, padding: 2 }, [224, 27, 13, 13, 13])),
    ...linearCases("resnet18 fc", small, 512, 10),
    ...linearCases("alexnet fc6", small, 9216, 4096),
    ...linearCases("alexnet fc7", small, 4096, 4096),
  ];
}
