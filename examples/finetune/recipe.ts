// The recipe that every engine trains by: augmentation, order, rates and schedule, and what an epoch says of itself.
import { type Device, vision } from "wgrad";
import type { Pictures } from "./data.ts";
import type { Network } from "./model.ts";
import type { Given, Options } from "./options.ts";
import type { EpochRecord, Metrics, RunFolder } from "./run-folder.ts";

/** What an engine gets to train. */
export interface Run {
  readonly given: Given;
  readonly folder: RunFolder;
  readonly device: Device;
  readonly pictures: Pictures;
  readonly model: Network;
  readonly config: Metrics["config"];
  readonly log: (line: string) => void;
}

/** Crop out of a black border, flip, jitter, rotation in degrees: in this order. */
export const AUGMENTATION = {
  padding: 4,
  jitter: { brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1 },
  degrees: 15,
} as const;

/** Of ReduceLROnPlateau, by the test loss. */
export const SCHEDULE = { factor: 0.5, patience: 2 } as const;

/** What happens to training images. */
export function trainTransform({ augment }: Options, { train, mean, std }: Pictures): vision.Transform {
  const { padding, jitter, degrees } = AUGMENTATION;
  const normalize = vision.normalize(mean, std);
  if (augment === "none") return normalize;
  return vision.compose([
    vision.randomCrop(train.shape[1], { padding }),
    vision.randomHorizontalFlip(),
    vision.colorJitter(jitter),
    vision.randomRotation(degrees),
    normalize,
  ]);
}

/** How training images come in batches, which is the same for every engine. `processes` share each batch. */
export function batching({ batchSize, seed }: Options, images: number, processes: number) {
  const left = images % batchSize;
  return {
    batchSize: Math.min(batchSize, images),
    shuffle: true,
    seed,
    // Batch norm has no statistics of a single image, which is what a process has of so few.
    dropLast: images > batchSize && left > 0 && left <= processes,
  };
}

const percent = (part: number) => `${(100 * part).toFixed(1)} %`;

/** An epoch in a line. */
export function epochLine(record: EpochRecord, epochs: number): string {
  const { epoch, phase, trainLoss, trainAcc, testLoss, testAcc, lr, seconds, imagesPerSecond } = record;
  return `epoch ${epoch}/${epochs} ${phase}  train ${trainLoss.toFixed(4)} ${percent(trainAcc)}  test ${testLoss.toFixed(4)} ${percent(testAcc)}  rate ${lr}  ${seconds.toFixed(1)} s, ${imagesPerSecond.toFixed(0)} images/s`;
}

/** How many parameters learn in a phase. */
export function phaseLine(phase: string, { total, frozen }: { total: number; frozen: number }): string {
  const thousands = (n: number) => n.toLocaleString("en-US");
  return `${phase}: ${thousands(frozen)} of ${thousands(total)} parameters frozen`;
}
