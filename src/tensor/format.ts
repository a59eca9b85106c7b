// Tensors as text, in NumPy's manner: rows aligned, long dimensions abbreviated in the middle.
import type { Shape } from "./shape.ts";

const EDGE = 3;
const LONGEST = 8;

/** `data` of this shape as text, with dtype and shape in the last line. */
export function format(data: ArrayLike<number>, shape: Shape, dtype: string): string {
  const text = (x: number) => (dtype === "f32" || dtype === "f16" ? Number(x.toPrecision(5)).toString() : String(x));
  const shown: number[] = [];
  const visit = (dim: number, at: number, use: (x: number) => void): void => {
    if (dim === shape.length) {
      use(data[at]!);
      return;
    }
    const n = shape[dim]!;
    const step = shape.slice(dim + 1).reduce((a, b) => a * b, 1);
    for (let i = 0; i < n; i++) if (n <= LONGEST || i < EDGE || i >= n - EDGE) visit(dim + 1, at + i * step, use);
  };
  visit(0, 0, (x) => shown.push(x));
  const width = Math.max(0, ...shown.map((x) => text(x).length));
  const build = (dim: number, at: number): string => {
    if (dim === shape.length) return text(data[at]!).padStart(width);
    const n = shape[dim]!;
    const step = shape.slice(dim + 1).reduce((a, b) => a * b, 1);
    const rows: string[] = [];
    for (let i = 0; i < n; i++) {
      if (n <= LONGEST || i < EDGE || i >= n - EDGE) rows.push(build(dim + 1, at + i * step));
      else if (i === EDGE) rows.push("...");
    }
    return dim === shape.length - 1 ? `[${rows.join(", ")}]` : `[${rows.join(`,\n${" ".repeat(dim + 1)}`)}]`;
  };
  return `${build(0, 0)}\n${dtype} [${shape.join(", ")}]`;
}
