// The command line of the fine-tuning example.
import { Command, InvalidArgumentError, Option } from "commander";

export interface Options {
  data?: string;
  dataset: "cifar10" | "emoji";
  weights?: string;
  model: "resnet18" | "resnet34" | "alexnet";
  epochs: number;
  freezeEpochs: number;
  batchSize: number;
  lr: number;
  unfreezeLr: number;
  weightDecay: number;
  trainSize?: number;
  testSize?: number;
  augment: "standard" | "none";
  seed: number;
  engine: "wgrad" | "torchrun";
  nproc: number;
  nnodes: number;
  master?: string;
  python?: string;
  adapter: "auto" | "high-performance" | "low-power" | "software";
  out?: string;
  resume: boolean;
  overwrite: boolean;
}

/** The options, and which of them the user gave. */
export interface Given {
  readonly options: Options;
  readonly isGiven: (name: keyof Options) => boolean;
}

const whole = (least: number) => (text: string) => {
  const n = Number(text);
  if (!Number.isInteger(n) || n < least)
    throw new InvalidArgumentError(`expected a whole number of at least ${least}.`);
  return n;
};
const positive = (text: string) => {
  const x = Number(text);
  if (!Number.isFinite(x) || x < 0) throw new InvalidArgumentError("expected a number that is not negative.");
  return x;
};

/** Parses the command line; prints help or the error and exits where that is what it asks for. */
export function parseOptions(argv: readonly string[]): Given {
  const program = new Command("example:finetune")
    .description("Fine-tune a pretrained network on ten classes: head first, then everything, lower rates on plateaus.")
    .addOption(new Option("--data <dir>", "CIFAR-10: its folder, or the official .tar.gz archive"))
    .addOption(new Option("--dataset <name>", "pictures to learn").choices(["cifar10", "emoji"]).default("cifar10"))
    .addOption(
      new Option("--weights <file>", "a .pth or .safetensors file, `none`, or `imagenet` (torchvision's weights)"),
    )
    .addOption(new Option("--model <name>").choices(["resnet18", "resnet34", "alexnet"]).default("resnet18"))
    .addOption(new Option("--epochs <n>").default(40).argParser(whole(1)))
    .addOption(new Option("--freeze-epochs <n>", "epochs in which only the head learns").default(5).argParser(whole(0)))
    .addOption(new Option("--batch-size <n>").default(64).argParser(whole(2)))
    .addOption(new Option("--lr <rate>", "while the backbone is frozen").default(1e-3).argParser(positive))
    .addOption(new Option("--unfreeze-lr <rate>", "once it is released").default(1e-4).argParser(positive))
    .addOption(new Option("--weight-decay <factor>").default(1e-4).argParser(positive))
    .addOption(new Option("--train-size <n>", "use the first n training images").argParser(whole(2)))
    .addOption(new Option("--test-size <n>", "use the first n test images").argParser(whole(1)))
    .addOption(
      new Option("--augment <kind>", "what happens to training images")
        .choices(["standard", "none"])
        .default("standard"),
    )
    .addOption(new Option("--seed <s>").default(0).argParser(whole(0)))
    .addOption(
      new Option("--adapter <kind>").choices(["auto", "high-performance", "low-power", "software"]).default("auto"),
    )
    .addOption(
      new Option("--engine <name>", "who trains: this library, or PyTorch's torchrun (docs/scaling.md)")
        .choices(["wgrad", "torchrun"])
        .default("wgrad"),
    )
    .addOption(new Option("--nproc <n>", "torchrun: processes on each machine").default(1).argParser(whole(1)))
    .addOption(new Option("--nnodes <n>", "torchrun: machines").default(1).argParser(whole(1)))
    .addOption(new Option("--master <host:port>", "torchrun: this machine's address, where there are several"))
    .addOption(new Option("--python <command>", "torchrun: start it with this interpreter"))
    .addOption(new Option("--out <dir>", "where results go (default: runs/<time>)"))
    .addOption(new Option("--resume", "continue the run in --out").default(false).conflicts("overwrite"))
    .addOption(new Option("--overwrite", "replace the run in --out").default(false))
    .showHelpAfterError("(--help lists the options)");
  program.parse(argv, { from: "user" });
  const options = program.opts<Options>();
  if (options.resume && !options.out) program.error("error: --resume needs --out, the folder of the run to continue");
  if (options.engine === "torchrun") {
    const { resume, nproc, nnodes, master, batchSize } = options;
    if (resume) program.error("error: --resume goes on with runs of --engine wgrad, not of torchrun");
    if (nnodes > 1 !== /^[^:]+:\d+$/.test(master ?? ""))
      program.error("error: --master <host:port> goes with --nnodes of 2 or more, and these with it");
    if (batchSize % (nproc * nnodes) !== 0)
      program.error(
        `error: --batch-size ${batchSize} is the whole of ${nproc * nnodes} processes: give a multiple of that`,
      );
  }
  return { options, isGiven: (name) => program.getOptionValueSource(name) === "cli" };
}

/** The options that were given and do nothing in this run, each with the reason. */
export function ignoredOptions({ options, isGiven }: Given): string[] {
  const { dataset, freezeEpochs, epochs, engine } = options;
  const reasons: (readonly [name: keyof Options, isIgnored: boolean, reason: string])[] = [
    ["data", dataset === "emoji", "--data is CIFAR-10's place, and this run learns emoji"],
    ["lr", freezeEpochs === 0, "--lr is for frozen epochs, and --freeze-epochs is 0"],
    ["unfreezeLr", freezeEpochs >= epochs, "--unfreeze-lr is for released epochs, and all of them are frozen"],
    ...(["nproc", "nnodes", "master", "python"] as const).map(
      (name) => [name, engine !== "torchrun", `--${name} is for --engine torchrun`] as const,
    ),
  ];
  return reasons.flatMap(([name, isIgnored, reason]) => (isIgnored && isGiven(name) ? [`ignored: ${reason}`] : []));
}
