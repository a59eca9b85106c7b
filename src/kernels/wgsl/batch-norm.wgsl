// y = max((x - mean[c]) * rstd[c] * w[c] + b[c] (+ residual), low) over x: [N, C, P], per channel c of N * P elements.
// A workgroup takes WG / lanes channels, `lanes` invocations each; an invocation walks its channel in steps of `lanes`.
// Both phases in one dispatch: every invocation keeps sums around its own first element, which are merged by Chan's rule,
// so a mean far from 0 costs no precision; then the channel, now in the cache, is read again and normalised.
// Where channels are too few to fill the adapter, each phase is a dispatch of its own with `chunks` workgroups a channel:
// STATS alone writes (count, mean, M2) a chunk, APPLY alone merges them; with chunks = 0 it uses the running statistics.
// Traffic: 2n loads, n stores (V at a time), n more loads with a residual.
alias V = f32;
const WIDTH = 1u;
const WG = 64u;
const STATS = true;
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
  has_weight: u32,
  has_bias: u32,
  eps: f32,
  momentum: f32,
  low: f32,         // 0: relu
}

@group(0) @binding(0) var<storage, read> x: array<V>;
@group(0) @binding(1) var<storage, read> residual: array<V>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> running_mean: array<f32>;
@group(0) @binding(5) var<storage, read_write> running_var: array<f32>;
// A channel's mean, rstd, rstd * w, b; then the chunks' (count, mean, M2), chunk by chunk.
@group(0) @binding(6) var<storage, read_write> stats: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> y: array<V>;
@group(0) @binding(8) var<uniform> p: Params;

var<workgroup> parts: array<vec3f, WG>;

fn total(v: V) -> f32 { return v; }

// Count, mean and M2 (sum of squared deviations) of two samples together.
fn merge(a: vec3f, b: vec3f) -> vec3f {
  let n = a.x + b.x;
  let d = b.y - a.y;
  let f = b.x / max(n, 1.0);
  return vec3f(n, a.y + d * f, a.z + b.z + d * d * a.x * f);
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

  var moments = vec3f();
  if (STATS) {
    var at = begin_at;
    var in_plane = begin_in;
    var n = 0.0;
    var s = V();
    var q = V();
    let shift = select(0.0, total(x[at]) / f32(WIDTH), begin < end);
    for (var e = begin; e < end; e += p.lanes) {
      let d = x[at] - shift;
      s += d;
      q += d * d;
      n += f32(WIDTH);
      at += p.step_at;
      in_plane += p.step_in;
      if (in_plane >= p.plane) {
        in_plane -= p.plane;
        at += carry;
      }
    }
    let sum = total(s);
    let mean = sum / max(n, 1.0);
    parts[i] = vec3f(n, shift + mean, max(total(q) - sum * mean, 0.0));
    workgroupBarrier();
    for (var half = p.lanes / 2u; half > 0u; half /= 2u) {
      if (lane < half) { parts[i] = merge(parts[i], parts[i + half]); }
      workgroupBarrier();
    }
    moments = parts[i - lane];
  }
  if (!APPLY) {
    if (lane == 0u && c < p.channels) { stats[(group.y + 1u) * p.channels + c] = vec4f(moments, 0.0); }
    return;
  }
  if (c >= p.channels) { return; }
  var mean = 0.0;
  var variance = 0.0;
  if (!STATS) {
    for (var k = 1u; k <= p.chunks; k++) { moments = merge(moments, stats[k * p.channels + c].xyz); }
  }
  if (p.chunks == 0u) {
    mean = running_mean[c];
    variance = running_var[c];
  } else {
    mean = moments.y;
    variance = moments.z / moments.x;
  }
  let rstd = 1.0 / sqrt(variance + p.eps);
  var scale = rstd;
  if (p.has_weight != 0u) { scale *= weight[c]; }
  var offset = 0.0;
  if (p.has_bias != 0u) { offset = bias[c]; }
  if (group.y == 0u && lane == 0u) {
    stats[c] = vec4f(mean, rstd, scale, offset);
    if (p.chunks != 0u) {
      running_mean[c] += p.momentum * (mean - running_mean[c]);
      running_var[c] += p.momentum * (moments.z / (moments.x - 1.0) - running_var[c]);
    }
  }
  var at = begin_at;
  var in_plane = begin_in;
  for (var e = begin; e < end; e += p.lanes) {
    var v = (x[at] - mean) * scale + offset;
    if (RESIDUAL) { v += residual[at]; }
    y[at] = max(v, V(p.low));
    at += p.step_at;
    in_plane += p.step_in;
    if (in_plane >= p.plane) {
      in_plane -= p.plane;
      at += carry;
    }
  }
}
