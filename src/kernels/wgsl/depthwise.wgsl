// Depthwise convolution of any stride and dilation: y[n, f, o] = end of sum over t of w[f, t] * x[n, f / multiplier, o*stride + t*dil
// - pad]; backward its input gradient: dx[n, c, i] = sum over the channel's filters f and taps t, where (i + pad - t*dil) / stride
// leaves no rest, of w[f, t] * dy[n, f, that]. One element an invocation. Traffic: KH*KW loads of
// source and weight (backward as many as a stride leaves), a store.
import package::lib::depthwise;
import package::lib::epilogue;
alias Value = f32;
const WG = 64u;
const BACKWARD = false;
// Backward, without dilation: the stride, since of so many taps in a row only one leaves no rest. Otherwise 1.
const STEP_ROWS = 1u;
const STEP_COLUMNS = 1u;
// A channel has one filter: backward its weights then stay in registers from plane to plane.
const SINGLE = false;

@group(0) @binding(0) var<storage, read> weight: array<f32>;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> dest: array<f32>;
@group(0) @binding(9) var<uniform> p: Params;

fn activated(v: Value) -> Value { return activate(v); }

// The sum over the taps of one filter, whose plane of the source begins at `from`.
fn taps(filter_at: u32, plane_at: u32, at: vec2i) -> f32 {
  var sum = 0.0;
  var first = vec2u();
  if (STEP_ROWS * STEP_COLUMNS > 1u) { first = vec2u(at + p.padding) % vec2u(STEP_ROWS, STEP_COLUMNS); }
  for (var h = 0u; h < KH; h += STEP_ROWS) {
    for (var w = 0u; w < KW; w += STEP_COLUMNS) {
      let th = h + first.x;
      let tw = w + first.y;
      let tap = vec2i(vec2u(th, tw)) * p.dilation;
      var s = at * p.stride + tap - p.padding;
      var hit = true;
      if (BACKWARD) {
        let num = at + p.padding - tap;
        // By way of floats, which are right wherever no rest is left: integer division is slow where it is emulated.
        s = vec2i(round(vec2f(num) / vec2f(p.stride)));
        hit = all(s * p.stride == num);
      }
      hit = hit && all(vec2u(s) < p.source) && th < KH && tw < KW;
      let value = source[plane_at + select(0u, u32(s.x) * p.source.y + u32(s.y), hit)];
      sum += select(0.0, weight[(filter_at * KH + th) * KW + tw] * value, hit);
    }
  }
  return sum;
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  let area = p.dest.x * p.dest.y;
  if (id.x >= area) { return; }
  let row = id.x / p.dest.y;
  let at = vec2i(vec2u(row, id.x - row * p.dest.y));
  let source_area = p.source.x * p.source.y;
  // Planes of dest, one a workgroup and step of the grid.
  for (var plane = group.y; plane < p.planes; plane += p.plane_step) {
    let image = plane / p.channels;
    let channel = plane - image * p.channels;
    var sum = 0.0;
    if (BACKWARD && SINGLE) {
      sum = taps(channel, plane * source_area, at);
    } else if (BACKWARD) {
      for (var m = 0u; m < p.multiplier; m++) {
        let f = channel * p.multiplier + m;
        sum += taps(f, (plane * p.multiplier + m) * source_area, at);
      }
    } else {
      sum = taps(channel, (image * (p.channels / p.multiplier) + channel / p.multiplier) * source_area, at);
    }
    let to = plane * area + id.x;
    dest[to] = finish(sum, affine(channel), to);
  }
}
