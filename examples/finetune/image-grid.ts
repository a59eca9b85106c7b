// A contact sheet: small pictures or feature maps in a grid with captions, as a PNG file.
import { encode } from "fast-png";
import type { vision } from "wgrad";
import { writeFileAtomic } from "wgrad/node";
import { FONT, svgToPng } from "./svg-to-png.ts";

/** One picture in CHW order: bytes as they are, or floats stretched from their least to their greatest value. */
export interface GridImage {
  data: Uint8Array | Float32Array;
  /** `[C, H, W]`, C being 1 (gray) or 3 (red, green, blue). */
  shape: readonly [channels: number, height: number, width: number];
}

export interface Caption {
  text: string;
  /** Any SVG colour; dark gray by default. */
  color?: string;
}

export interface GridOptions {
  title?: string;
  /** Pictures in a row; about a square's worth by default. */
  columns?: number;
  /** The longer side of each picture on the sheet, in pixels; 96 by default. */
  size?: number;
}

const FONT_SIZE = 11;
const LINE = 15;
const GAP = 10;
/** The mean width of a DejaVu Sans letter, in font sizes. */
const LETTER = 0.57;

/** Writes the sheet to `path`. Captions (none, or one for each picture) are broken into two lines at most. */
export async function imageGrid(
  images: readonly GridImage[],
  captions: readonly (string | Caption)[],
  path: string,
  options: GridOptions = {},
): Promise<void> {
  const { title, size = 96 } = options;
  const columns = Math.max(1, Math.min(options.columns ?? Math.ceil(Math.sqrt(images.length * 1.5)), images.length));
  const rows = Math.ceil(images.length / columns);
  const [cellWidth, cellHeight] = [size + GAP, size + GAP + (captions.length > 0 ? 2 * LINE : 0)];
  const top = title ? 40 : GAP;
  const width = Math.max(columns * cellWidth + GAP, (title?.length ?? 0) * 16 * LETTER + 2 * GAP);
  const cells = images.map((image, i) => {
    const x = GAP + (i % columns) * cellWidth;
    const y = top + Math.floor(i / columns) * cellHeight;
    // "optimizeSpeed" is resvg's name for showing pixels as squares.
    const picture =
      `<image x="${x}" y="${y}" width="${size}" height="${size}" image-rendering="optimizeSpeed" ` +
      `href="data:image/png;base64,${Buffer.from(toPng(image)).toString("base64")}"/>`;
    const caption = captions[i];
    if (caption === undefined) return picture;
    const { text, color = "#333333" } = typeof caption === "string" ? { text: caption } : caption;
    const lines = breakLines(text, Math.floor((size + GAP) / (FONT_SIZE * LETTER)));
    return (
      picture +
      lines
        .map(
          (line, n) =>
            `<text x="${x + size / 2}" y="${y + size + (n + 1) * LINE - 2}" font-size="${FONT_SIZE}" fill="${color}" ` +
            `text-anchor="middle">${escapeXml(line)}</text>`,
        )
        .join("")
    );
  });
  const heading = title
    ? `<text x="${GAP}" y="26" font-size="16" font-weight="bold" fill="#222222">${escapeXml(title)}</text>`
    : "";
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top + rows * cellHeight}" font-family="${FONT}">` +
    `${heading}${cells.join("")}</svg>`;
  await writeFileAtomic(path, await svgToPng(svg));
}

/** A contact sheet of a data set's first pictures, each under its class's name (or under its own caption). */
export function datasetGrid(
  dataset: vision.ImageDataset,
  count: number,
  path: string,
  options: GridOptions & { captions?: readonly string[] } = {},
): Promise<void> {
  const indices = Array.from({ length: Math.min(count, dataset.length) }, (_, i) => i);
  const images = indices.map((i) => ({ data: dataset.image(i), shape: dataset.shape }));
  const captions = indices.map((i) => options.captions?.[i] ?? dataset.classes[dataset.labels[i] ?? 0] ?? "");
  return imageGrid(images, captions, path, options);
}

function toPng({ data, shape }: GridImage): Uint8Array {
  const [channels, height, width] = shape;
  const plane = height * width;
  if ((channels !== 1 && channels !== 3) || data.length !== channels * plane) {
    throw new Error(`[imageGrid] ${data.length} values of shape [${shape.join(", ")}]; expected [1 or 3, H, W]`);
  }
  const bytes = data instanceof Uint8Array ? data : stretch(data);
  const pixels = new Uint8Array(data.length);
  for (let i = 0; i < plane; i++) {
    for (let channel = 0; channel < channels; channel++) {
      pixels[i * channels + channel] = bytes[channel * plane + i] ?? 0;
    }
  }
  return encode({ width, height, data: pixels, channels, depth: 8 });
}

function stretch(values: Float32Array): Uint8Array {
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  const scale = greatest > least ? 255 / (greatest - least) : 0;
  return Uint8Array.from(values, (value) => Math.round((value - least) * scale));
}

function breakLines(text: string, letters: number): string[] {
  if (text.length <= letters) return [text];
  const cut = Math.max(text.lastIndexOf(" ", letters), text.lastIndexOf("-", letters - 1) + 1);
  const at = cut > 0 ? cut : letters;
  const rest = text.slice(at).trim();
  return [text.slice(0, at).trim(), rest.length > letters ? `${rest.slice(0, letters - 1)}…` : rest];
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
