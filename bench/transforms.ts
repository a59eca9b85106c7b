// npm run bench:transforms: resizing and augmenting photographs beside torchvision's transforms on the CPU, with Pillow's images
// and with tensors. Images are where each library has them: in memory there, on the device here.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { init, rand, scope, type Tensor, tensor, vision } from "wgrad";
import { runForJson } from "./support/child.ts";
import { describeMachine, machineLine } from "./support/machine.ts";
import { measure } from "./support/measure.ts";
import { significant, textTable } from "./support/table.ts";

const program = new Command("bench:transforms")
  .description("Times transforms beside torchvision's, with Pillow and with tensors.")
  .option("--height <n>", "pixels of a photograph", Number, 500)
  .option("--width <n>", "pixels of a photograph", Number, 375)
  .option("--batch <n>", "photographs in a batch", Number, 64)
  .option("--samples <n>", "samples a figure", Number, 9);
const { height, width, batch, samples } = program
  .parse()
  .opts<{ height: number; width: number; batch: number; samples: number }>();

const device = await init();
console.log(machineLine(describeMachine(device)));

const works = (python: string) => spawnSync(python, ["-c", "import torchvision, PIL"]).status === 0;
const python = ["python3", "/usr/bin/python3"].find(works);
const script = fileURLToPath(new URL("peers/torchvision_cpu.py", import.meta.url));
const given = [script, height, width, batch, samples].map(String);
const theirs: Record<string, number> = python
  ? ((await runForJson(python, given, {}, 600_000)) as Record<string, number>)
  : {};
if (!python) console.log("torchvision is not here: no peer");

const bytes = Int32Array.from({ length: 3 * height * width }, (_, i) => (i * 2654435761) >>> 24);
const photo = tensor(bytes, { shape: [3, height, width] });
const photos = rand([batch, 3, height, width]);
const small = rand([batch, 3, 224, 224]);

const { compose, normalize, IMAGENET_MEAN, IMAGENET_STD } = vision;
const resize = vision.resize(256);
const evaluation = vision.imageClassification({ cropSize: 224 });
const statistics = normalize(IMAGENET_MEAN, IMAGENET_STD);
const training = compose([vision.randomResizedCrop(224), vision.randomHorizontalFlip(), statistics]);

const apply = (transform: vision.Transform, images: Tensor) => () =>
  scope(() => {
    transform.forward(images);
  });
const figures: Record<string, () => void> = {
  "photo resize": apply(resize, photo),
  "photo resize, uploaded": () =>
    scope(() => {
      resize.forward(tensor(bytes, { shape: [3, height, width] }));
    }),
  "photo evaluation": apply(evaluation, photo),
  "batch resize": apply(resize, photos),
  "batch evaluation": apply(evaluation, photos),
  "batch training": apply(training, photos),
  "batch augmentation": apply(vision.randAugment(), small),
};

const rows: string[][] = [];
for (const [name, run] of Object.entries(figures)) {
  const { median } = await measure(
    name,
    async (times) => {
      for (let i = 0; i < times; i++) {
        run();
        await device.queue.idle(3);
      }
      await device.sync();
    },
    { samples, budgetMs: 8000 },
  );
  const beside = (kind: string) => {
    const other = theirs[`${name.split(",")[0]} ${kind}`];
    return other === undefined ? ["-", "-"] : [significant(other), significant(median / other)];
  };
  rows.push([name, significant(median), ...beside("pil"), ...beside("tensor")]);
}
console.log(`${batch} photographs of ${height} x ${width}, milliseconds; a ratio below 1: wgrad is faster`);
console.log(textTable(["figure", "wgrad", "Pillow", "ratio", "tensors", "ratio"], rows));
device.destroy();
