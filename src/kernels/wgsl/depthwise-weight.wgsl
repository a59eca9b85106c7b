// Weight gradient of a depthwise convolution: dw[f, t] = sum over n, o of dy[n, f, o] * x[n, f / multiplier, o*stride + t*dil - pad].
// A workgroup takes one filter and one of `splits` shares of the images (added up after); its invocations take the positions in
// turn, and meet in a tree for each tap. Traffic: KH*KW + 1 loads for KH*KW multiply-adds.
import package::lib::depthwise;
import package::lib::tree;
alias Part = f32;
const WG = 64u;

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

fn join(a: Part, b: Part) -> Part { return a + b; }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) i: u32) {
  let filter_at = group.x;
  let area = p.dest.x * p.dest.y;
  let batch = p.planes / p.channels;
  let first = group.y * p.plane_step;
  let images = min(p.plane_step, batch - first);
  var sums = array<f32, KH * KW>();
  for (var e = i; e < images * area; e += WG) {
    let image = e / area;
    let o = e - image * area;
    let n = first + image;
    let g = dy[(n * p.channels + filter_at) * area + o];
    let row = o / p.dest.y;
    let at = vec2i(vec2u(row, o - row * p.dest.y)) * p.stride - p.padding;
    let plane_at = (n * (p.channels / p.multiplier) + filter_at / p.multiplier) * p.source.x * p.source.y;
    for (var th = 0u; th < KH; th++) {
      for (var tw = 0u; tw < KW; tw++) {
        let s = at + vec2i(vec2u(th, tw)) * p.dilation;
        let inside = all(vec2u(s) < p.source);
        sums[th * KW + tw] += select(0.0, g * x[plane_at + select(0u, u32(s.x) * p.source.y + u32(s.y), inside)], inside);
      }
    }
  }
  for (var t = 0u; t < KH * KW; t++) {
    let total = tree(sums[t], i, WG);
    if (i == 0u) { dw[(group.y * p.channels + filter_at) * KH * KW + t] = total; }
  }
}
