// The programs whose steps are timed beside PyTorch's, by name.
import { charTransformer } from "./char-transformer.ts";
import { dcgan } from "./dcgan.ts";
import { embedding } from "./embedding.ts";
import { mnistCnn } from "./mnist-cnn.ts";
import { mobilenet } from "./mobilenet.ts";
import type { Program } from "./program.ts";
import { sequenceClassifier } from "./sequence-classifier.ts";
import { unet } from "./unet.ts";
import { vae } from "./vae.ts";
import { vit } from "./vit.ts";

export const programs = {
  "mnist-cnn": mnistCnn,
  vae,
  dcgan,
  unet,
  "char-transformer": charTransformer,
  lstm: (batch?: number) => sequenceClassifier("LSTM", batch),
  gru: (batch?: number) => sequenceClassifier("GRU", batch),
  mobilenet,
  vit,
  embedding,
} satisfies Record<string, (batch?: number) => Program>;

export type ProgramName = keyof typeof programs;
