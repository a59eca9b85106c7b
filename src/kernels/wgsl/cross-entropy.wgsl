// Cross-entropy of logits [N, C, P] with labels [N, P], or with probabilities [N, C, P] in the other variant. Per sample
// loss = sum over c of q_c (m + log s - x_c), where m is the largest logit, s the sum of exp(x - m), and q the target:
// w_c ((1 - smoothing) [c = label] + smoothing / C). NORMALIZE = false takes x as log-probabilities (m = log s = 0).
// Lanes and rows as in softmax.wgsl. With REDUCE the losses are added up; mean divides by the sum of w[label] over samples
// that are not ignored (of 1 for probabilities). One workgroup writes the result; several leave their sums behind the
// samples' entries in `saved` for cross-entropy-finish.wgsl. Labels out of range are reported as a fault.
// Traffic: 3n loads (two of them from the cache); a few words a sample.
alias T = i32;
const WG = 64u;
const PROBABILITIES = false;
const NORMALIZE = true;
const LEAST = -3.4028234e38;

struct Params {
  rows: u32,        // N * P
  length: u32,      // C
  lanes: u32,
  log_lanes: u32,
  rounds: u32,
  inner: u32,       // P
  groups: u32,
  reduction: u32,   // 0: none, 1: sum, 2: mean
  weighted: u32,
  ignore: i32,
  keep: f32,        // 1 - smoothing
  even: f32,        // smoothing / C
  fault: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<T>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
// A sample's (m, log s, sum of q, 0); then (what backward scales by, 0, 0, 0); then each workgroup's (loss, weight).
@group(0) @binding(4) var<storage, read_write> saved: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> faults: array<atomic<u32>, 4>;
@group(0) @binding(6) var<uniform> p: Params;

var<workgroup> parts: array<vec2f, WG>;

fn row_max(v: f32, i: u32) -> f32 {
  if (p.lanes == 1u) { return v; }
  let lane = i & (p.lanes - 1u);
  parts[i].x = v;
  workgroupBarrier();
  for (var half = p.lanes / 2u; half > 0u; half /= 2u) {
    if (lane < half) { parts[i].x = max(parts[i].x, parts[i + half].x); }
    workgroupBarrier();
  }
  let result = parts[i - lane].x;
  workgroupBarrier();
  return result;
}

// Sums over `lanes` neighbours (a power of two).
fn sums(v: vec2f, i: u32, lanes: u32) -> vec2f {
  if (lanes == 1u) { return v; }
  let lane = i & (lanes - 1u);
  parts[i] = v;
  workgroupBarrier();
  for (var half = lanes / 2u; half > 0u; half /= 2u) {
    if (lane < half) { parts[i] += parts[i + half]; }
    workgroupBarrier();
  }
  let result = parts[i - lane];
  workgroupBarrier();
  return result;
}

fn weight_of(c: u32) -> f32 {
  if (p.weighted == 0u) { return 1.0; }
  return weight[c];
}

fn check_label(label: i32) -> bool {
  if (label == p.ignore) { return false; }
  if (label >= 0 && label < i32(p.length)) { return true; }
  if (atomicCompareExchangeWeak(&faults[0], 0u, p.fault).exchanged) {
    atomicStore(&faults[1], bitcast<u32>(label));
    atomicStore(&faults[2], p.length);
  }
  return false;
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) i: u32,
) {
  let index = group.x + group.y * groups.x;
  let lane = i & (p.lanes - 1u);
  var total = vec2f();
  for (var round = 0u; round < p.rounds; round++) {
    let row = ((index * p.rounds + round) * WG + i) >> p.log_lanes;
    let outer = row / p.inner;
    let base = outer * p.length * p.inner + row - outer * p.inner;
    // No early return: barriers follow.
    let end = select(0u, p.length, row < p.rows);
    var m = 0.0;
    var log_s = 0.0;
    if (NORMALIZE) {
      m = LEAST;
      for (var c = lane; c < end; c += p.lanes) { m = max(m, x[base + c * p.inner]); }
      m = row_max(m, i);
      var s = 0.0;
      for (var c = lane; c < end; c += p.lanes) { s += exp(x[base + c * p.inner] - m); }
      log_s = log(sums(vec2f(s, 0.0), i, p.lanes).x);
    }
    // The sums of q and of q (m + log s - x), and what the sample counts for in a mean.
    var q = vec2f();
    var count = 0.0;
    var counted = true;
    if (PROBABILITIES) {
      for (var c = lane; c < end; c += p.lanes) {
        let at = base + c * p.inner;
        let share = weight_of(c) * (f32(labels[at]) * p.keep + p.even);
        q += vec2f(share, share * (m + log_s - x[at]));
      }
      q = sums(q, i, p.lanes);
      count = 1.0;
    } else if (row < p.rows) {
      let label = i32(labels[row]);
      counted = check_label(label);
      if (counted) {
        count = weight_of(u32(label));
        q = count * p.keep * vec2f(1.0, m + log_s - x[base + u32(label) * p.inner]);
      }
    }
    if (!PROBABILITIES && p.even != 0.0) {
      var all = vec2f();
      for (var c = lane; c < end; c += p.lanes) {
        let w = weight_of(c);
        all += vec2f(w, w * (m + log_s - x[base + c * p.inner]));
      }
      all = sums(all, i, p.lanes) * p.even;
      if (counted) { q += all; }
    }
    if (lane == 0u && row < p.rows) {
      saved[row] = vec4f(m, log_s, q.x, 0.0);
      if (p.reduction == 0u) { loss[row] = q.y; }
      total += vec2f(q.y, count);
    }
  }
  if (p.reduction == 0u && index == 0u && i == 0u) { saved[p.rows] = vec4f(1.0, 0.0, 0.0, 0.0); }
  if (p.reduction == 0u) { return; }
  total = sums(total, i, WG);
  if (i != 0u) { return; }
  if (p.groups > 1u) {
    saved[p.rows + 1u + index] = vec4f(total, 0.0, 0.0);
    return;
  }
  let scale = select(1.0, 1.0 / total.y, p.reduction == 2u);
  loss[0] = total.x * scale;
  saved[p.rows] = vec4f(scale, 0.0, 0.0, 0.0);
}
