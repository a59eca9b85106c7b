// The fine-tuning example: a run that is stopped in the middle of an epoch goes on to the bit, and its folder is looked at
// before anything is computed.
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DataError, init, manualSeed, nn, type Tensor, ValueError, vision } from "wgrad";
import { resumeCommand, stopOnInterrupt } from "../../examples/finetune/interrupt.ts";
import { ignoredOptions, parseOptions } from "../../examples/finetune/options.ts";
import { type Metrics, RunFolder } from "../../examples/finetune/run-folder.ts";
import { trainWithWgrad } from "../../examples/finetune/wgrad-engine.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wgrad-test-"));
});
afterEach(() => rm(folder, { recursive: true }));

const pictures = new vision.ImageDataset({
  images: Uint8Array.from({ length: 22 * 192 }, (_, i) => (i * 37 + (i >> 5) * 11) & 255),
  labels: Int32Array.from({ length: 22 }, (_, i) => i % 3),
  classes: ["a", "b", "c"],
  shape: [3, 8, 8],
});

class Tiny extends nn.Module {
  readonly classes = 3;
  readonly head = "fc";
  readonly drop = new nn.Dropout(0.2);
  readonly fc = new nn.Linear(192, 3);
  forward(x: Tensor): Tensor {
    return this.fc.forward(this.drop.forward(x.flatten(1)));
  }
}

const config: Metrics["config"] = { seed: 1, epochs: 3 };

/** A new run of the example, as its command makes it. */
async function runOf(name: string, ...args: string[]) {
  const device = await init();
  manualSeed(1);
  const model = new Tiny();
  const given = parseOptions(["--epochs", "3", "--freeze-epochs", "1", "--batch-size", "4", "--lr", "0.01", ...args]);
  const [mean, std] = [vision.IMAGENET_MEAN, vision.IMAGENET_STD];
  const lines: string[] = [];
  const runFolder = new RunFolder(join(folder, name));
  await runFolder.prepare(given.options);
  return {
    ...{ given, device, model, config, lines, folder: runFolder },
    pictures: { name: "pictures", train: pictures, test: pictures.subset(7), mean, std },
    log: (line: string) => void lines.push(line),
  };
}

/** A stop that is asked for after so many batches. */
const stopAfter = (batches: number) => {
  let seen = 0;
  return {
    get requested() {
      return ++seen >= batches;
    },
  };
};
const never = { requested: false };
const lossesOf = (metrics: Metrics | null) =>
  metrics?.epochs.map(({ seconds: _, imagesPerSecond: __, ...numbers }) => numbers);

test("stopped in the middle of an epoch, a run goes on to the bit", async () => {
  const straight = await runOf("straight");
  const whole = await trainWithWgrad(straight, never);
  expect(whole?.iterations).toHaveLength(18);
  expect(whole?.epochs.map(({ phase }) => phase)).toEqual(["frozen", "released", "released"]);
  expect(straight.lines[0]).toBe("frozen: 0 of 579 parameters frozen");

  const stopped = await runOf("run");
  // The first epoch has 6 batches.
  expect(await trainWithWgrad(stopped, stopAfter(8))).toBeNull();
  expect(process.exitCode).toBe(130);
  process.exitCode = 0;
  expect(stopped.lines.at(-2)).toBe("stopped in epoch 2 after 2 batches of 6");
  expect(stopped.lines.at(-1)).toMatch(/^saved in .*; go on with:/);
  expect((await readdir(stopped.folder.path)).sort()).toEqual([
    "best.safetensors",
    "last.safetensors",
    "last.state.safetensors",
    "metrics.json",
  ]);

  const resumed = await runOf("run", "--out", "run", "--resume");
  manualSeed(99);
  const rest = await trainWithWgrad(resumed, never);
  expect(resumed.lines[0]).toMatch(/^resumed .* after epoch 1 and 2 batches$/);
  expect(rest?.iterations).toEqual(whole?.iterations);
  expect(lossesOf(rest)).toEqual(lossesOf(whole));
  const weights = ({ folder: { path } }: typeof straight) => readFile(join(path, "last.safetensors"));
  expect(await weights(resumed)).toEqual(await weights(straight));

  const act = resumed.folder.resume({ ...config, seed: 2 });
  await expect(act).rejects.toThrow(/was started with other settings: seed \(1, now 2\)/);
  for (const { model } of [straight, stopped, resumed]) model.dispose();
});

describe("the folder of a run", () => {
  const neither = { resume: false, overwrite: false };

  test("that holds one already is replaced or gone on with only if that was asked for", async () => {
    const run = new RunFolder(folder);
    await run.prepare(neither);
    await expect(run.prepare({ ...neither, resume: true })).rejects.toThrow(/nothing to resume in/);
    for (const name of ["metrics.json", "best.safetensors", "last.state.safetensors", "loss-by-iteration.png"]) {
      await writeFile(join(folder, name), "of a run");
      await expect(run.prepare(neither)).rejects.toThrow(ValueError);
      await expect(run.prepare(neither)).rejects.toThrow(
        /holds a run: --resume goes on with it, --overwrite replaces it/,
      );
      await run.prepare({ ...neither, overwrite: true });
      expect(await readFile(join(folder, name), "utf8")).toBe("of a run");
      await run.clear();
      expect(await readdir(folder)).toEqual([]);
    }
  });

  test("that is a file, lies in one, or where nothing can be written", async () => {
    await writeFile(join(folder, "file"), "");
    await symlink("/proc", join(folder, "proc"));
    for (const [path, message] of [
      ["file", /file is a file: give a folder/],
      ["file/inner", /a file is in the place of a folder/],
      ["proc/inner", /cannot be written/],
    ] as const) {
      const act = new RunFolder(join(folder, path)).prepare(neither);
      await expect(act, path).rejects.toThrow(DataError);
      await expect(act, path).rejects.toThrow(message);
    }
  });

  test("on a disk without room for the checkpoints", async () => {
    await init();
    const run = new RunFolder(folder);
    const small = new nn.Linear(2, 2);
    await run.checkRoom(small);
    // A model of 2^62 bytes, as far as its state dict tells.
    const numel = 2 ** 60;
    const large = { stateDict: () => ({ weight: { numel, dispose() {} } }) } as unknown as nn.Module;
    await expect(run.checkRoom(large)).rejects.toThrow(
      /needs about \d+\.\d MB for checkpoints, but \d+\.\d MB are free/,
    );
    small.dispose();
  });
});

test("Ctrl-C asks to stop once, and the second one is the system's again", () => {
  const lines: string[] = [];
  const before = process.listenerCount("SIGINT");
  const stop = stopOnInterrupt((line) => lines.push(line));
  expect(stop.requested).toBe(false);
  process.emit("SIGINT");
  expect(stop.requested).toBe(true);
  expect(lines.join()).toMatch(/Ctrl-C again ends at once/);
  expect(process.listenerCount("SIGINT")).toBe(before);
});

test("the command that goes on with a run", () => {
  const start = "npm run example:finetune -- ";
  expect(resumeCommand([], "runs/1")).toBe(`${start}--out runs/1 --resume`);
  expect(resumeCommand(["--out", "a b", "--overwrite", "--lr", "0.1"], "a b")).toBe(
    `${start}--lr 0.1 --out 'a b' --resume`,
  );
  expect(resumeCommand(["--out=x", "--resume", "--data", "it's"], "x")).toBe(
    `${start}--data 'it'\\''s' --out x --resume`,
  );
});

describe("what is wrong is said in the first of a few lines, without a stack", () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const run = (example: string, ...args: string[]) =>
    new Promise<{ code: number | null; lines: string[] }>((resolve) => {
      const child = execFile(
        process.execPath,
        ["scripts/run.mjs", `examples/${example}/main.ts`, ...args],
        { cwd: root },
        (_, _stdout, stderr) => resolve({ code: child.exitCode, lines: stderr.trim().split("\n") }),
      );
    });

  test("a folder with a run, and a checkpoint that is missing", async () => {
    await writeFile(join(folder, "metrics.json"), "{}");
    const cases = [run("finetune", "--out", folder), run("cifar-resnet")];
    const messages = [
      /^ValueError: .* holds a run: --resume/,
      /^error: required option '--weights <file>' not specified$/,
    ];
    for (const [i, { code, lines }] of (await Promise.all(cases)).entries()) {
      expect(code).toBe(1);
      expect(lines[0]).toMatch(messages[i] ?? /never/);
      expect(lines.length).toBeLessThanOrEqual(2);
    }
  });

  test.each([
    [["--bad"], "error: unknown option '--bad'\n"],
    [["--resume"], "error: --resume needs --out, the folder of the run to continue\n"],
    [["--resume", "--overwrite", "--out", "x"], "error: option '--resume' cannot be used with option '--overwrite'\n"],
  ])("usage: %j", (args, message) => {
    const exit = vi.spyOn(process, "exit").mockImplementation(() => {
      throw new Error("exit");
    });
    const said: unknown[] = [];
    const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => said.push(text) > 0);
    expect(() => parseOptions(args)).toThrow("exit");
    expect(exit).toHaveBeenCalledWith(1);
    expect(said).toEqual([message, "(--help lists the options)\n"]);
    exit.mockRestore();
    write.mockRestore();
  });
});

test("options that do nothing are told", () => {
  const ignored = (...args: string[]) => ignoredOptions(parseOptions(args));
  expect(ignored("--dataset", "emoji", "--data", "/x")).toEqual([expect.stringMatching(/^ignored: --data /)]);
  expect(ignored("--freeze-epochs", "0", "--lr", "1")).toEqual([expect.stringMatching(/^ignored: --lr /)]);
  expect(ignored("--epochs", "2", "--unfreeze-lr", "1")).toEqual([expect.stringMatching(/^ignored: --unfreeze-lr /)]);
  expect(ignored("--data", "/x", "--lr", "1", "--unfreeze-lr", "1")).toEqual([]);
});
