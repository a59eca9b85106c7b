// fromPixels, toPixels and makeGrid: pictures in and out. What only a browser has is tried in Chromium (test:browser:runtime).
import { beforeAll, describe, expect, test } from "vitest";
import { DtypeError, init, memory, ShapeError, StateError, tensor, ValueError, vision } from "wgrad";

beforeAll(async () => void (await init()));

/** 2 x 3 pixels as an ImageData has them. */
const pixels = {
  data: Uint8ClampedArray.from({ length: 24 }, (_, i) => (i % 4 === 3 ? 128 : i * 10)),
  width: 3,
  height: 2,
};

describe("fromPixels", () => {
  test("planes in [0, 1] or 0..255, with alpha or without", async () => {
    const before = memory().tensors;
    const floats = vision.fromPixels(pixels);
    expect([floats.dtype, ...floats.shape]).toEqual(["f32", 3, 2, 3]);
    const red = [0, 40, 80, 120, 160, 200];
    expect([...(await floats.data())].slice(0, 6)).toEqual(red.map((v) => Math.fround(v / 255)));
    const levels = vision.fromPixels({ ...pixels, data: Uint8Array.from(pixels.data) }, { dtype: "i32", channels: 4 });
    const [r, g, , alpha] = (await levels.array()) as number[][][];
    expect([levels.dtype, r, g?.[1], alpha]).toEqual([
      "i32",
      [red.slice(0, 3), red.slice(3)],
      [130, 170, 210],
      Array(2).fill(Array(3).fill(128)),
    ]);
    floats.dispose();
    levels.dispose();
    expect(memory().tensors).toBe(before);
  });

  test("what it cannot read is a typed error", () => {
    expect(() => vision.fromPixels({ ...pixels, width: 4 })).toThrow(
      /24 values for 4 x 2 pixels; expected four a pixel/,
    );
    // @ts-expect-error: no picture
    expect(() => vision.fromPixels(3)).toThrow(ValueError);
    expect(() => vision.fromPixels({ naturalWidth: 0, naturalHeight: 0, width: 5, height: 5 } as never)).toThrow(
      /0 x 0 pixels large: expected an image that has loaded/,
    );
    // Node has no canvas.
    expect(() => vision.fromPixels({ width: 2, height: 2 } as never)).toThrow(StateError);
  });
});

describe("toPixels", () => {
  test("gives back what fromPixels read, and shows it on a canvas", async () => {
    // What browsers have fits, as TypeScript sees it.
    const fits = (canvas: HTMLCanvasElement | OffscreenCanvas): vision.PixelCanvas => canvas;
    expect(fits).toBeTypeOf("function");
    const shown: unknown[] = [];
    const canvas = {
      width: 0,
      height: 0,
      getContext: () => ({
        createImageData: (width: number, height: number) => ({
          width,
          height,
          data: new Uint8ClampedArray(4 * width * height),
        }),
        putImageData: (image: { data: Uint8ClampedArray }, x: number, y: number) => shown.push([...image.data], x, y),
      }),
    };
    for (const dtype of ["f32", "i32"] as const) {
      const x = vision.fromPixels(pixels, { dtype, channels: 4 });
      expect(await vision.toPixels(x, canvas)).toEqual(pixels);
      expect(shown.splice(0)).toEqual([[...pixels.data], 0, 0]);
      x.dispose();
    }
    expect([canvas.width, canvas.height]).toEqual([3, 2]);
  });

  test("gray in three channels, rounded and clamped", async () => {
    const gray = tensor([[-1, 0.5, 2, 0.3]]);
    expect([...(await vision.toPixels(gray)).data]).toEqual([0, 128, 255, 77].flatMap((v) => [v, v, v, 255]));
    await expect(vision.toPixels(tensor([1]))).rejects.toThrow(ShapeError);
    await expect(vision.toPixels(gray, { width: 1, height: 1, getContext: () => null })).rejects.toThrow(
      /no 2D context/,
    );
    await expect(vision.toPixels(gray.to("f16"))).rejects.toThrow(DtypeError);
  });
});

/** torchvision.utils.make_grid, pixel by pixel. */
function gridOf(images: number[][][][], nrow: number, padding: number, padValue: number): number[][][] {
  const [c = 0, h = 0, w = 0] = [images[0]?.length, images[0]?.[0]?.length, images[0]?.[0]?.[0]?.length];
  const columns = Math.min(nrow, images.length);
  const rows = Math.ceil(images.length / columns);
  const at = (k: number, y: number, x: number) => {
    const [row, i] = [Math.floor(y / (h + padding)), (y % (h + padding)) - padding];
    const [column, j] = [Math.floor(x / (w + padding)), (x % (w + padding)) - padding];
    const inside = i >= 0 && j >= 0 && column < columns;
    return (inside ? images[row * columns + column]?.[k]?.[i]?.[j] : undefined) ?? padValue;
  };
  return Array.from({ length: c }, (_, k) =>
    Array.from({ length: rows * (h + padding) + padding }, (_, y) =>
      Array.from({ length: columns * (w + padding) + padding }, (_, x) => at(k, y, x)),
    ),
  );
}

describe("makeGrid", () => {
  test("as torchvision lays it out", async () => {
    const before = memory().tensors;
    for (const [n, c, options] of [
      [5, 3, {}],
      [5, 3, { nrow: 2, padding: 1, padValue: 0.5 }],
      [4, 2, { nrow: 4, padding: 0 }],
      [9, 1, { nrow: 4 }],
    ] as const) {
      const x = tensor(
        Float32Array.from({ length: n * c * 6 }, (_, i) => i),
        { shape: [n, c, 2, 3] },
      );
      const grid = vision.makeGrid(x, options);
      const images = ((await x.array()) as number[][][][]).map((image) =>
        c === 1 ? ([image[0], image[0], image[0]] as number[][][]) : image,
      );
      const { nrow = 8, padding = 2, padValue = 0 } = options as vision.GridOptions;
      expect(await grid.array()).toEqual(gridOf(images, nrow, padding, padValue));
      grid.dispose();
      x.dispose();
    }
    expect(memory().tensors).toBe(before);
  });

  test("lists, single pictures, and normalization", async () => {
    const [a, b] = [tensor([[[1, 2]]]), tensor([[[3, 5]]])];
    expect((await vision.makeGrid([a, b], { padding: 0 }).array()) as number[][][]).toEqual(
      Array(3).fill([[1, 2, 3, 5]]),
    );
    expect(vision.makeGrid(a).shape).toEqual([3, 1, 2]);
    const all = vision.makeGrid([a, b], { padding: 0, normalize: true });
    expect([...(await all.data())].slice(0, 4)).toEqual([0, 0.25, 0.5, 1]);
    const each = vision.makeGrid([a, b], { padding: 0, normalize: true, scaleEach: true });
    expect([...(await each.data())].slice(0, 4)).toEqual([0, 1, 0, 1]);
    const range = vision.makeGrid([a, b], { padding: 0, normalize: true, valueRange: [2, 4] });
    expect([...(await range.data())].slice(0, 4)).toEqual([0, 0, 0.5, 1]);
    expect(() => vision.makeGrid([a, tensor([[[1]]])])).toThrow(ShapeError);
    expect(() => vision.makeGrid(a, { nrow: 0 })).toThrow(ValueError);
  });
});
