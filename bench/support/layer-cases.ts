// Batch norm, pooling, cross-entropy, elementwise kernels and optimizer steps over the shapes of ResNet18 and AlexNet.
import { optim, rand, resnet18, type Tensor, tensor, zeros } from "wgrad";
import { adaptiveAvgPool2d, batchNorm, batchNormRelu, crossEntropy, maxPool2d, relu } from "../../src/nn/functional.ts";
import { type Batches, backwardOf, F32, type Hold, type KernelCase, leaf, sizeOf } from "./cases.ts";

const show = (shape: readonly number[]) => shape.join("x");

function batchNormCases(layer: string, shape: readonly number[]): KernelCase[] {
  const n = sizeOf(shape) * F32;
  const channels = [shape[1]!];
  const running = (hold: Hold): [Tensor, Tensor] => [hold(zeros(channels)), hold(rand(channels))];
  const at = (what: string, passes: number) => ({
    name: `${what}, ${layer}`,
    shape: show(shape),
    work: { bytes: passes * n },
  });
  return [
    {
      ...at("batch norm forward", 2),
      setup(hold) {
        const [x, w, b] = [hold(rand(shape)), hold(rand(channels)), hold(rand(channels))];
        const stats = running(hold);
        return () => hold(batchNorm(x, ...stats, w, b, { training: true }));
      },
    },
    {
      ...at("batch norm backward", 3),
      setup(hold) {
        const [x, w, b] = [leaf(hold, shape), leaf(hold, channels), leaf(hold, channels)];
        const stats = running(hold);
        return backwardOf(hold, () => batchNorm(x, ...stats, w, b, { training: true }));
      },
    },
    {
      ...at("batch norm + add + ReLU forward", 3),
      setup(hold) {
        const [x, residual] = [hold(rand(shape)), hold(rand(shape))];
        const [w, b] = [hold(rand(channels)), hold(rand(channels))];
        const stats = running(hold);
        return () => hold(batchNormRelu(x, ...stats, w, b, { training: true, residual }));
      },
    },
    {
      ...at("batch norm + add + ReLU backward", 5),
      setup(hold) {
        const [x, residual] = [leaf(hold, shape), leaf(hold, shape)];
        const [w, b] = [leaf(hold, channels), leaf(hold, channels)];
        const stats = running(hold);
        return backwardOf(hold, () => batchNormRelu(x, ...stats, w, b, { training: true, residual }));
      },
    },
    {
      ...at("batch norm inference", 2),
      setup(hold) {
        const [x, w, b] = [hold(rand(shape)), hold(rand(channels)), hold(rand(channels))];
        const stats = running(hold);
        return () => hold(batchNorm(x, ...stats, w, b));
      },
    },
  ];
}

/** One function of one map, forward and backward; `out`: elements of its result. */
function mapCases(name: string, shape: readonly number[], out: number, f: (x: Tensor) => Tensor): KernelCase[] {
  const bytes = (sizeOf(shape) + out) * F32;
  const common = { shape: show(shape), work: { bytes } };
  return [
    {
      name: `${name} forward`,
      ...common,
      setup(hold) {
        const x = hold(rand(shape));
        return () => hold(f(x));
      },
    },
    {
      name: `${name} backward`,
      ...common,
      setup(hold) {
        const x = leaf(hold, shape);
        return backwardOf(hold, () => f(x));
      },
    },
  ];
}

function poolCases(layer: string, shape: readonly number[], pool: "stem" | "alexnet" | "average"): KernelCase[] {
  const [batch, channels, size] = shape as [number, number, number];
  if (pool === "average") {
    return mapCases(`average pool, ${layer}`, shape, batch * channels, (x) => adaptiveAvgPool2d(x, 1));
  }
  const padding = pool === "stem" ? 1 : 0;
  const out = Math.floor((size + 2 * padding - 3) / 2) + 1;
  const f = (x: Tensor) => maxPool2d(x, 3, { stride: 2, padding });
  return mapCases(`max pool 3x3/2, ${layer}`, shape, batch * channels * out ** 2, f);
}

function crossEntropyCases(batch: number, classes: number): KernelCase[] {
  const labels = (hold: Hold) => hold(tensor(Int32Array.from({ length: batch }, (_, i) => (7 * i) % classes)));
  const shape = [batch, classes];
  const common = (passes: number) => ({ shape: show(shape), work: { bytes: passes * sizeOf(shape) * F32 } });
  return [
    {
      name: "cross-entropy forward",
      ...common(1),
      setup(hold) {
        const [logits, target] = [hold(rand(shape)), labels(hold)];
        return () => hold(crossEntropy(logits, target));
      },
    },
    {
      name: "cross-entropy backward",
      ...common(2),
      setup(hold) {
        const [logits, target] = [leaf(hold, shape), labels(hold)];
        return backwardOf(hold, () => crossEntropy(logits, target));
      },
    },
  ];
}

function elementwiseCases(shape: readonly number[]): KernelCase[] {
  const n = sizeOf(shape) * F32;
  const [forward, backward] = mapCases("ReLU", shape, sizeOf(shape), relu);
  return [
    forward!,
    { ...backward!, work: { bytes: 3 * n } },
    {
      name: "add",
      shape: show(shape),
      work: { bytes: 3 * n },
      setup(hold) {
        const [a, b] = [hold(rand(shape)), hold(rand(shape))];
        return () => hold(a.add(b));
      },
    },
  ];
}

/** A step over all of ResNet18's parameters. `passes`: arrays of that size that it reads or writes. */
function optimizerCase(
  name: string,
  passes: number,
  make: (parameters: Iterable<Tensor>) => { step(): void; dispose(): void },
): KernelCase {
  const parameters = 11_181_642;
  return {
    name: `${name} step, resnet18`,
    shape: `${parameters} in 62 tensors`,
    work: { bytes: passes * parameters * F32 },
    setup(hold) {
      const model = resnet18({ numClasses: 10 });
      const all = [...model.parameters()];
      for (const p of all) {
        hold(p);
        p.grad = rand(p.shape);
      }
      for (const buffer of model.buffers()) hold(buffer);
      const optimizer = make(all);
      hold({ dispose: () => optimizer.dispose() });
      return () => optimizer.step();
    },
  };
}

export function layerCases({ small, large }: Batches): KernelCase[] {
  return [
    ...batchNormCases("64 at 32x32", [small, 64, 32, 32]),
    ...[0, 1, 2, 3, 4].flatMap((i) => {
      const shape = (batch: number, size: number) => [batch, i === 0 ? 64 : 32 * 2 ** i, size, size];
      const layer = i === 0 ? "stem" : `layer${i}`;
      return [
        ...batchNormCases(`resnet18@32 ${layer}`, shape(small, 32 / 2 ** (i === 0 ? 1 : i + 1))),
        ...batchNormCases(`resnet18@224 ${layer}`, shape(large, 224 / 2 ** (i === 0 ? 1 : i + 1))),
      ];
    }),
    ...poolCases("resnet18@32", [small, 64, 16, 16], "stem"),
    ...poolCases("resnet18@224", [large, 64, 112, 112], "stem"),
    ...poolCases("alexnet@32", [small, 192, 16, 16], "alexnet"),
    ...poolCases("alexnet@224", [large, 64, 55, 55], "alexnet"),
    ...poolCases("resnet18@32", [small, 512, 1, 1], "average"),
    ...poolCases("resnet18@224", [large, 512, 7, 7], "average"),
    ...crossEntropyCases(32, 10),
    ...crossEntropyCases(32, 1000),
    ...elementwiseCases([small, 64, 8, 8]),
    ...elementwiseCases([small, 64, 32, 32]),
    optimizerCase("Adam", 7, (parameters) => new optim.Adam(parameters)),
    optimizerCase("SGD with momentum", 5, (parameters) => new optim.SGD(parameters, { lr: 0.01, momentum: 0.9 })),
  ];
}
