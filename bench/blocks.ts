// npm run bench:blocks: what a model written by a user from public layers takes beside the library's own block, and a depthwise
// convolution beside the general kernel; in turns in one process.
import { Command } from "commander";
import { capture, init, nn, noGrad, rand, randn, scope, type Tensor } from "wgrad";
import { BasicBlock } from "../src/vision/models/resnet.ts";
import { describeMachine, machineLine } from "./support/machine.ts";
import { measureInTurns, type Run } from "./support/measure.ts";
import { significant, textTable } from "./support/table.ts";

const program = new Command("bench:blocks")
  .description(
    "Times a user's residual block beside the library's, and depthwise convolutions beside the general kernel.",
  )
  .option("--samples <n>", "samples a figure", Number, 15)
  .option("--budget <ms>", "time a figure, beyond its first three samples", Number, 4000);
const o = program.parse().opts<{ samples: number; budget: number }>();

const F = nn.functional;
const device = await init();
console.log(machineLine(describeMachine(device)));

/** As a user writes it from `Conv2d`, `BatchNorm2d` and an activation. */
class UserBlock extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.BatchNorm2d;

  constructor(channels: number) {
    super();
    this.conv1 = new nn.Conv2d(channels, channels, 3, { padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(channels);
    this.conv2 = new nn.Conv2d(channels, channels, 3, { padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(channels);
  }

  override forward(x: Tensor): Tensor {
    let y = F.relu(this.bn1.forward(this.conv1.forward(x)));
    y = this.bn2.forward(this.conv2.forward(y));
    return F.relu(y.add(x));
  }
}

const repeat =
  (fn: () => void): Run =>
  async (times) => {
    for (let i = 0; i < times; i++) {
      fn();
      await device.queue.idle(3);
    }
    await device.sync();
  };

async function ratios(title: string, cases: Readonly<Record<string, readonly [ours: () => void, other: () => void]>>) {
  const rows: string[][] = [];
  for (const [name, pair] of Object.entries(cases)) {
    const runs = pair.map(repeat);
    for (const run of runs) await run(2);
    const [a, b] = await measureInTurns(runs, { samples: o.samples, budgetMs: o.budget });
    if (!a || !b) continue;
    rows.push([name, significant(a.median), significant(b.median), (b.median / a.median).toFixed(3)]);
  }
  console.log(`\n${textTable([title, "first, ms", "second, ms", "second / first"], rows)}`);
}

const x = randn([32, 64, 32, 32]);
const dy = randn([32, 64, 32, 32]);
const [ours, users] = [new BasicBlock(64, 64, 1, null), new UserBlock(64)] as const;
const evaluate = (block: nn.Module) => () => noGrad(() => block.forward(x)).dispose();
const trainStep = (block: nn.Module) => (input: Tensor) =>
  scope(() => {
    block.zeroGrad();
    const y = block.forward(input);
    y.backward(dy);
    return y.detach();
  });
const eager = (block: nn.Module) => {
  const step = trainStep(block);
  return () => step(x).dispose();
};
const captured = (block: nn.Module) => {
  const step = capture(trainStep(block));
  return () => step(x).dispose();
};
await ratios("a block, ours first, then a user's", {
  "training, eager": [eager(ours), eager(users)],
  "training, captured": [captured(ours), captured(users)],
});
for (const block of [ours, users]) block.eval();
await ratios("a block, ours first, then a user's", { evaluation: [evaluate(ours), evaluate(users)] });

const image = rand([16, 192, 32, 32], { requiresGrad: true });
const weight = rand([192, 1, 3, 3], { requiresGrad: true });
const gradient = rand([16, 192, 32, 32]);
const withVariant = (name: string | null, fn: () => void) => () => {
  for (const kind of ["conv", "convInputGradient", "convWeightGradient"]) {
    if (name) device.variants.set(kind, name);
    else device.variants.delete(kind);
  }
  fn();
  for (const kind of ["conv", "convInputGradient", "convWeightGradient"]) device.variants.delete(kind);
};
const forward = () => {
  const y = noGrad(() => F.conv2d(image, weight, null, { padding: 1, groups: 192 }));
  y.storage.settle(); // while the variant is set
  y.dispose();
};
const all = () =>
  scope(() => {
    image.grad = null;
    weight.grad = null;
    F.conv2d(image, weight, null, { padding: 1, groups: 192 }).backward(gradient);
  });
const general = device.info.subgroupSize >= 4 ? "subgroup 16x4" : "workgroup";
await ratios(`depthwise 3x3 of [16, 192, 32, 32]: its own kernels first, then the general one (${general})`, {
  forward: [withVariant(null, forward), withVariant(general, forward)],
  "forward and both gradients": [withVariant(null, all), withVariant(general, all)],
});
process.exit(0);
