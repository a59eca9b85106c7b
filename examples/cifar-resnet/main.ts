// Loads a published CIFAR-10 ResNet (https://github.com/akamaster/pytorch_resnet_cifar10) and measures its accuracy on
// the test set: npm run example:cifar-resnet -- --data DIR --weights resnet20-12fca82f.th [--blocks 3] [--batch-size 250]
import { readFile } from "node:fs/promises";
import { Command, InvalidArgumentError } from "commander";
import { capture, DataError, init, loadTorch, nn, noGrad, type Tensor, vision, WgradError } from "wgrad";
import { CIFAR10 } from "wgrad/node";
import { CifarResNet } from "./model.ts";

interface Options {
  readonly data?: string;
  readonly weights: string;
  readonly blocks: number;
  readonly batchSize: number;
}

const WEIGHTS = "https://github.com/akamaster/pytorch_resnet_cifar10/tree/master/pretrained_models";

const count = (text: string) => {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1) throw new InvalidArgumentError("expected a whole number of at least 1.");
  return n;
};

const options = new Command("example:cifar-resnet")
  .requiredOption("--weights <file>", `a checkpoint of ${WEIGHTS}: resnet20-12fca82f.th, resnet32-d509ac18.th, ...`)
  .option("--data <dir>", "CIFAR-10: its folder or archive (default: cache, then download)")
  .option("--blocks <n>", "blocks in a stage: 3 for ResNet-20, 5 for ResNet-32", count, 3)
  .option("--batch-size <n>", "images a batch", count, 250)
  .showHelpAfterError(`(--help lists the options; weights are at ${WEIGHTS})`)
  .parse()
  .opts<Options>();

async function main({ data, weights, blocks, batchSize }: Options): Promise<void> {
  const bytes = await readFile(weights).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(`--weights ${weights} cannot be read: ${why}. Weights are at ${WEIGHTS}`, { cause });
  });
  const device = await init();
  console.log(`adapter: ${device.info.name}`);
  const model = new CifarResNet(blocks);
  // These files were written before PyTorch counted batches (num_batches_tracked), hence not strict.
  const { missingKeys, unexpectedKeys } = await model.loadStateDict(await loadTorch(bytes), {
    strict: false,
  });
  const lost = [...missingKeys.filter((key) => !key.endsWith("num_batches_tracked")), ...unexpectedKeys];
  if (lost.length > 0)
    throw new DataError(
      `${weights} is not a ResNet with ${blocks} blocks a stage (see --blocks): ${lost.slice(0, 3).join(", ")} and ${lost.length} names in all do not fit`,
    );
  model.eval();

  const pictures = await CIFAR10({ ...(data === undefined ? {} : { data }), train: false });
  const test = new vision.GpuDataset(pictures);
  const normalize = vision.normalize(vision.IMAGENET_MEAN, vision.IMAGENET_STD);
  const step = capture((indices: Tensor) =>
    noGrad(() => {
      const { images, labels } = test.batch(indices, normalize);
      return nn.functional.correctCount(model.forward(images), labels);
    }),
  );

  const start = performance.now();
  let right = 0;
  for await (const { indices } of new vision.DataLoader(test, { batchSize }).indexBatches({ pad: true })) {
    const correct = step(indices);
    right += await correct.item();
    correct.dispose();
  }
  const seconds = (performance.now() - start) / 1000;
  console.log(`${right} of ${test.length} test images right: ${((100 * right) / test.length).toFixed(2)} %`);
  console.log(`${seconds.toFixed(1)} s, ${(test.length / seconds).toFixed(0)} images/s`);
}

try {
  await main(options);
} catch (error) {
  // Expected failures (no adapter, missing data, bad files) need no stack; anything else does.
  console.error(error instanceof WgradError ? `${error.name}: ${error.message}` : error);
  process.exitCode = 1;
}
