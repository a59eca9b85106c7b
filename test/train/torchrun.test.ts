// The fine-tuning example's other engine, as far as it goes without PyTorch: what is handed over, how torchrun is found and
// started, what its failures are told as, and that Ctrl-C ends all of its processes.
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { init, loadSafetensors, nn, type Tensor, vision } from "wgrad";
import type { Network } from "../../examples/finetune/model.ts";
import { parseOptions } from "../../examples/finetune/options.ts";
import { RunFolder } from "../../examples/finetune/run-folder.ts";
import {
  commandLine,
  findLauncher,
  type Launch,
  type RunnerEvent,
  runTorchrun,
  TorchrunError,
} from "../../examples/finetune/torchrun-process.ts";
import { clearHandover, type Recipe, writeRecipe } from "../../examples/finetune/torchrun-recipe.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wgrad-test-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** An executable that Node runs. */
async function program(name: string, text: string): Promise<string> {
  const path = join(folder, "bin", name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!${process.execPath}\n${text}`);
  await chmod(path, 0o755);
  return path;
}

describe("what starts the processes", () => {
  test("torchrun on the PATH, or the interpreter that was named", async () => {
    const torchrun = await program("torchrun", "");
    const python = await program("python-with-torch", "");
    vi.stubEnv("PATH", ["/nowhere", dirname(torchrun)].join(delimiter));
    expect(await findLauncher()).toEqual([torchrun]);
    expect(await findLauncher(python)).toEqual([python, "-m", "torch.distributed.run"]);
  });

  test.each([
    ["", /There is no torchrun on the PATH, and python3 is not there\. Install PyTorch .*pip install.*apt install/],
    [
      "console.error(`ModuleNotFoundError: No module named 'torch'`); process.exit(1)",
      /python3 has no module torch\. /,
    ],
    ["console.error(`No module named 'torchvision'`); process.exit(1)", /python3 has no module torchvision\. Install/],
    ["console.error('broken'); process.exit(1)", /python3 failed: .*broken/s],
  ])("nothing that could: python3 is %j", async (text, message) => {
    if (text) await program("python3", text);
    vi.stubEnv("PATH", join(folder, "bin"));
    const act = findLauncher();
    await expect(act).rejects.toThrow(TorchrunError);
    await expect(act).rejects.toThrow(message);
  });
});

describe("a run of it", () => {
  const launchOf = async (text: string): Promise<Launch> => ({
    launcher: [await program("torchrun", text)],
    script: ["runner.py", "recipe.json"],
    ...{ nproc: 2, nnodes: 1 },
    errors: join(folder, "stderr.txt"),
  });

  test("gives what rank 0 says, in order, and passes over other lines", async () => {
    const launch = await launchOf(`
      console.log(JSON.stringify({ event: "batch", images: process.argv.length }));
      console.log("something else");
      console.log(JSON.stringify({ event: "batch", images: 3 }));`);
    const events: RunnerEvent[] = [];
    const isWhole = await runTorchrun(
      launch,
      async (event) => {
        // Events wait for each other.
        await new Promise((resolve) => setTimeout(resolve, 10 / (events.length + 1)));
        events.push(event);
      },
      () => {},
    );
    expect(isWhole).toBe(true);
    expect(events).toEqual([
      { event: "batch", images: 1 + commandLine(launch, 0).length },
      { event: "batch", images: 3 },
    ]);
  });

  test.each([
    [
      "Traceback\\n  File x\\ntorch.cuda.OutOfMemoryError: no room\\nx.ChildFailedError: runner.py",
      /code 3: torch.cuda.OutOfMemoryError: no room\n/,
    ],
    ["ModuleNotFoundError: No module named 'torchvision'", /torchrun's Python has no module torchvision\. Install/],
    ["one\\ntwo", /code 3: one\ntwo\n\(all that it said is in .*stderr.txt\)/],
  ])("that fails says why: %j", async (text, message) => {
    const launch = await launchOf(`console.error("${text}"); process.exit(3)`);
    const act = runTorchrun(
      launch,
      () => {},
      () => {},
    );
    await expect(act).rejects.toThrow(TorchrunError);
    await expect(act).rejects.toThrow(message);
  });

  test("is ended with all of its processes by Ctrl-C", async () => {
    const before = process.listenerCount("SIGINT");
    // The worker keeps the pipe open that the run is read from: this ends before ten minutes only if the worker does.
    const launch = await launchOf(`
      require("node:child_process").spawn("sleep", ["600"], { stdio: "inherit" });
      console.log(JSON.stringify({ event: "batch", images: 1 }));`);
    const said: string[] = [];
    const isWhole = await runTorchrun(
      launch,
      () => void process.emit("SIGINT"),
      () => said.push("stopping"),
    );
    expect(isWhole).toBe(false);
    expect(said).toEqual(["stopping"]);
    expect(process.listenerCount("SIGINT")).toBe(before);
  });

  test("on several machines tells each its number and the first one's address", () => {
    const launch: Launch = {
      launcher: ["torchrun"],
      script: ["r.py"],
      nproc: 4,
      nnodes: 2,
      master: "10.0.0.1:29500",
      errors: "",
    };
    expect(commandLine(launch, 1).join(" ")).toMatch(
      /^torchrun --nnodes 2 --nproc_per_node 4 --node_rank 1 --master_addr 10\.0\.0\.1 --master_port 29500 .*r\.py$/,
    );
  });
});

class Tiny extends nn.Module {
  readonly classes = 3;
  readonly head = "fc";
  readonly fc = new nn.Linear(192, 3);
  forward(x: Tensor): Tensor {
    return this.fc.forward(x.flatten(1));
  }
}

test("the recipe names the files that the run's data are in, and the order is that of this library's loader", async () => {
  const device = await init();
  const model: nn.Module = new Tiny();
  const set = (count: number) =>
    new vision.ImageDataset({
      images: Uint8Array.from({ length: count * 192 }, (_, i) => (i * 37) & 255),
      labels: Int32Array.from({ length: count }, (_, i) => i % 3),
      classes: ["a", "b", "c"],
      shape: [3, 8, 8],
    });
  const pictures = { name: "x", train: set(17), test: set(5), mean: [0, 0, 0], std: [1, 1, 1] };
  const args = "--engine torchrun --nproc 2 --batch-size 4 --epochs 3 --seed 7 --freeze-epochs 1 --augment none";
  const given = parseOptions(args.split(" "));
  const run = {
    given,
    folder: new RunFolder(folder),
    device,
    pictures,
    model: model as Network,
    config: {},
    log: () => {},
  };
  const path = await writeRecipe(run);
  const recipe = JSON.parse(await readFile(path, "utf8")) as Recipe;
  // Of the fifth batch one process would have one picture and the other none of its own.
  expect(recipe).toMatchObject({
    model: "resnet18",
    numClasses: 3,
    head: "fc",
    batches: 4,
    batchSize: 4,
    processes: 2,
  });
  expect(recipe).toMatchObject({ augmentation: null, epochs: 3, freezeEpochs: 1, seed: 7, out: ".." });

  const bytes = (name: string) => readFile(join(dirname(path), name));
  const integers = async (name: string) => [...new Int32Array(new Uint8Array(await bytes(name)).buffer)];
  for (const part of ["train", "test"] as const) {
    expect(new Uint8Array(await bytes(recipe[part].images))).toEqual(new Uint8Array(pictures[part].images));
    expect(await integers(recipe[part].labels)).toEqual([...pictures[part].labels]);
    expect(recipe[part].count).toBe(pictures[part].length);
  }
  const gpuSet = new vision.GpuDataset(pictures.train);
  const loader = new vision.DataLoader(gpuSet, { batchSize: 4, shuffle: true, seed: 7 });
  expect(await integers(recipe.order)).toEqual([0, 1, 2].flatMap((epoch) => [...loader.order(epoch)]));
  const weights = await loadSafetensors(await bytes(recipe.weights));
  const dict = model.stateDict();
  expect(Object.keys(weights).sort()).toEqual(Object.keys(dict).sort());
  expect([...(await weights["fc.bias"]!.data())]).toEqual([...(await dict["fc.bias"]!.data())]);

  await clearHandover(run);
  expect(await readdir(dirname(path))).toEqual(["recipe.json"]);
  for (const d of [...Object.values(weights), ...Object.values(dict), gpuSet, model]) d.dispose();
});

test.each([
  [["--engine", "torchrun", "--resume", "--out", "x"], /--resume goes on with runs of --engine wgrad/],
  [["--engine", "torchrun", "--nproc", "3"], /--batch-size 64 is the whole of 3 processes/],
  [["--engine", "torchrun", "--nnodes", "2"], /--master <host:port> goes with --nnodes/],
  [["--engine", "torchrun", "--master", "a:1"], /--master <host:port> goes with --nnodes/],
])("usage: %j", (args, message) => {
  const exit = vi.spyOn(process, "exit").mockImplementation(() => {
    throw new Error("exit");
  });
  const said: unknown[] = [];
  const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => said.push(text) > 0);
  expect(() => parseOptions(args)).toThrow("exit");
  expect(said[0]).toMatch(message);
  exit.mockRestore();
  write.mockRestore();
});
