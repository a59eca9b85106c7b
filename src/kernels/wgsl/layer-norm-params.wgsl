// dw[c] = sum of dy xhat over rows, db[c] = sum of dy, with xhat = (x - mean) * rstd. Neighbouring invocations take
// neighbouring columns; WG / COLUMNS invocations share a column, take its rows in turn, and add up at the end.
// Traffic: 2n loads and a row's statistics for each.
const WG = 64u;
const COLUMNS = 8u;

struct Params { rows: u32, length: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> stats: array<vec2f>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;
@group(0) @binding(4) var<storage, read_write> db: array<f32>;
@group(0) @binding(5) var<uniform> p: Params;

var<workgroup> parts: array<vec2f, WG>;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) i: u32,
) {
  let c = (group.x + group.y * groups.x) * COLUMNS + i % COLUMNS;
  var sums = vec2f();
  if (c < p.length) {
    for (var row = i / COLUMNS; row < p.rows; row += WG / COLUMNS) {
      let at = row * p.length + c;
      let row_stats = stats[row];
      sums += dy[at] * vec2f((x[at] - row_stats.x) * row_stats.y, 1.0);
    }
  }
  parts[i] = sums;
  workgroupBarrier();
  for (var half = WG / 2u; half >= COLUMNS; half /= 2u) {
    if (i < half) { parts[i] += parts[i + half]; }
    workgroupBarrier();
  }
  if (i < COLUMNS && c < p.length) {
    dw[c] = parts[i].x;
    db[c] = parts[i].y;
  }
}
