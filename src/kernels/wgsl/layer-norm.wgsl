// y = (x - mean) * rstd * w + b along rows of `length` elements, w and b by the element's place in its row (layer norm), or by
// its channel (GROUPED): a row is a group of `width` channels of `plane` elements, one of `groups` in turn. Not CENTRED: RMS
// norm, mean = 0. Elements of a row are `inner` apart: neighbouring rows are neighbours in memory where it is above 1.
// `lanes` invocations share a row, a workgroup takes WG / lanes rows `rounds` times.
// Traffic: 2n loads (one of them from the cache) and those of w and b, n stores.
import package::lib::rows;
import package::lib::moments;
import package::lib::norm_place;
const CENTRED = true;
const has_weight = true;
const has_bias = true;

struct Params {
  rows: u32, length: u32, lanes: u32, log_lanes: u32, rounds: u32, inner: u32,
  groups: u32, width: u32, plane: u32,
  eps: f32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
// A row's (mean, rstd).
@group(0) @binding(3) var<storage, read_write> stats: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<uniform> p: Params;

fn each_row(row: Row, i: u32) {
  let shift = select(0.0, x[row.begin], CENTRED && row.begin < row.end);
  var n = 0.0;
  var sum = 0.0;
  var squares = 0.0;
  for (var at = row.begin; at < row.end; at += row.step) {
    let d = x[at] - shift;
    sum += d;
    squares += d * d;
    n += 1.0;
  }
  var mean = 0.0;
  var variance = 0.0;
  if (CENTRED) {
    let whole = tree(moments(n, shift, sum, squares), i, p.lanes);
    mean = whole.y;
    variance = whole.z / max(whole.x, 1.0);
  } else {
    // Around 0 all are of one centre: their sums of squares add up, infinite ones, too.
    variance = tree(vec3f(0.0, 0.0, squares), i, p.lanes).z / f32(p.length);
  }
  let rstd = 1.0 / sqrt(variance + p.eps);
  if (row.lane == 0u && row.index < p.rows) { stats[row.index] = vec2f(mean, rstd); }
  var place = first_place(row);
  for (var at = row.begin; at < row.end; at += row.step) {
    var v = (x[at] - mean) * rstd;
    if (has_weight) { v *= weight[place.c]; }
    if (has_bias) { v += bias[place.c]; }
    y[at] = v;
    place = next_place(place);
  }
}
