// The fine-tuning example's own data and pictures: emoji classes and split, contact sheets, plots.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode } from "fast-png";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type EmojiData, loadEmoji } from "../../examples/finetune/emoji.ts";
import { catalogue, splitKey } from "../../examples/finetune/emoji-catalogue.ts";
import { datasetGrid, imageGrid } from "../../examples/finetune/image-grid.ts";
import { plotEpochs, plotIterations } from "../../examples/finetune/plots.ts";
import { cachePath } from "../../src/node/index.ts";

let folder: string;
let emoji: EmojiData;
const lines: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "wgrad-test-"));
  vi.stubEnv("WGRAD_CACHE", join(folder, "cache"));
  emoji = await loadEmoji({ log: (line) => lines.push(line) });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const emojiOf = (names: string[]) => new Set(names.map((name) => name.split(" ")[0] ?? ""));

describe("emoji", () => {
  test("nine classes, all of them in both halves, most of it for training", () => {
    expect(emoji.train.classes).toEqual([
      "Activities",
      "Animals & Nature",
      "Flags",
      "Food & Drink",
      "Objects",
      "People & Body",
      "Smileys & Emotion",
      "Symbols",
      "Travel & Places",
    ]);
    expect(emoji.train.length).toBeGreaterThan(5000);
    expect(emoji.test.length).toBeGreaterThan(1000);
    for (const count of [...emoji.train.classCounts(), ...emoji.test.classCounts()]) expect(count).toBeGreaterThan(40);
    expect(lines.join("\n")).toMatch(/\d+ training and \d+ test pictures of 32x32 in 9 classes/);
  });

  test("no emoji is in both halves, nor a near twin, nor an identical picture", () => {
    const [train, held] = [emojiOf(emoji.trainNames), emojiOf(emoji.testNames)];
    expect([...held].filter((name) => train.has(name))).toEqual([]);
    const keys = new Set([...train].map(splitKey));
    expect([...held].filter((name) => keys.has(splitKey(name)))).toEqual([]);
    const pictures = [emoji.train, emoji.test].flatMap((set) =>
      Array.from({ length: set.length }, (_, i) => Buffer.from(set.image(i)).toString("latin1")),
    );
    expect(new Set(pictures).size).toBe(pictures.length);
  });

  test("no skin tones; the same emoji has one class in all sets", () => {
    const classes = new Map<string, string>();
    for (const { emoji: name, category } of catalogue()) {
      expect(name).not.toMatch(/skin-tone|-medium-dark$/);
      expect(classes.get(name) ?? category).toBe(category);
      classes.set(name, category);
    }
    expect(classes.get("red-apple")).toBe("Food & Drink");
    expect(classes.get("crab")).toBe("Animals & Nature");
    expect(classes.get("rocket")).toBe("Travel & Places");
  });

  test("pictures are not blank", () => {
    const { train } = emoji;
    const blank = Array.from({ length: train.length }, (_, i) => train.image(i)).filter(
      (image) => image.filter((byte) => Math.abs(byte - 128) > 10).length < 100,
    );
    expect(blank.length).toBeLessThan(3);
  });

  test("come from the cache the second time, and again the same after the cache was damaged", async () => {
    const quiet = { log: () => {} };
    const [file] = await readdir(cachePath("emoji"));
    const cached = await loadEmoji(quiet);
    expect(Buffer.compare(cached.train.images, emoji.train.images)).toBe(0);
    await writeFile(cachePath("emoji", file ?? ""), "damaged");
    const drawn = await loadEmoji(quiet);
    expect(Buffer.compare(drawn.test.images, emoji.test.images)).toBe(0);
    expect(drawn.testNames).toEqual(emoji.testNames);
  });

  test("another seed: another split and order", async () => {
    const other = await loadEmoji({ seed: 1, log: () => {} });
    expect(emojiOf(other.testNames)).not.toEqual(emojiOf(emoji.testNames));
    expect(other.train.length + other.test.length).toBe(emoji.train.length + emoji.test.length);
  });
});

/** Size, and how many pixels are not white. */
async function look(path: string): Promise<{ width: number; height: number; ink: number }> {
  const { width, height, data, channels } = decode(await readFile(path));
  let ink = 0;
  for (let i = 0; i < data.length; i += channels)
    if ((data[i] ?? 0) + (data[i + 1] ?? 0) + (data[i + 2] ?? 0) < 720) ink++;
  return { width, height, ink };
}

describe("contact sheets", () => {
  test("of a data set, with its title and captions", async () => {
    const path = join(folder, "new", "sheet.png");
    await datasetGrid(emoji.train, 6, path, { title: "Six <emoji> & more", columns: 3, size: 64 });
    const { width, height, ink } = await look(path);
    expect([width, height]).toEqual([3 * 74 + 10, 40 + 2 * (74 + 30)]);
    expect(ink).toBeGreaterThan(6 * 64 * 64 * 0.9);
  });

  test("of gray floats, stretched; captions in colour", async () => {
    const path = join(folder, "maps.png");
    const data = Float32Array.from({ length: 35 }, (_, i) => i - 10);
    const flat = new Float32Array(35);
    const images = [data, flat].map((values) => ({ data: values, shape: [1, 5, 7] as const }));
    await imageGrid(images, ["map", { text: "flat", color: "red" }], path, { columns: 2 });
    expect((await look(path)).ink).toBeGreaterThan(5000);
  });

  test("a wrong shape is refused", async () => {
    const act = imageGrid([{ data: new Uint8Array(8), shape: [2, 2, 2] }], [], join(folder, "x.png"));
    await expect(act).rejects.toThrow(/8 values of shape \[2, 2, 2\]/);
  });
});

describe("plots", () => {
  const epochs = Array.from({ length: 4 }, (_, i) => ({
    epoch: i + 1,
    phase: i < 2 ? "frozen" : "released",
    trainLoss: 2 - i / 3,
    testLoss: 2.1 - i / 4,
    trainAcc: 0.2 + i / 10,
    testAcc: 0.18 + i / 12,
  }));
  const iterations = Array.from({ length: 80 }, (_, i) => 2.3 - i / 60 + 0.2 * Math.sin(i * 7));

  test.each([
    ["a run", { epochs, iterations }],
    ["a run stopped in its first epoch", { epochs: [], iterations: [2.3] }],
    ["one epoch", { epochs: epochs.slice(0, 1), iterations }],
  ])("of %s", async (_, metrics) => {
    const paths = [join(folder, "iterations.png"), join(folder, "epochs.png")] as const;
    await plotIterations(metrics, paths[0], { subtitle: "resnet18 on CIFAR-10" });
    await plotEpochs(metrics, paths[1]);
    for (const path of paths) {
      const { width, ink } = await look(path);
      expect(width).toBeGreaterThan(1500);
      // The title's and the axes' letters alone are some thousand pixels: without a font they would be missing.
      expect(ink).toBeGreaterThan(8000);
    }
  });
});
