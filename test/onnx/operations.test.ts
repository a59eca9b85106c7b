// Every operation that has a mapping: the library against ONNX Runtime, for two batches.
import { describe, expect, test } from "vitest";
import * as wgrad from "wgrad";
import { argsort, cat, clamp_, cumsum, nn, ones, stack, type Tensor, tensor, where, zeros } from "wgrad";
import { ExportError, exportOnnx } from "wgrad/onnx";
import { withDevice } from "../support/case.ts";
import { type AnyModel, compare, sample } from "./runtime.ts";

withDevice();

const F = nn.functional;
const { Module, Parameter } = nn;

/** A function of its input and of parameters as a model. */
class Model extends Module {
  readonly run: (x: Tensor, ...weights: Tensor[]) => Tensor;
  readonly weights: nn.ParameterList;
  constructor(run: (x: Tensor, ...weights: Tensor[]) => Tensor, shapes: readonly number[][] = []) {
    super();
    this.run = run;
    this.weights = new nn.ParameterList(shapes.map((shape, i) => new Parameter(sample(shape, i + 5))));
  }
  forward(x: Tensor): Tensor {
    return this.run(x, ...this.weights);
  }
}

type Case = [name: string, shape: readonly number[], run: Model["run"], weights?: number[][]];
const integers = (values: number[], shape = [values.length]) => tensor(values, { dtype: "i32", shape });

/** Shapes are those of one sample. */
const cases: Case[] = [
  // Activations.
  ["celu", [7], (x) => F.celu(x, 1.3)],
  ["elu", [7], (x) => F.elu(x, 0.7)],
  ["gelu", [7], (x) => F.gelu(x)],
  ["gelu tanh", [7], (x) => F.gelu(x, { approximate: "tanh" })],
  ["glu", [8], (x) => F.glu(x)],
  ["hardsigmoid", [7], (x) => F.hardsigmoid(x.mul(3))],
  ["hardswish", [7], (x) => F.hardswish(x.mul(3))],
  ["hardtanh", [7], (x) => F.hardtanh(x, -0.5, 0.75)],
  ["leakyRelu", [7], (x) => F.leakyRelu(x, 0.2)],
  ["logSigmoid", [7], (x) => F.logsigmoid(x)],
  ["logSoftmax", [3, 7], (x) => F.logSoftmax(x, 1)],
  ["mish", [7], (x) => F.mish(x)],
  ["prelu", [3, 5], (x, w) => F.prelu(x, w!), [[3]]],
  ["relu", [7], (x) => F.relu(x)],
  ["relu6", [7], (x) => F.relu6(x.mul(8))],
  ["selu", [7], (x) => F.selu(x)],
  ["sigmoid", [7], (x) => F.sigmoid(x)],
  ["silu", [7], (x) => F.silu(x)],
  ["softmax", [3, 7], (x) => F.softmax(x, -1)],
  ["softplus", [7], (x) => F.softplus(x, 2, 1.5)],
  ["softsign", [7], (x) => F.softsign(x)],
  ["tanh", [7], (x) => F.tanh(x)],
  ["threshold", [7], (x) => F.threshold(x, 0.3, -2)],
  // Functions of one tensor.
  ["abs", [7], (x) => x.abs()],
  ["acos", [7], (x) => wgrad.acos(x.mul(0.45))],
  ["asin", [7], (x) => wgrad.asin(x.mul(0.45))],
  ["atan", [7], (x) => wgrad.atan(x)],
  ["ceil", [7], (x) => x.ceil()],
  [
    "clamp",
    [7],
    (x) =>
      x
        .clamp({ min: -1, max: 0.5 })
        .add(x.clamp({ min: 0.25 }))
        .add(x.clamp({ max: -0.25 })),
  ],
  ["cos and sin", [7], (x) => x.cos().add(x.sin())],
  ["cosh", [7], (x) => wgrad.cosh(x)],
  ["erf", [7], (x) => x.erf()],
  ["erfc", [7], (x) => wgrad.erfc(x)],
  ["exp", [7], (x) => x.exp()],
  ["exp2", [7], (x) => wgrad.exp2(x)],
  ["expm1", [7], (x) => wgrad.expm1(x)],
  ["floor", [7], (x) => x.floor()],
  ["log", [7], (x) => x.abs().add(0.5).log()],
  ["log10", [7], (x) => wgrad.log10(x.abs().add(0.5))],
  ["log1p", [7], (x) => wgrad.log1p(x.abs())],
  ["log2", [7], (x) => wgrad.log2(x.abs().add(0.5))],
  ["numbers", [7], (x) => x.mul(3).add(0.5).sub(2).div(7)],
  ["maximum and minimum with numbers", [7], (x) => x.maximum(-0.5).minimum(0.75)],
  ["pow", [7], (x) => x.pow(2).add(x.abs().pow(1.7))],
  ["reciprocal", [7], (x) => x.abs().add(0.5).reciprocal()],
  ["round", [7], (x) => x.round()],
  ["rsqrt", [7], (x) => x.abs().add(0.5).rsqrt()],
  ["sign", [7], (x) => x.sign()],
  ["sinh", [7], (x) => wgrad.sinh(x)],
  ["sqrt", [7], (x) => x.abs().sqrt()],
  ["tan", [7], (x) => wgrad.tan(x.mul(0.5))],
  ["trunc", [7], (x) => wgrad.trunc(x)],
  // Two tensors, with broadcasting.
  ["add", [3, 5], (x, w) => x.add(w!), [[3, 1]]],
  ["sub", [3, 5], (x, w) => w!.sub(x), [[5]]],
  ["mul", [3, 5], (x, w) => x.mul(w!), [[1, 3, 1]]],
  ["div", [3, 5], (x, w) => x.div(w!.abs().add(0.5)), [[3, 5]]],
  ["power", [3, 5], (x, w) => x.abs().pow(w!), [[5]]],
  ["maximum and minimum", [3, 5], (x, w) => x.maximum(w!).add(x.minimum(w!)), [[5]]],
  ["fmod", [3, 5], (x, w) => wgrad.fmod(x.mul(5), w!.abs().add(0.5)), [[5]]],
  ["remainder", [3, 5], (x, w) => wgrad.remainder(x.mul(5), w!.abs().add(0.5)), [[5]]],
  ["floorDivide", [3, 5], (x, w) => wgrad.floorDivide(x.mul(5), w!.abs().add(0.5)), [[5]]],
  [
    "atan2",
    [3, 5],
    (x, w) =>
      wgrad
        .atan2(x, w!)
        .add(wgrad.atan2(x.mul(0), x))
        .add(wgrad.atan2(x, x.mul(0))),
    [[5]],
  ],
  ["truncating division", [3, 5], (x, w) => wgrad.div(x.mul(5), w!.abs().add(0.5), { roundingMode: "trunc" }), [[5]]],
  ["smooth L1", [7], (x, w) => F.smoothL1Loss(x, w!.expand(x.shape), { beta: 0.7, reduction: "none" }), [[1, 7]]],
  ["huber", [7], (x, w) => F.huberLoss(x, w!.expand(x.shape), { delta: 0.7, reduction: "none" }), [[1, 7]]],
  ["eq and ne", [6], (x) => x.round().eq(1).add(x.round().ne(-1).mul(2))],
  ["lt and le", [6], (x, w) => x.lt(w!).add(x.round().le(0).mul(2)), [[6]]],
  ["gt and ge", [6], (x, w) => x.gt(w!).add(x.round().ge(0).mul(2)), [[6]]],
  ["where", [6], (x) => where(x.gt(0), x, x.mul(0.1))],
  ["where of numbers", [6], (x) => where(x.gt(0.5), 1, x)],
  ["to", [6], (x) => x.mul(3).to("i32")],
  // Movement.
  ["cat", [3, 4], (x, w) => cat([x, w!.expand([x.shape[0]!, 2, 4]), x], 1), [[2, 4]]],
  ["chunk and stack", [6, 4], (x) => stack(x.chunk(3, 1), 2)],
  ["clone", [4], (x) => wgrad.nn.functional.relu(x).clone()],
  ["expand", [1, 4], (x) => x.expand([-1, 3, -1])],
  ["expand of a parameter", [5, 4], (x, w) => cat([w!.expand([x.shape[0]!, -1, -1]), x], 1), [[1, 1, 4]]],
  ["flatten and reshape", [3, 4, 2], (x) => x.flatten(1).reshape([x.shape[0]!, 4, 6])],
  ["flip", [3, 4], (x) => x.flip([1, 2])],
  [
    "images times windows",
    [4, 6],
    (x) =>
      x
        .reshape([x.shape[0]! * 2, 2, 6])
        .add(1)
        .reshape([-1, 4, 6]),
  ],
  ["pad", [3, 4], (x) => F.pad(x, [1, 2, 0, 3], 0.5)],
  ["pad that crops", [3, 6], (x) => F.pad(x, [-1, -2])],
  ["permute", [3, 4, 2], (x) => x.permute([0, 3, 1, 2])],
  ["roll", [5, 6], (x) => wgrad.roll(x, [2, -1], [1, 2])],
  ["select and squeeze", [5, 6], (x) => x.select(1, -2).unsqueeze(1).squeeze(1)],
  ["slice", [7, 6], (x) => x.slice([null, [1, -1, 2], [0, 3]])],
  ["split", [6, 5], (x) => x.split([1, 2, 3], 1)[1]!],
  ["transpose", [3, 4], (x) => x.transpose(1, 2)],
  ["channelShuffle", [6, 2, 2], (x) => F.channelShuffle(x, 3)],
  ["pixelShuffle", [8, 3, 2], (x) => F.pixelShuffle(x, 2)],
  ["pixelUnshuffle", [2, 4, 6], (x) => F.pixelUnshuffle(x, 2)],
  // Reductions.
  ["sum", [3, 4, 5], (x) => x.sum([1, 3])],
  ["sum that keeps", [3, 4], (x) => x.sum(2, { keepdim: true })],
  ["mean", [3, 4, 5], (x) => x.mean([2, 3])],
  ["max", [3, 4], (x) => x.max(1)],
  ["min", [3, 4], (x) => x.min(2, { keepdim: true })],
  ["argmax", [3, 7], (x) => x.argmax(2)],
  ["norm", [3, 4], (x) => x.norm(2)],
  ["std and var", [3, 8], (x) => x.std(2).add(x.var(2))],
  ["cumsum", [3, 4], (x) => cumsum(x, 2)],
  ["cumprod", [3, 11], (x) => wgrad.cumprod(x, 2)],
  ["prod", [3, 5], (x) => wgrad.prod(x, 2)],
  ["argsort", [7], (x) => argsort(x, 1)],
  ["topk", [9], (x) => x.topk(3, 1).values],
  // Indexing.
  ["embedding", [5], (x, w) => F.embedding(x.abs().to("i32"), w!), [[3, 4]]],
  ["gather", [4, 3], (x) => x.gather(2, x.round().abs().to("i32"))],
  [
    "index of a table",
    [2, 4, 4],
    (x, w) => {
      const bias = wgrad.index(w!, [integers([2, 0, 1, 2, 0, -1, 3, 1, 2, 2, 2, 0, 1, 1, 3, 0])]);
      return x.add(bias.reshape([4, 4, 2]).permute([2, 0, 1]));
    },
    [[4, 2]],
  ],
  ["indexSelect", [5, 3], (x) => x.indexSelect(1, integers([4, 0, 0]))],
  ["diagonal", [3, 4, 5], (x) => cat([wgrad.diagonal(x, 1, 3, 1), wgrad.diagonal(x, -1, 1, 3)], 2)],
  ["diagEmbed", [3, 4], (x) => wgrad.diagEmbed(x, -1, 1, 3)],
  ["tril and triu", [4, 5], (x) => wgrad.tril(x, 1).sub(wgrad.triu(x))],
  [
    "scatter",
    [3, 5],
    (x) =>
      wgrad.scatter(
        x,
        2,
        x
          .slice([null, null, [0, 1]])
          .abs()
          .to("i32"),
        x.mul(3),
      ),
  ],
  [
    "scatter of a number",
    [3, 5],
    (x) =>
      wgrad.scatter(
        x,
        2,
        x
          .slice([null, null, [0, 1]])
          .abs()
          .to("i32"),
        0.5,
      ),
  ],
  ["scatterAdd", [3, 5], (x) => wgrad.scatterAdd(x, 2, x.abs().to("i32"), x.mul(3))],
  ["indexAdd", [3, 5], (x, w) => wgrad.indexAdd(x, 2, integers([4, 1, 4]), w!.expand([x.shape[0]!, 3, 3])), [[3, 3]]],
  ["indexCopy", [4, 2], (x) => wgrad.indexCopy(x, 1, integers([3, 0]), x.slice([null, [1, 3]]))],
  ["indexPut", [4, 3], (x, w) => wgrad.indexPut(x, [null, integers([3, 0]), integers([-1, 1])], w!), [[2]]],
  [
    "indexPut that adds",
    [4, 3],
    (x) => wgrad.indexPut(x, [null, integers([3, 3])], x.slice([null, [0, 2]]), { accumulate: true }),
  ],
  ["oneHot", [5], (x) => F.oneHot(x.abs().to("i32"), 3)],
  [
    "a constant along the batch",
    [3],
    (x, w) => cat([x, ones([x.shape[0]!, 2]), w!.expand([x.shape[0]!, 3])], 1),
    [[3]],
  ],
  // Products.
  ["addmm", [4], (x, b, w) => wgrad.addmm(b!, x, w!), [[5], [4, 5]]],
  ["bmm", [3, 4], (x) => wgrad.bmm(x, x.transpose(1, 2))],
  ["linear", [6], (x, w, b) => F.linear(x, w!, b!), [[5, 6], [5]]],
  ["linear of rows", [3, 2, 6], (x, w, b) => F.linear(x, w!, b!), [[5, 6], [5]]],
  ["linear without bias", [6], (x, w) => F.linear(x, w!), [[5, 6]]],
  ["matmul", [2, 3, 4], (x, w) => x.matmul(w!), [[4, 5]]],
  ["matmul on the left", [4, 3], (x, w) => w!.matmul(x), [[5, 4]]],
  ["matmul of batches", [2, 3, 4], (x, w) => x.matmul(w!), [[2, 4, 5]]],
  ["matmul with a vector", [3, 4], (x, w) => x.matmul(w!), [[4]]],
  ["einsum", [3, 4], (x, w) => wgrad.einsum("bij,jk->bik", x, w!), [[4, 5]]],
  // Attention.
  ["attention", [2, 5, 4], (x, w) => F.scaledDotProductAttention(x, x.mul(w!), x.add(w!)), [[4]]],
  ["causal attention", [2, 5, 4], (x) => F.scaledDotProductAttention(x, x, x, { isCausal: true })],
  ["attention with a bias", [2, 5, 4], (x, w) => F.scaledDotProductAttention(x, x, x, { mask: w! }), [[2, 5, 5]]],
  [
    "attention with a mask",
    [2, 3, 4],
    (x) => F.scaledDotProductAttention(x, x, x, { mask: integers([1, 1, 0, 1, 0, 1, 0, 1, 1], [3, 3]) }),
  ],
  ["attention of three dimensions", [5, 4], (x) => F.scaledDotProductAttention(x, x, x, { scale: 0.3 })],
  // Convolutions, pooling, norms.
  [
    "conv2d",
    [3, 8, 7],
    (x, w, b) => F.conv2d(x, w!, b!, { stride: [2, 1], padding: [1, 2], dilation: [1, 2] }),
    [[4, 3, 3, 3], [4]],
  ],
  ["conv2d in groups", [4, 6, 6], (x, w) => F.conv2d(x, w!, null, { groups: 2 }), [[6, 2, 3, 3]]],
  ["conv2d same", [2, 6, 6], (x, w) => F.conv2d(x, w!, null, { padding: "same" }), [[3, 2, 2, 4]]],
  ["conv1d", [3, 9], (x, w) => F.conv1d(x, w!, null, { stride: 2, padding: 1 }), [[4, 3, 3]]],
  [
    "convTranspose2d",
    [4, 4, 5],
    (x, w, b) => F.convTranspose2d(x, w!, b!, { stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
    [[4, 3, 3, 3], [6]],
  ],
  ["convTranspose1d", [3, 5], (x, w) => F.convTranspose1d(x, w!, null, { stride: 3 }), [[3, 2, 4]]],
  [
    "conv3d",
    [2, 4, 5, 6],
    (x, w, b) => F.conv3d(x, w!, b!, { stride: [1, 2, 1], padding: 1, dilation: [2, 1, 1] }),
    [[3, 2, 2, 3, 3], [3]],
  ],
  [
    "conv3d in groups",
    [4, 3, 4, 4],
    (x, w) => F.conv3d(x, w!, null, { groups: 2, padding: "same" }),
    [[6, 2, 2, 3, 3]],
  ],
  [
    "convTranspose3d",
    [2, 3, 3, 4],
    (x, w, b) => F.convTranspose3d(x, w!, b!, { stride: 2, padding: 1, outputPadding: 1 }),
    [[2, 3, 3, 3, 2], [3]],
  ],
  ["unfold", [3, 6, 7], (x) => F.unfold(x, [2, 3], { stride: [1, 2], padding: [1, 2], dilation: [2, 1] })],
  ["unfold of whole patches", [3, 6, 6], (x) => F.unfold(x, 3, { stride: 3 })],
  ["fold", [12, 8], (x) => F.fold(x, [6, 7], [2, 3], { stride: [2, 2], padding: [0, 1], dilation: [2, 1] })],
  ["gridSample", [2, 5, 6], (x, w) => F.gridSample(x, w!.mul(0.6).expand([x.shape[0]!, 3, 4, 2])), [[1, 3, 4, 2]]],
  [
    "gridSample, nearest, from corner to corner",
    [2, 5, 6],
    (x, w) => F.gridSample(x, w!.mul(0.6).expand([x.shape[0]!, 3, 4, 2]), { mode: "nearest", alignCorners: true }),
    [[1, 3, 4, 2]],
  ],
  [
    "gridSample with the border",
    [2, 5, 6],
    (x, w) => F.gridSample(x, w!.expand([x.shape[0]!, 3, 4, 2]), { paddingMode: "border" }),
    [[1, 3, 4, 2]],
  ],
  [
    "gridSample with reflection",
    [2, 5, 6],
    (x, w) => F.gridSample(x, w!.expand([x.shape[0]!, 3, 4, 2]), { paddingMode: "reflection", alignCorners: true }),
    [[1, 3, 4, 2]],
  ],
  ["affineGrid", [2, 3], (x) => F.affineGrid(x, [x.shape[0]!, 1, 4, 5])],
  ["maxPool2d", [2, 8, 7], (x) => F.maxPool2d(x, 3, { stride: 2, padding: 1 })],
  ["maxPool2d rounded up", [2, 8, 7], (x) => F.maxPool2d(x, [3, 2], { stride: 2, ceilMode: true, dilation: [1, 2] })],
  ["avgPool2d", [2, 8, 7], (x) => F.avgPool2d(x, 3, { stride: 2, padding: 1 })],
  [
    "avgPool2d without padding",
    [2, 8, 7],
    (x) => F.avgPool2d(x, 3, { stride: 2, padding: 1, countIncludePad: false, ceilMode: true }),
  ],
  ["avgPool2d rounded up", [2, 8, 8], (x) => F.avgPool2d(x, 3, { stride: 2, padding: 1, ceilMode: true })],
  ["maxPool1d", [2, 9], (x) => F.maxPool1d(x, 3)],
  ["avgPool1d", [2, 9], (x) => F.avgPool1d(x, 3)],
  ["maxPool3d", [2, 6, 7, 5], (x) => F.maxPool3d(x, [2, 3, 2], { stride: 2, padding: [1, 1, 0] })],
  ["avgPool3d", [2, 6, 7, 5], (x) => F.avgPool3d(x, [2, 3, 2], { stride: [1, 2, 2], padding: [0, 1, 0] })],
  ["adaptiveMaxPool2d", [2, 7, 9], (x) => F.adaptiveMaxPool2d(x, [3, 4])],
  ["adaptiveAvgPool3d", [2, 6, 5, 4], (x) => F.adaptiveAvgPool3d(x, [3, 2, 2])],
  ["adaptiveAvgPool2d", [2, 7, 9], (x) => F.adaptiveAvgPool2d(x, [3, 4])],
  ["adaptiveAvgPool2d to one", [2, 7, 9], (x) => F.adaptiveAvgPool2d(x, 1)],
  ["adaptiveAvgPool2d that enlarges", [2, 1, 1], (x) => F.adaptiveAvgPool2d(x, 6)],
  ["batchNorm", [3, 4, 5], (x, m, w, b) => F.batchNorm(x, m!, w!.abs(), w!, b!), [[3], [3], [3]]],
  ["batchNorm of features", [3], (x, m, w) => F.batchNorm(x, m!, w!.abs()), [[3], [3]]],
  [
    "batchNormRelu",
    [3, 4, 5],
    (x, m, w, b) => F.batchNormRelu(x, m!, w!.abs(), w!, b!, { residual: x.mul(2) }),
    [[3], [3], [3]],
  ],
  ["groupNorm", [6, 4, 5], (x, w, b) => F.groupNorm(x, 3, w!, b!), [[6], [6]]],
  ["instanceNorm", [3, 4, 5], (x) => F.instanceNorm(x)],
  [
    "layerNorm",
    [3, 4, 5],
    (x, w, b) => F.layerNorm(x, [4, 5], w!, b!),
    [
      [4, 5],
      [4, 5],
    ],
  ],
  ["layerNorm without parameters", [3, 8], (x) => F.layerNorm(x, 8)],
  ["rmsNorm", [3, 8], (x, w) => F.rmsNorm(x, 8, w!), [[8]]],
  ["localResponseNorm", [7, 3, 4], (x) => F.localResponseNorm(x, 3, { alpha: 0.5 })],
  ["normalize", [6], (x) => F.normalize(x)],
  ["cosineSimilarity", [6], (x, w) => F.cosineSimilarity(x, w!.expand(x.shape)), [[1, 6]]],
  // Resampling.
  ["nearest", [2, 5, 4], (x) => F.interpolate(x, { scaleFactor: 2 })],
  ["bilinear", [2, 5, 4], (x) => F.interpolate(x, { size: [8, 7], mode: "bilinear" })],
  [
    "bilinear from corner to corner",
    [2, 5, 4],
    (x) => F.interpolate(x, { size: [3, 9], mode: "bilinear", alignCorners: true }),
  ],
  ["bicubic", [2, 5, 4], (x) => F.interpolate(x, { size: [8, 7], mode: "bicubic" })],
  ["area", [2, 6, 5], (x) => F.interpolate(x, { size: [4, 3], mode: "area" })],
  ["reflected padding", [2, 5, 4], (x) => F.pad(x, [1, 2, 2, 1], "reflect")],
  ["circular padding", [2, 5, 4], (x) => F.pad(x, [1, 2, 2, 1], "circular")],
  // Layers.
  ["dropout", [7], (x) => F.dropout(x, 0.5, false)],
];

describe("ONNX Runtime computes the same", () => {
  test.each(cases)("%s", async (_, shape, run, weights) => {
    const model = new Model(
      (x, ...w) => wgrad.scope(() => run(x, ...w)),
      weights?.map((s) => [...s]),
    );
    const inputs = [sample([1, ...shape]), sample([4, ...shape], 3)];
    await compare(model, inputs, 1e-5, { dynamicBatch: true });
    for (const t of [...inputs, model]) t.dispose();
  });
});

/** The output of a recurrent layer, or its last state. */
class Sequence extends Module {
  readonly layer: nn.LSTM | nn.GRU | nn.RNN;
  readonly state: boolean;
  constructor(layer: nn.LSTM | nn.GRU | nn.RNN, state = false) {
    super();
    this.layer = layer;
    this.state = state;
  }
  forward(x: Tensor): Tensor {
    return wgrad.scope(() => {
      const [y, end] = this.layer.forward(x);
      if (!this.state) return y;
      return (Array.isArray(end) ? cat(end, 2) : end).transpose(0, 1);
    });
  }
}

/** A cell's state after two steps. */
class Cell extends Module {
  readonly cell: nn.LSTMCell | nn.GRUCell;
  constructor(cell: nn.LSTMCell | nn.GRUCell) {
    super();
    this.cell = cell;
  }
  forward(x: Tensor): Tensor {
    return wgrad.scope(() => {
      const { cell } = this;
      return cell instanceof nn.GRUCell ? cell.forward(x, cell.forward(x)) : cat(cell.forward(x, cell.forward(x)), 1);
    });
  }
}

/** Of the layers alone that compute in another way than the functions. */
const made: [string, () => AnyModel, number[]][] = [
  ["LSTM", () => new Sequence(new nn.LSTM(5, 6, { batchFirst: true })), [7, 5]],
  [
    "LSTM in layers and both directions",
    () => new Sequence(new nn.LSTM(5, 6, { batchFirst: true, numLayers: 2, bidirectional: true })),
    [7, 5],
  ],
  [
    "LSTM's last states",
    () => new Sequence(new nn.LSTM(5, 6, { batchFirst: true, numLayers: 2, bidirectional: true }), true),
    [7, 5],
  ],
  ["LSTM without biases", () => new Sequence(new nn.LSTM(5, 6, { batchFirst: true, bias: false })), [7, 5]],
  ["GRU", () => new Sequence(new nn.GRU(5, 6, { batchFirst: true, numLayers: 2, bidirectional: true })), [7, 5]],
  ["GRU's last states", () => new Sequence(new nn.GRU(5, 6, { batchFirst: true, bias: false }), true), [7, 5]],
  ["RNN", () => new Sequence(new nn.RNN(5, 6, { batchFirst: true, bidirectional: true })), [7, 5]],
  ["RNN with ReLU", () => new Sequence(new nn.RNN(5, 6, { batchFirst: true, nonlinearity: "relu" })), [7, 5]],
  ["RNN of one unit", () => new Sequence(new nn.RNN(1, 1, { batchFirst: true, bias: false })), [7, 1]],
  ["LSTMCell", () => new Cell(new nn.LSTMCell(5, 6)), [5]],
  ["GRUCell", () => new Cell(new nn.GRUCell(5, 6)), [5]],
  ["MultiheadAttention", () => new Attention(), [5, 8]],
  ["TransformerEncoderLayer", () => new Encoder(), [5, 8]],
  [
    "Sequential",
    () => new nn.Sequential(new nn.Conv2d(3, 4, 3), new nn.BatchNorm2d(4), new nn.ReLU()) as AnyModel,
    [3, 6, 6],
  ],
];

class Encoder extends Module {
  readonly layer = new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 12, batchFirst: true });
  forward(x: Tensor): Tensor {
    return this.layer.forward(x);
  }
}

class Attention extends Module {
  readonly attention = new nn.MultiheadAttention(8, 2, { batchFirst: true });
  forward(x: Tensor): Tensor {
    return this.attention.forward(x, x, x, { needWeights: false })[0];
  }
}

test.each(made)("%s", async (_, make, shape) => {
  const model = make();
  const inputs = [sample([2, ...shape]), sample([5, ...shape], 3)];
  await compare(model, inputs, 1e-5, { dynamicBatch: true });
  for (const t of [...inputs, model]) t.dispose();
});

test("an operation without a mapping is named with the module that calls it", async () => {
  class Net extends Module {
    readonly first = new nn.Linear(4, 4);
    readonly second = new Model((x) => wgrad.scope(() => F.crossEntropy(x, x.argmax(1))));
    forward(x: Tensor): Tensor {
      return this.second.forward(this.first.forward(x));
    }
  }
  const [model, x] = [new Net(), sample([2, 4])];
  const error = await exportOnnx(model, x).catch((e: unknown) => e as Error);
  expect(error).toBeInstanceOf(ExportError);
  expect(String(error)).toMatch(/^ExportError: \[exportOnnx\] the operation crossEntropy \(in second\) has no mapping/);
  for (const t of [model, x]) t.dispose();
});

test("what changes tensors in place or gives no tensor is refused, and the model's mode stays", async () => {
  const x = sample([2, 4]);
  const changes = new Model((t) => clamp_(t, { min: 0 })).train();
  await expect(exportOnnx(changes, x)).rejects.toThrow(ExportError);
  await expect(exportOnnx(changes, x)).rejects.toThrow(/in place/);
  expect(changes.training).toBe(true);
  const list = new Model((t) => [t] as never);
  await expect(exportOnnx(list, x)).rejects.toThrow(/must return one tensor, got \[a Tensor\]/);
  await expect(exportOnnx(new Model((t) => t), x, { inputName: "a", outputName: "a" })).rejects.toThrow(
    /both called "a"/,
  );
  await expect(exportOnnx(new Model((t) => t), x, { batch: 2 } as never)).rejects.toThrow(/has no option "batch"/);
  x.dispose();
});

test("a batch that a constant follows is fixed, or refused where it must not be", async () => {
  const model = new Model((x) => wgrad.scope(() => x.add(wgrad.arange(0, x.shape[0]!).reshape([-1, 1]))));
  const x = sample([3, 4]);
  await compare(model, [x], 1e-6);
  await expect(exportOnnx(model, x, { dynamicBatch: true })).rejects.toThrow(/another shape for each batch/);
  const mean = new Model((t) =>
    wgrad.scope(() =>
      t
        .sum(0)
        .div(t.shape[0]!)
        .add(zeros([4])),
    ),
  );
  await compare(mean, [x], 1e-5);
  await expect(exportOnnx(mean, x, { dynamicBatch: true })).rejects.toThrow(ExportError);
  x.dispose();
});

test("names of the state dict, of input and output are those in the file", async () => {
  const model = new nn.Sequential(new nn.Linear(3, 2), new nn.Linear(2, 2)) as AnyModel;
  const x = sample([1, 3]);
  const { bytes } = await compare(model, [x], 1e-5, { inputName: "pixels", outputName: "scores", dynamicBatch: false });
  const text = new TextDecoder("latin1").decode(bytes);
  for (const name of ["0.weight", "0.bias", "1.weight", "1.bias", "pixels", "scores"]) expect(text).toContain(name);
  expect(text).not.toContain("batch");
  for (const t of [model, x]) t.dispose();
});

test("token indices are inputs of i32", async () => {
  const model = new nn.Sequential(new nn.Embedding(5, 3), new nn.Linear(3, 2)) as AnyModel;
  const x = integers([1, 4, 0, 2], [2, 2]);
  await compare(model, [x], 1e-5, { dynamicBatch: true });
  for (const t of [model, x]) t.dispose();
});
