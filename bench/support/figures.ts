// The figures that wgrad and its peers are compared on: what each library is asked to do, and what wgrad is to reach.

import type { ProgramName } from "../../test/programs/index.ts";
import type { FamilyName } from "./families.ts";

/** What a worker is asked to set up (see peers/protocol.mjs). Convolutions are 3x3, stride 1, padding 1. */
export type Spec =
  | {
      readonly kind: "conv";
      readonly pass: "forward" | "input" | "weight";
      readonly batch: number;
      readonly channels: number;
      readonly filters: number;
      readonly size: number;
    }
  | { readonly kind: "matmul"; readonly size: number }
  | { readonly kind: "batchNorm"; readonly shape: readonly [number, number, number, number] }
  | { readonly kind: "train"; readonly batch: number }
  | { readonly kind: "program"; readonly name: ProgramName }
  | { readonly kind: "family"; readonly name: FamilyName; readonly batch: number }
  | { readonly kind: "infer"; readonly batch: number };

export type PeerName = "tfjs" | "jax" | "torch";

/** At least this many times as fast as the peer; below 1: at most 1/x of its time. */
export type Targets = Readonly<Partial<Record<PeerName, number>>>;

export interface TimedFigure {
  readonly key: string;
  readonly title: string;
  readonly spec: Spec;
  readonly targets: Targets;
  /** The peers that have it. Default: all. */
  readonly peers?: readonly PeerName[];
  readonly flop?: number;
  /** Images in a run: the table then also shows milliseconds an image. */
  readonly images?: number;
  /** Agreement with the reference: of the norm of what was computed; for losses, of the first. */
  readonly tolerance: number;
}

export const BATCH = 32;

function convFigures(key: string, channels: number, size: number): TimedFigure[] {
  const common = { kind: "conv", batch: BATCH, channels, filters: channels, size } as const;
  const flop = 2 * BATCH * channels ** 2 * 9 * size ** 2;
  const passes = { forward: "forward", input: "input gradient", weight: "weight gradient" } as const;
  return (["forward", "input", "weight"] as const).map((pass) => ({
    key: `${key}-${pass}`,
    title: `conv ${channels} to ${channels} at ${size}x${size}, ${passes[pass]}`,
    spec: { ...common, pass },
    targets: { jax: 3, tfjs: 5 },
    flop,
    tolerance: 1e-4,
  }));
}

const matmulFigure = (size: number): TimedFigure => ({
  key: `matmul-${size}`,
  title: `matmul, ${size} cubed`,
  spec: { kind: "matmul", size },
  targets: { jax: 5 },
  flop: 2 * size ** 3,
  tolerance: 1e-4,
});

/** A training step of one of test/programs, against PyTorch alone: at most twice its time. */
const programFigure = (name: ProgramName, title: string): TimedFigure => ({
  key: `program-${name}`,
  title: `${title}, a training step`,
  spec: { kind: "program", name },
  peers: ["torch"],
  targets: { torch: 1 / 2 },
  tolerance: 1e-3,
});

export const timedFigures: readonly TimedFigure[] = [
  ...convFigures("convA", 64, 32),
  ...convFigures("convB", 256, 8),
  ...[512, 1024].map(matmulFigure),
  {
    key: "batchnorm",
    title: "batch norm, 32x64x32x32, forward and backward",
    spec: { kind: "batchNorm", shape: [BATCH, 64, 32, 32] },
    targets: { jax: 5 },
    tolerance: 1e-4,
  },
  {
    key: "train",
    title: `ResNet18 training step (Adam), batch ${BATCH} at 32x32`,
    spec: { kind: "train", batch: BATCH },
    targets: { jax: 5, tfjs: 15, torch: 1 / 3 },
    images: BATCH,
    tolerance: 1e-3,
  },
  {
    key: "infer",
    title: `ResNet18 inference, batch ${BATCH} at 32x32`,
    spec: { kind: "infer", batch: BATCH },
    targets: { jax: 3 },
    images: BATCH,
    tolerance: 1e-4,
  },
  programFigure("mnist-cnn", "MNIST CNN, batch 64 at 28x28"),
  programFigure("vae", "VAE 784-400-20, batch 128"),
  programFigure("dcgan", "DCGAN, batch 64 at 32x32"),
  programFigure("unet", "U-Net, batch 8 at 64x64"),
  programFigure("char-transformer", "char transformer, 16x64, width 128, 4 layers"),
  programFigure("lstm", "LSTM, 32x40"),
  programFigure("gru", "GRU, 32x40"),
  programFigure("mobilenet", "MobileNetV2, batch 16 at 32x32"),
  programFigure("vit", "ViT-Tiny, batch 8 at 32x32"),
  programFigure("embedding", "Embedding 30000x256, 2048 rows"),
];
