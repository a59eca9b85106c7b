// Every function, constructor and method of the public surface, each with arguments that it takes. The fuzz test replaces some
// of them by wrong ones.

import type { Tensor } from "wgrad";
import * as wgrad from "wgrad";
import * as node from "wgrad/node";

const { data, nn, optim, vision, full, tensor } = wgrad;
const F = nn.functional;

/** One way into the library. */
export interface Entry {
  readonly name: string;
  /** Arguments that it takes, made anew for each call. */
  readonly given: () => unknown[];
  /** The call; `subject` is what a method belongs to. */
  readonly run: (...given: never[]) => unknown;
}

/** What is left out, and why. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  "wgrad.init": "opens a device: test/gpu/init.test.ts",
  "wgrad.tune": "measures for seconds: test/kernels/tune.test.ts",
  "wgrad.Device": "made by init",
  "node.download": "reaches the network: test/data/download.test.ts",
  "wgrad.loadWeights": "reaches the network: test/data/weights.test.ts",
  "node.weightsFromUrl": "reaches the network",
  "node.pretrainedWeights": "reaches the network",
  "node.CIFAR10": "reads a folder or the network: test/data/cifar.test.ts",
  "node.CIFAR100": "reads a folder or the network: test/data/cifar.test.ts",
  "node.MNIST": "reads a folder or the network: test/data/mnist.test.ts",
  "node.FashionMNIST": "reads a folder or the network: test/data/mnist.test.ts",
  "node.KMNIST": "reads a folder or the network: test/data/mnist.test.ts",
  "node.ImageFolder": "reads a folder: test/data/image-folder.test.ts",
  "node.readImage": "reads files: test/data/image-folder.test.ts",
  "node.saveCheckpoint": "writes files: test/io/checkpoint.test.ts",
  "node.saveImage": "writes files: test/data/image-folder.test.ts",
  "node.writeFileAtomic": "writes files: test/data/node-files.test.ts",
  "wgrad.Tensor": "for the library's own use: tensor() and the like are the way",
  "vision.AlexNet": "57 million parameters: its factories are in",
};

const isError = (value: unknown): boolean => typeof value === "function" && value.prototype instanceof Error;

const m = (...shape: number[]): Tensor => full(shape, 0.5);
const ids = (...values: number[]): Tensor => tensor(values, { dtype: "i32" });
const leaf = (...shape: number[]): Tensor => full(shape, 0.5, { requiresGrad: true });
const withGrad = (): Tensor => {
  const p = leaf(2, 2);
  p.grad = m(2, 2);
  return p;
};
const adam = () => new optim.Adam([withGrad()]);
const sgd = () => new optim.SGD([withGrad()], { lr: 0.1, momentum: 0.9 });
const net = () => new nn.Sequential(new nn.Linear(3, 4), new nn.ReLU(), new nn.Linear(4, 2));
const images = (): wgrad.vision.ImageDataset =>
  new vision.ImageDataset({
    images: new Uint8Array(3 * 12),
    labels: Int32Array.of(0, 1, 0),
    classes: ["a", "b"],
    shape: [3, 2, 2],
  });
const numbers = (): wgrad.data.Dataset<number> => ({ length: 3, get: (i) => i });

const WGSL = `
struct Params { n: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) { if (id.x < p.n) { y[id.x] = x[id.x]; } }`;

const header = JSON.stringify({ a: { dtype: "F32", shape: [1], data_offsets: [0, 4] } });
const file = (): Uint8Array =>
  Uint8Array.of(header.length, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode(header), 0, 0, 0, 0);

const lossOptions = () => ({ reduction: "mean" });
const transposedOptions = () => ({ stride: 2, padding: 1, outputPadding: 1, dilation: 1 });
const interpolateOptions = () => ({ scaleFactor: 2, mode: "bilinear", alignCorners: false, antialias: true });
const kaiming = () => ({ a: 0, mode: "fanIn", nonlinearity: "relu" });

/** Arguments by path. What has none here is called with `[]` before they are replaced. */
const GIVEN: Readonly<Record<string, () => unknown[]>> = {
  "wgrad.adaptToSmallImages": () => [wgrad.createModel("lenet5"), { kernels: "crop" }],
  "wgrad.arange": () => [0, 3, 1, { dtype: "i32" }],
  "wgrad.bernoulli": () => [[2], 0.5, 1, {}],
  "wgrad.capture": () => [(x: Tensor) => x.add(1)],
  "wgrad.cat": () => [[m(2, 3), m(1, 3)], 0],
  "wgrad.defineOp": () => [{ name: "mine", infer: ([x]: never[]) => [x], forward() {}, vjp: "not differentiable" }],
  "wgrad.features": () => [net(), ["0", "2"]],
  "wgrad.freeze": () => [net(), { only: ["0"], except: "0.bias" }],
  "wgrad.freezeBatchNorm": () => [new nn.Sequential(new nn.BatchNorm2d(2)), { affine: true }],
  "wgrad.full": () => [[2], 1, { dtype: "i32", requiresGrad: false }],
  "wgrad.gradcheck": () => [(x: Tensor) => x.mul(2), leaf(2), { directions: 1, eps: 1e-2, raiseException: true }],
  "wgrad.grid1d": () => [100, 64],
  "wgrad.kernel": () => ["mine", WGSL],
  "wgrad.loadSafetensors": () => [file()],
  "wgrad.safetensorsMetadata": () => [file()],
  "wgrad.loadTorch": () => [file(), { key: "" }],
  "wgrad.manualSeed": () => [1],
  "wgrad.noGrad": () => [() => 1],
  "wgrad.ones": () => [[2], { dtype: "i32" }],
  "wgrad.zeros": () => [[2], { dtype: "i32" }],
  "wgrad.parameterGroups": () => [
    net(),
    { base: 0.1, decay: 0.5, weightDecay: 0.1, noDecay: "0.bias", layers: ["0", "2"] },
  ],
  "wgrad.rand": () => [[2], {}],
  "wgrad.randn": () => [[2], {}],
  "wgrad.randint": () => [0, 5, [2], {}],
  "wgrad.randperm": () => [4, {}],
  "wgrad.resnet18": () => [{ numClasses: -1 }],
  "wgrad.resnet34": () => [{ numClasses: -1 }],
  "wgrad.resnet50": () => [{ numClasses: -1 }],
  "wgrad.alexnet": () => [{ numClasses: -1, dropout: 2 }],
  "wgrad.cifarAlexnet": () => [{ numClasses: -1, dropout: 2 }],
  "wgrad.saveSafetensors": () => [{ a: m(2) }, { format: "pt" }],
  "wgrad.scope": () => [() => 1],
  "wgrad.setRngState": () => [{ seed: 1, streams: 0 }],
  "wgrad.stack": () => [[m(2), m(2)], 0],
  "wgrad.tensor": () => [[1, 2], { shape: [2], dtype: "i32", requiresGrad: false }],
  "wgrad.unfreeze": () => [net(), { only: ["0"], except: "0.bias" }],
  "wgrad.unfreezeBatchNorm": () => [new nn.Sequential(new nn.BatchNorm2d(2))],
  "wgrad.useDevice": () => [m(1).device],
  "wgrad.where": () => [ids(1, 0), m(2), 0],
  "F.scaledDotProductAttention": () => [m(2, 3), m(4, 3), m(4, 2), { mask: m(4), dropoutP: 0.1, scale: 1 }],
  "nn.MultiheadAttention": () => [4, 2, { dropout: 0.1, kdim: 4, vdim: null, batchFirst: true, addBiasKv: true }],
  "nn.Transformer": () => [{ dModel: 4, nhead: 2, numEncoderLayers: 1, numDecoderLayers: 1, dimFeedforward: 4 }],
  "nn.TransformerDecoder": () => [new nn.TransformerDecoderLayer(4, 2, { dimFeedforward: 4 }), 1, null],
  "nn.TransformerDecoderLayer": () => [4, 2, { dimFeedforward: 4, dropout: 0.1, normFirst: true }],
  "nn.TransformerEncoder": () => [new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 4 }), 1, null],
  "nn.TransformerEncoderLayer": () => [4, 2, { dimFeedforward: 4, activation: "gelu", layerNormEps: 1e-5 }],
  ...Object.fromEntries(
    ["add", "sub", "mul", "pow", "maximum", "minimum", "rsub", "floorDivide", "remainder", "fmod"].map((name) => [
      `wgrad.${name}`,
      () => [m(2, 3), 2],
    ]),
  ),
  ...Object.fromEntries(
    ["atan2", "logicalAnd", "logicalOr", "logicalXor", "mm", "kron"].map((name) => [
      `wgrad.${name}`,
      () => [m(2, 2), m(2, 2)],
    ]),
  ),
  ...Object.fromEntries(
    [
      ...[
        "acos",
        "asin",
        "atan",
        "cosh",
        "erfc",
        "exp2",
        "expm1",
        "isfinite",
        "isinf",
        "isnan",
        "log1p",
        "log2",
        "log10",
      ],
      ...["sinh", "tan", "trunc", "logicalNot", "nonzero", "trace"],
    ].map((name) => [`wgrad.${name}`, () => [m(2, 3)]]),
  ),
  ...Object.fromEntries(["cumsum", "cumprod"].map((name) => [`wgrad.${name}`, () => [m(2, 3), 1]])),
  ...Object.fromEntries(["tril", "triu", "diag", "diagEmbed"].map((name) => [`wgrad.${name}`, () => [m(2, 3), 1]])),
  ...Object.fromEntries(
    ["zerosLike", "onesLike", "emptyLike", "randLike", "randnLike"].map((name) => [`wgrad.${name}`, () => [m(2), {}]]),
  ),
  "wgrad.addcdiv": () => [m(2), m(2), m(2), { value: 2 }],
  "wgrad.addcmul": () => [m(2), m(2), m(2), { value: 2 }],
  "wgrad.addmm": () => [m(2), m(2, 3), m(3, 2), { beta: 1, alpha: 2 }],
  "wgrad.argsort": () => [m(2, 3), 1, true],
  "wgrad.baddbmm": () => [m(2), m(1, 2, 3), m(1, 3, 2), { beta: 1, alpha: 2 }],
  "wgrad.bincount": () => [ids(0, 1), { weights: m(2), minlength: 1 }],
  "wgrad.bmm": () => [m(1, 2, 3), m(1, 3, 2)],
  "wgrad.clamp_": () => [m(2), { min: 0, max: 1 }],
  "wgrad.diagonal": () => [m(2, 3), 0, 0, 1],
  "wgrad.div": () => [m(2), 2, { roundingMode: "floor" }],
  "wgrad.dot": () => [m(3), m(3)],
  "wgrad.einsum": () => ["ij,jk->ik", m(2, 3), m(3, 2)],
  "wgrad.eye": () => [2, 3, { dtype: "i32" }],
  "wgrad.fullLike": () => [m(2), 1, {}],
  "wgrad.index": () => [m(2, 3), [ids(0, 1), null]],
  "wgrad.indexAdd": () => [m(2, 3), 0, ids(0, 1), m(2, 3)],
  "wgrad.indexAdd_": () => [m(2, 3), 0, ids(0, 1), m(2, 3)],
  "wgrad.indexCopy": () => [m(2, 3), 0, ids(0, 1), m(2, 3)],
  "wgrad.indexPut": () => [m(2, 3), [ids(0, 1)], m(3), { accumulate: true }],
  "wgrad.indexPut_": () => [m(2, 3), [ids(0, 1)], 1, { accumulate: true }],
  "wgrad.lerp": () => [m(2), m(2), 0.5],
  "wgrad.lerp_": () => [m(2), m(2), 0.5],
  "wgrad.linspace": () => [0, 1, 3, { dtype: "f32" }],
  "wgrad.logsumexp": () => [m(2, 3), 1, { keepdim: true }],
  "wgrad.maskedFill": () => [m(2, 3), ids(0, 1, 1), 0],
  "wgrad.maskedFill_": () => [m(2, 3), ids(0, 1, 1), 0],
  "wgrad.maskedSelect": () => [m(2, 3), ids(0, 1, 1)],
  "wgrad.meshgrid": () => [[m(2), m(3)], { indexing: "ij" }],
  "wgrad.multinomial": () => [m(2, 3), 2, { replacement: false }],
  "wgrad.mv": () => [m(2, 3), m(3)],
  "wgrad.outer": () => [m(2), m(3)],
  "wgrad.prod": () => [m(2, 3), 1, { keepdim: true }],
  "wgrad.repeat": () => [m(2), [2, 3]],
  "wgrad.repeatInterleave": () => [m(2), [2, 3], 0],
  "wgrad.roll": () => [m(2, 3), [1], [0]],
  "wgrad.scatter": () => [m(2), 0, ids(0, 1), m(2)],
  "wgrad.scatterAdd": () => [m(2), 0, ids(0, 1), m(2)],
  "wgrad.scatterAdd_": () => [m(2), 0, ids(0, 1), m(2)],
  "wgrad.scatter_": () => [m(2), 0, ids(0, 1), 1],
  "wgrad.setSlice": () => [m(2, 3), [0, [1, 2]], 1],
  "wgrad.sort": () => [m(2, 3), 1, true],
  "wgrad.takeAlongDim": () => [m(2), ids(0, 1), 0],
  "wgrad.tile": () => [m(2), [2, 3]],
  "wgrad.unbind": () => [m(2, 3), 1],
  "wgrad.unique": () => [m(2, 3), { returnInverse: true, returnCounts: true }],
  "F.oneHot": () => [ids(0, 1), 3],
  "F.embedding": () => [ids(0, 1), m(3, 2), { paddingIdx: 0, maxNorm: 1, normType: 2 }],
  "F.adaptiveAvgPool2d": () => [m(1, 1, 4, 4), [2, null]],
  "F.avgPool2d": () => [m(1, 1, 4, 4), 2, { stride: 2, padding: 0, ceilMode: false, countIncludePad: true }],
  "F.maxPool2d": () => [m(1, 1, 4, 4), 2, { stride: 2, padding: 0, dilation: 1, ceilMode: false }],
  "F.batchNorm": () => [m(2, 3), m(3), m(3), m(3), m(3), { training: true, momentum: 0.1, eps: 1e-5 }],
  "F.batchNormRelu": () => [m(2, 3), m(3), m(3), m(3), m(3), { training: true, residual: m(2, 3) }],
  "F.conv2d": () => [m(1, 2, 4, 4), m(2, 1, 3, 3), m(2), { stride: 1, padding: 1, dilation: 1, groups: 2 }],
  "F.conv1d": () => [m(1, 2, 5), m(2, 1, 3), m(2), { stride: 1, padding: 1, dilation: 1, groups: 2 }],
  "F.conv3d": () => [m(1, 2, 3, 3, 3), m(2, 1, 2, 2, 2), m(2), { stride: 1, padding: "valid", dilation: 1, groups: 2 }],
  "F.convTranspose1d": () => [m(1, 2, 4), m(2, 1, 3), m(2), { ...transposedOptions(), groups: 2 }],
  "F.convTranspose2d": () => [m(1, 2, 4, 4), m(2, 1, 3, 3), m(2), { ...transposedOptions(), groups: 2 }],
  "F.convTranspose3d": () => [m(1, 2, 2, 2, 2), m(2, 1, 2, 2, 2), m(2), { ...transposedOptions(), groups: 2 }],
  "F.fold": () => [m(1, 4, 9), 4, 2, { stride: 1, padding: 0, dilation: 1 }],
  "F.unfold": () => [m(1, 2, 4, 4), 2, { stride: 1, padding: 1, dilation: 1 }],
  "F.interpolate": () => [m(1, 1, 4, 4), interpolateOptions()],
  "F.pad": () => [m(1, 1, 4, 4), [1, 1, 2, 0], "reflect"],
  "F.maxPool1d": () => [m(1, 1, 4), 2, { stride: 2, padding: 0, dilation: 1, ceilMode: false }],
  "F.maxPool3d": () => [m(1, 1, 4, 4, 4), 2, { stride: 2, padding: 0, dilation: 1, ceilMode: false }],
  "F.avgPool1d": () => [m(1, 1, 4), 2, { stride: 2, padding: 0, ceilMode: false, countIncludePad: true }],
  "F.avgPool3d": () => [m(1, 1, 4, 4, 4), 2, { stride: 2, padding: 0, ceilMode: false, countIncludePad: true }],
  "F.adaptiveAvgPool1d": () => [m(1, 1, 4), [3]],
  "F.adaptiveAvgPool3d": () => [m(1, 1, 4, 4, 4), [3, null, 2]],
  "F.adaptiveMaxPool1d": () => [m(1, 1, 4), [3]],
  "F.adaptiveMaxPool2d": () => [m(1, 1, 4, 4), [3, null]],
  "F.localResponseNorm": () => [m(1, 4, 2), 3, { alpha: 1e-4, beta: 0.75, k: 1 }],
  "F.pixelShuffle": () => [m(1, 4, 2, 2), 2],
  "F.pixelUnshuffle": () => [m(1, 1, 4, 4), 2],
  "F.channelShuffle": () => [m(1, 4, 2, 2), 2],
  "F.gridSample": () => [m(1, 2, 3, 3), m(1, 2, 2, 2), { mode: "bilinear", paddingMode: "border", alignCorners: true }],
  "F.affineGrid": () => [m(1, 2, 3), [1, 1, 2, 2], { alignCorners: false }],
  "F.correctCount": () => [m(2, 3), ids(0, 1)],
  "F.crossEntropy": () => [m(2, 3), ids(0, 1), { ...lossOptions(), ignoreIndex: 1, labelSmoothing: 0, weight: m(3) }],
  "F.nllLoss": () => [m(2, 3), ids(0, 1), { ...lossOptions(), ignoreIndex: 1, weight: m(3) }],
  "F.celu": () => [m(2), 1],
  "F.gelu": () => [m(2), { approximate: "tanh" }],
  "F.glu": () => [m(2, 4), 1],
  "F.hardtanh": () => [m(2), -1, 1],
  "F.prelu": () => [m(2, 3), m(3)],
  "F.softmin": () => [m(2, 3), 1],
  "F.threshold": () => [m(2), 0.1, 3],
  "F.binaryCrossEntropy": () => [m(2, 3), m(2, 3), { ...lossOptions(), weight: m(3) }],
  "F.binaryCrossEntropyWithLogits": () => [m(2, 3), m(2, 3), { ...lossOptions(), weight: m(3), posWeight: m(3) }],
  "F.cosineEmbeddingLoss": () => [m(2, 3), m(2, 3), ids(1, -1), { ...lossOptions(), margin: 0.1 }],
  "F.cosineSimilarity": () => [m(2, 3), m(2, 3), { dim: 1, eps: 1e-8 }],
  "F.gaussianNllLoss": () => [m(2), m(2), m(2), { ...lossOptions(), full: true, eps: 1e-6 }],
  "F.hingeEmbeddingLoss": () => [m(2), ids(1, -1), { ...lossOptions(), margin: 1 }],
  "F.huberLoss": () => [m(2), m(2), { ...lossOptions(), delta: 1 }],
  "F.klDiv": () => [m(2, 3), m(2, 3), { reduction: "batchmean", logTarget: true }],
  "F.marginRankingLoss": () => [m(2), m(2), ids(1, -1), { ...lossOptions(), margin: 0 }],
  "F.multiMarginLoss": () => [m(2, 3), ids(0, 1), { ...lossOptions(), p: 2, margin: 1, weight: m(3) }],
  "F.multilabelSoftMarginLoss": () => [m(2, 3), m(2, 3), { ...lossOptions(), weight: m(3) }],
  "F.normalize": () => [m(2, 3), { p: 2, dim: 1, eps: 1e-12 }],
  "F.pairwiseDistance": () => [m(2, 3), m(2, 3), { p: 2, eps: 1e-6, keepdim: true }],
  "F.poissonNllLoss": () => [m(2), m(2), { ...lossOptions(), logInput: true, full: true, eps: 1e-8 }],
  "F.softMarginLoss": () => [m(2), ids(1, -1), lossOptions()],
  "F.tripletMarginLoss": () => [
    m(2, 3),
    m(2, 3),
    m(2, 3),
    { ...lossOptions(), margin: 1, p: 2, eps: 1e-6, swap: true },
  ],
  "F.alphaDropout": () => [m(2), 0.5, true],
  "F.bilinear": () => [m(2, 3), m(2, 4), m(5, 3, 4), m(5)],
  "F.dropout1d": () => [m(2, 3, 4), 0.5, true],
  "F.dropout2d": () => [m(2, 3, 4, 4), 0.5, true],
  "F.stochasticDepth": () => [m(2, 3), 0.5, "row", true],
  "F.dropout": () => [m(2), 0.5, true],
  "F.elu": () => [m(2), 1],
  "F.l1Loss": () => [m(2), m(2), lossOptions()],
  "F.mseLoss": () => [m(2), m(2), lossOptions()],
  "F.smoothL1Loss": () => [m(2), m(2), { ...lossOptions(), beta: 1 }],
  "F.layerNorm": () => [m(2, 3), [3], m(3), m(3), 1e-5],
  "F.groupNorm": () => [m(2, 4, 3), 2, m(4), m(4), 1e-5],
  "F.instanceNorm": () => [m(2, 3, 4), m(3), m(3), m(3), m(3), { useInputStats: true, momentum: 0.1, eps: 1e-5 }],
  "F.rmsNorm": () => [m(2, 3), [3], m(3), 1e-5],
  "F.leakyRelu": () => [m(2), 0.1],
  "F.linear": () => [m(2, 3), m(4, 3), m(4)],
  "F.softmax": () => [m(2, 3), 1],
  "F.logSoftmax": () => [m(2, 3), 1],
  "F.softplus": () => [m(2), 1, 20],
  "init.calculateGain": () => ["relu", 0],
  "init.constant_": () => [m(2), 1],
  "init.fans": () => [[2, 3]],
  "init.kaimingNormal_": () => [m(2, 2), kaiming()],
  "init.kaimingUniform_": () => [m(2, 2), kaiming()],
  "init.normal_": () => [m(2), 0, 1],
  "init.uniform_": () => [m(2), 0, 1],
  "init.dirac_": () => [m(4, 2, 3), 2],
  "init.eye_": () => [m(2, 3)],
  "init.orthogonal_": () => [m(2, 3), 1],
  "init.sparse_": () => [m(4, 3), 0.5, 0.01],
  "init.truncNormal_": () => [m(4), 0, 1, -2, 2],
  "utils.parametersToVector": () => [[m(2), m(3)]],
  "utils.vectorToParameters": () => [m(5), [m(2), m(3)]],
  "utils.weightNorm": () => [new nn.Linear(2, 3), { name: "weight", dim: 0 }],
  "utils.removeWeightNorm": () => [nn.utils.weightNorm(new nn.Linear(2, 3)), "weight"],
  "init.xavierNormal_": () => [m(2, 2), 1],
  "init.xavierUniform_": () => [m(2, 2), 1],
  "nn.AdaptiveAvgPool2d": () => [2],
  "nn.AvgPool2d": () => [2, { stride: 2, padding: 0, ceilMode: false, countIncludePad: true }],
  "nn.MaxPool2d": () => [2, { stride: 2, padding: 0, dilation: 1, ceilMode: false }],
  "nn.BatchNorm2d": () => [2, { eps: 1e-5, momentum: 0.1, affine: true, trackRunningStats: true }],
  "nn.BatchNorm1d": () => [3, { eps: 1e-5, momentum: 0.1, affine: true, trackRunningStats: true }],
  "nn.BatchNorm3d": () => [2, { eps: 1e-5, momentum: null, affine: false }],
  "nn.GroupNorm": () => [2, 4, { eps: 1e-5, affine: true }],
  "nn.InstanceNorm1d": () => [2, { eps: 1e-5, momentum: 0.1, affine: true, trackRunningStats: true }],
  "nn.InstanceNorm2d": () => [2, { affine: true }],
  "nn.LayerNorm2d": () => [2, { eps: 1e-5, elementwiseAffine: true }],
  "nn.RMSNorm": () => [[3], { eps: 1e-5, elementwiseAffine: true }],
  "nn.CELU": () => [1],
  "nn.ELU": () => [1],
  "nn.GELU": () => [{ approximate: "tanh" }],
  "nn.GLU": () => [0],
  "nn.Hardtanh": () => [-1, 1],
  "nn.LogSoftmax": () => [1],
  "nn.PReLU": () => [3, 0.25],
  "nn.Softmin": () => [1],
  "nn.Softplus": () => [1, 20],
  "nn.Threshold": () => [0.1, 3],
  "nn.BCELoss": () => [{ ...lossOptions(), weight: m(3) }],
  "nn.BCEWithLogitsLoss": () => [{ ...lossOptions(), weight: m(3), posWeight: m(3) }],
  "nn.KLDivLoss": () => [{ reduction: "batchmean", logTarget: true }],
  "nn.NLLLoss": () => [{ ...lossOptions(), ignoreIndex: 1, weight: m(3) }],
  "nn.L1Loss": () => [lossOptions()],
  "nn.SmoothL1Loss": () => [{ ...lossOptions(), beta: 1 }],
  "nn.HuberLoss": () => [{ ...lossOptions(), delta: 1 }],
  "nn.PoissonNLLLoss": () => [{ ...lossOptions(), logInput: true, full: true, eps: 1e-8 }],
  "nn.GaussianNLLLoss": () => [{ ...lossOptions(), full: true, eps: 1e-6 }],
  "nn.SoftMarginLoss": () => [lossOptions()],
  "nn.HingeEmbeddingLoss": () => [{ ...lossOptions(), margin: 1 }],
  "nn.MultiLabelSoftMarginLoss": () => [{ ...lossOptions(), weight: m(3) }],
  "nn.CosineEmbeddingLoss": () => [{ ...lossOptions(), margin: 0.1 }],
  "nn.MarginRankingLoss": () => [{ ...lossOptions(), margin: 0 }],
  "nn.MultiMarginLoss": () => [{ ...lossOptions(), p: 2, margin: 1, weight: m(3) }],
  "nn.TripletMarginLoss": () => [{ ...lossOptions(), margin: 1, p: 2, eps: 1e-6, swap: true }],
  "nn.CosineSimilarity": () => [{ dim: 1, eps: 1e-8 }],
  "nn.PairwiseDistance": () => [{ p: 2, eps: 1e-6, keepdim: true }],
  "nn.AlphaDropout": () => [0.5],
  "nn.Bilinear": () => [3, 4, 5, { bias: true }],
  "nn.Dropout1d": () => [0.5],
  "nn.Dropout2d": () => [0.5],
  "nn.GRUCell": () => [3, 4, { bias: true }],
  "nn.LSTMCell": () => [3, 4, { bias: true }],
  "nn.RNNCell": () => [3, 4, { bias: true, nonlinearity: "relu" }],
  "nn.ModuleDict": () => [{ a: new nn.ReLU() }],
  "nn.ParameterDict": () => [{ a: m(2) }],
  "nn.ParameterList": () => [[m(2)]],
  "nn.Permute": () => [[1, 0]],
  "nn.SqueezeExcitation": () => [2, 1, { activation: () => new nn.ReLU(), scaleActivation: () => new nn.Sigmoid() }],
  "nn.StochasticDepth": () => [0.5, "row"],
  "nn.Unflatten": () => [1, [3, 1]],
  "nn.deepCopy": () => [net()],
  "nn.Conv2d": () => [2, 4, 3, { stride: 1, padding: 1, dilation: 1, groups: 2, bias: true, paddingMode: "reflect" }],
  "nn.Conv1d": () => [2, 4, 3, { stride: 1, padding: 1, dilation: 1, groups: 2, bias: true }],
  "nn.Conv3d": () => [2, 4, 2, { stride: 1, padding: 1, dilation: 1, groups: 2, bias: true }],
  "nn.ConvTranspose1d": () => [2, 4, 3, { ...transposedOptions(), groups: 2, bias: true }],
  "nn.ConvTranspose2d": () => [2, 4, 3, { ...transposedOptions(), groups: 2, bias: true }],
  "nn.ConvTranspose3d": () => [2, 4, 2, { ...transposedOptions(), groups: 2, bias: true }],
  "nn.Fold": () => [4, 2, { stride: 1, padding: 0, dilation: 1 }],
  "nn.Unfold": () => [2, { stride: 1, padding: 1, dilation: 1 }],
  "nn.Upsample": () => [interpolateOptions()],
  "nn.ConstantPad1d": () => [[1, 2], 1],
  "nn.ConstantPad2d": () => [[1, 2, 0, 1], 1],
  "nn.ZeroPad2d": () => [[1, 2, 0, 1]],
  "nn.ReflectionPad1d": () => [[1, 2]],
  "nn.ReflectionPad2d": () => [[1, 2, 0, 1]],
  "nn.ReplicationPad1d": () => [[1, 2]],
  "nn.ReplicationPad2d": () => [1],
  "nn.MaxPool1d": () => [2, { stride: 2, padding: 0, dilation: 1, ceilMode: false }],
  "nn.MaxPool3d": () => [2, { stride: 2, padding: 0, dilation: 1, ceilMode: false }],
  "nn.AvgPool1d": () => [2, { stride: 2, padding: 0, ceilMode: false, countIncludePad: true }],
  "nn.AvgPool3d": () => [2, { stride: 2, padding: 0, ceilMode: false, countIncludePad: true }],
  "nn.AdaptiveAvgPool1d": () => [[3]],
  "nn.AdaptiveAvgPool3d": () => [[3, null, 2]],
  "nn.AdaptiveMaxPool1d": () => [[3]],
  "nn.AdaptiveMaxPool2d": () => [[3, null]],
  "nn.LocalResponseNorm": () => [3, { alpha: 1e-4, beta: 0.75, k: 1 }],
  "nn.PixelShuffle": () => [2],
  "nn.PixelUnshuffle": () => [2],
  "nn.ChannelShuffle": () => [2],
  "nn.ConvNormActivation": () => [2, 4, { kernelSize: 3, stride: 1, padding: 1, groups: 2, norm: null }],
  "nn.CrossEntropyLoss": () => [{ ...lossOptions(), labelSmoothing: 0, weight: null }],
  "nn.MSELoss": () => [lossOptions()],
  "nn.Embedding": () => [3, 2, { paddingIdx: 0, maxNorm: 1, normType: 2 }],
  "nn.Dropout": () => [0.5],
  "nn.Flatten": () => [1, -1],
  "nn.LayerNorm": () => [[3], { eps: 1e-5, elementwiseAffine: true }],
  "nn.LeakyReLU": () => [0.1],
  "nn.Linear": () => [3, 4, { bias: true }],
  "nn.ModuleList": () => [[new nn.ReLU(), new nn.ReLU()]],
  "nn.Sequential": () => [new nn.ReLU(), new nn.ReLU()],
  "nn.Softmax": () => [1],
  "nn.Parameter": () => [m(2), true],
  "nn.countParameters": () => [net()],
  "optim.Adagrad": () => [[withGrad()], { lr: 0.1, lrDecay: 0, eps: 1e-8 }],
  "optim.Adam": () => [[withGrad()], { lr: 0.1, betas: [0.9, 0.99], amsgrad: true }],
  "optim.AdamW": () => [[{ params: [withGrad()], lr: 0.1, betas: [0.9, 0.99] }], { eps: 1e-8, weightDecay: 0.1 }],
  "optim.Lion": () => [[withGrad()], { lr: 0.1, betas: [0.9, 0.99] }],
  "optim.Muon": () => [[withGrad()], { lr: 0.1, momentum: 0.9, nsCoefficients: [3, -4, 2], nsSteps: 2 }],
  "optim.NAdam": () => [[withGrad()], { lr: 0.1, betas: [0.9, 0.99], momentumDecay: 0.1 }],
  "optim.RMSprop": () => [[withGrad()], { lr: 0.1, alpha: 0.9, momentum: 0.1, centered: true }],
  "optim.SGD": () => [[withGrad()], { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.1 }],
  "optim.clipGradNorm_": () => [[withGrad()], 1],
  "optim.clipGradValue_": () => [[withGrad()], 1],
  "swaUtils.AveragedModel": () => [net(), { emaDecay: 0.9, useBuffers: true }],
  "swaUtils.SWALR": () => [sgd(), { swaLr: [0.1], annealEpochs: 3, annealStrategy: "linear" }],
  "swaUtils.updateBn": () => [[m(2, 3)], net()],
  "optim.CosineAnnealingLR": () => [sgd(), 5, { etaMin: 0 }],
  "optim.ExponentialLR": () => [sgd(), 0.9],
  "optim.LambdaLR": () => [sgd(), () => 1],
  "optim.LRScheduler": () => [sgd()],
  "optim.MultiStepLR": () => [sgd(), [1, 2], { gamma: 0.1 }],
  "optim.OneCycleLR": () => [sgd(), 0.1, { totalSteps: 10, pctStart: 0.3, annealStrategy: "cos", divFactor: 25 }],
  "optim.ReduceLROnPlateau": () => [adam(), { mode: "min", factor: 0.1, patience: 1, minLr: [0], threshold: 1e-4 }],
  "optim.StepLR": () => [sgd(), 2, { gamma: 0.1 }],
  "optim.UpdateRule": () => [{ name: "mine", state: [], hyper: () => ({ lr: 1 }), wgsl: "p -= h.lr * g;" }],
  "optim.Optimizer": () => [[withGrad()], { lr: 0.1 }],
  "data.BatchSampler": () => [new data.SequentialSampler({ length: 5 }), 2, true],
  "data.ConcatDataset": () => [[numbers(), numbers()]],
  "data.DataLoader": () => [numbers(), { batchSize: 2, shuffle: true, seed: 1, dropLast: true, prefetch: 1 }],
  "data.HostTensor": () => [Float32Array.of(1, 2), [2, 1]],
  "data.RandomSampler": () => [{ length: 5 }, { seed: 1, replacement: true, numSamples: 7 }],
  "data.SequentialSampler": () => [{ length: 5 }],
  "data.Subset": () => [numbers(), [0, 2]],
  "data.SubsetRandomSampler": () => [[0, 2], { seed: 1 }],
  "data.TensorDataset": () => [m(3, 2), ids(0, 1, 2)],
  "data.WeightedRandomSampler": () => [[1, 2, 0], 2, { seed: 1, replacement: false }],
  "data.defaultCollate": () => [
    [
      { a: 1, b: [Float32Array.of(1), "x"] },
      { a: 2, b: [Float32Array.of(2), "y"] },
    ],
    [4, 5],
  ],
  "data.randomSplit": () => [numbers(), [2, 1], { seed: 1 }],
  "vision.DataLoader": () => [
    new vision.GpuDataset(images()),
    { batchSize: 2, shuffle: true, seed: 1, dropLast: true },
  ],
  "vision.GpuDataset": () => [images(), { chunkBytes: 1024 }],
  "vision.ImageDataset": () => [
    { images: new Uint8Array(12), labels: Int32Array.of(0), classes: ["a"], shape: [3, 2, 2] },
  ],
  "vision.fromPixels": () => [
    { data: new Uint8Array(8), width: 2, height: 1 },
    { dtype: "i32", channels: 4 },
  ],
  "vision.toPixels": () => [m(3, 2, 2)],
  "vision.makeGrid": () => [
    m(3, 3, 2, 2),
    { nrow: 2, padding: 1, padValue: 1, normalize: true, valueRange: [0, 1], scaleEach: true },
  ],
  "vision.parseIdx": () => [Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 8), "two bytes"],
  "vision.readMnist": () => [
    "mnist",
    Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9),
    Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 3),
    "one picture",
  ],
  "vision.adaptAlexnetWeights": () => [{ "features.0.weight": m(64, 3, 11, 11) }],
  "vision.alexnet": () => [{ numClasses: -1, dropout: 2 }],
  "vision.cifarAlexnet": () => [{ numClasses: -1, dropout: 2 }],
  "vision.resnet18": () => [{ numClasses: -1 }],
  "vision.resnet34": () => [{ numClasses: -1 }],
  "vision.resnet50": () => [{ numClasses: -1 }],
  "vision.googlenet": () => [{ numClasses: -1, dropout: 2, auxLogits: true }],
  "vision.inceptionV3": () => [{ numClasses: -1, dropout: 2, transformInput: true }],
  "vision.inceptionResnetV2": () => [{ numClasses: -1, dropout: 2 }],
  "vision.FeaturePyramidNetwork": () => [[2, 3], 2, { extraBlocks: new vision.LastLevelMaxPool(), norm: null }],
  "vision.LastLevelP6P7": () => [2, 2],
  "vision.ResNet": () => [vision.BasicBlock, [1, 1, 1, 1], { numClasses: -1 }],
  "vision.BasicBlock": () => [2, 2, 1, null],
  "vision.Bottleneck": () => [2, 2, 1, null],
  "vision.loadPretrained": () => [Object.assign(net(), { head: "2" }), net().stateDict()],
  "vision.withoutHead": () => [net().stateDict(), Object.assign(net(), { head: "2" })],
  "vision.parseCifarRecords": () => ["cifar10", new Uint8Array(3073), "here"],
  "vision.readCifar": () => ["cifar10", async () => new Uint8Array(3073), "here", { train: false }],
  "vision.readCifarArchive": () => ["cifar10", new Uint8Array(100), "here", { train: false }],
  "vision.Transform": () => [[{ kind: "flip", p: 0.5 }]],
  "vision.centerCrop": () => [2],
  "vision.colorJitter": () => [{ brightness: 0.1, contrast: [0.5, 1], saturation: 0.1, hue: 0.1 }],
  "vision.compose": () => [[vision.resize(2), vision.randomHorizontalFlip()]],
  "vision.normalize": () => [[0.5], [0.5]],
  "vision.randomCrop": () => [2, { padding: 1 }],
  "vision.randomHorizontalFlip": () => [0.5],
  "vision.randomRotation": () => [[-10, 10]],
  "vision.resize": () => [[2, 2]],
  "wgrad.grad": () => {
    const x = leaf(2);
    return [x.mul(x), x, { gradOutputs: m(2), retainGraph: true, createGraph: false, allowUnused: true }];
  },
  "wgrad.loadCheckpoint": () => [file(), { model: net() }, { strict: true }],
  "wgrad.saveCheckpoint": () => [{ model: net(), epoch: 1 }],
  "nn.GRU": () => [3, 2, { numLayers: 2, bias: true, batchFirst: true, dropout: 0.1, bidirectional: true }],
  "nn.LSTM": () => [3, 2, { numLayers: 2, bias: true, batchFirst: true, dropout: 0.1, bidirectional: true }],
  "nn.RNN": () => [3, 2, { numLayers: 1, nonlinearity: "relu", bidirectional: false }],
  "optim.ChainedScheduler": () => [[new optim.StepLR(sgd(), 2)]],
  "optim.ConstantLR": () => [sgd(), { factor: 0.5, totalIters: 3 }],
  "optim.CosineAnnealingWarmRestarts": () => [sgd(), 3, { tMult: 2, etaMin: 0 }],
  "optim.CyclicLR": () => [sgd(), 0.01, 0.1, { stepSizeUp: 5, mode: "triangular", cycleMomentum: true }],
  "optim.LinearLR": () => [sgd(), { startFactor: 0.5, endFactor: 1, totalIters: 3 }],
  "optim.PolynomialLR": () => [sgd(), { totalIters: 3, power: 2 }],
  "optim.SequentialLR": () => {
    const of = sgd();
    return [of, [new optim.StepLR(of, 2), new optim.ExponentialLR(of, 0.9)], [2]];
  },
  "vision.cutmix": () => [m(2, 3, 4, 4), ids(0, 1), { numClasses: 2, alpha: 1 }],
  "vision.mixup": () => [m(2, 3, 4, 4), ids(0, 1), { numClasses: 2, alpha: 1 }],
  "vision.gaussianBlur": () => [3, { sigma: [0.1, 2] }],
  "vision.imageClassification": () => [{ cropSize: 2, resizeSize: 3, mean: [0.5], std: [0.5] }],
  "vision.pad": () => [[1, 2], { fill: 0, paddingMode: "constant" }],
  "vision.randomAffine": () => [10, { translate: [0.1, 0.1], scale: [0.5, 1], shear: [-1, 1, 0, 1], center: [0, 0] }],
  "vision.randomResizedCrop": () => [2, { scale: [0.1, 1], ratio: [0.5, 2], interpolation: "bilinear" }],
  "node.loadCheckpoint": () => ["/nowhere/at/all", { model: net() }, { strict: true }],
  "node.cachePath": () => ["weights", "resnet18"],
};

/** Arguments of Tensor's methods, of a tensor f32 [2, 3] that requires a gradient. */
const METHODS: Readonly<Record<string, () => unknown[]>> = {
  ...Object.fromEntries(
    ["add", "sub", "mul", "div", "pow", "maximum", "minimum", "eq", "ne", "lt", "le", "gt", "ge"].map((name) => [
      name,
      () => [m(2, 3)],
    ]),
  ),
  ...Object.fromEntries(["add_", "sub_", "mul_", "div_"].map((name) => [name, () => [2]])),
  ...Object.fromEntries(
    ["sum", "mean", "max", "min", "norm", "all", "any"].map((name) => [name, () => [[0, 1], { keepdim: true }]]),
  ),
  var: () => [1, { keepdim: true, correction: 1 }],
  std: () => [1, { keepdim: true, correction: 1 }],
  argmax: () => [1, { keepdim: true }],
  argmin: () => [1, { keepdim: true }],
  topk: () => [2, 1, true],
  clamp: () => [{ min: 0, max: 1 }],
  softmax: () => [1],
  logSoftmax: () => [1],
  matmul: () => [m(3, 2)],
  reshape: () => [[3, -1]],
  view: () => [[3, 2]],
  flatten: () => [0, -1],
  squeeze: () => [[0]],
  unsqueeze: () => [0],
  permute: () => [[1, 0]],
  transpose: () => [0, 1],
  expand: () => [[2, -1]],
  broadcastTo: () => [[2, 2, 3]],
  slice: () => [[0, [0, 2, 1]]],
  select: () => [0, 1],
  narrow: () => [1, 0, 2],
  split: () => [[1, 1], 0],
  chunk: () => [2, 0],
  flip: () => [[0]],
  pad: () => [[1, 1], 0],
  gather: () => [1, tensor([[0], [2]], { dtype: "i32" })],
  indexSelect: () => [0, ids(0, 1)],
  to: () => ["i32"],
  fill_: () => [1],
  copy_: () => [m(2, 3)],
  backward: () => [m(2, 3), { retainGraph: true }],
  registerHook: () => [() => undefined],
  requiresGrad_: () => [true],
};

/** What a method is called on, and its arguments. */
const OBJECTS: Readonly<Record<string, { make: () => object; methods: Readonly<Record<string, () => unknown[]>> }>> = {
  Tensor: { make: () => leaf(2, 3), methods: METHODS },
  Parameter: { make: () => new nn.Parameter(m(2, 3)), methods: METHODS },
  Module: {
    make: net,
    methods: {
      forward: () => [m(2, 3)],
      registerBuffer: () => ["mine", m(2), { persistent: true }],
      loadStateDict: () => [net().stateDict(), { strict: true }],
      train: () => [true],
      requiresGrad_: () => [true],
      apply: () => [() => undefined],
      summary: () => [m(1, 3)],
      registerForwardHook: () => [() => undefined],
      registerForwardPreHook: () => [() => undefined],
      append: () => [new nn.ReLU()],
    },
  },
  ModuleList: { make: () => new nn.ModuleList([new nn.ReLU()]), methods: { append: () => [new nn.ReLU()] } },
  ModuleDict: {
    make: () => new nn.ModuleDict({ a: new nn.ReLU() }),
    methods: {
      get: () => ["a"],
      set: () => ["b", new nn.ReLU()],
      update: () => [{ b: new nn.ReLU() }],
      has: () => ["a"],
      delete: () => ["a"],
    },
  },
  ParameterList: { make: () => new nn.ParameterList([m(2)]), methods: { append: () => [m(2)] } },
  AveragedModel: {
    make: () => new optim.swaUtils.AveragedModel(net()),
    methods: { forward: () => [m(2, 3)], updateParameters: () => [net()] },
  },
  Optimizer: {
    make: adam,
    methods: {
      addParamGroup: () => [{ params: [withGrad()], lr: 0.1 }],
      zeroGrad: () => [{ setToNull: false }],
      loadStateDict: () => [adam().stateDict()],
    },
  },
  StepLR: {
    make: () => new optim.StepLR(sgd(), 2),
    methods: { loadStateDict: () => [{ lastEpoch: 1, baseLrs: [0.1], lastLr: [0.1] }] },
  },
  ReduceLROnPlateau: {
    make: () => new optim.ReduceLROnPlateau(adam()),
    methods: {
      step: () => [1],
      loadStateDict: () => [{ best: 1, numBadEpochs: 0, cooldownCounter: 0, lastEpoch: 1, lastLr: [0.1] }],
    },
  },
  Transform: {
    make: () => vision.compose([vision.randomCrop(2), vision.normalize([0.5], [0.5])]),
    methods: { forward: () => [m(1, 3, 4, 4), m(1, 2)], outputShape: () => [[3, 4, 4]] },
  },
  ImageDataset: {
    make: images,
    methods: { image: () => [0], get: () => [0], subset: () => [1], select: () => [[1, 0]] },
  },
  GpuDataset: {
    make: () => new vision.GpuDataset(images()),
    methods: { batch: () => [ids(0, 1), vision.randomHorizontalFlip(), m(2, 1)] },
  },
  AnyDataLoader: {
    make: () => new data.DataLoader(numbers(), { batchSize: 2 }),
    methods: { setEpoch: () => [1], order: () => [1] },
  },
  TensorDataset: {
    make: () => new data.TensorDataset(m(3, 2)),
    methods: { get: () => [1], getBatch: () => [Int32Array.of(0, 2)] },
  },
  Subset: { make: () => new data.Subset(numbers(), [0, 2]), methods: { get: () => [1] } },
  ConcatDataset: { make: () => new data.ConcatDataset([numbers()]), methods: { get: () => [1] } },
  RandomSampler: { make: () => new data.RandomSampler({ length: 4 }), methods: { order: () => [1] } },
  WeightedRandomSampler: { make: () => new data.WeightedRandomSampler([1, 2], 2), methods: { order: () => [1] } },
  DataLoader: {
    make: () => new vision.DataLoader(new vision.GpuDataset(images()), { batchSize: 2 }),
    methods: { setEpoch: () => [1], order: () => [1], indexBatches: () => [{ pad: true }] },
  },
  captured: {
    make: () => ({ call: wgrad.capture((x: Tensor) => x.add(1)) }),
    methods: { call: () => [m(2)] },
  },
};

/** What layers take, beside those that take f32 [2, 3]. */
const INPUTS: Readonly<Record<string, () => unknown[]>> = {
  AvgPool2d: () => [m(1, 2, 4, 4)],
  MaxPool2d: () => [m(1, 2, 4, 4)],
  AdaptiveAvgPool2d: () => [m(1, 2, 4, 4)],
  BatchNorm2d: () => [m(2, 2, 2, 2)],
  BatchNorm3d: () => [m(2, 2, 2, 2, 2)],
  GroupNorm: () => [m(2, 4, 2)],
  InstanceNorm1d: () => [m(2, 2, 2)],
  InstanceNorm2d: () => [m(2, 2, 2, 2)],
  Softmax2d: () => [m(2, 2, 2, 2)],
  BCELoss: () => [m(2, 3), m(2, 3)],
  BCEWithLogitsLoss: () => [m(2, 3), m(2, 3)],
  KLDivLoss: () => [m(2, 3), m(2, 3)],
  NLLLoss: () => [m(2, 3), ids(0, 1)],
  L1Loss: () => [m(2), m(2)],
  SmoothL1Loss: () => [m(2), m(2)],
  HuberLoss: () => [m(2), m(2)],
  PoissonNLLLoss: () => [m(2), m(2)],
  GaussianNLLLoss: () => [m(2), m(2), m(2)],
  SoftMarginLoss: () => [m(2), ids(1, -1)],
  HingeEmbeddingLoss: () => [m(2), ids(1, -1)],
  MultiLabelSoftMarginLoss: () => [m(2, 3), m(2, 3)],
  CosineEmbeddingLoss: () => [m(2, 3), m(2, 3), ids(1, -1)],
  MarginRankingLoss: () => [m(2), m(2), ids(1, -1)],
  MultiMarginLoss: () => [m(2, 3), ids(0, 1)],
  TripletMarginLoss: () => [m(2, 3), m(2, 3), m(2, 3)],
  CosineSimilarity: () => [m(2, 3), m(2, 3)],
  PairwiseDistance: () => [m(2, 3), m(2, 3)],
  Bilinear: () => [m(2, 3), m(2, 4)],
  Dropout2d: () => [m(2, 3, 4, 4)],
  GRUCell: () => [m(2, 3), m(2, 4)],
  LSTMCell: () => [m(2, 3), [m(2, 4), m(2, 4)]],
  RNNCell: () => [m(2, 3), m(2, 4)],
  SqueezeExcitation: () => [m(1, 2, 4, 4)],
  LayerNorm2d: () => [m(2, 2, 2, 2)],
  Embedding: () => [ids(0, 1)],
  Conv2d: () => [m(1, 2, 4, 4)],
  Conv1d: () => [m(1, 2, 5)],
  Conv3d: () => [m(1, 2, 3, 3, 3)],
  ConvTranspose1d: () => [m(1, 2, 5)],
  ConvTranspose2d: () => [m(1, 2, 4, 4)],
  ConvTranspose3d: () => [m(1, 2, 2, 2, 2)],
  Fold: () => [m(1, 4, 9)],
  Unfold: () => [m(1, 2, 4, 4)],
  Upsample: () => [m(1, 2, 4, 4)],
  ConstantPad1d: () => [m(1, 2, 4)],
  ConstantPad2d: () => [m(1, 2, 4, 4)],
  ZeroPad2d: () => [m(1, 2, 4, 4)],
  ReflectionPad1d: () => [m(1, 2, 4)],
  ReflectionPad2d: () => [m(1, 2, 4, 4)],
  ReplicationPad1d: () => [m(1, 2, 4)],
  ReplicationPad2d: () => [m(1, 2, 4, 4)],
  MaxPool1d: () => [m(1, 2, 4)],
  MaxPool3d: () => [m(1, 2, 4, 4, 4)],
  AvgPool1d: () => [m(1, 2, 4)],
  AvgPool3d: () => [m(1, 2, 4, 4, 4)],
  AdaptiveAvgPool1d: () => [m(1, 2, 4)],
  AdaptiveAvgPool3d: () => [m(1, 2, 4, 4, 4)],
  AdaptiveMaxPool1d: () => [m(1, 2, 4)],
  AdaptiveMaxPool2d: () => [m(1, 2, 4, 4)],
  LocalResponseNorm: () => [m(1, 4, 2)],
  PixelShuffle: () => [m(1, 4, 2, 2)],
  PixelUnshuffle: () => [m(1, 1, 4, 4)],
  ChannelShuffle: () => [m(1, 4, 2, 2)],
  ConvNormActivation: () => [m(1, 2, 4, 4)],
  BasicBlock: () => [m(1, 2, 4, 4)],
  FeaturePyramidNetwork: () => [{ a: m(1, 2, 4, 4), b: m(1, 3, 2, 2) }],
  LastLevelMaxPool: () => [{ a: m(1, 2, 4, 4) }],
  LastLevelP6P7: () => [{ a: m(1, 2, 4, 4) }, { a: m(1, 2, 4, 4) }],
  MultiheadAttention: () => [m(2, 1, 4), m(2, 1, 4), m(2, 1, 4), { needWeights: false, keyPaddingMask: m(2, 1) }],
  Transformer: () => [m(2, 1, 4), m(3, 1, 4), { srcMask: m(2, 2), tgtKeyPaddingMask: m(1, 3) }],
  TransformerDecoder: () => [m(2, 1, 4), m(3, 1, 4), { tgtMask: m(2, 2) }],
  TransformerDecoderLayer: () => [m(2, 1, 4), m(3, 1, 4), { tgtMask: m(2, 2) }],
  TransformerEncoder: () => [m(2, 1, 4), { mask: m(2, 2) }],
  TransformerEncoderLayer: () => [m(2, 1, 4), { mask: m(2, 2) }],
  CrossEntropyLoss: () => [m(2, 3), ids(0, 1)],
  MSELoss: () => [m(2), m(2)],
};

const EMPTY = (): unknown[] => [];

const isClass = (value: unknown): boolean => typeof value === "function" && /^class\b/.test(String(value));

function* exported(path: string, names: object): Generator<Entry> {
  for (const [name, value] of Object.entries(names)) {
    const full = `${path}.${name}`;
    if (typeof value !== "function" || isError(value) || full in LEFT_OUT) continue;
    const given = GIVEN[full] ?? (path === "F" || path === "init" ? () => [m(2, 3)] : EMPTY);
    yield {
      name: isClass(value) ? `new ${full}` : full,
      given,
      run: (...args) => (isClass(value) ? Reflect.construct(value, args) : value(...args)),
    };
    if (!isClass(value) || !(value.prototype instanceof nn.Module)) continue;
    yield {
      name: `new ${full}.forward`,
      given: INPUTS[name] ?? (() => [m(2, 3)]),
      run: (...args) =>
        (Reflect.construct(value, given()) as { forward(...args: unknown[]): unknown }).forward(...args),
    };
  }
}

/** For the library's own use, or for subclasses. */
const INTERNAL = [
  "constructor",
  "batchCount",
  "facts",
  "begin",
  "give",
  "finish",
  "lr",
  "rule",
  "checkGroup",
  "start",
  "swapGrad",
  "pairs",
  "weights",
  "kept",
  "holds",
  "run",
  "project",
  "mask",
  "fused",
  "weighted",
  "sides",
];

function methodsOf(object: object): string[] {
  const names = new Set<string>();
  for (let at = object; at && at !== Object.prototype; at = Object.getPrototypeOf(at))
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (typeof value === "function" && !INTERNAL.includes(name)) names.add(name);
  return [...names];
}

function* called(): Generator<Entry> {
  for (const [kind, { make, methods }] of Object.entries(OBJECTS)) {
    for (const name of methodsOf(make())) {
      yield {
        name: `${kind}.${name}`,
        given: (Object.hasOwn(methods, name) && methods[name]) || EMPTY,
        run: (...args) => {
          const subject = make();
          return Reflect.get(subject, name).apply(subject, args);
        },
      };
    }
  }
  for (const property of ["grad", "requiresGrad"]) {
    yield {
      name: `Tensor.${property} =`,
      given: () => [property === "grad" ? m(2, 3) : true],
      run: (value) => Reflect.set(leaf(2, 3), property, value),
    };
  }
}

/** All of it. Makes tensors: call it in a scope. */
export function surface(): Entry[] {
  return [
    ...exported("wgrad", wgrad),
    ...exported("nn", nn),
    ...exported("F", F),
    ...exported("init", nn.init),
    ...exported("utils", nn.utils),
    ...exported("optim", optim),
    ...exported("data", data),
    ...exported("swaUtils", optim.swaUtils),
    ...exported("vision", vision),
    ...exported("node", node),
    ...called(),
  ];
}
