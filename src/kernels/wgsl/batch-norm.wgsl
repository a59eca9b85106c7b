// y = f((x - mean[c]) * rstd[c] * w[c] + b[c] (+ residual)) over x: [N, C, P], per channel c of N * P elements; f is an
// activation. Both phases in one dispatch: the moments of a channel, which is in the cache then, and normalising it.
// Where channels are too few to fill the adapter, each phase is a dispatch of its own with several workgroups a
// channel: STATS alone leaves moments in `chunks`, APPLY alone joins them. APPLY without chunks is evaluation and takes
// the running statistics. Traffic: 2n loads, n stores (V at a time), n more loads with a residual.
import package::lib::channels;
import package::lib::moments;
import package::lib::nan;
const STATS = true;
const APPLY = true;
const has_residual = true;
const has_weight = true;
const has_bias = true;
const has_running_mean = true;
const has_running_var = true;
const has_chunks = true;

struct Params {
  channels: u32, plane: u32, count: u32, chunk: u32, chunks: u32,
  lanes: u32, log_lanes: u32, step_at: u32, step_in: u32, carry: u32,
  eps: f32,
  momentum: f32,
  a: f32,           // scalars of the activation
  b: f32,
}

@group(0) @binding(0) var<storage, read> x: array<V>;
@group(0) @binding(1) var<storage, read> residual: array<V>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
// In training they move towards the batch's.
@group(0) @binding(4) var<storage, read_write> running_mean: array<f32>;
@group(0) @binding(5) var<storage, read_write> running_var: array<f32>;
// Between two dispatches: a channel's (w, b), which so need no bindings in the second one; then each chunk's moments.
@group(0) @binding(6) var<storage, read_write> chunks: array<vec4f>;
// A channel's mean, rstd, rstd * w, b.
@group(0) @binding(7) var<storage, read_write> stats: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> y: array<V>;
@group(0) @binding(9) var<uniform> p: Params;

fn f(x: f32) -> f32 { return x; }
fn map(v: V) -> V { return f(v); }

fn channel_moments(s: Share, i: u32) -> Part {
  var n = 0.0;
  var sum = V();
  var squares = V();
  let shift = select(0.0, total(x[s.first.at]) / f32(WIDTH), s.first.e < s.end);
  for (var k = s.first; k.e < s.end;) {
    var block = V();
    var block_squares = V();
    for (let end = block_end(k, s.end); k.e < end; k = next(k)) {
      let d = x[k.at] - shift;
      block += d;
      block_squares += d * d;
      n += f32(WIDTH);
    }
    sum += block;
    squares += block_squares;
  }
  return tree(moments(n, shift, total(sum), total(squares)), i, p.lanes);
}

fn weight_and_bias(c: u32) -> vec2f {
  if (has_chunks && !STATS) { return chunks[c].xy; }
  var wb = vec2f(1.0, 0.0);
  if (has_weight) { wb.x = weight[c]; }
  if (has_bias) { wb.y = bias[c]; }
  return wb;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) i: u32) {
  let s = share(group, i);
  let c = s.c;
  var batch = Part();
  if (STATS) { batch = channel_moments(s, i); }
  if (c >= p.channels) { return; }
  let first = s.lane == 0u && group.y == 0u;
  let wb = weight_and_bias(c);
  if (!APPLY) {
    if (first) { chunks[c] = vec4f(wb, 0.0, 0.0); }
    if (s.lane == 0u) { chunks[(group.y + 1u) * p.channels + c] = vec4f(batch, 0.0); }
    return;
  }
  if (!STATS && has_chunks) {
    for (var k = 1u; k <= p.chunks; k++) { batch = join(batch, chunks[k * p.channels + c].xyz); }
  }
  var mean = batch.y;
  var variance = batch.z / batch.x;
  if (!STATS && !has_chunks) {
    if (has_running_mean) { mean = running_mean[c]; }
    if (has_running_var) { variance = running_var[c]; }
  }
  let rstd = 1.0 / sqrt(variance + p.eps);
  let scale = rstd * wb.x;
  // (x - mean) scale + b; in evaluation x scale + (b - mean scale), as the ends of convolutions have it.
  var shift = mean;
  var offset = wb.y;
  if (!STATS && !has_chunks) {
    shift = 0.0;
    offset -= mean * scale;
  }
  if (first) {
    stats[c] = vec4f(mean, rstd, scale, wb.y);
    if (STATS || has_chunks) {
      if (has_running_mean) { running_mean[c] += p.momentum * (mean - running_mean[c]); }
      if (has_running_var) { running_var[c] += p.momentum * (batch.z / (batch.x - 1.0) - running_var[c]); }
    }
  }
  for (var k = s.first; k.e < s.end; k = next(k)) {
    var v = (x[k.at] - shift) * scale + offset;
    if (has_residual) { v += residual[k.at]; }
    y[k.at] = map(v);
  }
}
