// Cross-entropy of logits [N, C, P] with labels [N, P], or with probabilities [N, C, P] in the other variant. Per
// sample loss = sum over c of q_c (log s - (x_c - m)), where m is the largest logit, s the sum of exp(x - m), and q the
// target: w_c ((1 - smoothing) [c = label] + smoothing / C). NORMALIZE = false takes x as log-probabilities (m = log s
// = 0). Lanes and rows as in softmax.wgsl. Reduced losses are added up; a mean divides by the sum of w[label] over
// samples that are not ignored (of 1 for probabilities). One workgroup writes the result; several leave their sums in
// `totals` for cross-entropy-finish.wgsl. Labels out of range are reported as a fault.
// Traffic: 3n loads (two of them from the cache); a few words a sample.
import package::lib::nan;
import package::lib::groups;
import package::lib::exponentials;
import package::lib::tree;
alias T = i32;
const PROBABILITIES = false;
const NORMALIZE = true;
const has_weight = true;
const has_totals = true;

struct Params {
  rows: u32, length: u32, lanes: u32, log_lanes: u32, rounds: u32, inner: u32,
  groups: u32,
  reduction: u32,   // 0: none, 1: sum, 2: mean
  ignore: i32,
  keep: f32,        // 1 - smoothing
  even: f32,        // smoothing / C
  fault: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<T>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
// A sample's (m, log s, sum of q, 0); then (what backward scales by, 0, 0, 0).
@group(0) @binding(4) var<storage, read_write> saved: array<vec4f>;
// Each workgroup's (loss, weight), where there are several.
@group(0) @binding(5) var<storage, read_write> totals: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> faults: array<atomic<u32>, 4>;
@group(0) @binding(7) var<uniform> p: Params;

// What the tree joins: (m, s), and two plain sums. Each use is for one of them.
struct Part { exponentials: vec2f, sums: vec2f }

fn join(a: Part, b: Part) -> Part { return Part(together(a.exponentials, b.exponentials), a.sums + b.sums); }

fn sums(v: vec2f, i: u32, lanes: u32) -> vec2f { return tree(Part(vec2f(), v), i, lanes).sums; }

fn weight_of(c: u32) -> f32 {
  if (has_weight) { return weight[c]; }
  return 1.0;
}

// Whether the label counts.
fn check_label(label: i32) -> bool {
  if (label == p.ignore) { return false; }
  if (label >= 0 && label < i32(p.length)) { return true; }
  if (atomicCompareExchangeWeak(&faults[0], 0u, p.fault).exchanged) {
    atomicStore(&faults[1], bitcast<u32>(label));
    atomicStore(&faults[2], p.length);
  }
  return false;
}

// The loss of a row's sample, and what it counts for in a mean; nothing for other lanes than the first.
fn loss_of(row: Row, i: u32) -> vec2f {
  var m = 0.0;
  var log_s = 0.0;
  if (NORMALIZE) {
    let whole = tree(Part(exponentials(row), vec2f()), i, p.lanes).exponentials;
    m = whole.x;
    log_s = log_nan(whole.y);
  }
  // The sums of q and of q (m + log s - x).
  var q = vec2f();
  var count = 0.0;
  var counted = true;
  if (PROBABILITIES) {
    var c = row.lane;
    for (var at = row.begin; at < row.end; at += row.step) {
      let share = weight_of(c) * (f32(labels[at]) * p.keep + p.even);
      q += vec2f(share, share * (log_s - (x[at] - m)));
      c += p.lanes;
    }
    q = sums(q, i, p.lanes);
    count = 1.0;
  } else if (row.index < p.rows) {
    let label = i32(labels[row.index]);
    counted = check_label(label);
    if (counted) {
      count = weight_of(u32(label));
      q = count * p.keep * vec2f(1.0, log_s - (x[row.base + u32(label) * p.inner] - m));
    }
  }
  if (!PROBABILITIES && p.even != 0.0) {
    var all = vec2f();
    var c = row.lane;
    for (var at = row.begin; at < row.end; at += row.step) {
      let w = weight_of(c);
      all += vec2f(w, w * (log_s - (x[at] - m)));
      c += p.lanes;
    }
    all = sums(all, i, p.lanes) * p.even;
    if (counted) { q += all; }
  }
  if (row.lane != 0u || row.index >= p.rows) { return vec2f(); }
  saved[row.index] = vec4f(m, log_s, q.x, 0.0);
  if (p.reduction == 0u) { loss[row.index] = q.y; }
  return vec2f(q.y, count);
}

fn group(index: u32, i: u32) {
  var own = vec2f();
  for (var round = 0u; round < p.rounds; round++) { own += loss_of(row_of(index * p.rounds + round, i), i); }
  if (p.reduction == 0u) {
    if (index == 0u && i == 0u) { saved[p.rows] = vec4f(1.0, 0.0, 0.0, 0.0); }
    return;
  }
  let total = sums(own, i, WG);
  if (i != 0u) { return; }
  if (has_totals) {
    // The grid may have more workgroups than there are rows for.
    if (index < p.groups) { totals[index] = total; }
    return;
  }
  let scale = select(1.0, 1.0 / total.y, p.reduction == 2u);
  loss[0] = total.x * scale;
  saved[p.rows] = vec4f(scale, 0.0, 0.0, 0.0);
}
