// With g = dy * w and xhat = (x - mean) * rstd: dx = rstd (g - mean of g - xhat mean of g xhat), means along the row; without the
// mean of g where RMS norm (not CENTRED) subtracts none. Rows and places as in layer-norm.wgsl.
// Traffic: 4n loads (two of them from the cache) and those of w, n stores.
import package::lib::rows;
import package::lib::tree;
import package::lib::norm_place;
alias Part = vec2f;
const CENTRED = true;
const has_weight = true;

struct Params {
  rows: u32, length: u32, lanes: u32, log_lanes: u32, rounds: u32, inner: u32,
  groups: u32, width: u32, plane: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> stats: array<vec2f>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(0) @binding(5) var<uniform> p: Params;

fn join(a: Part, b: Part) -> Part { return a + b; }

// g and xhat of an element.
fn terms(at: u32, c: u32, known: vec2f) -> vec2f {
  var g = dy[at];
  if (has_weight) { g *= weight[c]; }
  return vec2f(g, (x[at] - known.x) * known.y);
}

fn each_row(row: Row, i: u32) {
  let known = stats[min(row.index, p.rows - 1u)];
  var sums = vec2f();
  var place = first_place(row);
  for (var at = row.begin; at < row.end; at += row.step) {
    let t = terms(at, place.c, known);
    sums += t.x * vec2f(1.0, t.y);
    place = next_place(place);
  }
  var means = tree(sums, i, p.lanes) / f32(p.length);
  if (!CENTRED) { means.x = 0.0; }
  place = first_place(row);
  for (var at = row.begin; at < row.end; at += row.step) {
    let t = terms(at, place.c, known);
    dx[at] = (t.x - means.x - t.y * means.y) * known.y;
    place = next_place(place);
  }
}
