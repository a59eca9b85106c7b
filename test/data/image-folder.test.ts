// ImageFolder, readImage and saveImage: pictures in files, of every kind that is decoded, made here with the decoder's own encoder.
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DataError, data, init, memory, ShapeError, type Tensor, tensor, ValueError, vision } from "wgrad";
import { ImageFolder, readImage, saveImage } from "wgrad/node";
import { loadSharp } from "../../src/node/sharp.ts";

let folder: string;
beforeAll(async () => {
  await init();
  folder = await mkdtemp(join(tmpdir(), "wgrad-test-"));
});
afterAll(async () => rm(folder, { recursive: true }));

const W = 6;
const H = 4;
/** Left half red, right half blue, the upper row green: no two turns look alike. */
const picture = (width = W, height = H) =>
  Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [pixel, c] = [Math.floor(i / 3), i % 3];
    const [y, x] = [Math.floor(pixel / width), pixel % width];
    const color = y === 0 ? [0, 200, 0] : x < width / 2 ? [250, 10, 0] : [0, 20, 240];
    return color[c] ?? 0;
  });
const made = (width = W, height = H) => sharp(picture(width, height), { raw: { width, height, channels: 3 } });
const write = async (path: string, bytes: Uint8Array) => {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), bytes);
  return join(folder, path);
};
/** [H, W, 3] flat. */
async function read(source: string | Uint8Array): Promise<{ shape: readonly number[]; values: number[] }> {
  const image = await readImage(source);
  const { shape } = image;
  const last = image.permute([1, 2, 0]);
  const values = [...(await last.data())];
  image.dispose();
  last.dispose();
  return { shape, values };
}
const far = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (v, i) => Math.abs(v - (b[i] ?? 999))));

describe("readImage", () => {
  test("lossless formats to the level, others nearly", async () => {
    const before = memory().tensors;
    const exact = [
      await made().png().toBuffer(),
      await made().webp({ lossless: true }).toBuffer(),
      await made().tiff({ compression: "lzw" }).toBuffer(),
      await made().png({ progressive: true }).toBuffer(),
    ];
    for (const bytes of exact) expect(await read(bytes)).toEqual({ shape: [3, H, W], values: [...picture()] });
    // Of 48 x 32 pixels: lossy blocks of 8 are then of one colour, but for the edges.
    const large = picture(48, 32);
    for (const bytes of [
      await made(48, 32).jpeg({ quality: 100, chromaSubsampling: "4:4:4" }).toBuffer(),
      await made(48, 32).avif({ quality: 100, chromaSubsampling: "4:4:4" }).toBuffer(),
    ]) {
      const { shape, values } = await read(bytes);
      expect(shape).toEqual([3, 32, 48]);
      expect(far(values, large)).toBeLessThan(16);
    }
    expect(memory().tensors).toBe(before);
  });

  test("levels are those of the file, whatever its colour profile says", async () => {
    const plain = await made(48, 32).png().toBuffer();
    const wide = await sharp(plain).withIccProfile("p3").png().toBuffer();
    const levels = await sharp(wide, { ignoreIcc: true }).removeAlpha().raw().toBuffer();
    const { values } = await read(wide);
    expect(values).toEqual([...levels]);
    expect(levels.equals(await sharp(plain).removeAlpha().raw().toBuffer())).toBe(false);
  });

  test("gray, 16 bits, alpha, palettes and CMYK become red, green and blue", async () => {
    const gray = sharp(Uint8Array.of(0, 50, 100, 255), { raw: { width: 4, height: 1, channels: 1 } }).toColourspace(
      "b-w",
    );
    expect((await read(await gray.png().toBuffer())).values).toEqual([0, 50, 100, 255].flatMap((v) => [v, v, v]));
    const deep = sharp(Uint16Array.of(0, 0x3232, 0x64ff, 0xffff), {
      raw: { width: 4, height: 1, channels: 1 },
    }).toColourspace("grey16");
    expect((await read(await deep.png().toBuffer())).values).toEqual([0, 50, 100, 255].flatMap((v) => [v, v, v]));
    // Alpha is left out, not mixed with a background.
    const clear = sharp(Uint8Array.of(9, 8, 7, 0, 90, 80, 70, 128), { raw: { width: 2, height: 1, channels: 4 } });
    expect((await read(await clear.png().toBuffer())).values).toEqual([9, 8, 7, 90, 80, 70]);
    expect((await read(await made().png({ palette: true, colours: 3 }).toBuffer())).values).toEqual([...picture()]);
    const cmyk = await made(48, 32).toColourspace("cmyk").jpeg().toBuffer();
    expect((await read(cmyk)).shape).toEqual([3, 32, 48]);
  });

  test("the first frame of a GIF", async () => {
    const second = Uint8Array.from(picture(), () => 77);
    const bytes = await sharp(Uint8Array.from([...picture(), ...second]), {
      raw: { width: W, height: 2 * H, channels: 3, pageHeight: H },
    })
      .gif()
      .toBuffer();
    expect((await sharp(bytes).metadata()).pages).toBe(2);
    const { shape, values } = await read(bytes);
    expect(shape).toEqual([3, H, W]);
    expect(far(values, picture())).toBeLessThan(16);
  });

  test("EXIF orientation is applied", async () => {
    // 6: the camera was turned; rows of the file are columns of the picture, from the right.
    const { shape, values } = await read(await made().withMetadata({ orientation: 6 }).png().toBuffer());
    expect(shape).toEqual([3, W, H]);
    const turned = Array.from({ length: W * H }, (_, i) => {
      const [y, x] = [Math.floor(i / H), i % H];
      return [
        ...picture()
          .subarray(((H - 1 - x) * W + y) * 3)
          .subarray(0, 3),
      ];
    });
    expect(values).toEqual(turned.flat());
  });

  test("what cannot be decoded is named", async () => {
    const whole = await made(48, 32).jpeg().toBuffer();
    const path = await write("broken/cut.jpg", whole.subarray(0, whole.length - 60));
    await expect(readImage(path)).rejects.toThrow(DataError);
    await expect(readImage(path)).rejects.toThrow(/cut\.jpg cannot be decoded: .*/);
    await expect(readImage(join(folder, "nowhere.png"))).rejects.toThrow(
      /nowhere\.png cannot be decoded: Input file is missing/,
    );
    await expect(readImage(Uint8Array.of(1, 2, 3))).rejects.toThrow(
      /the picture of 3 bytes cannot be decoded: .*unsupported image format/,
    );
    // @ts-expect-error: no picture
    await expect(readImage(3)).rejects.toThrow(ValueError);
  });

  test("without sharp the error says what to install", async () => {
    const missing = loadSharp("readImage", () => import("no-such-package" as string));
    await expect(missing).rejects.toThrow(DataError);
    await expect(missing).rejects.toThrow(/\[readImage\] .* npm install sharp/);
  });
});

describe("saveImage", () => {
  test("writes what readImage reads: one picture, or a grid", async () => {
    const x = tensor(
      Float32Array.from({ length: 3 * H * W }, (_, i) => (i * 3) / 255),
      { shape: [3, H, W] },
    );
    const path = join(folder, "made", "one.png");
    await saveImage(x, path);
    const again = await readImage(path);
    expect([...(await again.data())]).toEqual(Array.from({ length: 3 * H * W }, (_, i) => i * 3));
    await saveImage(again, join(folder, "made", "levels.webp"), { quality: 90 });
    const tiff = join(folder, "made", "levels.tif");
    await saveImage(again, tiff);
    expect(await read(tiff)).toEqual(await read(path));
    await saveImage([x, x, x], path, { nrow: 2, padding: 1, padValue: 1 });
    const grid = await readImage(path);
    expect(grid.shape).toEqual([3, 2 * H + 3, 2 * W + 3]);
    expect((await grid.data())[0]).toBe(255);
    await expect(saveImage(x, join(folder, "x.bmp"))).rejects.toThrow(/must end in one of \.png/);
    await expect(saveImage(x, path, { quality: 0 })).rejects.toThrow(ValueError);
    for (const t of [x, again, grid]) t.dispose();
  });
});

describe("ImageFolder", () => {
  const put = async (path: string, width: number, height: number) =>
    write(path, await made(width, height).png().toBuffer());
  beforeAll(async () => {
    await put("pets/dogs/b.png", 8, 6);
    await put("pets/dogs/deep/a.PNG", 10, 10);
    await put("pets/cats/c.png", 6, 8);
    await write("pets/cats/notes.txt", Uint8Array.of(1));
    await write("pets/cats/moving.gif", await made().gif().toBuffer());
    await write("pets/readme.md", Uint8Array.of(1));
    await symlink(join(folder, "nowhere"), join(folder, "pets", "lost"));
  });
  const transform = vision.compose([vision.resize(6), vision.centerCrop(4)]);

  test("classes by name, pictures by path, strays told", () => {
    const pets = new ImageFolder(join(folder, "pets"));
    expect(pets.classes).toEqual(["cats", "dogs"]);
    expect(pets.classToIdx.get("dogs")).toBe(1);
    const root = join(folder, "pets");
    expect(pets.samples).toEqual([
      { path: join(root, "cats", "c.png"), label: 0 },
      { path: join(root, "dogs", "b.png"), label: 1 },
      { path: join(root, "dogs", "deep", "a.PNG"), label: 1 },
    ]);
    expect(pets.strays).toEqual([
      join(root, "lost"),
      join(root, "readme.md"),
      join(root, "cats", "moving.gif"),
      join(root, "cats", "notes.txt"),
    ]);
    expect(new ImageFolder(root, { extensions: ["png", ".gif"] }).length).toBe(4);
  });

  test("pictures of any size, transformed on the device and stacked", async () => {
    const before = memory().tensors;
    for (const cacheBytes of [0, 1e6]) {
      const pets = new ImageFolder(join(folder, "pets"), { transform, cacheBytes });
      const loader = new data.DataLoader(pets, { batchSize: 2, shuffle: true });
      // Twice: the second epoch may come from the cache.
      for (const _ of [0, 1]) {
        const order = loader.order();
        const seen: number[] = [];
        for await (const { image, label } of loader) {
          expect([image.dtype, ...image.shape.slice(1)]).toEqual(["f32", 3, 4, 4]);
          for (const [i, one] of ((await image.array()) as unknown[]).entries()) {
            const position = order[seen.length + i] ?? 0;
            const file = await readImage(pets.samples[position]?.path ?? "");
            const expected = transform.forward(file);
            expect(one).toEqual(await expected.array());
            file.dispose();
            expected.dispose();
          }
          seen.push(...((await label.array()) as number[]));
        }
        expect(seen).toEqual([...order].map((i) => pets.samples[i]?.label));
      }
    }
    expect(memory().tensors).toBe(before);
  });

  test("random transforms are the same after a resume", async () => {
    const pets = new ImageFolder(join(folder, "pets"), { transform: vision.randomResizedCrop(4) });
    const { manualSeed, getRngState, setRngState } = await import("wgrad");
    const run = async (loader: data.DataLoader<{ image: Tensor; label: Tensor }>) => {
      const all: unknown[] = [];
      for await (const { image } of loader) all.push(await image.array());
      return all;
    };
    const options = { batchSize: 1, shuffle: true, seed: 4 };
    manualSeed(5);
    const whole = await run(new data.DataLoader(pets, options));
    manualSeed(5);
    const first = new data.DataLoader(pets, options);
    for await (const _ of first) break;
    const [state, rng] = [first.stateDict(), getRngState()];
    manualSeed(99);
    const resumed = new data.DataLoader(pets, options);
    resumed.loadStateDict(state);
    setRngState(rng);
    expect(await run(resumed)).toEqual(whole.slice(1));
  });

  test("a broken picture is an error that names it, or is skipped and named", async () => {
    await write("spoilt/a/good.png", await made().png().toBuffer());
    await write("spoilt/a/bad.png", Uint8Array.of(1, 2, 3));
    await write("spoilt/b/worse.jpg", new Uint8Array());
    const root = join(folder, "spoilt");
    const run = async (pets: ImageFolder, batchSize: number) => {
      const seen: unknown[] = [];
      for await (const { label } of new data.DataLoader(pets, { batchSize })) seen.push(await label.array());
      return seen;
    };
    await expect(run(new ImageFolder(root), 3)).rejects.toThrow(
      /item 0 of the data set cannot be had: \[ImageFolder\] .*bad\.png cannot be decoded/,
    );
    const skipping = new ImageFolder(root, { onError: "skip" });
    expect(await run(skipping, 2)).toEqual([[0]]);
    expect(skipping.broken.map(({ path }) => path)).toEqual([join(root, "a", "bad.png"), join(root, "b", "worse.jpg")]);
  });

  test("shrinks while decoding", async () => {
    const pets = new ImageFolder(join(folder, "pets"), { shrink: 6 });
    const sizes = await Promise.all([0, 1, 2].map(async (i) => (await pets.get(i))?.image.toTensor()));
    expect(sizes.map((t) => t?.shape)).toEqual([
      [3, 8, 6],
      [3, 6, 8],
      [3, 6, 6],
    ]);
    for (const t of sizes) t?.dispose();
  });

  test("what is no such folder is told", async () => {
    expect(() => new ImageFolder(join(folder, "nowhere"))).toThrow(/nowhere is no folder that can be read/);
    expect(() => new ImageFolder(join(folder, "pets", "dogs", "deep"))).toThrow(
      /holds no folders; expected one for each class/,
    );
    await put("parts/train/x/1.png", 4, 4);
    await put("parts/val/x/1.png", 4, 4);
    expect(() => new ImageFolder(join(folder, "parts"))).toThrow(
      /holds train, val, which are parts, not classes: open each by itself/,
    );
    expect(new ImageFolder(join(folder, "parts", "val")).classes).toEqual(["x"]);
    await write("empty/x/1.txt", Uint8Array.of(1));
    expect(() => new ImageFolder(join(folder, "empty"))).toThrow(/no pictures are in x/);
    const differing = new data.DataLoader(new ImageFolder(join(folder, "pets")), { batchSize: 3 });
    await expect(differing[Symbol.asyncIterator]().next()).rejects.toThrow(ShapeError);
    await expect(differing[Symbol.asyncIterator]().next()).rejects.toThrow(
      /item 1 \(position 1\) has shape \[3, 6, 8\] at \.image, item 0 \(position 0\) has \[3, 8, 6\]/,
    );
  });
});
