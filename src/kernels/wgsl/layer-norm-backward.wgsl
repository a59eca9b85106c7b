// With g = dy * w and xhat = (x - mean) * rstd: dx = rstd (g - mean of g - xhat mean of g xhat), means along the row.
// Rows as in layer-norm.wgsl. Traffic: 4n loads (two of them from the cache) and those of w, n stores.
const WG = 64u;

struct Params { rows: u32, length: u32, lanes: u32, log_lanes: u32, rounds: u32, has_weight: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> stats: array<vec2f>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(0) @binding(5) var<uniform> p: Params;

var<workgroup> parts: array<vec2f, WG>;

fn gradient(at: u32, c: u32) -> f32 {
  if (p.has_weight == 0u) { return dy[at]; }
  return dy[at] * weight[c];
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
    let row_stats = stats[min(row, p.rows - 1u)];
    var sums = vec2f();
    for (var c = lane; c < end; c += p.lanes) {
      let g = gradient(base + c, c);
      sums += g * vec2f(1.0, (x[base + c] - row_stats.x) * row_stats.y);
    }
    parts[i] = sums;
    workgroupBarrier();
    for (var half = p.lanes / 2u; half > 0u; half /= 2u) {
      if (lane < half) { parts[i] += parts[i + half]; }
      workgroupBarrier();
    }
    let means = parts[i - lane] / f32(p.length);
    workgroupBarrier();
    for (var c = lane; c < end; c += p.lanes) {
      let xhat = (x[base + c] - row_stats.x) * row_stats.y;
      dx[base + c] = (gradient(base + c, c) - means.x - xhat * means.y) * row_stats.y;
    }
  }
}
