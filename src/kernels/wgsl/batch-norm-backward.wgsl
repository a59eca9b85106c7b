// Gradients of batch-norm.wgsl. With g = dy where y > low, else 0, and d = x - mean[c], over a channel of m elements:
// db = sum g, dw = rstd * sum g d, dx = rstd w (g - sum g / m - d rstd^2 sum g d / m), dresidual = g.
// With fixed (running) statistics dx = rstd w g. Without a residual the sign of y follows from x, so y is not read.
// Work is laid out as in batch-norm.wgsl: both phases in one dispatch with the channel in the cache between them, or
// REDUCE alone (a chunk's sums go behind the statistics) and then APPLY alone; with chunks = 0 it has no sums to merge.
// Traffic: 4n loads, n stores (V at a time); with a residual n more of each in one dispatch, 2n loads more in two.
alias V = f32;
const WIDTH = 1u;
const WG = 64u;
const REDUCE = true;
const APPLY = true;
const RESIDUAL = false;

struct Params {
  channels: u32,
  plane: u32,       // P / WIDTH
  count: u32,       // N * P / WIDTH
  chunk: u32,       // of count, a workgroup's share
  chunks: u32,
  lanes: u32,       // a power of two
  log_lanes: u32,
  step_at: u32,     // what `lanes` elements further on means in memory, without a carry into the next image
  step_in: u32,     // ... and within the plane: lanes % plane
  per_element: f32, // 1 / m, or 0 where the statistics are fixed
  low: f32,         // 0: relu
}

// A channel's mean, rstd, rstd * w, b; then the chunks' (sum g, sum g d), chunk by chunk.
@group(0) @binding(0) var<storage, read_write> stats: array<vec4f>;
@group(0) @binding(1) var<storage, read> x: array<V>;
@group(0) @binding(2) var<storage, read> dy: array<V>;
@group(0) @binding(3) var<storage, read> y: array<V>;
@group(0) @binding(4) var<storage, read_write> dx: array<V>;
@group(0) @binding(5) var<storage, read_write> dw: array<f32>;
@group(0) @binding(6) var<storage, read_write> db: array<f32>;
@group(0) @binding(7) var<storage, read_write> dresidual: array<V>;
@group(0) @binding(8) var<uniform> p: Params;

var<workgroup> parts: array<vec2f, WG>;

fn total(v: V) -> f32 { return v; }

// g and d of an element.
fn masked(at: u32, c: vec4f, d: V) -> V {
  if (RESIDUAL) { return select(V(), dy[at], y[at] > V(p.low)); }
  return select(V(), dy[at], d * c.z + c.w > V(p.low));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) i: u32) {
  let lane = i & (p.lanes - 1u);
  let c = (group.x * WG + i) >> p.log_lanes;
  let begin = group.y * p.chunk + lane;
  // No early return: barriers follow.
  let end = select(0u, min((group.y + 1u) * p.chunk, p.count), c < p.channels);
  let image = begin / p.plane;
  let begin_in = begin - image * p.plane;
  let begin_at = (image * p.channels + c) * p.plane + begin_in;
  let carry = (p.channels - 1u) * p.plane;
  let channel = stats[min(c, p.channels - 1u)];

  var sums = vec2f();
  if (REDUCE) {
    var at = begin_at;
    var in_plane = begin_in;
    var sum_g = V();
    var sum_gd = V();
    for (var e = begin; e < end; e += p.lanes) {
      let d = x[at] - channel.x;
      let g = masked(at, channel, d);
      sum_g += g;
      sum_gd += g * d;
      if (APPLY && RESIDUAL) { dresidual[at] = g; }
      at += p.step_at;
      in_plane += p.step_in;
      if (in_plane >= p.plane) {
        in_plane -= p.plane;
        at += carry;
      }
    }
    parts[i] = vec2f(total(sum_g), total(sum_gd));
    workgroupBarrier();
    for (var half = p.lanes / 2u; half > 0u; half /= 2u) {
      if (lane < half) { parts[i] += parts[i + half]; }
      workgroupBarrier();
    }
    sums = parts[i - lane];
  }
  if (c >= p.channels) { return; }
  if (!APPLY) {
    if (lane == 0u) { stats[(group.y + 1u) * p.channels + c] = vec4f(sums, 0.0, 0.0); }
    return;
  }
  if (!REDUCE) {
    for (var k = 1u; k <= p.chunks; k++) { sums += stats[k * p.channels + c].xy; }
  }
  if (p.chunks != 0u && group.y == 0u && lane == 0u) {
    dw[c] = sums.y * channel.y;
    db[c] = sums.x;
  }
  let mean_g = sums.x * p.per_element;
  let slope = sums.y * p.per_element * channel.y * channel.y;
  var at = begin_at;
  var in_plane = begin_in;
  for (var e = begin; e < end; e += p.lanes) {
    let d = x[at] - channel.x;
    var g: V;
    if (RESIDUAL && REDUCE) {
      g = dresidual[at];
    } else {
      g = masked(at, channel, d);
      if (RESIDUAL) { dresidual[at] = g; }
    }
    dx[at] = (g - mean_g - d * slope) * channel.z;
    at += p.step_at;
    in_plane += p.step_in;
    if (in_plane >= p.plane) {
      in_plane -= p.plane;
      at += carry;
    }
  }
}
