// dx_c = exp(x_c - m - log s) g sum q - g q_c, with what cross-entropy.wgsl saved; g is the loss's gradient times scale, or
// the sample's where the losses were not reduced. NORMALIZE = false: dx_c = -g q_c. TARGET: the gradient of class
// probabilities instead, -keep w_c log(softmax(x)_c) g. Ignored samples get g = 0, which is NaN
// where their softmax is, as in PyTorch; a class without a share has q g = 0 whatever g and its weight are. Lanes
// and rows as in softmax.wgsl. Traffic: n loads, n stores (twice the loads for probabilities).
import package::lib::nan;
import package::lib::rows;
alias T = i32;
const PROBABILITIES = false;
const NORMALIZE = true;
const TARGET = false;
const has_weight = true;

struct Params {
  rows: u32, length: u32, lanes: u32, log_lanes: u32, rounds: u32, inner: u32,
  reduction: u32,   // 0: none, 1: sum, 2: mean
  ignore: i32,
  keep: f32,        // 1 - smoothing
  even: f32,        // smoothing / C
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<T>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> saved: array<vec4f>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;
@group(0) @binding(6) var<uniform> p: Params;

fn each_row(row: Row, i: u32) {
  if (row.index >= p.rows) { return; }
  let known = saved[row.index];
  var g = dy[select(0u, row.index, p.reduction == 0u)] * saved[p.rows].x;
  var label = p.ignore;
  var counts = true;
  if (!PROBABILITIES) {
    label = i32(labels[row.index]);
    // Not labels out of range either: they count as ignored until the fault is read.
    counts = label != p.ignore && label >= 0 && label < i32(p.length);
    if (!counts) { g = 0.0; }
  }
  var c = row.lane;
  for (var at = row.begin; at < row.end; at += row.step) {
    var q = p.even;
    if (PROBABILITIES) { q += p.keep * f32(labels[at]); } else { q += select(0.0, p.keep, label == i32(c)); }
    var w = 1.0;
    if (has_weight) { w = weight[c]; }
    var share = q * g * w;
    // An ignored sample has none either.
    if (!PROBABILITIES && (q == 0.0 || !counts)) { share = 0.0; }
    var d = -share;
    if (TARGET) {
      d = (x[at] - known.x - known.y) * (-p.keep * g * w);
    } else if (NORMALIZE) {
      d += exp_nan(x[at] - known.x - known.y) * (known.z * g);
    }
    dx[at] = d;
    c += p.lanes;
  }
}
