// The embedded data set: 32x32 pictures of emoji from four openly licensed sets, in the packages' own categories.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { deserialize, serialize } from "node:v8";
import { Resvg } from "@resvg/resvg-js";
import { vision } from "wgrad";
import { cachePath, writeFileAtomic } from "wgrad/node";
import { catalogue, type Drawing, seededHash, setVersions, splitKey } from "./emoji-catalogue.ts";

const SIZE = 32;
const PIXELS = SIZE * SIZE;
/** Mid-gray shows both the white emoji (flags, clouds, ghosts) and the black ones (symbols, arrows). */
const BACKGROUND = "#808080";
/** To be raised when the same packages should give other pictures: it is a part of the cache's key. */
const RECIPE = 1;

export interface EmojiOptions {
  /** Seed of the split and of the order; 0 by default. */
  seed?: number;
  /** The part of the emoji (not of the pictures) to test on; 0.2 by default. */
  testFraction?: number;
  /** Gets a few lines on what was loaded; `console.log` by default. */
  log?: (line: string) => void;
}

export interface EmojiData {
  train: vision.ImageDataset;
  test: vision.ImageDataset;
  /** `red-apple (noto)`, for captions: one for each picture of `train` and `test`. */
  trainNames: string[];
  testNames: string[];
}

/**
 * Nine classes of `[3, 32, 32]` pictures. Train and test share no emoji in any set, and the order is shuffled, so that
 * the first n are a sample of all classes. Drawn once (some seconds), then read from the cache.
 */
export async function loadEmoji(options: EmojiOptions = {}): Promise<EmojiData> {
  const { seed = 0, testFraction = 0.2, log = console.log } = options;
  const pictures = await cachedPictures(log);
  const categories = [...new Set(pictures.drawings.map((drawing) => drawing.category))].sort();
  const isTest = ({ emoji }: Named) => seededHash(seed, "split", splitKey(emoji)) < testFraction;
  const order = pictures.drawings
    .map((drawing, index) => ({ drawing, index, place: seededHash(seed, "order", drawing.emoji, drawing.set) }))
    .sort((a, b) => a.place - b.place);
  const pick = (test: boolean) => {
    const chosen = order.filter(({ drawing }) => isTest(drawing) === test);
    const images = new Uint8Array(chosen.length * 3 * PIXELS);
    chosen.forEach(({ index }, i) => {
      images.set(pictures.images.subarray(index * 3 * PIXELS, (index + 1) * 3 * PIXELS), i * 3 * PIXELS);
    });
    const labels = Int32Array.from(chosen, ({ drawing }) => categories.indexOf(drawing.category));
    return {
      dataset: new vision.ImageDataset({ images, labels, classes: categories, shape: [3, SIZE, SIZE] }),
      names: chosen.map(({ drawing }) => `${drawing.emoji} (${drawing.set})`),
    };
  };
  const train = pick(false);
  const test = pick(true);
  for (const line of countLines(train.dataset, test.dataset)) log(line);
  return { train: train.dataset, test: test.dataset, trainNames: train.names, testNames: test.names };
}

function countLines(train: vision.ImageDataset, test: vision.ImageDataset): string[] {
  const [trainCounts, testCounts] = [train.classCounts(), test.classCounts()];
  const width = Math.max(...train.classes.map((name) => name.length));
  return [
    `Emoji: ${train.length} training and ${test.length} test pictures of ${SIZE}x${SIZE} in ${train.classes.length} classes`,
    ...train.classes.map((name, i) => `  ${name.padEnd(width)}  ${`${trainCounts[i]}`.padStart(5)} / ${testCounts[i]}`),
  ];
}

type Named = Pick<Drawing, "emoji" | "set" | "category">;

interface Pictures {
  drawings: Named[];
  /** [drawings, 3, 32, 32] bytes. */
  images: Uint8Array;
}

async function cachedPictures(log: (line: string) => void): Promise<Pictures> {
  const recipe = `recipe ${RECIPE}, ${SIZE} px on ${BACKGROUND}, ${setVersions()}`;
  const key = createHash("sha256").update(recipe).digest("hex").slice(0, 12);
  const path = cachePath("emoji", `${key}.bin`);
  const cached = await readPictures(path);
  if (cached) return cached;
  log("Drawing the emoji pictures (once; they are kept in the cache) ...");
  const pictures = draw(catalogue());
  try {
    await writeFileAtomic(path, serialize(pictures));
  } catch (error) {
    log(`They could not be kept: ${error instanceof Error ? error.message : error} (WGRAD_CACHE sets another folder)`);
  }
  return pictures;
}

/** Undefined where the file is not there or not whole: the pictures are then drawn again. */
async function readPictures(path: string): Promise<Pictures | undefined> {
  try {
    const { drawings, images }: Pictures = deserialize(await readFile(path));
    return images.length === drawings.length * 3 * PIXELS && drawings.length > 0 ? { drawings, images } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Draws each emoji once: some sets draw several alike (the flags of Norway and of Svalbard, families of any members). Of
 * those one is kept, or none where they are of different classes: no answer would be right.
 */
function draw(drawings: Drawing[]): Pictures {
  const alike = new Map<string, { drawing: Drawing; image: Uint8Array; ambiguous: boolean }>();
  for (const drawing of drawings) {
    // Looking for the system's fonts takes longer than drawing, and no emoji has text.
    const options = { background: BACKGROUND, font: { loadSystemFonts: false } };
    const image = planes(new Resvg(drawing.svg, options).render().pixels);
    const key = createHash("sha256").update(image).digest("hex");
    const first = alike.get(key);
    if (!first) alike.set(key, { drawing, image, ambiguous: false });
    else if (first.drawing.category !== drawing.category) first.ambiguous = true;
  }
  const kept = [...alike.values()].filter(({ ambiguous }) => !ambiguous);
  const images = new Uint8Array(kept.length * 3 * PIXELS);
  kept.forEach(({ image }, i) => {
    images.set(image, i * 3 * PIXELS);
  });
  return { drawings: kept.map(({ drawing: { emoji, set, category } }) => ({ emoji, set, category })), images };
}

/** RGBA pixels, opaque as they are on a background, to three colour planes. */
function planes(rgba: Uint8Array): Uint8Array {
  const out = new Uint8Array(3 * PIXELS);
  for (let i = 0; i < PIXELS; i++) {
    for (let channel = 0; channel < 3; channel++) out[channel * PIXELS + i] = rgba[4 * i + channel] ?? 0;
  }
  return out;
}
