// Tensors as text, in NumPy's manner: rows aligned, long dimensions abbreviated in the middle.
import { type Shape, show, sizeOf } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

const EDGE = 3;
const LONGEST = 8;

/** `data` of this shape as text, with dtype and shape in the last line. */
export function format(data: ArrayLike<number>, shape: Shape, dtype: string): string {
  const text = (x: number) => (dtype === "f32" || dtype === "f16" ? Number(x.toPrecision(5)).toString() : String(x));
  const build = ([n, ...inner]: Shape, at: number, cell: (x: number) => string): string => {
    if (n === undefined) return cell(data[at] ?? Number.NaN);
    const step = sizeOf(inner);
    const rows: string[] = [];
    for (let i = 0; i < n; i++) {
      if (n <= LONGEST || i < EDGE || i >= n - EDGE) rows.push(build(inner, at + i * step, cell));
      else if (i === EDGE) rows.push("...");
    }
    return `[${rows.join(inner.length === 0 ? ", " : `,\n${" ".repeat(shape.length - inner.length)}`)}]`;
  };
  // The first run measures.
  let width = 0;
  build(shape, 0, (x) => {
    width = Math.max(width, text(x).length);
    return "";
  });
  return `${build(shape, 0, (x) => text(x).padStart(width))}\n${dtype} ${show(shape)}`;
}

/** Prints the elements in rows, long dimensions abbreviated, then dtype and shape, and returns what it printed. */
export async function print(x: Tensor): Promise<string> {
  const text = format(await x.data(), x.shape, x.dtype);
  console.log(text);
  return text;
}
