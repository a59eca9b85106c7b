// One epoch of training and one pass over the test set, both as captured steps whose metrics stay on the device.
import { capture, type Device, nn, noGrad, stack, type Tensor, vision } from "wgrad";
import type { Stop } from "./interrupt.ts";
import type { Network } from "./model.ts";
import { progressBar } from "./progress-bar.ts";
import type { EpochPart, Trainee } from "./run-folder.ts";

const F = nn.functional;

export interface TrainResult {
  readonly loss: number;
  readonly accuracy: number;
  readonly seconds: number;
  readonly imagesPerSecond: number;
}

/** The captured training step: augmentation, forward, backward, update and metrics from a batch of indices. */
export function trainer({ model, optimizer, loader }: Trainee, set: vision.GpuDataset, transform: vision.Transform) {
  const step = capture((indices: Tensor) => {
    const { images, labels } = set.batch(indices, transform);
    optimizer.zeroGrad();
    const logits = model.forward(images) as Tensor;
    const loss = F.crossEntropy(logits, labels);
    loss.backward();
    optimizer.step();
    return { loss, correct: F.correctCount(logits, labels) };
  });

  return {
    /**
     * Runs over the loader's next epoch, or the rest of one whose `earlier` part is known, until it is over or stopped.
     * Losses and counts are read once, at its end.
     */
    async epoch(device: Device, title: string, earlier: EpochPart | null, stop: Stop): Promise<EpochPart> {
      model.train();
      const start = performance.now();
      const bar = progressBar(title, set.length);
      bar.advance(sum(earlier?.sizes ?? []));
      device.onCompile = bar.compiled;
      const losses: Tensor[] = [];
      const counts: Tensor[] = [];
      const sizes: number[] = [];
      try {
        for await (const { indices, size } of loader.indexBatches()) {
          const { loss, correct } = step(indices);
          losses.push(loss);
          counts.push(correct);
          sizes.push(size);
          bar.advance(size);
          if (stop.requested) break;
        }
        await device.sync();
      } finally {
        device.onCompile = null;
        bar.stop();
      }
      return {
        losses: [...(earlier?.losses ?? []), ...(await readScalars(losses))],
        sizes: [...(earlier?.sizes ?? []), ...sizes],
        correct: (earlier?.correct ?? 0) + sum(await readScalars(counts)),
        seconds: (earlier?.seconds ?? 0) + (performance.now() - start) / 1000,
      };
    },
    dispose: () => step.dispose(),
  };
}

/** An epoch in numbers. */
export function summarize({ losses, sizes, correct, seconds }: EpochPart): TrainResult {
  const images = sum(sizes);
  const loss = sum(losses.map((value, i) => value * (sizes[i] ?? 0))) / images;
  return { loss, accuracy: correct / images, seconds, imagesPerSecond: images / seconds };
}

/** The captured evaluation step: sum of losses and number of right answers of a batch. */
export function evaluator(model: Network, set: vision.GpuDataset, transform: vision.Transform) {
  const step = capture((indices: Tensor) =>
    noGrad(() => {
      const { images, labels } = set.batch(indices, transform);
      const logits = model.forward(images) as Tensor;
      return { loss: F.crossEntropy(logits, labels, { reduction: "sum" }), correct: F.correctCount(logits, labels) };
    }),
  );
  const loader = new vision.DataLoader(set, { batchSize: Math.min(100, set.length) });

  return {
    /** Mean loss and accuracy in evaluation mode. */
    async run(): Promise<{ loss: number; accuracy: number }> {
      model.eval();
      const losses: Tensor[] = [];
      const counts: Tensor[] = [];
      for await (const { indices } of loader.indexBatches({ pad: true })) {
        const { loss, correct } = step(indices);
        losses.push(loss);
        counts.push(correct);
      }
      const [loss, correct] = [sum(await readScalars(losses)), sum(await readScalars(counts))];
      return { loss: loss / set.length, accuracy: correct / set.length };
    },
    dispose: () => step.dispose(),
  };
}

const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);

/** The values of many one-element tensors with one read; frees them. */
async function readScalars(tensors: readonly Tensor[]): Promise<readonly number[]> {
  if (tensors.length === 0) return [];
  const all = stack(tensors);
  const values = Array.from(await all.data());
  for (const t of [all, ...tensors]) t.dispose();
  return values;
}
