// Tensors as text, in NumPy's manner: rows aligned, long dimensions abbreviated in the middle.
import { type Shape, show, stridesOf } from "./shape.ts";

const EDGE = 3;
const LONGEST = 8;

/** `data` of this shape as text, with dtype and shape in the last line. */
export function format(data: ArrayLike<number>, shape: Shape, dtype: string): string {
  const text = (x: number) => (dtype === "f32" || dtype === "f16" ? Number(x.toPrecision(5)).toString() : String(x));
  const strides = stridesOf(shape);
  const build = (dim: number, at: number, cell: (x: number) => string): string => {
    if (dim === shape.length) return cell(data[at]!);
    const n = shape[dim]!;
    const rows: string[] = [];
    for (let i = 0; i < n; i++) {
      if (n <= LONGEST || i < EDGE || i >= n - EDGE) rows.push(build(dim + 1, at + i * strides[dim]!, cell));
      else if (i === EDGE) rows.push("...");
    }
    return `[${rows.join(dim === shape.length - 1 ? ", " : `,\n${" ".repeat(dim + 1)}`)}]`;
  };
  // The first run measures.
  let width = 0;
  build(0, 0, (x) => {
    width = Math.max(width, text(x).length);
    return "";
  });
  return `${build(0, 0, (x) => text(x).padStart(width))}\n${dtype} ${show(shape)}`;
}
