// y = (x - mean) * rstd * w + b along rows of `length` contiguous elements, w and b of that length.
// `lanes` invocations share a row, a workgroup takes WG / lanes rows `rounds` times. Sums are taken around each
// invocation's first element and merged by Chan's rule, so a mean far from 0 costs no precision.
// Traffic: 2n loads (one of them from the cache) and those of w and b, n stores.
const WG = 64u;

struct Params {
  rows: u32,
  length: u32,
  lanes: u32,
  log_lanes: u32,
  rounds: u32,
  has_weight: u32,
  has_bias: u32,
  eps: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
// A row's (mean, rstd).
@group(0) @binding(3) var<storage, read_write> stats: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<uniform> p: Params;

var<workgroup> parts: array<vec3f, WG>;

// Count, mean and M2 (sum of squared deviations) of two samples together.
fn merge(a: vec3f, b: vec3f) -> vec3f {
  let n = a.x + b.x;
  let d = b.y - a.y;
  let f = b.x / max(n, 1.0);
  return vec3f(n, a.y + d * f, a.z + b.z + d * d * a.x * f);
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) i: u32,
) {
  let lane = i & (p.lanes - 1u);
  for (var round = 0u; round < p.rounds; round++) {
    let row = (((group.x + group.y * groups.x) * p.rounds + round) * WG + i) >> p.log_lanes;
    let base = row * p.length;
    // No early return: barriers follow.
    let end = select(0u, p.length, row < p.rows);
    let shift = select(0.0, x[base + lane], lane < end);
    var n = 0.0;
    var s = 0.0;
    var q = 0.0;
    for (var c = lane; c < end; c += p.lanes) {
      let d = x[base + c] - shift;
      s += d;
      q += d * d;
      n += 1.0;
    }
    let offset = s / max(n, 1.0);
    parts[i] = vec3f(n, shift + offset, max(q - s * offset, 0.0));
    workgroupBarrier();
    for (var half = p.lanes / 2u; half > 0u; half /= 2u) {
      if (lane < half) { parts[i] = merge(parts[i], parts[i + half]); }
      workgroupBarrier();
    }
    let moments = parts[i - lane];
    workgroupBarrier();
    let mean = moments.y;
    let rstd = 1.0 / sqrt(moments.z / max(moments.x, 1.0) + p.eps);
    if (lane == 0u && row < p.rows) { stats[row] = vec2f(mean, rstd); }
    for (var c = lane; c < end; c += p.lanes) {
      var v = (x[base + c] - mean) * rstd;
      if (p.has_weight != 0u) { v *= weight[c]; }
      if (p.has_bias != 0u) { v += bias[c]; }
      y[base + c] = v;
    }
  }
}
