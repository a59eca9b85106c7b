// Softmax: dx = y (dy - sum dy y). Log-softmax: dx = dy - exp(y) sum dy. Rows as in softmax.wgsl.
// Traffic: 4n loads (two of them from the cache; 3n for the logarithm), n stores.
const WG = 64u;
const LOG = false;

struct Params { rows: u32, length: u32, lanes: u32, log_lanes: u32, rounds: u32, inner: u32 }

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

var<workgroup> parts: array<f32, WG>;

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
    var sum = 0.0;
    for (var at = begin; at < end; at += step) {
      if (LOG) { sum += dy[at]; } else { sum += dy[at] * y[at]; }
    }
    sum = row_sum(sum, i);
    for (var at = begin; at < end; at += step) {
      if (LOG) { dx[at] = dy[at] - exp(y[at]) * sum; } else { dx[at] = y[at] * (dy[at] - sum); }
    }
  }
}
