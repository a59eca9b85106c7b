// The names of `nn`: modules, layers, losses, and the namespaces `functional` and `init`.
export {
  Hardsigmoid,
  Hardswish,
  LeakyReLU,
  ReLU,
  ReLU6,
  Sigmoid,
  SiLU,
  Softmax,
  Tanh,
} from "./activation-layers.ts";
export { type AttentionMasks, MultiheadAttention, type MultiheadAttentionOptions } from "./attention-layers.ts";
export { Dropout, Flatten, Identity } from "./basic-layers.ts";
export { Bilinear } from "./bilinear-layer.ts";
export {
  type ConvMaker,
  ConvNormActivation,
  type ConvNormActivationOptions,
  SqueezeExcitation,
  type SqueezeExcitationOptions,
} from "./blocks.ts";
export { type CellOptions, GRUCell, LSTMCell, RNNCell, type RNNCellOptions } from "./cell-layers.ts";
export { ModuleDict, type Named, ParameterDict, ParameterList } from "./collections.ts";
export { ModuleList, Sequential } from "./containers.ts";
export { Conv2d } from "./conv-layers.ts";
export { Conv1d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from "./conv-nd-layers.ts";
export { deepCopy } from "./deep-copy.ts";
export { AlphaDropout, Dropout1d, Dropout2d, StochasticDepth } from "./dropout-layers.ts";
export { Embedding } from "./embedding-layer.ts";
export * as functional from "./functional.ts";
export {
  CELU,
  ELU,
  GELU,
  GLU,
  Hardtanh,
  LogSigmoid,
  LogSoftmax,
  Mish,
  PReLU,
  SELU,
  Softmax2d,
  Softmin,
  Softplus,
  Softsign,
  Tanhshrink,
  Threshold,
} from "./further-activation-layers.ts";
export {
  BCELoss,
  BCEWithLogitsLoss,
  CosineEmbeddingLoss,
  CosineSimilarity,
  GaussianNLLLoss,
  HingeEmbeddingLoss,
  HuberLoss,
  KLDivLoss,
  L1Loss,
  MarginRankingLoss,
  MultiLabelSoftMarginLoss,
  MultiMarginLoss,
  NLLLoss,
  PairwiseDistance,
  PoissonNLLLoss,
  SmoothL1Loss,
  SoftMarginLoss,
  TripletMarginLoss,
} from "./further-loss-layers.ts";
export {
  GroupNorm,
  InstanceNorm1d,
  InstanceNorm2d,
  type InstanceNormLayerOptions,
  LayerNorm2d,
} from "./group-norm-layers.ts";
export * as init from "./initialization.ts";
export { Linear } from "./linear-layer.ts";
export type { LoadOptions, LoadResult, StateDict, StateDictLike } from "./load-state-dict.ts";
export { CrossEntropyLoss, MSELoss } from "./loss-layers.ts";
export { type AnyModule, type ForwardHook, type ForwardPreHook, Module } from "./module.ts";
export {
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  type BatchNormLayerOptions,
  LayerNorm,
  RMSNorm,
} from "./norm-layers.ts";
export type { PaddingMode } from "./padding-mode.ts";
export { Parameter } from "./parameter.ts";
export { AdaptiveAvgPool2d, AvgPool2d, MaxPool2d } from "./pooling-layers.ts";
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AvgPool1d,
  AvgPool3d,
  MaxPool1d,
  MaxPool3d,
} from "./pooling-nd-layers.ts";
export { GRU, LSTM, type RecurrentOptions, RNN, type RNNOptions } from "./recurrent-layers.ts";
export { Permute, Unflatten } from "./shape-layers.ts";
export { ChannelShuffle, LocalResponseNorm, PixelShuffle, PixelUnshuffle } from "./shuffle-layers.ts";
export {
  ConstantPad1d,
  ConstantPad2d,
  ReflectionPad1d,
  ReflectionPad2d,
  ReplicationPad1d,
  ReplicationPad2d,
  Upsample,
  ZeroPad2d,
} from "./spatial-layers.ts";
export { countParameters } from "./summary.ts";
export {
  type DecoderMasks,
  type EncoderMasks,
  Transformer,
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
  type TransformerLayerOptions,
  type TransformerMasks,
  type TransformerOptions,
} from "./transformer-layers.ts";
export { MaxUnpool1d, MaxUnpool2d, MaxUnpool3d } from "./unpooling-layers.ts";
export * as utils from "./utils.ts";
export { Fold, Unfold } from "./window-layers.ts";
