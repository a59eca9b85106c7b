// dw[c] = sum of dy xhat over rows, db[c] = sum of dy, with xhat = (x - mean) * rstd. Neighbouring invocations take
// neighbouring columns; WG / COLUMNS invocations share a column, take its rows in turn, and add up at the end.
// Traffic: 2n loads and a row's statistics for each.
import package::lib::groups;
import package::lib::tree;
const WG = 64u;
const COLUMNS = 8u;
const BLOCK = 64u;
alias Part = vec2f;
const has_dw = true;
const has_db = true;

struct Params { rows: u32, length: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> stats: array<vec2f>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;
@group(0) @binding(4) var<storage, read_write> db: array<f32>;
@group(0) @binding(5) var<uniform> p: Params;

fn join(a: Part, b: Part) -> Part { return a + b; }

fn group(index: u32, i: u32) {
  let column = i % COLUMNS;
  let c = index * COLUMNS + column;
  var own = vec2f();
  if (c < p.length) {
    for (var row = i / COLUMNS; row < p.rows;) {
      // By blocks: one long row of additions would lose digits.
      var block = vec2f();
      for (let end = min(p.rows, row + BLOCK * (WG / COLUMNS)); row < end; row += WG / COLUMNS) {
        let at = row * p.length + c;
        let known = stats[row];
        block += dy[at] * vec2f((x[at] - known.x) * known.y, 1.0);
      }
      own += block;
    }
  }
  // The tree joins neighbours: those who share a column stand together in it.
  let sums = tree(own, column * (WG / COLUMNS) + i / COLUMNS, WG / COLUMNS);
  if (i >= COLUMNS || c >= p.length) { return; }
  if (has_dw) { dw[c] = sums.x; }
  if (has_db) { db[c] = sums.y; }
}
