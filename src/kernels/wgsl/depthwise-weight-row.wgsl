// Weight gradient of a depthwise convolution of stride 1 that keeps the width of its maps, whose rows are vectors of four:
//   dw[c, t] = sum over n, h, w of dy[n, c, h, w] * x[n, c, h + th - pad, w + tw - KW/2]
// A workgroup takes one channel and one of `splits` shares of the images (added up after). An invocation takes a vector of four
// positions and walks down ROWS rows: each row of x is loaded once for the KH rows of dy that it belongs to. Its sums for all
// taps stay in registers, and meet in a tree at the end. Traffic: 3 (ROWS + KH - 1) / ROWS + 1 vector loads for 4*KH*KW
// multiply-adds.
import package::lib::depthwise;
import package::lib::row_window;
import package::lib::tree;
alias Part = f32;
const WG = 64u;
const ROWS = 4u;

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read> source: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

fn join(a: Part, b: Part) -> Part { return a + b; }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) i: u32) {
  let channel = group.x;
  let width = p.dest.y / 4u;
  let strips = (p.dest.x + ROWS - 1u) / ROWS;
  let first = group.y * p.plane_step;
  let images = min(p.plane_step, p.planes / p.channels - first);
  var sums = array<vec4f, KH * KW>();
  for (var e = i; e < images * strips * width; e += WG) {
    let strip = e / width;
    let w = e - strip * width;
    let image = strip / strips;
    let plane = (first + image) * p.channels + channel;
    let top = (strip - image * strips) * ROWS;
    var gradients = array<vec4f, ROWS>();
    for (var r = 0u; r < ROWS; r++) {
      let live = top + r < p.dest.x;
      gradients[r] = select(vec4f(), dy[(plane * p.dest.x + select(0u, top + r, live)) * width + w], live);
    }
    for (var r = 0u; r < ROWS + KH - 1u; r++) {
      let h = top + r - u32(p.padding.x);
      let inside = h < p.source.x;
      let window = row_window((plane * p.source.x + select(0u, h, inside)) * width, w, width, inside);
      for (var tw = 0u; tw < KW; tw++) {
        let at = 4u + tw - KW / 2u;
        let v = vec4f(window[at], window[at + 1u], window[at + 2u], window[at + 3u]);
        for (var th = 0u; th < KH; th++) {
          if (r >= th && r - th < ROWS) { sums[th * KW + tw] = fma(gradients[r - th], v, sums[th * KW + tw]); }
        }
      }
    }
  }
  for (var t = 0u; t < KH * KW; t++) {
    let total = tree(dot(sums[t], vec4f(1.0)), i, WG);
    if (i == 0u) { dw[(group.y * p.channels + channel) * KH * KW + t] = total; }
  }
}
