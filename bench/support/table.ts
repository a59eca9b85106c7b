// Tables for the terminal and for Markdown.

export type Cell = string | number;

/** Columns aligned: numbers to the right, text to the left. */
export function textTable(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const text = rows.map((row) => row.map(show));
  const width = header.map((h, i) => Math.max(h.length, ...text.map((row) => row[i]!.length)));
  const right = header.map((_, i) => rows.every((row) => typeof row[i] === "number" || isMeasure(String(row[i]))));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (right[i] ? cell.padStart(width[i]!) : cell.padEnd(width[i]!)))
      .join("  ")
      .trimEnd();
  return [line(header), line(width.map((w) => "-".repeat(w))), ...text.map(line)].join("\n");
}

/** A GitHub table: the first column to the left, the others to the right. */
export function markdownTable(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = header.map((_, i) => (i === 0 ? "---" : "---:"));
  return [line(header), line(rule), ...rows.map((row) => line(row.map(show)))].join("\n");
}

const isMeasure = (s: string) => s === "" || s === "-" || /^[<~]?[\d.]/.test(s);
const show = (cell: Cell): string => (typeof cell === "number" ? significant(cell) : cell);

/** Three significant digits, without an exponent. */
export function significant(x: number): string {
  if (!Number.isFinite(x)) return "-";
  const size = Math.abs(x);
  if (size === 0) return "0";
  return x.toFixed(Math.max(0, Math.min(6, 2 - Math.floor(Math.log10(size)))));
}

export const percent = (x: number): string => (Number.isFinite(x) ? `${(100 * x).toFixed(x < 0.1 ? 1 : 0)} %` : "-");
