// Loads a published CIFAR-10 ResNet (https://github.com/akamaster/pytorch_resnet_cifar10) and measures its accuracy on
// the test set: npm run example:cifar-resnet -- --data DIR --weights resnet20-12fca82f.th [--blocks 3] [--batch-size 250]
import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { capture, init, loadTorch, nn, noGrad, type Tensor, vision } from "wgrad";
import { CIFAR10 } from "wgrad/node";
import { CifarResNet } from "./model.ts";

const { data, weights, blocks, batchSize } = new Command("example:cifar-resnet")
  .requiredOption("--weights <file>", "the checkpoint: resnet20-12fca82f.th, resnet32-d509ac18.th, ...")
  .option("--data <dir>", "CIFAR-10: its folder or archive (default: cache, then download)")
  .option("--blocks <n>", "blocks in a stage: 3 for ResNet-20, 5 for ResNet-32", Number, 3)
  .option("--batch-size <n>", "images a batch", Number, 250)
  .parse()
  .opts<{ data?: string; weights: string; blocks: number; batchSize: number }>();

const device = await init();
console.log(`adapter: ${device.info.name}`);
const model = new CifarResNet(blocks);
// These files were written before PyTorch counted batches (num_batches_tracked), hence not strict.
const { missingKeys, unexpectedKeys } = await model.loadStateDict(await loadTorch(await readFile(weights)), {
  strict: false,
});
const lost = [...missingKeys.filter((key) => !key.endsWith("num_batches_tracked")), ...unexpectedKeys];
if (lost.length > 0) throw new Error(`${weights} is not a ResNet with ${blocks} blocks a stage: ${lost.join(", ")}`);
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
