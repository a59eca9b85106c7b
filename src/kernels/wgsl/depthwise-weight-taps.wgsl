// Weight gradient of a depthwise convolution on small maps:
//   dw[f, t] = sum over n, o of dy[n, f, o] * x[n, f / multiplier, o*stride + t*dil - pad]
// An invocation takes one tap of one filter and one of `splits` shares of the images (added up after), and walks over the positions
// where the tap lies inside of the input: on a map smaller than the kernel that is a few of them, for many taps none. No
// invocation waits for another. Traffic: two loads a multiply-add.
import package::lib::depthwise;
const WG = 64u;

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  if (id.x >= p.channels * KH * KW) { return; }
  let filter_at = id.x / (KH * KW);
  let t = id.x - filter_at * (KH * KW);
  let low = vec2i(vec2u(t / KW, t % KW)) * p.dilation - p.padding;
  // Positions o with 0 <= low + o * stride < source. Quotients below 0, which are not rounded down, stand for none.
  let begin = max(vec2i(), (p.stride - 1 - low) / p.stride);
  let end = min(vec2i(p.dest), (vec2i(p.source) - low + p.stride - 1) / p.stride);
  let first = group.y * p.plane_step;
  let images = min(p.plane_step, p.planes / p.channels - first);
  var sum = 0.0;
  for (var n = first; n < first + images; n++) {
    let dy_at = (n * p.channels + filter_at) * p.dest.x * p.dest.y;
    let x_at = (n * (p.channels / p.multiplier) + filter_at / p.multiplier) * p.source.x * p.source.y;
    for (var h = begin.x; h < end.x; h++) {
      let dy_row = dy_at + u32(h) * p.dest.y;
      let x_row = i32(x_at + u32(low.x + h * p.stride.x) * p.source.y) + low.y;
      for (var w = begin.y; w < end.y; w++) {
        sum = fma(dy[dy_row + u32(w)], x[u32(x_row + w * p.stride.y)], sum);
      }
    }
  }
  dw[group.y * p.channels * KH * KW + id.x] = sum;
}
