// Of x: [N, C, P], for each sample and channel: dw[n, c] = sum of dy xhat over P, db[n, c] = sum of dy, with
// xhat = (x - mean) * rstd; what is left is their sum over samples. Statistics are those of a group of `width` channels, `spread`
// of them a group: 1, or P where each position has its own (then the group is all channels).
// Rows as in layer-norm.wgsl. Traffic: 2n loads and those of the statistics.
import package::lib::rows;
import package::lib::tree;
alias Part = vec2f;
const has_dw = true;
const has_db = true;

struct Params {
  rows: u32, length: u32, lanes: u32, log_lanes: u32, rounds: u32, inner: u32,
  width: u32, spread: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> stats: array<vec2f>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;
@group(0) @binding(4) var<storage, read_write> db: array<f32>;
@group(0) @binding(5) var<uniform> p: Params;

fn join(a: Part, b: Part) -> Part { return a + b; }

fn each_row(row: Row, i: u32) {
  let first = (min(row.index, p.rows - 1u) / p.width) * p.spread;
  let each = p.spread > 1u;
  var sums = vec2f();
  for (var at = row.begin; at < row.end;) {
    // By blocks: one long row of additions would lose digits.
    var block = vec2f();
    for (let end = min(row.end, at + 64u * row.step); at < end; at += row.step) {
      let known = stats[first + select(0u, at - row.base, each)];
      block += dy[at] * vec2f((x[at] - known.x) * known.y, 1.0);
    }
    sums += block;
  }
  sums = tree(sums, i, p.lanes);
  if (row.lane > 0u || row.index >= p.rows) { return; }
  if (has_dw) { dw[row.index] = sums.x; }
  if (has_db) { db[row.index] = sums.y; }
}
