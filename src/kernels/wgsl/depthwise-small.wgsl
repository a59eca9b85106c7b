// Depthwise convolution of small maps without dilation, one filter a channel:
//   y[n, c, o] = end of sum over inputs s of w[c, s + pad - o*stride] * x[n, c, s]
// and backward its input gradient: dx[n, c, i] = sum over s of w[c, i + pad - s*stride] * dy[n, c, s].
// One element an invocation, planes side by side, since one alone would leave most of a workgroup idle. It walks over those s alone
// that a tap meets: on a map smaller than the kernel most taps lie outside. Traffic: two loads for each, a store.
import package::lib::depthwise;
import package::lib::epilogue;
alias Value = f32;
const WG = 64u;
const BACKWARD = false;

@group(0) @binding(0) var<storage, read> weight: array<f32>;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> dest: array<f32>;
@group(0) @binding(9) var<uniform> p: Params;

fn activated(v: Value) -> Value { return activate(v); }

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let area = p.dest.x * p.dest.y;
  let kernel = vec2i(vec2u(KH, KW));
  for (var to = id.x; to < p.planes * area; to += p.plane_step) {
    let plane = to / area;
    let at_plane = to - plane * area;
    let row = at_plane / p.dest.y;
    let at = vec2i(vec2u(row, at_plane - row * p.dest.y));
    let channel = plane % p.channels;
    // The tap that meets s is base + s * step. Quotients below 0, which are not rounded down, stand for none.
    let base = p.padding + select(-at * p.stride, at, BACKWARD);
    let step = select(vec2i(1), -p.stride, BACKWARD);
    let begin = max(vec2i(), select(-base, (base - kernel + p.stride) / p.stride, BACKWARD));
    let end = min(vec2i(p.source), select(kernel - base, base / p.stride + 1, BACKWARD));
    let weight_at = i32(channel * KH * KW);
    var sum = 0.0;
    for (var h = begin.x; h < end.x; h++) {
      let line = (plane * p.source.x + u32(h)) * p.source.y;
      let taps = weight_at + (base.x + h * step.x) * i32(KW) + base.y;
      for (var w = begin.y; w < end.y; w++) {
        sum = fma(weight[u32(taps + w * step.y)], source[line + u32(w)], sum);
      }
    }
    dest[to] = finish(sum, affine(channel), to);
  }
}
