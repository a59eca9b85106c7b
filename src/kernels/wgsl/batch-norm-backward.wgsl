// Gradients of batch-norm.wgsl. With g = dy f'(z), z the value before the activation, and d = x - mean[c], over a
// channel of m elements: db = sum g, dw = rstd * sum g d, dx = rstd w (g - sum g / m - d rstd^2 sum g d / m), and
// dresidual = g. With fixed (running) statistics dx = rstd w g. z follows from x, and from a residual where there is
// one; or y is bound, and f' is in terms of y.
// Work is laid out as in batch-norm.wgsl: both phases in one dispatch with the channel in the cache between them, or
// REDUCE alone, which leaves its sums in `chunks`, and then APPLY alone. APPLY without chunks has no sums. Once
// dresidual is written, g comes from there.
// Traffic: 4n loads, n stores (V at a time); n more of each where a residual's gradient is wanted, else with a residual
// 2n more loads.
import package::lib::channels;
import package::lib::nan;
import package::lib::tree;
alias Part = vec2f;
const REDUCE = true;
const APPLY = true;
const has_y = true;
const has_residual = true;
const has_chunks = true;
const has_dx = true;
const has_dw = true;
const has_db = true;
const has_dresidual = true;

struct Params {
  channels: u32, plane: u32, count: u32, chunk: u32, chunks: u32,
  lanes: u32, log_lanes: u32, step_at: u32, step_in: u32, carry: u32,
  per_element: f32, // 1 / m, or 0 where the statistics are fixed
  a: f32,           // scalars of the activation
  b: f32,
}

// A channel's mean, rstd, rstd * w, b.
@group(0) @binding(0) var<storage, read> stats: array<vec4f>;
@group(0) @binding(1) var<storage, read> x: array<V>;
@group(0) @binding(2) var<storage, read> dy: array<V>;
@group(0) @binding(3) var<storage, read> y: array<V>;
@group(0) @binding(4) var<storage, read> residual: array<V>;
// Each chunk's (sum g, sum g d).
@group(0) @binding(5) var<storage, read_write> chunks: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> dx: array<V>;
@group(0) @binding(7) var<storage, read_write> dw: array<f32>;
@group(0) @binding(8) var<storage, read_write> db: array<f32>;
@group(0) @binding(9) var<storage, read_write> dresidual: array<V>;
@group(0) @binding(10) var<uniform> p: Params;

fn join(a: Part, b: Part) -> Part { return a + b; }

// dy f' in terms of what its row of the table saves, and f where that is y, but z is at hand.
fn back(x: f32, dy: f32) -> f32 { return dy; }
fn act(x: f32) -> f32 { return x; }
fn pull(x: V, dy: V) -> V { return back(act(x), dy); }

// g of an element.
fn masked(at: u32, channel: vec4f, d: V) -> V {
  if (has_y) { return pull(y[at], dy[at]); }
  var z = d * channel.z + channel.w;
  if (has_residual) { z += residual[at]; }
  return pull(z, dy[at]);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) i: u32) {
  let s = share(group, i);
  let channel = stats[min(s.c, p.channels - 1u)];
  var sums = vec2f();
  if (REDUCE) {
    var sum_g = V();
    var sum_gd = V();
    for (var k = s.first; k.e < s.end;) {
      var block_g = V();
      var block_gd = V();
      for (let end = block_end(k, s.end); k.e < end; k = next(k)) {
        let d = x[k.at] - channel.x;
        let g = masked(k.at, channel, d);
        block_g += g;
        block_gd += g * d;
        if (has_dresidual) { dresidual[k.at] = g; }
      }
      sum_g += block_g;
      sum_gd += block_gd;
    }
    sums = tree(vec2f(total(sum_g), total(sum_gd)), i, p.lanes);
  }
  if (s.c >= p.channels) { return; }
  if (!APPLY) {
    if (s.lane == 0u) { chunks[group.y * p.channels + s.c] = sums; }
    return;
  }
  if (!REDUCE && has_chunks) {
    for (var k = 0u; k < p.chunks; k++) { sums += chunks[k * p.channels + s.c]; }
  }
  if (group.y == 0u && s.lane == 0u) {
    if (has_dw) { dw[s.c] = sums.y * channel.y; }
    if (has_db) { db[s.c] = sums.x; }
  }
  let reduced = REDUCE || has_chunks;
  if (!has_dx && reduced) { return; }
  // Fixed statistics take no share of the sums, infinite ones included.
  let fixed = p.per_element == 0.0;
  let mean_g = select(sums.x * p.per_element, 0.0, fixed);
  let slope = select(sums.y * p.per_element * channel.y * channel.y, 0.0, fixed);
  for (var k = s.first; k.e < s.end; k = next(k)) {
    let d = x[k.at] - channel.x;
    var g = V();
    if (has_dresidual && reduced) {
      g = dresidual[k.at];
    } else {
      g = masked(k.at, channel, d);
      if (has_dresidual) { dresidual[k.at] = g; }
    }
    if (has_dx) { dx[k.at] = (g - mean_g - select(d * slope, V(), fixed)) * channel.z; }
  }
}
