// y = exp(x - m) / s, or its logarithm x - m - log s, along rows of `length` elements `inner` apart; m is the row's
// maximum and s the sum of exp(x - m), so nothing overflows. `lanes` invocations share a row, a workgroup takes
// WG / lanes rows `rounds` times. Traffic: 3n loads (two of them from the cache), n stores.
const WG = 64u;
const LOG = false;
const LEAST = -3.4028234e38;

struct Params { rows: u32, length: u32, lanes: u32, log_lanes: u32, rounds: u32, inner: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

var<workgroup> parts: array<f32, WG>;

fn row_max(v: f32, i: u32) -> f32 {
  if (p.lanes == 1u) { return v; }
  let lane = i & (p.lanes - 1u);
  parts[i] = v;
  workgroupBarrier();
  for (var half = p.lanes / 2u; half > 0u; half /= 2u) {
    if (lane < half) { parts[i] = max(parts[i], parts[i + half]); }
    workgroupBarrier();
  }
  let result = parts[i - lane];
  workgroupBarrier();
  return result;
}

fn row_sum(v: f32, i: u32) -> f32 {
  if (p.lanes == 1u) { return v; }
  let lane = i & (p.lanes - 1u);
  parts[i] = v;
  workgroupBarrier();
  for (var half = p.lanes / 2u; half > 0u; half /= 2u) {
    if (lane < half) { parts[i] += parts[i + half]; }
    workgroupBarrier();
  }
  let result = parts[i - lane];
  workgroupBarrier();
  return result;
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) i: u32,
) {
  let step = p.lanes * p.inner;
  for (var round = 0u; round < p.rounds; round++) {
    let row = (((group.x + group.y * groups.x) * p.rounds + round) * WG + i) >> p.log_lanes;
    let outer = row / p.inner;
    let base = outer * p.length * p.inner + row - outer * p.inner;
    let begin = base + (i & (p.lanes - 1u)) * p.inner;
    // No early return: barriers follow.
    let end = select(0u, base + p.length * p.inner, row < p.rows);
    var m = LEAST;
    for (var at = begin; at < end; at += step) { m = max(m, x[at]); }
    m = row_max(m, i);
    var s = 0.0;
    for (var at = begin; at < end; at += step) { s += exp(x[at] - m); }
    s = row_sum(s, i);
    let log_s = log(s);
    for (var at = begin; at < end; at += step) {
      if (LOG) { y[at] = x[at] - m - log_s; } else { y[at] = exp(x[at] - m) / s; }
    }
  }
}
