// Drawing SVG text as PNG bytes, with a font that comes along: a server may have none at all.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { renderAsync } from "@resvg/resvg-js";

/** The family that SVG text should name: DejaVu Sans, from the npm package `dejavu-fonts-ttf`. */
export const FONT = "DejaVu Sans";

const require = createRequire(import.meta.url);
const ttf = join(dirname(require.resolve("dejavu-fonts-ttf/package.json")), "ttf");

/** PNG bytes of an SVG. `zoom` is the number of pixels for each of its units. */
export async function svgToPng(svg: string, zoom = 1): Promise<Uint8Array> {
  const image = await renderAsync(svg, {
    background: "white",
    fitTo: { mode: "zoom", value: zoom },
    font: {
      fontFiles: [join(ttf, "DejaVuSans.ttf"), join(ttf, "DejaVuSans-Bold.ttf")],
      loadSystemFonts: false,
      defaultFontFamily: FONT,
    },
  });
  return image.asPng();
}
